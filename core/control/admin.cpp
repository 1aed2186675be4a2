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
                      stats.runs_out, "run_length", run_length, "gso", stats.gso, "ticks", stats.ticks, "occupancy",
                      stats.tick_occupancy, "cipher_engine", stats.cipher_engine, "stale_commands",
                      stats.stale_commands, "drops", counted(stats.drops));
}
Json describe(const data::DataStats& stats) {
  return Json::object("associations", stats.associations, "packets_in", stats.packets_in, "packets_out",
                      stats.packets_out, "messages_in", stats.messages_in, "messages_out", stats.messages_out,
                      "bytes_in", stats.bytes_in, "bytes_out", stats.bytes_out, "checksum_errors",
                      stats.checksum_errors, "drops", counted(stats.drops));
}

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
    Json loops = Json::array();
    if (peers_)
      for (const worker::WorkerStats& stats : peers_->stats()) loops.append(describe(stats));
    reply.set("loops", std::move(loops));
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

}  // namespace cardea::control
