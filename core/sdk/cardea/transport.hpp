// The contract of a transport: it carries JSON values and knows who is connected; what they mean is the core's
// business. A transport runs threads of its own. The core calls it in its turns: one call at a time, from the control
// thread or from within release(). It calls the host from any of its threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/ids.hpp"
#include "cardea/json.hpp"
#include "cardea/module_base.hpp"

namespace cardea {

enum class Api { client, admin };

// How long a connection lasts.
enum class Lasts { until_gone, one_request };

// The core's side. Thread-safe.
class TransportHost {
public:
  // A connection begins; said before its first receive(). `remote_address` is the client's IP address as text, without
  // a port: of the socket, or what a trusted proxy says; "" where there is none (a Unix socket). Clients are bounded by
  // it. Where each request is a connection of its own (HTTP) it is said before each receive(), with
  // Lasts::one_request; gone() need not be said of those.
  virtual void opened(ConnectionId connection, std::string_view remote_address, Lasts lasts = Lasts::until_gone) = 0;
  // A request. `tag` comes back with its reply; events carry no tag. The value is handed over. Anything JSON may be
  // given: what is no object is answered with an error.
  virtual void receive(ConnectionId from, RequestTag tag, Api api, Json request) = 0;
  // The connection is closed: its sessions end, or wait to be claimed.
  virtual void gone(ConnectionId connection) = 0;
  // For a transport with one thread that looks at many sockets at once: between hold() and release() a receive() does
  // not wake the core; a gone() does. release() hands over what was received: the core's turn is taken on this thread,
  // which costs no wake-up at all and calls the transport back with the replies (so hold no lock that send() takes), or
  // by the control thread if a turn is under way.
  virtual void hold() = 0;
  virtual void release() = 0;
  // Where the module may keep files between runs (a certificate); "" if there is none.
  virtual const std::string& state_folder() const = 0;
  // The folder of the web pages; "" if there is none.
  virtual const std::string& pages_folder() const = 0;
  // Is there a secret for the admin API? Without one no admin listener may be opened: start() returns an error.
  virtual bool admin_secret_set() const = 0;

protected:
  ~TransportHost() = default;
};

// start() binds the ports and starts the threads; stop() sends what is queued (for at most a second), closes all
// connections and joins the threads.
class Transport : public Module {
public:
  // Lines to print for the person who started the gateway: "http://192.0.2.1:8088/".
  virtual std::vector<std::string> addresses() const = 0;

  // A reply (with its request's tag) or an event (RequestTag{}) for a connection. Never blocks. A connection that is
  // gone, or too slow to read, is the transport's to drop.
  virtual void send(ConnectionId to, RequestTag tag, Json message) = 0;
  // Nothing more is sent for the moment: a transport that gathers what it is given passes it on now.
  virtual void flush() {}
  // A session was created by, or claimed for, this connection: its events go there from now on.
  virtual void session_owned(ConnectionId by, SessionId session) = 0;
  // The session ended (its "timeout" event, if it timed out, was sent before), or was claimed by another connection.
  virtual void session_over(ConnectionId owner, SessionId session, bool claimed) = 0;
};

}  // namespace cardea
