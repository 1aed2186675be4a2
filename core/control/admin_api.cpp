#include "control/admin_api.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "cardea/log.hpp"
#include "control/modules.hpp"

namespace cardea::control {
namespace {

Json counted(const Drops& drops) {
  Json all = Json::object();
  for (size_t i = 0; i < drop_count; ++i)
    if (uint64_t packets = drops[static_cast<Drop>(i)]; packets > 0) all.set(std::string(drop_names[i]), packets);
  return all;
}
Json counted(const data::DataDrops& drops) {
  Json all = Json::object();
  for (size_t i = 0; i < data::data_drop_names.size(); ++i)
    if (uint64_t messages = drops[static_cast<data::DataDrop>(i)]; messages > 0)
      all.set(std::string(data::data_drop_names[i]), messages);
  return all;
}

// A media worker, as of its last word (once a second). "handles" are those with a peer connection on it.
Json describe(const worker::WorkerStats& stats) {
  const double run_length =
      stats.runs_out > 0 ? static_cast<double>(stats.packets_out) / static_cast<double>(stats.runs_out) : 0;
  return Json::object("id", stats.worker, "handles", stats.peers, "packets_in", stats.packets_in, "bytes_in",
                      stats.bytes_in, "packets_out", stats.packets_out, "bytes_out", stats.bytes_out, "runs_out",
                      stats.runs_out, "run_length", run_length, "frames_out", stats.frames_out, "gso", stats.gso,
                      "ticks", stats.ticks, "occupancy", stats.tick_occupancy, "cipher_engine", stats.cipher_engine,
                      "stale_commands", stats.stale_commands, "lost_events", stats.lost_events, "failures",
                      stats.failures, "drops", counted(stats.drops));
}
// A processor thread, likewise.
Json describe_processors(const worker::WorkerStats& stats) {
  return Json::object("id", stats.worker, "processors", stats.peers, "packets_in", stats.packets_in, "packets_out",
                      stats.packets_out, "ticks", stats.ticks, "occupancy", stats.tick_occupancy, "stale_commands",
                      stats.stale_commands, "drops", counted(stats.drops));
}
Json& add(Json& to, const data::MessageCounts& counts) {
  return to.set("messages_in", counts.messages_in)
      .set("messages_out", counts.messages_out)
      .set("bytes_in", counts.bytes_in)
      .set("bytes_out", counts.bytes_out);
}
Json describe(const data::DataStats& stats) {
  Json all = Json::object("associations", stats.associations, "packets_in", stats.packets_in, "packets_out",
                          stats.packets_out, "checksum_errors", stats.checksum_errors, "failures", stats.failures);
  add(all, stats).set("drops", counted(stats.drops));
  return all;
}
Json describe(const data::PeerDataStats& stats) {
  Json channels = Json::array();
  for (const data::ChannelStats& one : stats.channels) {
    Json channel = Json::object("stream", one.stream, "label", one.channel.label, "protocol", one.channel.protocol,
                                "negotiated", one.negotiated);
    add(channel, one);
    channels.append(std::move(channel));
  }
  Json all = Json::object("up", stats.up, "streams", stats.streams, "waiting", stats.waiting);
  add(all, stats).set("drops", counted(stats.drops)).set("channels", std::move(channels));
  return all;
}
constexpr size_t max_tokens = 10'000;
constexpr size_t max_log_line = 1024;

// A single member that a request must have.
template <class T>
struct One {
  T value{};
};
template <class T>
Result<T> member(const Incoming& in, const char* name, Rule rule = {}) {
  auto one = read<One<T>>(in.request, std::tuple{required(name, &One<T>::value, rule)}, {});
  if (!one) return one.error();
  return std::move(one->value);
}
// Of a switch or a number that this gateway has, but not to be changed while it runs.
template <class T>
Result<Json> fixed(const Incoming& in, const char* name, const char* shown, T now, Json reply) {
  auto wanted = member<T>(in, name);
  if (!wanted) return wanted.error();
  if (*wanted != now) return Error{code::unknown_error, text(name, " cannot be changed while the gateway runs")};
  return std::move(reply.set(shown, now));
}

struct Query {
  std::string name;
  Json request;
};
template <class Modules>
Result<Json> query(const Modules& modules, const Incoming& in, const char* kind, Json reply) {
  auto wanted = read<Query>(
      in.request,
      std::tuple{required(kind, &Query::name), required("request", &Query::request, at_most_bytes(any_size))}, {});
  if (!wanted) return wanted.error();
  const auto* loaded = find_module(modules, wanted->name);
  if (loaded == nullptr) return Error{code::no_plugin, text("No such ", kind, " '", wanted->name, "'")};
  std::optional<Json> response;
  bool fine = guarded(loaded->door->package, [&] { response = loaded->module().admin(wanted->request); });
  if (!fine) return Error{code::unknown_error, text("The ", kind, " failed")};
  if (!response) return Error{code::unknown_error, text("The ", kind, " takes no such requests")};
  return std::move(reply.set("response", std::move(*response)));
}

Json list_of(const std::set<std::string>& names) {
  Json all = Json::array();
  for (const std::string& one : names) all.append(one);
  return all;
}

int64_t monotonic_us(Time time) { return to_us(time.time_since_epoch()); }

}  // namespace

Result<std::optional<Json>> AdminApi::answer(const Incoming& in, const Envelope& e) {
  if (!e.session && !e.handle) {
    if (e.verb == "info") return server_info(context_, e.transaction);
    if (e.verb == "ping") return envelope("pong", {}, e.transaction);
  }
  if (!e.session && e.handle) return Error{code::no_session, "Invalid session"};
  if (Status status = check_secret(in); !status) return status.error();
  if (!e.session && e.verb == "resolve_address") {
    if (auto error = resolve_address(in, e)) return *error;
    return std::optional<Json>();
  }
  auto reply = [&]() -> Result<Json> {
    if (!e.session) return of_server(in, e);
    Session* session = context_.sessions.find(e.session);
    if (session == nullptr) return no_session(e.session);
    if (!e.handle) return of_session(in, e, *session);
    auto handle = context_.sessions.find(e.session, e.handle);
    if (!handle) return handle.error();
    return of_handle(in, e, **handle);
  }();
  if (!reply) return reply.error();
  return std::optional(std::move(*reply));
}

Status AdminApi::check_secret(const Incoming& in) {
  const std::string& secret = context_.settings.general.admin_secret;
  if (secret.empty()) return {};
  if (!context_.limits.may_guess(in.address, Secret::admin, context_.now))
    return Error{code::unauthorized, "Too many wrong secrets came from this address, try later"};
  const JsonView given = in.request["admin_secret"];
  if (given.is_string() && same_secret(given.string(), secret)) return {};
  if (given.is_string()) context_.limits.guess_failed(in.address, Secret::admin, context_.now);
  return Error{code::unauthorized, "Unauthorized request (wrong admin_secret)"};
}

void AdminApi::log_change(const Incoming& in, const Envelope& e) const {
  log::info("admin", e.verb, e.session ? text(" of session ", e.session.value) : "",
            e.handle ? text(" handle ", e.handle.value) : "", ", asked by ", in.address.text(), " over ",
            context_.transports[in.from.transport].door->package);
}

const AdminApi::Verb AdminApi::server_verbs[] = {
    {"get_status", &AdminApi::get_status, false},
    {"list_sessions", &AdminApi::list_sessions, false},
    {"loops_info", &AdminApi::loops_info, false},
    {"set_session_timeout", &AdminApi::set_session_timeout, true},
    {"set_log_level", &AdminApi::set_log_level, true},
    {"set_log_timestamps", &AdminApi::set_log_timestamps, true},
    {"set_log_colors", &AdminApi::set_log_colors, true},
    {"set_locking_debug", &AdminApi::set_locking_debug, true},
    {"set_refcount_debug", &AdminApi::set_refcount_debug, true},
    {"set_min_nack_queue", &AdminApi::set_min_nack_queue, true},
    {"set_nack_optimizations", &AdminApi::set_nack_optimizations, true},
    {"set_no_media_timer", &AdminApi::set_no_media_timer, true},
    {"set_slowlink_threshold", &AdminApi::set_slowlink_threshold, true},
    {"accept_new_sessions", &AdminApi::accept_new_sessions, true},
    {"message_plugin", &AdminApi::message_plugin, true},
    {"query_transport", &AdminApi::query_transport, true},
    {"query_eventhandler", &AdminApi::query_eventhandler, true},
    {"query_logger", &AdminApi::query_logger, true},
    {"custom_event", &AdminApi::custom_event, false},
    {"custom_logline", &AdminApi::custom_logline, false},  // is a log line itself
    {"add_token", &AdminApi::add_token, true},
    {"allow_token", &AdminApi::allow_token, true},
    {"disallow_token", &AdminApi::disallow_token, true},
    {"list_tokens", &AdminApi::list_tokens, false},
    {"remove_token", &AdminApi::remove_token, true},
};

Result<Json> AdminApi::of_server(const Incoming& in, const Envelope& e) {
  for (const Verb& verb : server_verbs) {
    if (verb.name != e.verb) continue;
    auto reply = (this->*verb.answer)(in, envelope("success", {}, e.transaction));
    if (reply && verb.changes) log_change(in, e);
    return reply;
  }
  return wrong_path(e.verb);
}

// The gateway

Result<Json> AdminApi::get_status(const Incoming&, Json reply) {
  const Settings& s = context_.settings;
  Json status = Json::object("token_auth", s.general.token_auth, "session_timeout", s.general.session_timeout,
                             "reclaim_session_timeout", s.general.reclaim_session_timeout, "candidates_timeout",
                             candidates_timeout_s, "log_level", s.general.debug_level, "log_timestamps",
                             context_.log == nullptr || context_.log->timestamps(), "log_colors", false);
  status.set("log_rotate_sig", 0).set("locking_debug", false).set("refcount_debug", false);
  status.set("min_nack_queue", s.media.min_nack_queue).set("nack-optimizations", false);
  status.set("no_media_timer", s.media.no_media_timer).set("slowlink_threshold", s.media.slowlink_threshold);
  status.set("accepting_new_sessions", context_.accepts_sessions).set("limits", context_.limits.describe());
  return std::move(reply.set("status", std::move(status)));
}

Result<Json> AdminApi::list_sessions(const Incoming&, Json reply) {
  Json all = Json::array();
  for (const auto& [id, session] : context_.sessions.all()) all.append(id.value);
  return std::move(reply.set("sessions", std::move(all)));
}

Result<Json> AdminApi::loops_info(const Incoming&, Json reply) {
  Json loops = Json::array(), processors = Json::array();
  const Peers* peers = context_.peers.get();
  if (peers != nullptr) {
    for (const worker::WorkerStats& stats : peers->stats()) {
      if (stats.worker < peers->media_workers())
        loops.append(describe(stats));
      else
        processors.append(describe_processors(stats));
    }
  }
  reply.set("loops", std::move(loops)).set("processors", std::move(processors));
  if (peers != nullptr && peers->has_data()) reply.set("data", describe(peers->data_stats()));
  return reply;
}

Result<Json> AdminApi::set_session_timeout(const Incoming& in, Json reply) {
  auto timeout = member<uint32_t>(in, "timeout");
  if (!timeout) return timeout.error();
  context_.settings.general.session_timeout = *timeout;
  return std::move(reply.set("timeout", *timeout));
}

Result<Json> AdminApi::set_log_level(const Incoming& in, Json reply) {
  auto level = member<uint32_t>(in, "level", range(0, 7));
  if (!level) return level.error();
  context_.settings.general.debug_level = *level;
  if (context_.log != nullptr) context_.log->set_level(*level);
  return std::move(reply.set("level", *level));
}

Result<Json> AdminApi::set_log_timestamps(const Incoming& in, Json reply) {
  auto wanted = member<bool>(in, "timestamps");
  if (!wanted) return wanted.error();
  if (context_.log != nullptr) context_.log->set_timestamps(*wanted);
  return std::move(reply.set("log_timestamps", *wanted));
}

Result<Json> AdminApi::set_log_colors(const Incoming& in, Json reply) {
  return fixed(in, "colors", "log_colors", false, std::move(reply));
}
Result<Json> AdminApi::set_locking_debug(const Incoming& in, Json reply) {
  return fixed(in, "debug", "locking_debug", false, std::move(reply));
}
Result<Json> AdminApi::set_refcount_debug(const Incoming& in, Json reply) {
  return fixed(in, "debug", "refcount_debug", false, std::move(reply));
}
Result<Json> AdminApi::set_nack_optimizations(const Incoming& in, Json reply) {
  return fixed(in, "nack_optimizations", "nack-optimizations", false, std::move(reply));
}
Result<Json> AdminApi::set_min_nack_queue(const Incoming& in, Json reply) {
  return fixed(in, "min_nack_queue", "min_nack_queue", context_.settings.media.min_nack_queue, std::move(reply));
}
Result<Json> AdminApi::set_no_media_timer(const Incoming& in, Json reply) {
  return fixed(in, "no_media_timer", "no_media_timer", context_.settings.media.no_media_timer, std::move(reply));
}
Result<Json> AdminApi::set_slowlink_threshold(const Incoming& in, Json reply) {
  return fixed(in, "slowlink_threshold", "slowlink_threshold", context_.settings.media.slowlink_threshold,
               std::move(reply));
}

Result<Json> AdminApi::accept_new_sessions(const Incoming& in, Json reply) {
  auto accept = member<bool>(in, "accept");
  if (!accept) return accept.error();
  context_.accepts_sessions = *accept;
  return std::move(reply.set("accept", *accept));
}

Result<Json> AdminApi::custom_logline(const Incoming& in, Json reply) {
  auto line = member<std::string>(in, "line");
  if (!line) return line.error();
  if (Status status = fits("line", *line, max_log_line); !status) return status.error();
  const JsonView given = in.request["level"];
  if (given && !given.is_null() && !given.is_integer()) return schema::wrong_type("level", "positive integer", {});
  const int64_t level = given.is_integer() ? given.integer() : 4;
  if (level == 1 || level == 2)
    log::error("admin", *line);
  else if (level == 3)
    log::warn("admin", *line);
  else if (level >= 5 && level <= 7)
    log::debug("admin", *line);
  else if (level != 0)
    log::info("admin", *line);
  return reply;
}

// It would go to event handlers; there are none.
Result<Json> AdminApi::custom_event(const Incoming& in, Json reply) {
  auto schema = member<std::string>(in, "schema");
  if (!schema) return schema.error();
  auto data = member<Json>(in, "data");
  if (!data) return data.error();
  return reply;
}

// Modules

Result<Json> AdminApi::message_plugin(const Incoming& in, Json reply) {
  return query(context_.plugins, in, "plugin", std::move(reply));
}
Result<Json> AdminApi::query_transport(const Incoming& in, Json reply) {
  return query(context_.transports, in, "transport", std::move(reply));
}
// There are no modules of these two kinds.
Result<Json> AdminApi::query_eventhandler(const Incoming& in, Json reply) {
  return query(Transports(), in, "handler", std::move(reply));
}
Result<Json> AdminApi::query_logger(const Incoming& in, Json reply) {
  return query(Transports(), in, "logger", std::move(reply));
}

// Tokens

namespace {

struct Token {
  std::string token;
  std::optional<std::vector<std::string>> plugins;
};
constexpr auto token_fields =
    std::tuple{required("token", &Token::token, non_empty()), optional("plugins", &Token::plugins)};

Result<Token> read_token(const Incoming& in, const Auth& auth) {
  if (!auth.stores_tokens()) return Error{code::unknown_error, "Tokens are not stored here"};
  auto token = read<Token>(in.request, token_fields, {});
  if (!token) return token.error();
  if (Status status = fits("token", token->token, max_credential); !status) return status.error();
  return token;
}
Json allowed(const std::set<std::string>& plugins) { return Json::object("plugins", list_of(plugins)); }

}  // namespace

Result<Json> AdminApi::add_token(const Incoming& in, Json reply) {
  auto token = read_token(in, context_.auth);
  if (!token) return token.error();
  Auth::Tokens& tokens = context_.auth.stored();
  if (!tokens.contains(token->token) && tokens.size() >= max_tokens)
    return Error{code::too_many, text("Too many tokens: ", max_tokens, " at most")};
  std::set<std::string> may;
  for (const LoadedPlugin& loaded : context_.plugins)
    if (!token->plugins || std::any_of(token->plugins->begin(), token->plugins->end(),
                                       [&](const std::string& name) { return answers_to(*loaded.door, name); }))
      may.insert(loaded.door->package);
  tokens[token->token] = may;
  return std::move(reply.set("data", allowed(may)));
}

// Changes what a stored token may use: every plugin that is named must be there.
Result<Json> AdminApi::allow_token(const Incoming& in, Json reply) {
  return change_token(in, std::move(reply), [](auto& may, const char* package) { may.insert(package); });
}
Result<Json> AdminApi::disallow_token(const Incoming& in, Json reply) {
  return change_token(in, std::move(reply), [](auto& may, const char* package) { may.erase(package); });
}
Result<Json> AdminApi::change_token(const Incoming& in, Json reply,
                                    void (*change)(std::set<std::string>&, const char* package)) {
  auto token = read_token(in, context_.auth);
  if (!token) return token.error();
  if (!token->plugins) return Error{code::missing_element, "Missing mandatory element (plugins)"};
  auto found = context_.auth.stored().find(token->token);
  if (found == context_.auth.stored().end()) return Error{code::token_not_found, "No such token"};
  if (token->plugins->empty()) return Error{code::invalid_element, "Invalid element (plugins is empty)"};
  std::set<std::string> may = found->second;
  for (const std::string& name : *token->plugins) {
    const LoadedPlugin* loaded = find_module(context_.plugins, name);
    if (loaded == nullptr) return Error{code::invalid_element, text("Invalid element (no plugin '", name, "')")};
    change(may, loaded->door->package);
  }
  found->second = may;
  return std::move(reply.set("data", allowed(may)));
}

Result<Json> AdminApi::list_tokens(const Incoming&, Json reply) {
  if (!context_.auth.stores_tokens()) return Error{code::unknown_error, "Tokens are not stored here"};
  Json all = Json::array();
  for (const auto& [token, may] : context_.auth.stored())
    if (!may.empty()) all.append(Json::object("token", token, "allowed_plugins", list_of(may)));
  return std::move(reply.set("data", Json::object("tokens", std::move(all))));
}

Result<Json> AdminApi::remove_token(const Incoming& in, Json reply) {
  auto token = read_token(in, context_.auth);
  if (!token) return token.error();
  if (context_.auth.stored().erase(token->token) == 0) return Error{code::unknown_error, "No such token"};
  return reply;
}

// Names

std::optional<Error> AdminApi::resolve_address(const Incoming& in, const Envelope& e) {
  auto name = member<std::string>(in, "address", non_empty());
  if (!name) return name.error();
  if (Status status = fits("address", *name, 255); !status) return status.error();
  auto done = [this, from = in.from, tag = in.tag, transaction = e.transaction](Result<Lookups::Found> found) {
    calls_.post([this, from, tag, transaction, found = std::move(found)] {
      Json reply = found ? envelope("success", {}, transaction)
                         : error_reply({code::unknown_error, found.error().reason}, {}, transaction);
      if (found) reply.set("ip", found->ip).set("elapsed", to_us(found->elapsed));
      context_.transports[from.transport].transport->send(from.id, tag, std::move(reply));
    });
  };
  if (!lookups_.resolve(std::move(*name), done)) return Error{code::unknown_error, "Too many names are looked up"};
  return std::nullopt;
}

// Sessions and handles

Result<Json> AdminApi::of_session(const Incoming& in, const Envelope& e, Session& session) {
  Json reply = envelope("success", session.id, e.transaction);
  if (e.verb == "list_handles") {
    Json all = Json::array();
    for (const auto& [id, handle] : session.handles) all.append(id.value);
    return std::move(reply.set("handles", std::move(all)));
  }
  if (e.verb == "set_session_timeout") {
    auto timeout = member<int64_t>(in, "timeout", range(-1, 1'000'000));
    if (!timeout) return timeout.error();
    session.timeout = *timeout < 0 ? std::nullopt : std::optional(static_cast<uint32_t>(*timeout));
    reply.set("timeout", *timeout);
  } else if (e.verb == "destroy_session") {
    context_.turn.endings.push_back({.of = Ending::Of::session, .session = session.id});
  } else {
    return wrong_path(e.verb);
  }
  log_change(in, e);
  return reply;
}

Result<Json> AdminApi::of_handle(const Incoming& in, const Envelope& e, ClientHandle& handle) {
  Json reply = envelope("success", e.session, e.transaction);
  if (e.verb == "handle_info") {
    const JsonView plugin_only = in.request["plugin_only"];
    if (plugin_only && !plugin_only.is_null() && !plugin_only.is_boolean())
      return schema::wrong_type("plugin_only", "boolean", {});
    return std::move(reply.set("handle_id", handle.id().value).set("info", info_of(handle, plugin_only.boolean())));
  }
  if (e.verb == "detach_handle")
    handle.detach();
  else if (e.verb == "hangup_webrtc")
    handle.ask_to_hang_up("Admin API");
  else
    return wrong_path(e.verb);
  log_change(in, e);
  return reply;
}

Json AdminApi::info_of(const ClientHandle& handle, bool plugin_only) const {
  const Session& session = *context_.sessions.find(handle.session_id());
  Json info = Json::object("session_id", session.id.value, "session_last_activity", monotonic_us(session.last_activity),
                           "session_timeout", session.timeout.value_or(context_.settings.general.session_timeout));
  if (session.owner) info.set("session_transport", context_.transports[session.owner->transport].door->package);
  info.set("handle_id", handle.id().value);
  if (!handle.opaque_id().empty()) info.set("opaque_id", handle.opaque_id());
  info.set("current_time", monotonic_us(context_.now)).set("plugin", handle.plugin_name());
  info.set("plugin_specific", handle.plugin_specific());
  if (plugin_only) return info;
  info.set("flags", Json::object("negotiated", handle.negotiated(), "ready", handle.media_up()));
  if (!handle.peer()) return info;
  Json webrtc = Json::object("loop", handle.peer().worker);
  if (const data::PeerDataStats* data = context_.peers->data_stats(handle.peer())) webrtc.set("data", describe(*data));
  info.set("webrtc", std::move(webrtc));
  return info;
}

}  // namespace cardea::control
