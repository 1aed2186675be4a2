// The Unix socket transport: one packet is one JSON text, both ways. A client is a connection (SOCK_SEQPACKET), or the
// path that its datagrams come from (SOCK_DGRAM): then it is gone when nothing can be sent there.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cardea/mailbox.hpp"
#include "cardea/time.hpp"
#include "cardea/transport.hpp"
#include "common/core_message.hpp"
#include "common/fd.hpp"
#include "common/tally.hpp"
#include "unix/settings.hpp"

namespace cardea::transports {

class UnixSockets final : public Transport {
public:
  explicit UnixSockets(TransportHost& host) : host_(host) {}
  ~UnixSockets() override { stop(); }

  Configured configure(JsonView values) override;
  void list_settings(std::vector<SettingInfo>& to) const override;
  Status start() override;
  void stop() override;
  std::vector<std::string> addresses() const override;
  void send(ConnectionId to, RequestTag tag, Json message) override;
  void flush() override;
  void session_owned(ConnectionId by, SessionId session) override;
  void session_over(ConnectionId owner, SessionId session, bool claimed) override;

  // How often something was refused. Only while the transport is stopped.
  uint64_t refusals(Refusal what) const { return tally_.of(what); }

private:
  struct Gate {
    Fd socket;
    std::string path;
    Api api = Api::client;
    bool datagrams = false;
  };
  struct Client {
    ConnectionId id{};
    Gate* gate = nullptr;
    Fd socket{};            // none: it sends datagrams
    std::string address{};  // where they come from, as the system has it
    std::deque<std::string> queue{};
    size_t queued_bytes = 0;
    size_t unanswered = 0;  // requests that the host has not replied to
    size_t sessions = 0;
    Time heard{};
    bool paused = false;   // nothing is read until some of them are
    bool is_over = false;  // nothing is said to it or the host any more
  };
  enum class Sent { yes, later, too_big, gone };

  Status open(const std::string& path, const std::string& type, Api api);
  void post(CoreMessage message);
  void run();
  void watch(int fd, uint64_t key, uint32_t events, int how);
  void accept(Gate& gate);
  void read_connection(Client& client);
  void read_datagrams(Gate& gate);
  Client* client_at(Gate& gate, const sockaddr_storage& address, socklen_t size);
  bool make_room();
  Client& add(Client client);
  void receive(Client& client, size_t size);
  void take_messages();
  void answer(Client& client, RequestTag tag, JsonView message);
  void queue(Client& client, std::string packet);
  Sent send_packet(Client& client, std::string_view packet);
  void send_queued(Client& client);
  void pause(Client& client, bool paused);
  void end(Client& client);
  bool datagrams_wait() const;
  bool is_drained() const;

  // given
  TransportHost& host_;
  // owned
  Tally tally_{"unix"};
  Mailbox<CoreMessage> mailbox_{100000};
  std::vector<std::unique_ptr<Gate>> gates_;
  Fd epoll_;
  std::thread thread_;
  // state
  UnixGeneral general_;
  UnixAdmin admin_;
  JsonStyle style_ = JsonStyle::compact;
  std::unordered_map<ConnectionId, Client> clients_;
  std::map<std::pair<const Gate*, std::string>, ConnectionId> by_address_;
  std::vector<ConnectionId> ended_;  // to be forgotten once nobody looks at them
  std::vector<CoreMessage> messages_;
  std::string packet_;  // the one being read
  uint64_t last_id_ = 0, last_tag_ = 0;
  std::atomic<bool> stop_wanted_{false};
};

}  // namespace cardea::transports
