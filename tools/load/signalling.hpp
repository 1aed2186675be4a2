// A WebSocket to a server of the Janus API: requests with callbacks on their reply, events by handle. libwebsockets on
// a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cardea/json.hpp"
#include "cardea/mailbox.hpp"

struct lws;
struct lws_context;

namespace cardea::load {

class Signalling {
public:
  using Reply = std::function<void(JsonView reply)>;  // "error" replies too

  // Connects; throws std::runtime_error if it cannot.
  explicit Signalling(const std::string& url);
  ~Signalling();

  // Sends with a transaction and the session's id. A plugin message is answered by its event (or success), an ack is
  // passed over.
  void request(Json message, Reply reply);
  // Sends and expects nothing.
  void tell(Json message);
  // Events of a handle that answer no request.
  void listen(uint64_t handle, Reply events) { listeners_[handle] = std::move(events); }
  void forget(uint64_t handle) { listeners_.erase(handle); }

  void set_session(uint64_t session) { session_ = session; }

  // Calls back for all that came in. `fd` is readable when there is something.
  void handle();
  int fd() const { return incoming_.fd(); }
  bool open() const { return open_.load(); }
  size_t pending() const { return replies_.size(); }

  // Of the libwebsockets thread.
  void received(const char* text, size_t size, bool last);
  void writable(lws* socket);
  void connected(lws* socket);
  void closed();
  void wake();

private:
  struct Waiting {
    Reply reply;
    bool waits_for_event;
  };

  void run();

  // owned
  lws_context* context_ = nullptr;
  Mailbox<Json> incoming_;
  Mailbox<std::string> outgoing_;
  std::thread thread_;
  // state of the caller's thread
  uint64_t session_ = 0, transactions_ = 0;
  std::unordered_map<std::string, Waiting> replies_;
  std::unordered_map<uint64_t, Reply> listeners_;
  std::vector<Json> batch_;
  // state of the libwebsockets thread
  lws* socket_ = nullptr;
  std::string partial_;
  std::vector<std::string> sending_;
  size_t sent_ = 0;
  std::atomic<bool> open_{false}, stopping_{false}, failed_{false};
};

}  // namespace cardea::load
