// What the two APIs work with; all of it is the gateway's.
#pragma once

#include <memory>

#include "control/auth.hpp"
#include "control/limits.hpp"
#include "control/loaded.hpp"
#include "control/log_sink.hpp"
#include "control/sessions.hpp"

namespace cardea::control {

// How long candidates that come before their description are kept; here they are not needed (ICE-lite).
inline constexpr uint32_t candidates_timeout_s = 45;

struct ApiContext {
  Settings& settings;
  Auth& auth;
  Limits& limits;
  Sessions& sessions;
  Turn& turn;
  const Plugins& plugins;
  const Transports& transports;
  const std::unique_ptr<Peers>& peers;  // none until there is media
  const std::unique_ptr<House>& house;  // the same
  const Time& now;                      // of the turn, for deadlines
  const Time& wall;                     // of the turn, as the real clock says
  bool& accepts_sessions;
  LogSink* const& log;  // none in tests
};

// The answer to "info".
Json server_info(const ApiContext& context, std::string_view transaction);

}  // namespace cardea::control
