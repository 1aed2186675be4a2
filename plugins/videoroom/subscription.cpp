#include "subscription.hpp"

#include <algorithm>

#include "errors.hpp"
#include "room.hpp"
#include "rooms.hpp"

namespace cardea::videoroom {
namespace {

// As many m-lines as the core writes into one session description.
constexpr size_t max_lines = 256;

template <class Visit>
void each_wanted(const Publisher& publisher, const StreamChoice& choice, Visit&& visit) {
  for (const Stream& stream : publisher.streams())
    if (!stream.disabled && (!choice.mid || *choice.mid == stream.mid)) visit(stream);
}

}  // namespace

Subscription::Subscription(Rooms& rooms, Room& room, Handle& client, const SubscriberJoin& wanted)
    : rooms_(rooms), client_(client), room_(room.key()), room_id_(room.id()), private_id_(wanted.private_id),
      use_msid_(wanted.use_msid), autoupdate_(wanted.autoupdate) {
  client_.place_with(room.affinity());
  room.add(*this);
}

Subscription::~Subscription() { leave(); }

Room* Subscription::room() const { return present_ ? rooms_.find(room_) : nullptr; }

const Publisher* Subscription::publisher(const PublicId& feed) const {
  const Room* at = room();
  const Publisher* found = at == nullptr ? nullptr : at->find(feed);
  return found != nullptr && found->active() ? found : nullptr;
}

std::optional<bool> Subscription::e2ee() const {
  for (const Line& line : lines_) {
    if (!line.active()) continue;
    const PublicId& feed = line.source ? line.source->feed : *line.data_sources.begin();
    if (const Publisher* from = publisher(feed)) return from->e2ee();
  }
  return std::nullopt;
}

Status Subscription::check(const std::vector<StreamChoice>& choices) const {
  std::optional<bool> encrypted = e2ee();
  size_t wanted = static_cast<size_t>(std::count_if(lines_.begin(), lines_.end(), [](auto& l) { return l.active(); }));
  for (const StreamChoice& choice : choices) {
    const Publisher* from = publisher(choice.feed);
    if (from == nullptr) return Error{code::no_such_feed, "No such feed (" + choice.feed.text() + ")"};
    if (choice.mid && from->stream(*choice.mid) == nullptr)
      return Error{code::no_such_feed, text("No such mid (", *choice.mid, ") in feed (", choice.feed.text(), ")")};
    if (encrypted.value_or(from->e2ee()) != from->e2ee())
      return Error{code::invalid_feed, "Encrypted and plain feeds cannot be mixed"};
    encrypted = from->e2ee();
    each_wanted(*from, choice, [&](const Stream&) { ++wanted; });
  }
  if (wanted > max_lines) return Error{code::invalid_element, text("More than ", max_lines, " streams")};
  return {};
}

bool Subscription::add(const StreamChoice& choice) {
  const Publisher* from = publisher(choice.feed);
  if (from == nullptr) return false;
  bool description_changes = false;
  each_wanted(*from, choice, [&](const Stream& stream) {
    const size_t lines_before = lines_.size();
    Line* line = line_for(stream);
    if (line == nullptr) return;
    if (choice.crossrefid) line->crossrefid = *choice.crossrefid;
    if (stream.kind == MediaKind::data) {
      line->data_sources.insert(choice.feed);
      line->send = choice.send.value_or(line->send);
      description_changes = description_changes || lines_.size() > lines_before;
      return;
    }
    attach(*line, *from, stream);
    apply(choice, *line);
    description_changes = true;
  });
  return description_changes;
}

// The first that is free and fits, else a new one; none if there are too many.
Line* Subscription::line_for(const Stream& stream) {
  for (Line& line : lines_) {
    if (line.kind != stream.kind) continue;
    if (stream.kind == MediaKind::data) return &line;
    if (!line.active() && line.codec->type == stream.codec->type) return &line;
  }
  if (lines_.size() >= max_lines) return nullptr;
  Line& line = lines_.emplace_back();
  line.kind = stream.kind;
  line.mindex = lines_.size() - 1;
  line.mid = std::to_string(line.mindex);
  return &line;
}

void Subscription::attach(Line& line, const Publisher& from, const Stream& stream) {
  line.source = Source{from.person().id, stream.mid};
  line.codec = stream.offered_codec();
  line.extensions = stream.offered_extensions();
  line.has = {stream.simulcast, stream.svc};
  line.current = {};
  if (use_msid_) line.msid = from.person().id.text() + " " + stream.mid;
}

bool Subscription::drop(const StreamDrop& choice) {
  bool description_changes = false;
  for (Line& line : lines_) {
    if (choice.sub_mid && *choice.sub_mid != line.mid) continue;
    if (!choice.sub_mid && !choice.feed) return false;
    if (line.kind == MediaKind::data) {
      if (!choice.feed)
        line.data_sources.clear();
      else if (!choice.mid || line.active())
        line.data_sources.erase(*choice.feed);
      continue;
    }
    if (!line.source || (choice.feed && line.source->feed != *choice.feed)) continue;
    if (choice.feed && choice.mid && line.source->mid != *choice.mid) continue;
    clear(line);
    description_changes = true;
  }
  return description_changes;
}

void Subscription::clear(Line& line) {
  if (line.route) rooms_.services().stop_forward(line.route->second);
  line.route.reset();
  line.source.reset();
  line.data_sources.clear();
  line.ready = false;
  line.send = true;
  line.layers = {};
  line.current = {};
  line.delay.reset();
  line.crossrefid.clear();
  line.msid.clear();
}

Event Subscription::changed(bool description_changed) {
  Event event{Json::object("videoroom", "updated", "room", room_id_.json())};
  if (!description_changed) return event;
  if (offers_.pending()) {
    offers_.want(false);
    event.data.set("videoroom", "updating");
    return event;
  }
  event.data.set("streams", streams());
  offer_in(event);
  return event;
}

void Subscription::offer_in(Event& event, bool ice_restart) {
  OfferPlan offer = plan();
  offer.ice_restart = ice_restart;
  event.jsep = std::move(offer);
  offers_.sent();
}

OfferPlan Subscription::plan() const {
  OfferPlan plan{.name = "VideoRoom " + room_id_.text()};
  for (const Line& line : lines_) {
    OfferSection section{.mid = line.mid, .kind = line.kind};
    section.direction = line.kind == MediaKind::data ? Direction::sendrecv
                        : line.active()              ? Direction::sendonly
                                                     : Direction::inactive;
    section.codec = line.codec;
    section.extensions = line.extensions;
    section.msid = line.msid;
    plan.sections.push_back(std::move(section));
  }
  plan.e2ee = e2ee().value_or(false);
  return plan;
}

void Subscription::on_answer(const Answer& answer) {
  offers_.answered();
  answered_ = true;
  for (const Section& section : answer.sections)
    if (Line* line = find(section.mid))
      line->ready =
          line->active() && !section.rejected && (line->kind == MediaKind::data || receives(section.direction));
}

void Subscription::on_negotiated() {
  connect();
  push_offer();
}

void Subscription::push_offer() {
  const auto restart = offers_.take();
  if (!restart) return;
  Event event{Json::object("videoroom", "updated", "room", room_id_.json(), "streams", streams())};
  offer_in(event, *restart);
  client_.push(std::move(event));
}

void Subscription::resume() {
  paused_ = false;
  for (const Line& line : lines_) {
    if (!line.route) continue;
    rooms_.services().pause(line.route->second, !line.send);
    if (line.kind == MediaKind::video && line.send) rooms_.services().request_keyframe(line.route->first);
  }
}

void Subscription::pause() {
  paused_ = true;
  for (const Line& line : lines_)
    if (line.route) rooms_.services().pause(line.route->second, true);
}

Line* Subscription::find(std::string_view mid) {
  auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) { return line.mid == mid; });
  return found == lines_.end() ? nullptr : &*found;
}

Status Subscription::control(const LineControl& wanted) {
  if (wanted.mid) {
    Line* line = find(*wanted.mid);
    if (line == nullptr) return Error{code::no_such_feed, "No such mid (" + *wanted.mid + ")"};
    apply(wanted, *line);
    return {};
  }
  for (Line& line : lines_)
    if (line.kind == MediaKind::video) apply(wanted, line);
  return {};
}

void Subscription::switch_all(MediaKind kind, bool send) {
  Wishes wanted;
  wanted.send = send;
  for (Line& line : lines_)
    if (line.kind == kind) apply(wanted, line);
}

void Subscription::apply(const Wishes& wanted, Line& line) {
  choose_layers(wanted, line.has, line.current, line.layers,
                [&](const char* layer, int value) { notify(line, layer, value); });
  const bool resumed = wanted.send.value_or(false) && !line.send;
  line.send = wanted.send.value_or(line.send);
  const bool delayed{static_cast<const DelayWishes&>(wanted)};
  if (delayed) line.delay = wanted.delay();
  if (!line.route) return;
  Services& services = rooms_.services();
  services.set_layers(line.route->second, line.layers);
  if (wanted.send) services.pause(line.route->second, paused_ || !line.send);
  if (resumed && line.kind == MediaKind::video) services.request_keyframe(line.route->first);
  if (delayed) services.set_playout_delay(line.route->second, line.delay);
}

std::optional<bool> Subscription::switch_to(const StreamSwitch& wanted) {
  Line* line = find(wanted.sub_mid);
  const Publisher* from = publisher(wanted.feed);
  const Stream* stream = from == nullptr ? nullptr : from->stream(wanted.mid);
  if (line == nullptr || stream == nullptr || stream->disabled || line->kind != stream->kind) return std::nullopt;
  if (line->kind == MediaKind::data || line->codec->type != stream->codec->type) return std::nullopt;
  if (line->source == Source{wanted.feed, wanted.mid}) return std::nullopt;
  const bool was_inactive = !line->active();
  // The session description stays: what the m-line was agreed on goes on to hold.
  const auto agreed = std::pair(line->codec, line->extensions);
  attach(*line, *from, *stream);
  if (!was_inactive) std::tie(line->codec, line->extensions) = agreed;
  apply(wanted, *line);
  connect(*line);
  return was_inactive;
}

void Subscription::on_media_up() { connect(); }

void Subscription::on_media_down() {
  lines_.clear();
  answered_ = paused_ = false;
  offers_ = {};
}

void Subscription::on_layers(SenderId sender, const CurrentLayers& now) {
  for (Line& line : lines_) {
    if (!line.route || line.route->second != sender) continue;
    const CurrentLayers before = std::exchange(line.current, now);
    tell_changes(line.has, before, now, [&](const char* layer, int value) { notify(line, layer, value); });
  }
}

void Subscription::notify(const Line& line, const char* layer, int value) {
  client_.push({Json::object("videoroom", "event", "room", room_id_.json(), "mid", line.mid, layer, value)});
}

bool Subscription::watches(const PublicId& feed) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const Line& line) {
    return (line.source && line.source->feed == feed) || line.data_sources.contains(feed);
  });
}

bool Subscription::watches(const PublicId& feed, const std::string& mid) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const Line& line) { return line.source == Source{feed, mid}; });
}

void Subscription::lose(const PublicId& feed, const std::optional<std::string>& mid) {
  bool description_changes = false;
  for (Line& line : lines_) {
    if (!mid) line.data_sources.erase(feed);
    if (!line.source || line.source->feed != feed || (mid && line.source->mid != *mid)) continue;
    clear(line);
    description_changes = true;
  }
  if (!description_changes || !autoupdate_) return;
  offers_.want(false);
  push_offer();
}

void Subscription::connect() {
  for (Line& line : lines_) connect(line);
}

void Subscription::connect(Line& line) {
  Services& services = rooms_.services();
  std::optional<std::pair<ReceiverId, SenderId>> wanted;
  const Publisher* from = line.source ? publisher(line.source->feed) : nullptr;
  if (from != nullptr && line.ready && client_.media_up()) {
    auto receiver = from->receiver(line.source->mid);
    auto sender = client_.sender(line.mid);
    if (receiver && sender) wanted.emplace(*receiver, *sender);
  }
  if (line.route && (!wanted || wanted->second != line.route->second)) services.stop_forward(line.route->second);
  if (wanted && wanted != line.route) {
    services.forward(wanted->first, wanted->second);
    services.set_layers(wanted->second, line.layers);
    services.pause(wanted->second, paused_ || !line.send);
  }
  line.route = wanted;
  if (!wanted || line.kind != MediaKind::video) return;
  const Stream* stream = from->stream(line.source->mid);
  services.set_playout_delay(wanted->second, line.delay ? line.delay : stream->delay);
}

void Subscription::relay(const PublicId& from, const DataMessage& message) {
  for (const Line& line : lines_)
    if (line.kind == MediaKind::data && line.ready && line.data_sources.contains(from) && line.send && !paused_)
      if (!client_.send_data(
              {.label = from.text(), .protocol = "", .binary = message.binary, .payload = message.payload}))
        ++lost_messages_;
}

void Subscription::close() {
  for (Line& line : lines_) clear(line);
  present_ = false;
}

void Subscription::kick() {
  for (Line& line : lines_) clear(line);
  kicked_ = true;
}

void Subscription::leave() {
  Room* at = room();
  close();
  if (at != nullptr) at->remove(*this);
}

Json Subscription::streams() const {
  Json all = Json::array();
  for (const Line& line : lines_) {
    Json json = Json::object("type", name(line.kind), "active", line.active(), "mindex", line.mindex, "mid", line.mid);
    if (!line.crossrefid.empty()) json.set("crossrefid", line.crossrefid);
    json.set("ready", line.ready).set("send", line.send);
    if (line.kind == MediaKind::data && line.active()) {
      Json ids = Json::array();
      for (const PublicId& id : line.data_sources) ids.append(id.json());
      json.set("sources", line.data_sources.size()).set("source_ids", std::move(ids));
    }
    if (line.source) describe_source(line, json);
    all.append(std::move(json));
  }
  return all;
}

void Subscription::describe(Json& to) const {
  to.set("answered", answered_).set("pending_offer", offers_.wanted()).set("pending_restart", offers_.restart_wanted());
  to.set("paused", paused_).set("e2ee", e2ee().value_or(false));
  if (lost_messages_ > 0) to.set("lost-messages", lost_messages_);
}

void Subscription::describe_source(const Line& line, Json& json) const {
  json.set("feed_id", line.source->feed.json());
  if (const Publisher* from = publisher(line.source->feed)) {
    json.set("feed_display", from->person().display);
    if (from->person().metadata) json.set("feed_metadata", from->person().metadata.copy());
    json.set("feed_mid", line.source->mid);
    if (const Stream* stream = from->stream(line.source->mid); stream != nullptr && !stream->description.empty())
      json.set("feed_description", stream->description);
  }
  json.set("codec", name(line.codec->type));
  if (std::string profile = profile_of(*line.codec); !profile.empty())
    json.set(line.codec->type == CodecType::h264 ? "h264-profile" : "vp9-profile", profile);
  describe_layers(line.has, line.current, line.layers, json);
  describe_delay(line.delay, json);
}

}  // namespace cardea::videoroom
