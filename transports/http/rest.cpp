#include "http/rest.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "common/message.hpp"
#include "http/path.hpp"

namespace cardea::transports {

namespace {

bool is_sessionless(std::string_view word) { return word == "info" || word == "ping"; }

// Fills an id that the message lacks from the path. False if both say one and they differ.
bool fill_id(Json& message, const char* name, std::optional<int64_t> from_path) {
  if (!from_path) return true;
  const int64_t said = message[name].is_integer() ? message[name].integer() : 0;
  if (said == 0) message.set(name, *from_path);
  return said == 0 || said == *from_path;
}

std::string printable(std::string_view value) {
  std::string out(value);
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  return out;
}

}  // namespace

Rest::Rest(RestRules rules, TransportHost& host, Stock& stock)
    : rules_(std::move(rules)), host_(host), pages_(host.pages_folder()), tally_("http"),
      queues_(rules_.max_events, rules_.max_queue, stock) {}

void Rest::on_request(Exchange& exchange) {
  const Request& request = exchange.request();
  if (request.method == Method::options) return answer_empty(exchange, 200);
  auto path = below(request.path, exchange.is_admin() ? rules_.admin_base_path : rules_.base_path);
  if (!path) {
    if (exchange.is_admin()) return answer_empty(exchange, 404);
    return exchange.answer(pages_.respond(request));
  }
  if (!origins(exchange).admits(request.origin, request.referer)) {
    tally_.count(Refusal::origin);
    return answer_empty(exchange, 403);
  }
  switch (request.method) {
  case Method::get: return exchange.is_admin() ? admin_get(exchange, *path) : client_get(exchange, *path);
  case Method::post: return post(exchange, *path);
  case Method::head: return answer_empty(exchange, 404);
  default: return answer_error(exchange, 450, "Only GET and POST are served");
  }
}

void Rest::client_get(Exchange& exchange, const Path& path) {
  if (path.size() == 1 && is_sessionless(path[0]))
    return ask_core(exchange, {}, Json::object("janus", path[0], "transaction", std::to_string(exchange.id().value)));
  if (path.empty() || path.size() > 2) return answer_empty(exchange, 404);
  auto session = id_of(path[0]);
  if (!session) return answer_empty(exchange, 404);
  if (path.size() == 2)  // a handle has no events of its own
    return answer_empty(exchange, 302, text("Location: ", rules_.base_path, "/", *session, "\r\n"));
  open_poll(exchange, SessionId{static_cast<uint64_t>(*session)});
}

void Rest::admin_get(Exchange& exchange, const Path& path) {
  if (path.size() > 2) return answer_empty(exchange, 404);
  if (path.size() == 1 && is_sessionless(path[0]))
    return ask_core(exchange, {}, Json::object("janus", path[0], "transaction", std::to_string(exchange.id().value)));
  answer_error(exchange, 454, "Request payload missing");
}

void Rest::post(Exchange& exchange, const Path& path) {
  if (path.size() > 2) return answer_empty(exchange, 404);
  std::optional<int64_t> session, handle;
  if (!path.empty()) {
    if (is_sessionless(path[0])) {
      if (exchange.is_admin()) return answer_error(exchange, 450, "This is asked for with GET");
      return answer_empty(exchange, 400);
    }
    session = id_of(path[0]);
    if (!session) return answer_empty(exchange, 404);
  }
  if (path.size() == 2 && !(handle = id_of(path[1]))) return answer_empty(exchange, 404);
  auto message = Json::parse(exchange.request().body);
  if (!message) return answer_error(exchange, message.error().code, message.error().reason);
  if (!message->is_object()) return answer_error(exchange, 455, "JSON error: not an object");
  if (!fill_id(*message, "session_id", session))
    return answer_error(exchange, 457, "The message is for another session than the path");
  if (!fill_id(*message, "handle_id", handle))
    return answer_error(exchange, 457, "The message is for another handle than the path");
  exchange.request().body = {};
  ask_core(exchange, {}, std::move(*message));
}

// A keepalive in the client's name: the core says whether the session is there and the credentials are good, and the
// session's timer starts anew.
void Rest::open_poll(Exchange& exchange, SessionId session) {
  const Request& request = exchange.request();
  Json keepalive = Json::object("janus", "keepalive", "session_id", session.value, "transaction",
                                std::to_string(exchange.id().value));
  for (const char* name : {"apisecret", "token"})
    if (auto value = request.parameter(name); !value.empty()) keepalive.set(name, value);
  const std::string_view wanted = request.parameter("maxev");
  size_t max_events = 1;
  if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), max_events).ec != std::errc()) max_events = 1;
  Pending poll{.stage = Stage::opening_poll, .session = session, .max_events = std::max<size_t>(1, max_events)};
  poll.as_array = max_events > 1;
  ask_core(exchange, poll, std::move(keepalive));
}

void Rest::ask_core(Exchange& exchange, Pending pending, Json request) {
  pending.exchange = &exchange;
  pending_[exchange.id()] = pending;
  exchange.wake_after(rules_.core_time);
  host_.opened(exchange.id(), exchange.address(), Lasts::one_request);
  host_.receive(exchange.id(), RequestTag{exchange.id().value}, exchange.is_admin() ? Api::admin : Api::client,
                std::move(request));
}

void Rest::on_core(CoreMessage message) {
  using Kind = CoreMessage::Kind;
  if (message.kind == Kind::session_owned) return queues_.open(message.session, message.connection);
  if (message.kind == Kind::session_over) return queues_.close(message.session, message.connection);
  if (!message.tag) {
    const int64_t session = message.message["session_id"].integer();
    return on_event(SessionId{static_cast<uint64_t>(session)}, message.message.text(rules_.style));
  }
  auto found = pending_.find(message.connection);
  if (found == pending_.end() || found->second.stage == Stage::polling) return;
  const Pending pending = found->second;
  pending_.erase(found);
  if (pending.stage == Stage::asked)
    answer_json(*pending.exchange, message.message.text(rules_.style));
  else
    poll_admitted(pending, message.message);
}

void Rest::poll_admitted(const Pending& pending, JsonView reply) {
  if (reply["janus"].string() == "error")
    return answer_empty(*pending.exchange, reply["error"]["code"].integer() == 403 ? 403 : 404);
  if (!queues_.has(pending.session)) return answer_empty(*pending.exchange, 404);  // it lives on another transport
  if (auto events = queues_.take(pending.session, pending.max_events); !events.empty()) return deliver(pending, events);
  Pending& waiting = pending_[pending.exchange->id()] = pending;
  waiting.stage = Stage::polling;
  queues_.wait(pending.session, pending.exchange->id());
  pending.exchange->wake_after(rules_.poll_time);
}

// One event releases all polls of its session; who gets none gets the filler.
void Rest::on_event(SessionId session, std::string event) {
  if (queues_.push(session, std::move(event)) == SessionQueues::Pushed::dropped) tally_.count(Refusal::queue_full);
  for (const ConnectionId id : queues_.take_waiting(session)) {
    auto found = pending_.find(id);
    if (found == pending_.end()) continue;
    const Pending poll = found->second;
    pending_.erase(found);
    // An event sent to somebody who left would be lost to the poll that comes next.
    if (poll.exchange->is_client_there())
      deliver(poll, queues_.take(session, poll.max_events));
    else
      poll.exchange->abort();
  }
}

void Rest::deliver(const Pending& pending, const std::vector<std::string>& events) {
  std::string body;
  for (const auto& event : events) body += (body.empty() ? "" : ",") + event;
  if (events.empty()) body = Json::object("janus", "keepalive").text(rules_.style);
  answer_json(*pending.exchange, pending.as_array ? "[" + body + "]" : body);
}

void Rest::on_wake(Exchange& exchange) {
  auto found = pending_.find(exchange.id());
  if (found == pending_.end()) return;
  const Pending pending = found->second;
  if (pending.stage != Stage::polling) {
    tally_.count(Refusal::no_answer);
    return exchange.abort();  // on_abandoned() forgets it
  }
  pending_.erase(found);
  queues_.forget(pending.session, exchange.id());
  deliver(pending, {});
}

void Rest::on_abandoned(Exchange& exchange) {
  auto found = pending_.find(exchange.id());
  if (found == pending_.end()) return;
  queues_.forget(found->second.session, exchange.id());
  pending_.erase(found);
}

void Rest::answer_empty(Exchange& exchange, int status, std::string headers) {
  Response response;
  response.status = status;
  response.headers = std::move(headers) + this->headers(exchange);
  response.head_only = exchange.request().method == Method::head;
  exchange.answer(std::move(response));
}

void Rest::answer_json(Exchange& exchange, std::string body) {
  Response response;
  response.headers = "Content-Type: application/json\r\n" + headers(exchange);
  response.body = std::move(body);
  exchange.answer(std::move(response));
}

void Rest::answer_error(Exchange& exchange, int code, std::string reason) {
  answer_json(exchange, error_message({code, std::move(reason)}).text(rules_.style));
}

const Origins& Rest::origins(const Exchange& exchange) const {
  return exchange.is_admin() ? rules_.admin_origins : rules_.origins;
}

// Of every answer of the API.
std::string Rest::headers(const Exchange& exchange) const {
  std::string lines = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  const std::string cors = origins(exchange).headers();
  if (cors.empty()) return lines;
  lines += cors;
  const Request& request = exchange.request();
  if (!request.wanted_method.empty())
    lines += text("Access-Control-Allow-Methods: ", printable(request.wanted_method), "\r\n");
  if (!request.wanted_headers.empty())
    lines += text("Access-Control-Allow-Headers: ", printable(request.wanted_headers), "\r\n");
  return lines;
}

}  // namespace cardea::transports
