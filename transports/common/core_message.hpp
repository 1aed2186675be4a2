// What the core says to a transport, on its way to the transport's thread.
#pragma once

#include "cardea/ids.hpp"
#include "cardea/json.hpp"

namespace cardea::transports {

struct CoreMessage {
  enum class Kind { send, session_owned, session_over };
  Kind kind = Kind::send;
  ConnectionId connection{};
  RequestTag tag{};
  SessionId session{};
  bool claimed = false;
  Json message{};
};

}  // namespace cardea::transports
