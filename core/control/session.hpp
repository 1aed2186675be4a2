// A client's session: its handles, and the connection that gets its events.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "cardea/ids.hpp"
#include "cardea/time.hpp"
#include "control/client_address.hpp"
#include "control/connection.hpp"
#include "control/handle.hpp"

namespace cardea::control {

struct Session {
  Session(SessionId i, const ClientAddress& a, Limits& limits, Time now)
      : id(i), address(a), share(limits, a, used), requests(limits.requests_of_session()), last_activity(now) {}

  const SessionId id;
  const ClientAddress address;  // that created it: its bounds hold
  Usage used{};                 // of the session with all its handles
  Limits::Share share;
  TokenBucket requests;
  std::optional<Connection> owner{};  // none: it closed, and the session may be claimed
  Time last_activity;
  std::optional<uint32_t> timeout{};  // s; none: that of all
  std::map<HandleId, std::unique_ptr<ClientHandle>> handles{};
};

}  // namespace cardea::control
