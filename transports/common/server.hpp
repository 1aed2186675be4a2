// What both transports are made of: a libwebsockets context on a thread of its own, listening sockets, HTTP exchanges
// and WebSockets.
//
// All of libwebsockets is called on that thread; the core's messages come to it through a mailbox whose descriptor the
// context polls.
#pragma once

#include <libwebsockets.h>

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cardea/mailbox.hpp"
#include "cardea/transport.hpp"
#include "common/access.hpp"
#include "common/address.hpp"
#include "common/certificate.hpp"
#include "common/core_message.hpp"
#include "common/endpoint.hpp"
#include "common/exchange.hpp"
#include "common/pace.hpp"
#include "common/stock.hpp"
#include "common/tally.hpp"
#include "common/web_socket.hpp"

namespace cardea::transports {

// A way in: where, for whom, what for.
struct Door {
  Endpoint endpoint{};
  Acl acl{};
  Api api = Api::client;
  bool tls = false;
  std::string scheme{};  // of its URL: "ws"
  Origins origins{};
};

struct ServerRules {
  std::string name{};  // of the transport, in log lines and errors
  size_t max_connections = 0;
  size_t max_connections_per_address = 0;
  Proxies proxies{};
  WebSocketRules web_socket{};
  ExchangeRules exchange{};
};

// HTTP requests and the core's messages about them. All calls come from the server's thread.
class HttpFace : public RequestHandler {
public:
  // The message is not for a WebSocket.
  virtual void on_core(CoreMessage message) = 0;

protected:
  ~HttpFace() = default;
};

class Server {
public:
  Server(ServerRules rules, TransportHost& host, HttpFace& http, Stock& stock);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens at all doors and starts the thread. `identity` is needed if any door has TLS.
  Status start(const std::vector<Door>& doors, std::optional<Identity> identity);
  // Sends what is queued (for a second at most), closes all and joins the thread.
  void stop();
  // Any thread. Taken when the thread is next awake, at the latest after wake().
  void post(CoreMessage message);
  void wake();

  std::vector<std::string> addresses() const { return addresses_; }
  const ServerRules& rules() const { return rules_; }
  Tally& tally() { return tally_; }

private:
  class Attached;  // what stands behind a wsi
  class Gate;      // a listening socket
  class Inbox;     // the mailbox
  class Connection;

  static int on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size);
  static const lws_protocols protocols_[];
  Status make_context(bool tls);
  lws* attach(Attached& attached, int fd, lws_adoption_type type, const char* protocol);
  void run();
  void gather();
  void accept(Gate& gate);
  void refuse_one(Gate& gate);
  bool make_room();
  bool count_in(const std::string& key);
  void count_out(const std::string& key);
  void take_messages();
  void take(CoreMessage& message);
  void begin_stop();
  bool is_drained() const;

  // given
  const ServerRules rules_;
  TransportHost& host_;
  HttpFace& http_;
  Stock& stock_;
  // owned
  Tally tally_;
  Mailbox<CoreMessage> mailbox_;
  std::optional<Identity> identity_;
  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  std::vector<std::unique_ptr<Gate>> gates_;
  std::unique_ptr<Inbox> inbox_;
  std::thread thread_;
  // state
  std::list<Connection*> unowned_;                      // those without a session, the longest idle first
  std::unordered_map<std::string, size_t> by_address_;  // connections, by client_key()
  size_t given_up_ = 0;                                 // to make room, and not closed yet
  int descriptor_bound_ = 0;                            // from there on, room is made for each newcomer
  std::unordered_map<Attached*, std::unique_ptr<Connection>> connections_;
  std::unordered_map<ConnectionId, Connection*> web_sockets_;
  std::vector<CoreMessage> messages_;
  std::vector<WebSocket*> told_;  // of them, in this turn
  std::vector<std::string> addresses_;
  uint64_t next_id_ = 0;
  Pace pace_;
  uint64_t requests_ = 0;  // of WebSockets, in this look
  Fd spare_;               // given up for a moment to refuse a connection when no descriptor is left
  std::atomic<bool> stop_wanted_{false};
  bool stopping_ = false;
  bool time_is_up_ = false;
};

}  // namespace cardea::transports
