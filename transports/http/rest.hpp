// The Janus API over HTTP: requests by POST, events by long poll, each answer in one JSON body; and the admin API on
// its own doors.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cardea/transport.hpp"
#include "common/server.hpp"
#include "http/pages.hpp"
#include "http/session_queues.hpp"

namespace cardea::transports {

struct RestRules {
  std::string base_path{}, admin_base_path{};  // "/janus"; "" for "/"
  Origins origins{}, admin_origins{};
  JsonStyle style = JsonStyle::compact;
  Duration core_time = 10s;   // for the core to answer; then the connection is cut
  Duration poll_time = 30s;   // a poll without events ends with {"janus":"keepalive"}
  size_t max_events = 10000;  // of a session, waiting for a poll
  size_t max_queue = 0;       // the same in bytes
};

class Rest final : public HttpFace {
public:
  Rest(RestRules rules, TransportHost& host, Stock& stock);

  void on_request(Exchange& exchange) override;
  void on_wake(Exchange& exchange) override;
  void on_abandoned(Exchange& exchange) override;
  void on_core(CoreMessage message) override;

  const Tally& tally() const { return tally_; }

private:
  enum class Stage { asked, opening_poll, polling };
  // An exchange that is not answered yet.
  struct Pending {
    Exchange* exchange = nullptr;
    Stage stage = Stage::asked;
    SessionId session{};
    size_t max_events = 1;
    bool as_array = false;
  };
  using Path = std::vector<std::string_view>;

  void client_get(Exchange& exchange, const Path& path);
  void admin_get(Exchange& exchange, const Path& path);
  void post(Exchange& exchange, const Path& path);
  void open_poll(Exchange& exchange, SessionId session);
  void ask_core(Exchange& exchange, Pending pending, Json request);
  void poll_admitted(const Pending& pending, JsonView reply);
  void deliver(const Pending& pending, const std::vector<std::string>& events);
  void on_event(SessionId session, std::string event);
  void answer_empty(Exchange& exchange, int status, std::string headers = {});
  void answer_json(Exchange& exchange, std::string body);
  void answer_error(Exchange& exchange, int code, std::string reason);
  const Origins& origins(const Exchange& exchange) const;
  std::string headers(const Exchange& exchange) const;

  // given
  const RestRules rules_;
  TransportHost& host_;
  // owned
  const Pages pages_;
  Tally tally_;
  SessionQueues queues_;
  // state
  std::unordered_map<ConnectionId, Pending> pending_;
};

}  // namespace cardea::transports
