// The connection to an MQTT broker, by libmosquitto, and kept up: lost, it is made again with growing pauses. What is
// published waits in a bounded queue.
//
// libmosquitto is driven from outside, by the one thread that owns this: poll fd() for wanted(), then look().
#pragma once

#include <mosquitto.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/result.hpp"
#include "cardea/time.hpp"
#include "common/tally.hpp"
#include "mqtt/transactions.hpp"

namespace cardea::transports {

enum class MqttVersion { v3_1, v3_1_1, v5 };

struct Publication {
  std::string topic{};
  std::string payload{};
  int qos = 1;
  bool retain = false;
  bool repeatable = true;  // may come twice if the connection breaks; a reply may not
  Properties properties{};
};

struct Subscription {
  std::string topic{};
  int qos = 1;
};

struct BrokerRules {
  std::string host{};
  int port = 1883;
  MqttVersion version = MqttVersion::v3_1_1;
  std::string client_id{}, username{}, password{};
  int keep_alive_s = 20;
  bool clean_session = false;
  bool exactly_once = false;  // something is published with quality 2
  size_t max_inflight = 10;
  size_t max_buffered = 100;           // messages, while the broker is away
  size_t max_queue = 4 * 1024 * 1024;  // bytes
  size_t max_message = 2 * 1024 * 1024;
  bool tls = false, verify_peer = true;
  std::string ca_file{}, certificate_file{}, key_file{};
  std::vector<Subscription> subscriptions{};
  std::optional<Publication> hello{}, will{};
  Duration first_pause = 200ms, longest_pause = 5s;
};

// A message of a topic that we have subscribed.
struct Arrived {
  std::string_view topic{};
  std::string_view payload{};
  Properties properties{};
};

class BrokerEvents {
public:
  virtual void on_message(Arrived message) = 0;

protected:
  ~BrokerEvents() = default;
};

// "tcp://localhost:1883" into host and port; what is wrong with it.
Status read_url(const std::string& url, BrokerRules& into);

class Broker {
public:
  Broker(BrokerRules rules, BrokerEvents& events, Tally& tally);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // -1: there is no connection.
  int fd() const;
  bool wants_to_write() const;
  // Reads if the socket is `readable`, writes if it is `writable`, and does what is due.
  void look(bool readable, bool writable, Time now);
  Time next_deadline() const { return next_; }

  // Leaves at once, or waits. Dropped, and counted, if too much waits already.
  void publish(Publication publication);
  bool is_drained() const { return waiting_.empty() && in_flight_.empty(); }
  // Says goodbye, for at most so long, and ends the connection.
  void leave(Duration time);

private:
  struct Destroy {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };

  void connect(Time now);
  bool make_client();
  void lost(Time now);
  void pump();
  void hand_over(Publication publication);
  bool has_more() const;
  void on_connected(int status);
  void on_arrived(const mosquitto_message& message, const mosquitto_property* properties);
  bool came_before(const mosquitto_message& message);

  // given
  const BrokerRules rules_;
  BrokerEvents& events_;
  Tally& tally_;
  // owned
  std::unique_ptr<mosquitto, Destroy> client_;
  // state
  bool connected_ = false;
  bool was_away_ = false;  // said so
  Duration pause_{};
  Time next_{};  // to connect, or to look whether the broker is there
  std::deque<Publication> waiting_;
  size_t waiting_bytes_ = 0;
  std::map<int, Publication> in_flight_;  // not acknowledged, by message id
  using Mark = std::pair<int, size_t>;    // id and hash of a message
  std::deque<Mark> came_, came_earlier_;  // the last ones, by this connection and by the one before
};

}  // namespace cardea::transports
