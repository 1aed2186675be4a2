#include "publisher.hpp"

#include <algorithm>

#include "errors.hpp"
#include "room.hpp"
#include "rooms.hpp"
#include "subscription.hpp"

namespace cardea::videoroom {
namespace {

constexpr size_t max_mid = 64;  // bytes; all others are told of it

}  // namespace

Json Person::json() const {
  return Json::object("id", id.json(), "display", display, "metadata", metadata ? metadata.copy() : Json());
}

Publisher::Publisher(Rooms& rooms, Room& room, Handle* client, Person person)
    : rooms_(rooms), client_(client), room_(room.key()), room_id_(room.id()), person_(std::move(person)),
      bitrate_bps_(room.settings().bitrate), talking_later_(rooms.services()) {
  if (client_ != nullptr) client_->place_with(room.affinity());
  if (!person_.dummy) return;
  streams_ = room.dummy_streams();
  active_ = true;
  e2ee_ = room.settings().dummy_e2ee;
}

Publisher::~Publisher() { leave(); }

Room* Publisher::room() const { return present_ ? rooms_.find(room_) : nullptr; }

void Publisher::enter() {
  present_ = true;
  if (Room* at = room()) at->enter(*this);
}

Status Publisher::admit(const Offer& offer, const Publish& wanted) const {
  const Room* at = rooms_.find(room_);
  if (at == nullptr) return Rooms::no_such_room(room_id_);
  if (!active_ && at->active_publishers() >= at->settings().publishers)
    return Error{code::publishers_full,
                 "Maximum number of publishers (" + text(at->settings().publishers) + ") reached"};
  if (at->settings().require_e2ee && !offer.e2ee)
    return Error{code::unauthorized, "This room wants end-to-end encryption"};
  for (const Section& section : offer.sections)
    if (section.mid.size() > max_mid)
      return Error{code::invalid_sdp, text("Invalid SDP (a mid has more than ", max_mid, " bytes)")};
  auto allowed = [](const std::optional<std::string>& codec, const std::vector<CodecType>& codecs) {
    if (!codec) return true;
    auto type = codec_of(*codec);
    return type && std::find(codecs.begin(), codecs.end(), *type) != codecs.end();
  };
  if (!allowed(wanted.audiocodec, at->audio_codecs()))
    return Error{code::invalid_element, "Audio codec not allowed in this room (" + *wanted.audiocodec + ")"};
  if (!allowed(wanted.videocodec, at->video_codecs()))
    return Error{code::invalid_element, "Video codec not allowed in this room (" + *wanted.videocodec + ")"};
  return {};
}

Result<AnswerPlan> Publisher::answer(const Offer& offer, const Publish& wanted) {
  if (auto admitted = admit(offer, wanted); !admitted) return admitted.error();
  const Room& at = *rooms_.find(room_);
  AnswerPlan plan{.name = "VideoRoom " + room_id_.text()};
  std::vector<Stream> before = std::move(streams_);
  streams_.clear();
  bool has_data = false;
  for (size_t i = 0; i < offer.sections.size(); ++i) {
    Section section = offer.sections[i];
    if (section.kind == MediaKind::data) section.rejected = section.rejected || std::exchange(has_data, true);
    const auto& codec = section.kind == MediaKind::audio ? wanted.audiocodec : wanted.videocodec;
    auto [answer, stream] = accept_section(section, i, at, codec ? codec_of(*codec) : std::nullopt);
    auto old = std::find_if(before.begin(), before.end(), [&](const Stream& s) { return s.mid == section.mid; });
    if (old != before.end()) {
      stream.description = old->description;
      stream.send = old->send;
      stream.moderated = old->moderated;
      stream.delay = old->delay;
    }
    plan.sections.push_back(std::move(answer));
    streams_.push_back(std::move(stream));
  }
  e2ee_ = e2ee_ || offer.e2ee;
  if (active_) announce_changes(before);
  return plan;
}

// A renegotiation: who watched what is gone now loses it, and the others learn of the new streams once the core has
// them.
void Publisher::announce_changes(const std::vector<Stream>& before) {
  Room* at = room();
  if (at == nullptr) return;
  for (const Stream& old : before) {
    const Stream* now = stream(old.mid);
    const bool gone = now == nullptr || now->disabled || now->codec.has_value() != old.codec.has_value() ||
                      (now->codec && now->codec->type != old.codec->type);
    if (!old.disabled && gone) at->lose(person_.id, old.mid);
  }
  renegotiated_ = true;
}

void Publisher::on_negotiated() {
  if (!std::exchange(renegotiated_, false)) return;
  go_live();
  if (Room* at = room()) at->published(*this);
}

void Publisher::on_media_up() {
  Room* at = room();
  if (at == nullptr) return;
  active_ = true;
  go_live();
  set_bitrate(bitrate_bps_);
  at->published(*this);
}

// What the core must be told of streams it has just got.
void Publisher::go_live() {
  for (const Stream& stream : streams_) apply_mute(stream);
  detect_talking();
}

void Publisher::on_media_down() {
  unpublish();
  streams_.clear();
  e2ee_ = false;
}

const Stream* Publisher::stream(std::string_view mid) const {
  auto found = std::find_if(streams_.begin(), streams_.end(), [&](const Stream& one) { return one.mid == mid; });
  return found == streams_.end() ? nullptr : &*found;
}

Stream* Publisher::find(std::string_view mid) {
  for (Stream& one : streams_)
    if (one.mid == mid) return &one;
  return nullptr;
}

std::optional<ReceiverId> Publisher::receiver(std::string_view mid) const {
  if (client_ == nullptr || !active_) return std::nullopt;
  const Stream* one = stream(mid);
  return one == nullptr || one->disabled ? std::nullopt : client_->receiver(mid);
}

void Publisher::apply_mute(const Stream& stream) {
  auto from = receiver(stream.mid);
  if (from && stream.kind != MediaKind::data) rooms_.services().mute(*from, stream.muted());
}

Status Publisher::control(const StreamControl& wanted) {
  Stream* one = wanted.mid ? find(*wanted.mid) : nullptr;
  if (wanted.mid && one == nullptr) return Error{code::no_such_feed, "No such mid (" + *wanted.mid + ")"};
  if (one != nullptr && wanted.send && one->send != *wanted.send) {
    one->send = *wanted.send;
    apply_mute(*one);
  }
  for (Stream& stream : streams_) {
    if (stream.kind != MediaKind::video || (one != nullptr && one != &stream)) continue;
    auto from = receiver(stream.mid);
    if (wanted.keyframe && from) rooms_.services().request_keyframe(*from);
    if (!static_cast<const DelayWishes&>(wanted)) continue;
    stream.delay = wanted.delay();
    if (Room* at = room()) at->connect(person_.id);
  }
  return {};
}

void Publisher::switch_all(MediaKind kind, bool send) {
  for (Stream& stream : streams_) {
    if (stream.kind != kind || stream.send == send) continue;
    stream.send = send;
    apply_mute(stream);
  }
}

void Publisher::describe_streams(const std::vector<Description>& descriptions) {
  for (const auto& [mid, description] : descriptions)
    if (Stream* one = find(mid)) one->description = description;
}

void Publisher::set_bitrate(uint32_t bitrate_bps) {
  bitrate_bps_ = bitrate_bps;
  const Room* at = room();
  if (at != nullptr && at->settings().bitrate_cap && at->settings().bitrate > 0)
    bitrate_bps_ = bitrate_bps == 0 ? at->settings().bitrate : std::min(bitrate_bps, at->settings().bitrate);
  for (const Stream& stream : streams_)
    if (auto from = receiver(stream.mid)) return rooms_.services().set_bitrate_cap(from->peer, bitrate_bps_);
}

void Publisher::detect_talking() {
  const Room* at = room();
  if (at == nullptr || !at->settings().audiolevel_event) return;
  for (const Stream& stream : streams_)
    if (auto from = receiver(stream.mid); from && stream.has_levels())
      rooms_.services().detect_talking(*from, person_.talk_detection);
}

void Publisher::on_talking(ReceiverId from, bool talking, double level) {
  for (Stream& stream : streams_)
    if (receiver(stream.mid) == from) {
      stream.talking = talking;
      stream.talk_level = level;
    }
  tell_talking();
}

// One event at a time: how often levels are averaged is the publisher's choice, what others must read is not.
void Publisher::tell_talking() {
  Room* at = room();
  if (at == nullptr) return;
  const Time now = rooms_.services().now();
  for (Stream& stream : streams_) {
    if (stream.talking == stream.told_talking) continue;
    if (now < next_talking_) {
      if (!talking_later_.running()) talking_later_.start(next_talking_ - now, [this] { tell_talking(); });
      return;
    }
    next_talking_ = now + std::chrono::milliseconds(rooms_.general().talking_interval);
    stream.told_talking = stream.talking;
    at->tell_all(Json::object("videoroom", stream.talking ? "talking" : "stopped-talking", "room", room_id_.json(),
                              "id", person_.id.json(), "mindex", stream.mindex, "mid", stream.mid,
                              "audio-level-dBov-avg", stream.talk_level));
  }
}

Status Publisher::moderate(std::string_view mid, bool mute) {
  Stream* one = active_ ? find(mid) : nullptr;
  if (one == nullptr) return Error{code::no_such_feed, text("No such mid (", mid, ")")};
  if (std::exchange(one->moderated, mute) != mute) apply_mute(*one);
  if (Room* at = room())
    at->tell_all(Json::object("videoroom", "event", "room", room_id_.json(), "id", person_.id.json(), "mid", mid,
                              "moderation", mute ? "muted" : "unmuted"));
  return {};
}

void Publisher::ask_for_keyframes() {
  for (const Stream& stream : streams_)
    if (auto from = receiver(stream.mid); from && stream.kind == MediaKind::video)
      rooms_.services().request_keyframe(*from);
}

void Publisher::unpublish() {
  renegotiated_ = false;
  if (!std::exchange(active_, false)) return;
  if (Room* at = room()) at->unpublished(*this);
}

void Publisher::leave() {
  Room* at = room();
  unpublish();
  present_ = false;
  if (at != nullptr) at->left(*this, "leaving");
}

void Publisher::kick() {
  Room* at = room();
  if (at == nullptr) return;
  tell(Json::object("videoroom", "event", "room", room_id_.json(), "leaving", "ok", "reason", "kicked"));
  unpublish();
  present_ = false;
  at->left(*this, "kicked");
  if (client_ != nullptr) client_->hang_up();
}

void Publisher::expel() {
  tell(Json::object("videoroom", "destroyed", "room", room_id_.json()));
  renegotiated_ = false;
  active_ = present_ = false;
  if (client_ != nullptr) client_->hang_up();
}

void Publisher::tell(const Json& data) const {
  if (client_ != nullptr) client_->push({data.copy()});
}

void Publisher::show_codecs(Json& to) const {
  for (MediaKind kind : {MediaKind::audio, MediaKind::video})
    for (const Stream& stream : streams_)
      if (stream.kind == kind && !stream.disabled) {
        to.set(kind == MediaKind::audio ? "audio_codec" : "video_codec", name(stream.codec->type));
        break;
      }
}

Json Publisher::shown(bool joining) const {
  Json json = person_.json();
  if (person_.dummy) json.set("dummy", true);
  show_codecs(json);
  Json all = Json::array();
  std::optional<bool> talking;
  for (const Stream& stream : streams_) {
    all.append(stream.shown(joining));
    if (stream.has_levels()) talking = talking.value_or(false) || stream.talking;
  }
  json.set("streams", std::move(all));
  if (joining) json.set("talking", talking);
  return json;
}

void Publisher::show_result(Json& to) const {
  show_codecs(to);
  Json all = Json::array();
  for (const Stream& stream : streams_) all.append(stream.configured());
  to.set("streams", std::move(all));
}

}  // namespace cardea::videoroom
