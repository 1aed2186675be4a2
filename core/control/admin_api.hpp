// The admin API: what operators ask of the gateway, its sessions and handles, and what they change while it runs.
#pragma once

#include <functional>
#include <optional>

#include "control/api_context.hpp"
#include "control/envelope.hpp"
#include "control/lookups.hpp"

namespace cardea::control {

class AdminApi {
public:
  // `calls` brings the result of a lookup into a control turn.
  AdminApi(ApiContext& context, Calls& calls) : context_(context), calls_(calls) {}
  AdminApi(const AdminApi&) = delete;
  AdminApi& operator=(const AdminApi&) = delete;

  // The answer; none: it comes later.
  Result<std::optional<Json>> answer(const Incoming& in, const Envelope& envelope);
  void stop() { lookups_.stop(); }

private:
  using Answer = Result<Json> (AdminApi::*)(const Incoming& in, Json reply);
  struct Verb {
    std::string_view name;
    Answer answer;
    bool changes;  // is logged
  };
  static const Verb server_verbs[];

  Status check_secret(const Incoming& in);
  Result<Json> of_server(const Incoming& in, const Envelope& envelope);
  Result<Json> of_session(const Incoming& in, const Envelope& envelope, Session& session);
  Result<Json> of_handle(const Incoming& in, const Envelope& envelope, ClientHandle& handle);
  Json info_of(const ClientHandle& handle, bool plugin_only) const;
  void log_change(const Incoming& in, const Envelope& envelope) const;

  Result<Json> get_status(const Incoming& in, Json reply);
  Result<Json> list_sessions(const Incoming& in, Json reply);
  Result<Json> loops_info(const Incoming& in, Json reply);
  Result<Json> set_session_timeout(const Incoming& in, Json reply);
  Result<Json> set_log_level(const Incoming& in, Json reply);
  Result<Json> set_log_timestamps(const Incoming& in, Json reply);
  Result<Json> set_log_colors(const Incoming& in, Json reply);
  Result<Json> set_locking_debug(const Incoming& in, Json reply);
  Result<Json> set_refcount_debug(const Incoming& in, Json reply);
  Result<Json> set_min_nack_queue(const Incoming& in, Json reply);
  Result<Json> set_nack_optimizations(const Incoming& in, Json reply);
  Result<Json> set_no_media_timer(const Incoming& in, Json reply);
  Result<Json> set_slowlink_threshold(const Incoming& in, Json reply);
  Result<Json> accept_new_sessions(const Incoming& in, Json reply);
  Result<Json> message_plugin(const Incoming& in, Json reply);
  Result<Json> query_transport(const Incoming& in, Json reply);
  Result<Json> query_eventhandler(const Incoming& in, Json reply);
  Result<Json> query_logger(const Incoming& in, Json reply);
  Result<Json> custom_event(const Incoming& in, Json reply);
  Result<Json> custom_logline(const Incoming& in, Json reply);
  Result<Json> add_token(const Incoming& in, Json reply);
  Result<Json> allow_token(const Incoming& in, Json reply);
  Result<Json> disallow_token(const Incoming& in, Json reply);
  Result<Json> change_token(const Incoming& in, Json reply,
                            void (*change)(std::set<std::string>&, const char* package));
  Result<Json> list_tokens(const Incoming& in, Json reply);
  Result<Json> remove_token(const Incoming& in, Json reply);
  std::optional<Error> resolve_address(const Incoming& in, const Envelope& envelope);

  // given
  ApiContext& context_;
  Calls& calls_;
  // owned
  Lookups lookups_;
};

}  // namespace cardea::control
