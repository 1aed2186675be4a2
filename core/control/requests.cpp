// The verbs of the Janus API, and which error wins when several apply.
#include <algorithm>
#include <array>
#include <utility>

#include "cardea/log.hpp"
#include "control/gateway.hpp"
#include "control/modules.hpp"

namespace cardea::control {
namespace {

constexpr uint64_t largest_id = (uint64_t{1} << 53) - 1;  // JavaScript keeps it exact

template <class Map>
uint64_t fresh_id(const Map& taken, Random& random) {
  for (;;) {
    uint64_t id = random.u64() & largest_id;
    if (id != 0 && !taken.contains(typename Map::key_type{id})) return id;
  }
}

template <size_t n>
bool among(const std::array<std::string_view, n>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}
constexpr std::array<std::string_view, 3> sessionless_verbs{"info", "ping", "create"};
constexpr std::array<std::string_view, 2> session_verbs{"attach", "destroy"};
constexpr std::array<std::string_view, 2> either_verbs{"keepalive", "claim"};
constexpr std::array<std::string_view, 4> handle_verbs{"detach", "hangup", "message", "trickle"};

struct Attach {
  std::string plugin;
  std::optional<std::string> opaque_id;
  std::optional<uint64_t> loop_index;
};
constexpr auto attach_fields =
    std::tuple{required("plugin", &Attach::plugin), optional("opaque_id", &Attach::opaque_id),
               optional("loop_index", &Attach::loop_index)};
struct MessageMembers {
  Json body;
};
constexpr auto message_fields = std::tuple{required("body", &MessageMembers::body)};

}  // namespace

Result<Json> Gateway::client_request(Incoming& in, const Envelope& e) {
  if (!e.session && !e.handle) {
    if (!among(sessionless_verbs, e.verb)) return wrong_path(e.verb);
    if (e.verb == "info") return server_info(*this, e.transaction);
    if (e.verb == "ping") return envelope("pong", {}, e.transaction);
  } else if (!e.session) {
    return Error{code::no_session, "Invalid session"};
  } else if (e.handle_named && !e.handle) {
    return Error{code::no_handle, "Invalid handle"};
  }
  if (!auth_.admits(in.request, now_)) return Error{code::unauthorized, "Unauthorized request (wrong secret or token)"};
  if (!e.session) return create(in, e);

  auto session = sessions_.find(e.session);
  if (session == sessions_.end()) return no_session(e.session);
  session->second->last_activity = now_;
  auto handle = named_handle(e);
  if (!handle) return handle.error();

  if (e.verb == "keepalive") return envelope("ack", e.session, e.transaction);
  if (e.verb == "claim") {
    claim(in.from, *session->second);
    return envelope("success", e.session, e.transaction);
  }
  if (*handle == nullptr) return session_request(in, e, *session->second);
  return handle_request(in, e, **handle);
}

// The handle that the request names; nullptr if it names none.
Result<ClientHandle*> Gateway::named_handle(const Envelope& e) const {
  if (!e.handle) return nullptr;
  ClientHandle* handle = find_handle(e.handle);
  if (handle == nullptr || handle->session_id() != e.session)
    return Error{code::no_handle, text("No such handle ", e.handle.value, " in session ", e.session.value)};
  return handle;
}

Result<Json> Gateway::create(const Incoming& in, const Envelope& e) {
  SessionId id{e.id};
  if (id && sessions_.contains(id)) return Error{code::session_in_use, text("Session ", id.value, " is in use")};
  if (!id) id = SessionId{fresh_id(sessions_, random_)};
  auto& session = sessions_[id];
  session = std::make_unique<Session>(Session{id, in.address, {}, now_, {}});
  own(*session, in.from);
  log::debug("control", "session ", id.value, " created");
  Json reply = envelope("success", {}, e.transaction);
  reply.set("data", Json::object("id", id.value));
  return reply;
}

void Gateway::claim(Connection by, Session& session) {
  if (session.owner == by) return;
  std::optional<Connection> before = session.owner;
  disown(session);
  if (before) transports_[before->transport].transport->session_over(before->id, session.id, true);
  own(session, by);
}

Result<Json> Gateway::session_request(Incoming& in, const Envelope& e, Session& session) {
  if (e.verb == "attach") return attach(in.request, e, session);
  if (e.verb == "destroy") {
    turn_.endings.push_back({.of = Ending::Of::session, .session = session.id});
    return envelope("success", session.id, e.transaction);
  }
  if (among(handle_verbs, e.verb)) return wrong_path(e.verb);
  return Error{code::unknown_request, text("Unknown request '", e.verb, "'")};
}

Result<Json> Gateway::handle_request(Incoming& in, const Envelope& e, ClientHandle& handle) {
  if (e.verb == "message") return message(in.request, e, handle);
  if (e.verb == "trickle") {
    if (Status status = check_trickle(in.request, handle.described()); !status) return status.error();
    return envelope("ack", e.session, e.transaction);
  }
  if (e.verb == "hangup") {
    handle.ask_to_hang_up("Janus API");
    return envelope("success", e.session, e.transaction);
  }
  if (e.verb == "detach") {
    handle.detach();
    return envelope("success", e.session, e.transaction);
  }
  if (among(session_verbs, e.verb)) return wrong_path(e.verb);
  return Error{code::unknown_request, text("Unknown request '", e.verb, "'")};
}

const LoadedPlugin* Gateway::find_plugin(std::string_view name) const {
  for (const LoadedPlugin& loaded : plugins_)
    if (answers_to(*loaded.door, name)) return &loaded;
  return nullptr;
}

// A token that is given must name the plugin, by any of its names. None given: the api secret let the request in.
Status Gateway::may_attach(JsonView token, const LoadedPlugin& plugin, const std::string& name) const {
  if (!auth_.uses_tokens() || !token || token.is_null()) return {};
  if (!token.is_string()) return schema::wrong_type("token", "string", {});
  auto granted = [&](std::string_view package) { return auth_.grants(token.string(), "janus", package, now_); };
  if (granted(name) || granted(plugin.door->package)) return {};
  return Error{code::unauthorized_plugin, text("The token may not use the plugin ", name)};
}

Result<Json> Gateway::attach(JsonView request, const Envelope& e, Session& session) {
  auto wanted = read<Attach>(request, attach_fields, {});
  if (!wanted) return wanted.error();
  const LoadedPlugin* plugin = find_plugin(wanted->plugin);
  if (plugin == nullptr) return Error{code::no_plugin, text("No such plugin '", wanted->plugin, "'")};
  if (Status status = may_attach(request["token"], *plugin, wanted->plugin); !status) return status.error();

  HandleId id{fresh_id(handles_, random_)};
  auto handle =
      std::make_unique<ClientHandle>(*house_, ClientHandle::Names{id, session.id, std::move(wanted->plugin),
                                                                  wanted->opaque_id.value_or(""), session.address});
  if (Status status = handle->attach(*plugin->plugin); !status) return status.error();
  handles_[id] = handle.get();
  session.handles[id] = std::move(handle);
  Json reply = envelope("success", session.id, e.transaction);
  reply.set("data", Json::object("id", id.value));
  return reply;
}

Result<Json> Gateway::message(JsonView request, const Envelope& e, ClientHandle& handle) {
  auto members = read<MessageMembers>(request, message_fields, {});
  if (!members) return members.error();
  std::optional<ClientJsep> jsep;
  if (JsonView given = request["jsep"]; given && !given.is_null()) {
    auto read = read_jsep(given);
    if (!read) return read.error();
    jsep = std::move(*read);
  }
  return handle.message(std::move(members->body), e.transaction, std::move(jsep));
}

}  // namespace cardea::control
