// A client's session: its handles, and the connection that gets its events.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "cardea/ids.hpp"
#include "cardea/time.hpp"
#include "control/client_address.hpp"
#include "control/handle.hpp"

namespace cardea::control {

// A connection of one of the transports.
struct Connection {
  size_t transport = 0;  // its index in the gateway
  ConnectionId id;
  auto operator<=>(const Connection&) const = default;
};

struct Session {
  SessionId id;
  ClientAddress address;            // that created it: its bounds hold
  std::optional<Connection> owner;  // none: it closed, and the session may be claimed
  Time last_activity;
  std::map<HandleId, std::unique_ptr<ClientHandle>> handles;
};

}  // namespace cardea::control
