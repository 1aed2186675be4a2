#include "room.hpp"

#include <algorithm>

#include "subscription.hpp"

namespace cardea::videoroom {
namespace {

constexpr size_t remembered_kicks = 100;

std::vector<CodecType> codecs(const std::string& names, MediaKind kind) {
  return codec_list(names, kind).value_or(std::vector<CodecType>{});
}

}  // namespace

Room::Room(RoomKey key, PublicId id, RoomSettings settings, Services& services)
    : services_(services), key_(key), id_(std::move(id)), affinity_(services.random()), keyframes_(services) {
  change(std::move(settings));
}

void Room::change(RoomSettings settings) {
  settings_ = std::move(settings);
  if (settings_.description.empty()) settings_.description = "Room " + id_.text();
  settings_.bitrate = usable_bitrate(settings_.bitrate);
  audio_codecs_ = codecs(settings_.audiocodec, MediaKind::audio);
  video_codecs_ = codecs(settings_.videocodec, MediaKind::video);
  keyframes_.cancel();
  ask_for_keyframes_regularly();
}

void Room::ask_for_keyframes_regularly() {
  if (settings_.fir_freq == 0) return;
  keyframes_.start(std::chrono::seconds(settings_.fir_freq), [this] {
    for (const auto& [id, who] : people_) who->ask_for_keyframes();
    ask_for_keyframes_regularly();
  });
}

bool Room::welcomes(const std::optional<std::string>& token, bool as_publisher, const std::string& realm) const {
  if (settings_.signed_tokens && services_.tokens_are_signed())
    return token && services_.token_grants(*token, realm, "room=" + id_.text());
  if (!settings_.allowed || !as_publisher) return true;
  return token && std::find(settings_.allowed->begin(), settings_.allowed->end(), *token) != settings_.allowed->end();
}

bool Room::kicked(const PublicId& user) const {
  return std::find(kicked_.begin(), kicked_.end(), user) != kicked_.end();
}

void Room::enter(Publisher& who) {
  std::erase(kicked_, who.person().id);
  people_.emplace(who.person().id, &who);
  if (settings_.notify_joining)
    tell_all(Json::object("videoroom", "event", "room", id_.json(), "joining", who.person().json()), &who);
}

void Room::left(Publisher& who, const char* how) {
  people_.erase(who.person().id);
  Json event = Json::object("videoroom", "event", "room", id_.json(), how, who.person().id.json(), "display",
                            who.person().display);
  if (who.person().metadata) event.set("metadata", who.person().metadata.copy());
  tell_all(event);
  if (std::string_view(how) != "kicked") return;
  kicked_.push_back(who.person().id);
  if (kicked_.size() > remembered_kicks) kicked_.pop_front();
  if (settings_.require_pvtid)
    for (Subscription* subscription : subscriptions_)
      if (subscription->private_id() == who.person().private_id) subscription->kick();
}

void Room::published(const Publisher& who) const {
  tell_all(Json::object("videoroom", "event", "room", id_.json(), "publishers", Json::array(who.shown(false))), &who);
  connect(who.person().id);
}

void Room::unpublished(const Publisher& who) const {
  Json event = Json::object("videoroom", "event", "room", id_.json(), "unpublished", who.person().id.json(), "display",
                            who.person().display);
  if (who.person().metadata) event.set("metadata", who.person().metadata.copy());
  tell_all(event, &who);
  for (Subscription* subscription : subscriptions_) subscription->lose(who.person().id, std::nullopt);
}

Publisher* Room::find(const PublicId& user) const {
  auto found = people_.find(user);
  return found == people_.end() ? nullptr : found->second;
}

Publisher* Room::find(uint32_t private_id) const {
  auto found = std::find_if(people_.begin(), people_.end(),
                            [&](const auto& one) { return one.second->person().private_id == private_id; });
  return found == people_.end() ? nullptr : found->second;
}

size_t Room::active_publishers() const {
  return static_cast<size_t>(std::count_if(people_.begin(), people_.end(), [](const auto& one) {
    return one.second->active() && !one.second->person().dummy;
  }));
}

void Room::tell_all(const Json& data, const Publisher* but) const {
  for (const auto& [id, who] : people_)
    if (who != but) who->tell(data);
}

void Room::remove(const Subscription& subscription) { std::erase(subscriptions_, &subscription); }

void Room::lose(const PublicId& feed, const std::string& mid) const {
  for (Subscription* subscription : subscriptions_) subscription->lose(feed, mid);
}

void Room::connect(const PublicId& feed) const {
  for (Subscription* subscription : subscriptions_)
    if (subscription->watches(feed)) subscription->connect();
}

void Room::relay(const Publisher& from, const DataMessage& message) const {
  for (Subscription* subscription : subscriptions_) subscription->relay(from.person().id, message);
}

uint64_t Room::watchers(const PublicId& feed, const std::string& mid) const {
  return static_cast<uint64_t>(std::count_if(subscriptions_.begin(), subscriptions_.end(),
                                             [&](const Subscription* one) { return one->watches(feed, mid); }));
}

std::vector<Stream> Room::dummy_streams() const {
  std::vector<Codec> all;
  for (const DummyStream& one : settings_.dummy_streams)
    if (auto type = codec_of(one.codec)) all.push_back({*type, one.fmtp});
  if (settings_.dummy_streams.empty()) {
    for (CodecType type : audio_codecs_) all.push_back({type});
    for (CodecType type : video_codecs_) all.push_back({type});
  }
  std::vector<Stream> streams;
  for (const Codec& codec : all) {
    Stream stream;
    stream.kind = kind_of(codec.type);
    stream.mindex = streams.size();
    stream.mid = std::to_string(streams.size());
    stream.codec = codec;
    streams.push_back(std::move(stream));
  }
  return streams;
}

void Room::add_dummy(std::unique_ptr<Publisher> dummy) {
  dummies_.push_back(std::move(dummy));
  dummies_.back()->enter();
}

void Room::close() {
  for (Subscription* subscription : subscriptions_) subscription->close();
  subscriptions_.clear();
  for (const auto& [id, who] : std::exchange(people_, {})) who->expel();
}

Json Room::listed() const {
  const RoomSettings& s = settings_;
  Json json = Json::object("room", id_.json(), "description", s.description, "pin_required", !s.pin.empty(),
                           "is_private", s.is_private, "max_publishers", s.publishers, "bitrate", s.bitrate);
  if (s.bitrate_cap) json.set("bitrate_cap", true);
  json.set("fir_freq", s.fir_freq).set("require_pvtid", s.require_pvtid).set("require_e2ee", s.require_e2ee);
  json.set("dummy_publisher", s.dummy_publisher).set("notify_joining", s.notify_joining);
  json.set("audiocodec", s.audiocodec).set("videocodec", s.videocodec);
  if (s.opus_fec) json.set("opus_fec", true);
  if (s.opus_dtx) json.set("opus_dtx", true);
  json.set("record", s.record);
  if (!s.rec_dir.empty()) json.set("rec_dir", s.rec_dir);
  json.set("lock_record", s.lock_record).set("num_participants", people_.size());
  json.set("audiolevel_ext", s.audiolevel_ext).set("audiolevel_event", s.audiolevel_event);
  if (s.audiolevel_event)
    json.set("audio_active_packets", s.audio_active_packets).set("audio_level_average", s.audio_level_average);
  json.set("videoorient_ext", s.videoorient_ext).set("playoutdelay_ext", s.playoutdelay_ext);
  json.set("transport_wide_cc_ext", s.transport_wide_cc_ext);
  return json;
}

}  // namespace cardea::videoroom
