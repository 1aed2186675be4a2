#include "seat.hpp"

#include <utility>

#include "cardea/log.hpp"
#include "errors.hpp"
#include "rooms.hpp"
#include "verbs.hpp"

namespace cardea::textroom {
namespace {

constexpr std::string_view topic = "textroom";
constexpr std::string_view lossy_label = "presence";
constexpr size_t message_overhead = 64;  // bytes counted for each that waits
constexpr size_t large = 16 * 1024;      // bytes of a request: so many count as one more

Json ok() { return Json::object("textroom", "event", "result", "ok"); }
Json error_data(const Error& error) {
  return Json::object("textroom", "error", "error_code", error.code, "error", error.reason);
}

}  // namespace

const Verbs<Seat> Seat::peer_verbs =
    Verbs<Seat>({code::invalid_request, code::missing_element, code::invalid_element}, "textroom")
        .event("setup", no_fields, &Seat::setup)
        .event("ack", no_fields, &Seat::acknowledge)
        .event("restart", no_fields, &Seat::restart);

Seat::Seat(Handle& client, Rooms& rooms)
    : client_(client), rooms_(rooms), rate_(rooms.general().message_rate, rooms.general().message_burst) {}

Seat::~Seat() {
  leave_all(Via::channel);
  leave_all(Via::api);
}

Reply Seat::handle(Message message) {
  if (peer_verbs.knows(message.body)) {
    Reply reply = peer_verbs.run(*this, message);
    if (reply.event && reply.event->data["error_code"]) reply.event->data.set("textroom", "error");
    return reply;
  }
  const Verbs<Asker>& known = verbs(rooms_.general().string_ids);
  Asker asker{rooms_, &client_, this, Via::api};
  if (!known.knows(message.body)) return known.run(asker, message);  // says what is wrong
  // As Janus has it: a "textroom" in the body wins.
  const JsonView inner = message.body["textroom"];
  const std::string verb(inner.is_string() ? inner.string() : message.body["request"].string());
  return Reply::success(run(verb, asker, message));
}

Result<Event> Seat::setup(const Nothing&, const Message&) {
  if (set_up_) return Error{code::already_setup, "PeerConnection already setup"};
  set_up_ = true;
  OfferPlan plan{.name = "Janus TextRoom plugin"};
  plan.sections.push_back({.mid = "0", .kind = MediaKind::data, .direction = Direction::sendrecv});
  return Event{ok(), std::move(plan), {}};
}

Result<Event> Seat::acknowledge(const Nothing&, const Message&) { return Event{ok(), {}, {}}; }

Result<Event> Seat::restart(const Nothing& nothing, const Message& message) {
  const bool again = std::exchange(set_up_, false);
  auto event = setup(nothing, message);
  if (event) std::get<OfferPlan>(event->jsep).ice_restart = again;
  return event;
}

void Seat::on_media_down(std::string_view) {
  set_up_ = has_channel_ = has_lossy_channel_ = full_ = false;
  waiting_.clear();
  waiting_bytes_ = 0;
  leave_all(Via::channel);
  dropped_ = false;
}

void Seat::on_data_open(const DataChannel& channel) {
  has_channel_ = true;
  if (channel.label == lossy_label) has_lossy_channel_ = true;
}
void Seat::on_data_closed(std::string_view label) {
  if (label == lossy_label) has_lossy_channel_ = false;
}

void Seat::on_data(DataMessage message) {
  has_channel_ = true;
  if (message.binary) {
    ++counters_.binary;
    return;
  }
  // Reading a large text costs as much as many small requests: it is paid for before.
  if (const size_t more = message.payload.size() / large; more > 0)
    if (Status turn = take_turn(static_cast<uint32_t>(more)); !turn) return reply(error_data(turn.error()), "");
  auto body = Json::parse(message.payload.text());
  if (!body || !(body->is_object() || body->is_array())) {
    ++counters_.malformed;
    return;
  }
  ++counters_.received;
  if ((*body)["textroom"].string() == "presence" && !(*body)["transaction"]) return update_quietly(std::move(*body));
  auto envelope =
      read<Envelope>(*body, envelope_fields, {.missing = code::missing_element, .invalid = code::invalid_element});
  if (!envelope) return reply(error_data(envelope.error()), "");
  if (Json data = run_from_channel(std::move(*body), *envelope)) reply(std::move(data), envelope->transaction);
}

Json Seat::run_from_channel(Json body, const Envelope& envelope) {
  if (envelope.textroom != "presence")  // has a rate of its own
    if (Status turn = take_turn(); !turn) return error_data(turn.error());
  return run(envelope.textroom, {rooms_, &client_, this, Via::channel},
             {std::move(body), envelope.transaction, {}, {}});
}

// A state on its way many times a second: nobody waits for an answer.
void Seat::update_quietly(Json body) {
  const Json data = run("presence", {rooms_, &client_, this, Via::channel}, {std::move(body), "", {}, {}});
  if (data["error_code"]) ++counters_.refused_states;
}

void Seat::reply(Json data, const std::string& transaction) {
  if (!transaction.empty()) data.set("transaction", transaction);
  send(Outgoing(std::move(data), rooms_.general().style()).text());
}

void Seat::tell(Via via, const Outgoing& event) {
  if (via == Via::channel)
    send(event.text());
  else
    client_.push({event.json()});
}

bool Seat::show(Via via, const Outgoing& states, bool lossy) {
  if (via == Via::api) {
    client_.push({states.json()});
    return true;
  }
  if (full_ || dropped_) return false;
  DataMessage message{.payload = states.text()};
  if (lossy && has_lossy_channel_) message.label = lossy_label;
  full_ = !client_.send_data(message);
  return !full_;
}

void Seat::send(const Payload& text) {
  if (dropped_) return;
  if (!full_ && client_.send_data({.payload = text})) {
    ++counters_.sent;
    return;
  }
  full_ = true;
  waiting_bytes_ += text.size() + message_overhead;
  waiting_.push_back(text);
  if (waiting_bytes_ <= rooms_.general().max_backlog) return;
  log::info(topic, "handle ", client_.id().value, " does not read: ", waiting_.size(), " messages wait, closing");
  dropped_ = true;
  waiting_.clear();
  waiting_bytes_ = 0;
  client_.hang_up();  // it leaves its rooms when that is done
}

void Seat::on_data_ready() {
  full_ = false;
  while (!waiting_.empty()) {
    if (!client_.send_data({.payload = waiting_.front()})) {
      full_ = true;
      return;
    }
    ++counters_.sent;
    waiting_bytes_ -= waiting_.front().size() + message_overhead;
    waiting_.pop_front();
  }
}

Member* Seat::in(Room& room) const {
  auto name = names_.find(room.id());
  return name == names_.end() ? nullptr : room.find(name->second);
}

Status Seat::take_turn(uint32_t count) {
  if (rate_.take(rooms_.services().now(), count)) return {};
  ++counters_.too_fast;
  return Error{code::too_fast, text("Too many requests (at most ", rooms_.general().message_rate, " a second)")};
}

void Seat::leave_all(Via via) {
  const auto names = names_;
  for (const auto& [id, name] : names) {
    Room* room = rooms_.find(id);
    Member* member = room == nullptr ? nullptr : room->find(name);
    if (member != nullptr && member->via == via) room->leave(*member, false);
  }
}

Json Seat::describe() const {
  Json rooms = Json::array();
  for (const auto& [id, name] : names_) {
    Room* room = rooms_.find(id);
    const Member* member = room == nullptr ? nullptr : room->find(name);
    if (member == nullptr) continue;
    rooms.append(
        Json::object("room", id.json(), "username", name, "api", member->via == Via::api, "presence", member->watches));
  }
  return Json::object("setup", set_up_, "data_channel", has_channel_, "rooms", std::move(rooms), "received",
                      counters_.received, "sent", counters_.sent, "waiting", waiting_.size(), "malformed",
                      counters_.malformed, "binary", counters_.binary, "too_fast", counters_.too_fast, "refused_states",
                      counters_.refused_states);
}

}  // namespace cardea::textroom
