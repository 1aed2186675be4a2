// The MQTT transport: requests come by one topic, replies and events leave by another, for all clients of a broker. To
// the core all of them are one connection, and one more for the admin API.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cardea/mailbox.hpp"
#include "cardea/transport.hpp"
#include "common/core_message.hpp"
#include "common/tally.hpp"
#include "mqtt/broker.hpp"
#include "mqtt/settings.hpp"
#include "mqtt/transactions.hpp"

namespace cardea::transports {

class Mqtt final : public Transport, private BrokerEvents {
public:
  explicit Mqtt(TransportHost& host) : host_(host) {}
  ~Mqtt() override { stop(); }

  Configured configure(JsonView values) override;
  void list_settings(std::vector<SettingInfo>& to) const override;
  Status start() override;
  void stop() override;
  std::vector<std::string> addresses() const override;
  void send(ConnectionId to, RequestTag tag, Json message) override;
  void flush() override;
  // Sessions end by their timeout: nobody tells when a client of the broker is gone.
  void session_owned(ConnectionId, SessionId) override {}
  void session_over(ConnectionId, SessionId, bool) override {}

  // How often something was refused. Only while the transport is stopped.
  uint64_t refusals(Refusal what) const { return tally_.of(what); }

private:
  // The topics of one API.
  struct Face {
    ConnectionId connection{};
    Api api = Api::client;
    Subscription requests{};
    std::string replies{};
    int qos = 1;
  };

  void on_message(Arrived message) override;
  void run();
  void take_messages();
  BrokerRules broker_rules() const;
  bool is_ours(const std::string& topic) const;
  void refuse(const Face& face, Properties properties, const Error& why);
  void publish(const Face& face, JsonView message, Properties properties, bool is_reply);

  // given
  TransportHost& host_;
  // owned
  Tally tally_{"mqtt"};
  Mailbox<CoreMessage> mailbox_{100000};
  std::optional<Transactions> transactions_;
  std::unique_ptr<Broker> broker_;
  std::thread thread_;
  // state
  MqttGeneral general_;
  MqttAdmin admin_;
  MqttStatus status_;
  JsonStyle style_ = JsonStyle::compact;
  std::vector<Face> faces_;
  std::vector<CoreMessage> messages_;
  std::atomic<bool> stop_wanted_{false};
};

}  // namespace cardea::transports
