// What was asked for during a control turn and happens at its end, in the order of asking: events to clients, then the
// ends of peer connections, handles and sessions.
#pragma once

#include <deque>
#include <string>
#include <variant>

#include "cardea/ids.hpp"
#include "cardea/json.hpp"
#include "cardea/plugin.hpp"

namespace cardea::control {

// A plugin's event; it becomes JSON (and its plan becomes SDP) when it is sent.
struct Pushed {
  HandleId handle;
  Event event;
};
// An event of the core's own, "webrtcup" and the like.
struct Notice {
  SessionId session;
  Json message;
};
// An exchange of offer and answer that is complete; the plugin is told after the event that belongs to it.
struct Negotiated {
  HandleId handle;
};
struct Ending {
  enum class Of { peer, handle, session } of = Of::peer;
  HandleId handle{};
  SessionId session{};   // of a session only
  std::string reason{};  // of a peer only: the Janus API's
};

struct Turn {
  std::deque<std::variant<Pushed, Notice, Negotiated>> outgoing;
  std::deque<Ending> endings;
};

}  // namespace cardea::control
