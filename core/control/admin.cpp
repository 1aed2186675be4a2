// The admin API: what operators ask of the gateway, its sessions and handles, and what its threads have counted.
#include <utility>

#include "control/gateway.hpp"

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
// A processor thread, likewise.
Json describe_processors(const worker::WorkerStats& stats) {
  return Json::object("id", stats.worker, "processors", stats.peers, "packets_in", stats.packets_in, "packets_out",
                      stats.packets_out, "ticks", stats.ticks, "occupancy", stats.tick_occupancy, "stale_commands",
                      stats.stale_commands, "drops", counted(stats.drops));
}
int64_t monotonic_us(Time time) { return to_us(time.time_since_epoch()); }

}  // namespace

Result<Json> Gateway::admin_request(const Incoming& in, const Envelope& e) {
  if (!e.session && !e.handle) {
    if (e.verb == "info") return server_info(*this, e.transaction);
    if (e.verb == "ping") return envelope("pong", {}, e.transaction);
  }
  if (!e.session && e.handle) return Error{code::no_session, "Invalid session"};
  const std::string& secret = settings_.general.admin_secret;
  if (!secret.empty() &&
      !(in.request["admin_secret"].is_string() && same_secret(in.request["admin_secret"].string(), secret)))
    return Error{code::unauthorized, "Unauthorized request (wrong admin_secret)"};
  if (!e.session) return admin_of_server(e);

  auto session = sessions_.find(e.session);
  if (session == sessions_.end()) return no_session(e.session);
  auto handle = named_handle(e);
  if (!handle) return handle.error();
  return *handle == nullptr ? admin_of_session(e, *session->second) : admin_of_handle(e, **handle);
}

Result<Json> Gateway::admin_of_server(const Envelope& e) {
  Json reply = envelope("success", {}, e.transaction);
  if (e.verb == "list_sessions") {
    Json all = Json::array();
    for (const auto& [id, session] : sessions_) all.append(id.value);
    reply.set("sessions", std::move(all));
    return reply;
  }
  if (e.verb == "loops_info") {
    Json loops = Json::array(), processors = Json::array();
    if (peers_)
      for (const worker::WorkerStats& stats : peers_->stats())
        if (stats.worker < peers_->media_workers())
          loops.append(describe(stats));
        else
          processors.append(describe_processors(stats));
    reply.set("loops", std::move(loops)).set("processors", std::move(processors));
    if (peers_ && peers_->has_data()) reply.set("data", describe(peers_->data_stats()));
    return reply;
  }
  return wrong_path(e.verb);
}

Result<Json> Gateway::admin_of_session(const Envelope& e, Session& session) {
  Json reply = envelope("success", session.id, e.transaction);
  if (e.verb == "list_handles") {
    Json all = Json::array();
    for (const auto& [id, handle] : session.handles) all.append(id.value);
    reply.set("handles", std::move(all));
    return reply;
  }
  if (e.verb == "destroy_session") {
    turn_.endings.push_back({.of = Ending::Of::session, .session = session.id});
    return reply;
  }
  return wrong_path(e.verb);
}

Result<Json> Gateway::admin_of_handle(const Envelope& e, ClientHandle& handle) {
  Json reply = envelope("success", e.session, e.transaction);
  if (e.verb == "handle_info") {
    reply.set("handle_id", handle.id().value).set("info", info_of(handle));
    return reply;
  }
  if (e.verb == "detach_handle") {
    handle.detach();
    return reply;
  }
  if (e.verb == "hangup_webrtc") {
    handle.ask_to_hang_up("Admin API");
    return reply;
  }
  return wrong_path(e.verb);
}

Json Gateway::info_of(const ClientHandle& handle) const {
  const Session& session = *sessions_.at(handle.session_id());
  Json info = Json::object("session_id", session.id.value, "session_last_activity", monotonic_us(session.last_activity),
                           "session_timeout", settings_.general.session_timeout);
  if (session.owner) info.set("session_transport", transports_[session.owner->transport].door->package);
  info.set("handle_id", handle.id().value);
  if (!handle.opaque_id().empty()) info.set("opaque_id", handle.opaque_id());
  info.set("current_time", monotonic_us(now_)).set("plugin", handle.plugin_name());
  info.set("plugin_specific", handle.plugin_specific());
  info.set("flags", Json::object("negotiated", handle.negotiated(), "ready", handle.media_up()));
  if (!handle.peer()) return info;
  Json webrtc = Json::object("loop", handle.peer().worker);
  if (const data::PeerDataStats* data = peers_->data_stats(handle.peer())) webrtc.set("data", describe(*data));
  info.set("webrtc", std::move(webrtc));
  return info;
}

}  // namespace cardea::control
