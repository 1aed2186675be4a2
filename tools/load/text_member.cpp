#include "text_member.hpp"

#include <charconv>

#include "base/clock.hpp"
#include "cardea/text.hpp"
#include "publisher.hpp"
#include "scenario.hpp"

namespace cardea::load {
namespace {

constexpr uint16_t max_members = 65535;
constexpr std::string_view presence_label = "presence";

// FNV-1a: enough to see that a text is what was written.
uint32_t checksum(std::string_view text) {
  uint32_t sum = 2166136261u;
  for (char one : text) sum = (sum ^ static_cast<uint8_t>(one)) * 16777619u;
  return sum;
}

// "<speaker> <number> <nanoseconds> <padding> <checksum of all before>"
std::string write_text(uint32_t speaker, uint64_t number, Time sent, size_t size) {
  std::string out = text(speaker, ' ', number, ' ', sent.time_since_epoch().count(), ' ');
  for (size_t i = 0; out.size() + 11 < size; ++i) out.push_back(static_cast<char>('a' + (i + number) % 26));
  return text(out, ' ', checksum(out));
}

struct Said {
  uint64_t speaker = 0, number = 0;
  Time sent;
};
std::optional<Said> read_text(std::string_view in) {
  const size_t end = in.rfind(' ');
  if (end == std::string_view::npos) return {};
  uint64_t fields[3] = {}, sum = 0;
  const char* at = in.data();
  for (uint64_t& field : fields) {
    auto [next, error] = std::from_chars(at, in.data() + end, field);
    if (error != std::errc()) return {};
    at = next + 1;
  }
  std::from_chars(in.data() + end + 1, in.data() + in.size(), sum);
  if (sum != checksum(in.substr(0, end))) return {};
  return Said{fields[0], fields[1], Time(Duration(static_cast<int64_t>(fields[2])))};
}

// A place that moves, and when it was: what a state holds as x must be small enough to stay exact.
double clock_as_x(Time now) { return static_cast<double>(to_us(now.time_since_epoch()) % 1'000'000'000) / 1000; }
Duration since_x(double x, Time now) {
  const double passed = clock_as_x(now) - x;
  return Duration(static_cast<int64_t>((passed < 0 ? passed + 1'000'000 : passed) * 1e6));
}

data::SctpSettings client_settings() {
  data::SctpSettings settings;
  settings.streams = 16;
  return settings;
}

}  // namespace

DataSide::DataSide()
    : stack(client_settings(), [this](uint64_t member, Bytes packet) {
        output.packets.add({0, 1, static_cast<uint32_t>(member)}, packet);
      }) {}

TextMember::TextMember(uint32_t number, const Options& options, const TextOptions& text, Shared& shared, DataSide* data,
                       Signalling& signalling, TextReceived& totals)
    : number_(number % max_members), options_(options), text_(text), data_(data), signalling_(signalling),
      totals_(totals), heard_(text.speakers) {
  if (data_ == nullptr) return;
  const std::string local = options.bind.empty() ? "127.0.0.1" : options.bind[number % options.bind.size()];
  peer_ = std::make_unique<ClientPeer>(shared, local, false);
  peer_->use_data([this](Bytes record) {
    if (association_) association_->receive(record, now_, data_->output);
  });
  fingerprint_ = fingerprint_text(shared.dtls->fingerprint());
}

// Coming in

void TextMember::attach() {
  began_ = Clock::now();
  signalling_.request(Json::object("janus", "attach", "plugin", text_.plugin), [this](JsonView reply) {
    if (!reply["data"]) return fail(reply);
    handle_ = static_cast<uint64_t>(reply["data"]["id"].integer());
    signalling_.listen(handle_, [this](JsonView event) {
      const Time now = Clock::now();
      if (event["janus"].string() == "hangup") {
        over_ = true;
        over_at_ = now;
      } else if (event["janus"].string() == "event") {
        on_text(event["plugindata"]["data"], now);
      }
    });
    data_ != nullptr ? set_up() : join();
  });
}

void TextMember::set_up() {
  signalling_.request(Json::object("janus", "message", "handle_id", handle_, "body", Json::object("request", "setup")),
                      [this](JsonView reply) { reply["jsep"] ? answer(reply) : fail(reply); });
}

void TextMember::answer(JsonView reply) {
  auto remote = sdp::parse(reply["jsep"]["sdp"].string());
  if (!remote || remote->media.empty() || !peer_->connect(*remote, Clock::now())) return fail(reply);
  const std::string& mid = remote->media.front().mid;
  const std::string sdp =
      text("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE ", mid,
           "\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:",
           peer_->credentials().ufrag, "\r\na=ice-pwd:", peer_->credentials().pwd, "\r\na=fingerprint:sha-256 ",
           fingerprint_, "\r\na=setup:active\r\na=mid:", mid, "\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n");
  Json body = Json::object("request", "ack");
  signalling_.request(Json::object("janus", "message", "handle_id", handle_, "body", std::move(body), "jsep",
                                   Json::object("type", "answer", "sdp", sdp)),
                      [](JsonView) {});
}

void TextMember::join() {
  Json body = Json::object("room", text_.room, "username", text("member-", number_), "history", false);
  if (text_.moves > 0) body.set("presence", true);
  body.set(data_ != nullptr ? "textroom" : "request", "join");
  request(std::move(body));
}

void TextMember::fail(JsonView reply) {
  if (failure_.empty()) failure_ = text("member ", number_, ": ", refusal(reply));
}

// On the wire

void TextMember::receive(Time now) {
  now_ = now;
  if (stalled_) return;
  peer_->receive(
      now, [](MutableBytes) {}, [](MutableBytes) {});
}

void TextMember::tick(Time now) {
  now_ = now;
  if (!peer_) return;
  peer_->tick(now);
  if (peer_->failed() && failure_.empty() && !over_) failure_ = text("member ", number_, ": DTLS failed");
  if (!peer_->up()) return;
  if (!association_) {
    association_ = std::make_unique<data::Association>(
        PeerId{0, 1, number_}, number_, data::AssociationPlan{.dtls_client = true, .max_message_size = 262144},
        data_->stack);
    association_->stirred(now, data_->output);
  } else if (now >= association_->next_deadline()) {
    association_->tick(now, data_->output);
  }
}

void TextMember::send_record(Bytes record, Time now) { peer_->send_record(record, now); }

void TextMember::stirred(Time now) {
  if (association_) association_->stirred(now, data_->output);
}

void TextMember::on_event(data::DataEvent& event, Time now) {
  if (std::holds_alternative<data::DataUp>(event)) {
    if (text_.moves > 0)
      association_->open({.label = std::string(presence_label), .ordered = false, .max_retransmits = 0}, now,
                         data_->output);
    association_->open({}, now, data_->output);
  } else if (std::holds_alternative<data::ChannelOpened>(event)) {
    // The presence channel was opened first.
    if (std::get<data::ChannelOpened>(event).channel.label != presence_label && !std::exchange(asked_, true)) join();
  } else if (auto* received = std::get_if<data::MessageReceived>(&event)) {
    const std::string& text = received->message.payload.text();
    if (auto json = Json::parse(text)) {
      on_text(*json, now);
      if ((*json)["states"]) on_states(*json, text.size(), now);
    }
  }
  if (const size_t weight = data::weight(event); weight > 0) association_->taken(weight, now, data_->output);
}

// By the channel or the API, as the member is.
void TextMember::request(Json body) {
  if (data_ != nullptr) {
    body.set("transaction", "t");
    if (association_->waiting() > data::send_limit) {
      ++refused_;
      return;
    }
    association_->send({.payload = body.text()}, now_, data_->output);
    return;
  }
  signalling_.request(Json::object("janus", "message", "handle_id", handle_, "body", std::move(body)),
                      [this](JsonView reply) { on_text(reply["plugindata"]["data"], Clock::now()); });
}

// What is heard

void TextMember::on_text(JsonView event, Time now) {
  const std::string_view kind = event["textroom"].string();
  if (kind == "message") return on_message(event["text"].string(), now);
  if (kind == "presence" && data_ == nullptr) return on_states(event, 0, now);
  if (kind == "success" && event["participants"]) joined_ = true;
  if (!event["error_code"]) return;
  if (!joined_ && failure_.empty()) failure_ = text("member ", number_, ": ", event["error"].string());
  if (totals_.errors++ == 0) totals_.first_error = event["error"].string();
}

void TextMember::on_message(std::string_view text, Time now) {
  auto said = read_text(text);
  if (!said || said->speaker >= heard_.size()) {
    ++totals_.corrupt;
    return;
  }
  if (said->number != ++heard_[said->speaker]) {
    ++totals_.out_of_order;
    heard_[said->speaker] = said->number;
  }
  if (!measuring_) return;
  ++totals_.messages;
  totals_.latency.add(now - said->sent);
}

void TextMember::on_states(JsonView event, size_t bytes, Time now) {
  if (!measuring_) return;
  ++totals_.batches;
  totals_.state_bytes += bytes;
  event["states"].each_member([&](std::string_view, JsonView state) {
    ++totals_.states;
    totals_.state_latency.add(since_x(state["x"].number(), now));
  });
}

// What is said

void TextMember::say(Time now) {
  now_ = now;
  Json body =
      Json::object("room", text_.room, "text", write_text(number_, ++said_, Clock::now(), text_.size), "ack", false);
  body.set(data_ != nullptr ? "textroom" : "request", "message");
  request(std::move(body));
}

void TextMember::show(Time now) {
  now_ = now;
  ++shown_;
  Json state = Json::object("x", clock_as_x(Clock::now()), "y", number_);
  Json body = Json::object("room", text_.room, "state", std::move(state), "seq", shown_);
  if (data_ == nullptr) return request(std::move(body.set("request", "presence")));
  body.set("textroom", "presence");
  association_->send({.label = std::string(presence_label), .payload = body.text()}, now, data_->output);
}

}  // namespace cardea::load
