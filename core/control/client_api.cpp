#include "control/client_api.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "control/modules.hpp"

namespace cardea::control {
namespace {

template <size_t n>
bool among(const std::array<std::string_view, n>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}
constexpr std::array<std::string_view, 3> sessionless_verbs{"info", "ping", "create"};
constexpr std::array<std::string_view, 2> session_verbs{"attach", "destroy"};
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
constexpr auto message_fields = std::tuple{required("body", &MessageMembers::body, at_most_bytes(any_size))};

}  // namespace

Result<Json> ClientApi::answer(const Incoming& in, const Envelope& e) {
  Session* const session = context_.sessions.find(e.session);
  if (Status status =
          context_.limits.request(in.address, session != nullptr ? &session->requests : nullptr, context_.now);
      !status)
    return status.error();
  if (!e.session && !e.handle) {
    if (!among(sessionless_verbs, e.verb)) return wrong_path(e.verb);
    if (e.verb == "info") return server_info(context_, e.transaction);
    if (e.verb == "ping") return envelope("pong", {}, e.transaction);
  } else if (!e.session) {
    return Error{code::no_session, "Invalid session"};
  } else if (e.handle_named && !e.handle) {
    return Error{code::no_handle, "Invalid handle"};
  }
  if (Status status = check_credentials(in, e); !status) return status.error();
  if (!e.session) return create(in, e);

  if (session == nullptr) return no_session(e.session);
  session->last_activity = context_.now;
  ClientHandle* handle = nullptr;
  if (e.handle) {
    auto found = context_.sessions.find(e.session, e.handle);
    if (!found) return found.error();
    handle = *found;
  }

  if (e.verb == "keepalive") return envelope("ack", e.session, e.transaction);
  if (e.verb == "claim") {
    context_.sessions.claim(in.from, *session);
    return envelope("success", e.session, e.transaction);
  }
  return handle == nullptr ? session_request(in, e, *session) : handle_request(in, e, *handle);
}

// Who guesses is slowed by address. Who names a session that there is was let in before: the guesses of others behind
// the same address do not shut this one out.
Status ClientApi::check_credentials(const Incoming& in, const Envelope& e) {
  const Auth& auth = context_.auth;
  if (!auth.asks()) return {};
  const bool given = in.request["apisecret"].is_string() || in.request["token"].is_string();
  const bool known = context_.sessions.find(e.session) != nullptr;
  if (given && !known && !context_.limits.may_guess(in.address, Secret::api, context_.now))
    return Error{code::unauthorized, "Too many wrong secrets or tokens came from this address, try later"};
  if (auth.admits(in.request, context_.wall)) return {};
  if (given) context_.limits.guess_failed(in.address, Secret::api, context_.now);
  return Error{code::unauthorized, "Unauthorized request (wrong secret or token)"};
}

Result<Json> ClientApi::create(const Incoming& in, const Envelope& e) {
  if (!context_.accepts_sessions) return Error{code::draining, "The gateway accepts no new sessions"};
  auto session = context_.sessions.create(SessionId{e.id}, in.from, in.address, context_.now);
  if (!session) return session.error();
  Json reply = envelope("success", {}, e.transaction);
  reply.set("data", Json::object("id", (*session)->id.value));
  return reply;
}

Result<Json> ClientApi::session_request(const Incoming& in, const Envelope& e, Session& session) {
  if (e.verb == "attach") return attach(in.request, e, session);
  if (e.verb == "destroy") {
    context_.turn.endings.push_back({.of = Ending::Of::session, .session = session.id});
    return envelope("success", session.id, e.transaction);
  }
  if (among(handle_verbs, e.verb)) return wrong_path(e.verb);
  return Error{code::unknown_request, text("Unknown request '", e.verb, "'")};
}

Result<Json> ClientApi::handle_request(const Incoming& in, const Envelope& e, ClientHandle& handle) {
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

// A token that is given must name the plugin, by any of its names. None given: the api secret let the request in.
Status ClientApi::may_attach(JsonView token, const LoadedPlugin& plugin, const std::string& name) const {
  const Auth& auth = context_.auth;
  if (!auth.uses_tokens() || !token || token.is_null()) return {};
  if (!token.is_string()) return schema::wrong_type("token", "string", {});
  if (auth.may_use(token.string(), name, context_.wall) ||
      auth.may_use(token.string(), plugin.door->package, context_.wall))
    return {};
  return Error{code::unauthorized_plugin, text("The token may not use the plugin ", name)};
}

Result<Json> ClientApi::attach(JsonView request, const Envelope& e, Session& session) {
  auto wanted = read<Attach>(request, attach_fields, {});
  if (!wanted) return wanted.error();
  if (Status status = fits("plugin", wanted->plugin, max_plugin_name); !status) return status.error();
  if (Status status = fits("opaque_id", wanted->opaque_id.value_or(""), max_opaque_id); !status) return status.error();
  const LoadedPlugin* plugin = find_module(context_.plugins, wanted->plugin);
  if (plugin == nullptr) return Error{code::no_plugin, text("No such plugin '", wanted->plugin, "'")};
  if (Status status = may_attach(request["token"], *plugin, wanted->plugin); !status) return status.error();

  auto handle = context_.sessions.attach(session, *context_.house, *plugin->plugin, std::move(wanted->plugin),
                                         wanted->opaque_id.value_or(""));
  if (!handle) return handle.error();
  Json reply = envelope("success", session.id, e.transaction);
  reply.set("data", Json::object("id", handle->value));
  return reply;
}

Result<Json> ClientApi::message(JsonView request, const Envelope& e, ClientHandle& handle) {
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
