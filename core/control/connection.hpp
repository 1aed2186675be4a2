// Names a client's connection.
#pragma once

#include <compare>
#include <cstddef>

#include "cardea/ids.hpp"

namespace cardea::control {

// A connection of one of the transports.
struct Connection {
  size_t transport = 0;  // its index in the gateway
  ConnectionId id;
  auto operator<=>(const Connection&) const = default;
};

}  // namespace cardea::control
