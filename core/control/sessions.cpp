#include "control/sessions.hpp"

#include <utility>

#include "cardea/log.hpp"
#include "control/envelope.hpp"

namespace cardea::control {
namespace {

constexpr uint64_t largest_id = (uint64_t{1} << 53) - 1;  // JavaScript keeps it exact

template <class Map>
typename Map::key_type fresh_id(const Map& taken, Random& random) {
  for (;;) {
    const typename Map::key_type id{random.u64() & largest_id};
    if (id && !taken.contains(id)) return id;
  }
}

}  // namespace

Result<Session*> Sessions::create(SessionId wanted, Connection by, const ClientAddress& address, Time now) {
  if (wanted && all_.contains(wanted)) return Error{code::session_in_use, text("Session ", wanted.value, " is in use")};
  const SessionId id = wanted ? wanted : fresh_id(all_, random_);
  auto made = std::make_unique<Session>(id, address, limits_, now);
  if (Status status = made->share.set(Counted::sessions, 1); !status) return status.error();
  Session& session = *(all_[id] = std::move(made));
  own(session, by);
  log::debug("control", "session ", id.value, " created");
  return &session;
}

Result<HandleId> Sessions::attach(Session& session, House& house, Plugin& plugin, std::string name,
                                  std::string opaque_id) {
  const HandleId id = fresh_id(handles_, random_);
  auto handle = std::make_unique<ClientHandle>(
      house, ClientHandle::Names{id, session.id, std::move(name), std::move(opaque_id), session.address}, session.used);
  if (Status status = handle->count(); !status) return status.error();
  if (Status status = handle->attach(plugin); !status) return status.error();
  handles_[id] = handle.get();
  session.handles[id] = std::move(handle);
  return id;
}

void Sessions::claim(Connection by, Session& session) {
  if (session.owner == by) return;
  std::optional<Connection> before = session.owner;
  disown(session);
  if (before) transport(*before).session_over(before->id, session.id, true);
  own(session, by);
}

Session* Sessions::find(SessionId id) const {
  auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second.get();
}

ClientHandle* Sessions::find(HandleId id) const {
  auto found = handles_.find(id);
  return found == handles_.end() ? nullptr : found->second;
}

Result<ClientHandle*> Sessions::find(SessionId session, HandleId handle) const {
  ClientHandle* found = find(handle);
  if (found == nullptr || found->session_id() != session)
    return Error{code::no_handle, text("No such handle ", handle.value, " in session ", session.value)};
  return found;
}

void Sessions::own(Session& session, Connection connection) {
  session.owner = connection;
  owned_[connection].insert(session.id);
  transport(connection).session_owned(connection.id, session.id);
}

void Sessions::disown(Session& session) {
  if (!session.owner) return;
  auto all = owned_.find(*session.owner);
  if (all != owned_.end()) {
    all->second.erase(session.id);
    if (all->second.empty()) owned_.erase(all);
  }
  session.owner.reset();
}

std::vector<SessionId> Sessions::disown(Connection gone) {
  std::vector<SessionId> ended;
  auto found = owned_.find(gone);
  if (found == owned_.end()) return ended;
  const std::set<SessionId> sessions = std::move(found->second);
  owned_.erase(found);
  for (SessionId id : sessions) all_[id]->owner.reset();
  if (settings_.reclaim_session_timeout == 0) ended.assign(sessions.begin(), sessions.end());
  return ended;
}

std::vector<SessionId> Sessions::overdue(Time now) const {
  const Duration reclaim = std::chrono::seconds(settings_.reclaim_session_timeout);
  std::vector<SessionId> over;
  for (const auto& [id, session] : all_) {
    const Duration timeout = std::chrono::seconds(session->timeout.value_or(settings_.session_timeout));
    const Duration idle = now - session->last_activity;
    if ((timeout > Duration::zero() && idle >= timeout) || (!session->owner && idle >= reclaim)) over.push_back(id);
  }
  return over;
}

void Sessions::end(ClientHandle& handle, Turn& turn) {
  const HandleId id = handle.id();
  Session& session = *all_.at(handle.session_id());
  Json detached = handle.notice("detached");
  handles_.erase(id);
  session.handles.erase(id);
  turn.outgoing.push_back(Notice{session.id, std::move(detached)});
}

void Sessions::end(SessionId id, Farewell farewell) {
  auto found = all_.find(id);
  if (found == all_.end()) return;
  const std::unique_ptr<Session> session = std::move(found->second);
  all_.erase(found);  // its events are dropped from here on
  for (auto& [handle, owned] : session->handles) handles_.erase(handle);
  session->handles.clear();
  if (session->owner) {
    const Connection owner = *session->owner;
    if (farewell == Farewell::timeout) transport(owner).send(owner.id, {}, envelope("timeout", id, std::nullopt));
    transport(owner).session_over(owner.id, id, false);
  }
  disown(*session);
}

void Sessions::send(const Session& session, Json message) const {
  if (session.owner) transport(*session.owner).send(session.owner->id, {}, std::move(message));
}

}  // namespace cardea::control
