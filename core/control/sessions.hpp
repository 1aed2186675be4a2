// The registry of sessions: which there are, their handles, which connection owns each, and when they end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "control/handle.hpp"
#include "control/loaded.hpp"
#include "control/session.hpp"
#include "control/settings.hpp"

namespace cardea::control {

class Sessions {
public:
  using All = std::unordered_map<SessionId, std::unique_ptr<Session>>;

  // The transports are those that connections name; they may still be loaded.
  Sessions(const GeneralSettings& settings, const Transports& transports, Limits& limits, Random& random)
      : settings_(settings), transports_(transports), limits_(limits), random_(random) {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  // With the id that is wanted, or a random one for none. 468: it is in use; 472: there are too many.
  Result<Session*> create(SessionId wanted, Connection by, const ClientAddress& address, Time now);
  // Attaches the client to the plugin. 461: the plugin refuses; 490: there are too many handles.
  Result<HandleId> attach(Session& session, House& house, Plugin& plugin, std::string name, std::string opaque_id);
  // The connection gets the session's events from now on.
  void claim(Connection by, Session& session);

  // None: there is none.
  Session* find(SessionId id) const;
  ClientHandle* find(HandleId id) const;
  // 459: it is none of the session's.
  Result<ClientHandle*> find(SessionId session, HandleId handle) const;
  const All& all() const { return all_; }
  size_t count() const { return all_.size(); }
  size_t handle_count() const { return handles_.size(); }

  void end(ClientHandle& handle, Turn& turn);
  enum class Farewell { none, timeout };
  void end(SessionId session, Farewell farewell);
  // The sessions of a connection that closed: they are without owner now. Those that are not to wait for a claim.
  std::vector<SessionId> disown(Connection gone);
  // The sessions whose time is over.
  std::vector<SessionId> overdue(Time now) const;

  // To the connection that owns the session, if there is one.
  void send(const Session& session, Json message) const;

private:
  void own(Session& session, Connection connection);
  void disown(Session& session);
  Transport& transport(const Connection& connection) const { return *transports_[connection.transport].transport; }

  // given
  const GeneralSettings& settings_;
  const Transports& transports_;
  Limits& limits_;
  Random& random_;
  // state
  All all_;
  std::unordered_map<HandleId, ClientHandle*> handles_;
  std::map<Connection, std::set<SessionId>> owned_;
};

}  // namespace cardea::control
