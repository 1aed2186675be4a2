#include "echo.hpp"

#include <algorithm>
#include <tuple>

#include "cardea/codecs.hpp"

namespace cardea::echotest {
namespace {

constexpr int invalid_element = 413;

constexpr auto configure_fields = std::tuple_cat(
    std::tuple{optional("audio", &Configure::audio), optional("video", &Configure::video),
               optional("bitrate", &Configure::bitrate), optional("record", &Configure::record),
               optional("filename", &Configure::filename), optional("svc", &Configure::svc),
               optional("audiocodec", &Configure::audiocodec), optional("videocodec", &Configure::videocodec),
               optional("videoprofile", &Configure::videoprofile), optional("opusred", &Configure::opusred)},
    layer_fields, delay_fields);

constexpr Extensions accepted{Extension::mid,
                              Extension::rid,
                              Extension::repaired_rid,
                              Extension::audio_level,
                              Extension::playout_delay,
                              Extension::transport_cc,
                              Extension::video_layers,
                              Extension::dependency_descriptor,
                              Extension::abs_send_time,
                              Extension::abs_capture_time,
                              Extension::video_orientation};

// Does the message say anything we know?
bool asks_for_something(JsonView body) {
  bool known = false;
  body.each_member([&](std::string_view key, JsonView) {
    std::apply([&](const auto&... field) { known = known || ((key == field.name) || ...); }, configure_fields);
  });
  return known;
}

}  // namespace

const Verbs<Echo> Echo::verbs =
    Verbs<Echo>({.unknown = invalid_element, .missing = invalid_element, .invalid = invalid_element}, "echotest")
        .event("configure", configure_fields, &Echo::configure);

Reply Echo::handle(Message message) {
  Reply reply = verbs.run("configure", *this, message);  // messages have no "request" here
  reply.hint = "I'm taking my time!";
  return reply;
}

Result<Event> Echo::configure(const Configure& wanted, const Message& message) {
  if (!message.offer && !asks_for_something(message.body))
    return Error{invalid_element, "Nothing to do: no known member and no offer"};
  if (wanted.record.value_or(false)) return Error{invalid_element, "Recording is not available"};
  for (const auto& codec : {wanted.audiocodec, wanted.videocodec})
    if (codec && !codec_of(*codec)) return Error{invalid_element, text("Unknown codec (", *codec, ")")};

  const bool video_again = wanted.video.value_or(false) && !video_;
  audio_ = wanted.audio.value_or(audio_);
  video_ = wanted.video.value_or(video_);
  bitrate_bps_ = wanted.bitrate.value_or(bitrate_bps_);
  if (static_cast<const DelayWishes&>(wanted)) delay_ = wanted.delay();
  // Asking for the layer that is being received already is answered at once, before the "ok".
  choose_layers(wanted, {.simulcast = true, .svc = true}, current_, layers_, [this](const char* member, int layer) {
    client_.push({Json::object("echotest", "event", "videocodec", video_codec(), member, layer)});
  });

  Event event{Json::object("echotest", "event", "result", "ok")};
  if (message.offer) event.jsep = accept(*message.offer, wanted);
  apply_switches();
  apply_layers();
  if (video_again)
    for (const Line& line : lines_)
      if (auto from = client_.receiver(line.mid); from && line.kind == MediaKind::video)
        services_.request_keyframe(*from);
  return event;
}

AnswerPlan Echo::accept(const Offer& offer, const Configure& wanted) {
  AnswerPlan plan{.name = "EchoTest", .sections = {}};
  lines_.clear();
  e2ee_ = offer.e2ee;
  for (const Section& section : offer.sections) {
    if (section.rejected) continue;
    AnswerSection answer = accept(section, wanted);
    if (section.kind != MediaKind::data && answer.direction == Direction::sendrecv)
      lines_.push_back({section.mid, section.kind, *answer.codec, section.simulcast(), section.svc, answer.red});
    plan.sections.push_back(std::move(answer));
  }
  return plan;
}

AnswerSection Echo::accept(const Section& section, const Configure& wanted) {
  AnswerSection answer{.mid = section.mid};
  answer.extensions = accepted;
  if (section.kind == MediaKind::data) {
    answer.direction = Direction::sendrecv;
    return answer;
  }
  const auto& forced = section.kind == MediaKind::audio ? wanted.audiocodec : wanted.videocodec;
  if (forced)
    answer.codec = choose_codec(section, *codec_of(*forced), wanted.videoprofile.value_or(""));
  else if (!section.codecs.empty())
    answer.codec = choose_codec(section, section.codecs.front().type, wanted.videoprofile.value_or(""));
  if (!answer.codec || !sends(section.direction)) return answer;  // inactive: nothing to echo
  answer.direction = reversed(section.direction);
  answer.red = wanted.opusred.value_or(false) && section.red;
  if (answer.codec->type == CodecType::opus) answer.fmtp = "useinbandfec=1";
  return answer;
}

// A renegotiation: the core knows the new lines now.
void Echo::on_negotiated() {
  if (client_.media_up()) connect();
}
void Echo::on_media_up() { connect(); }

void Echo::connect() {
  for (const Line& line : lines_) {
    auto from = client_.receiver(line.mid);
    auto to = client_.sender(line.mid);
    if (from && to) services_.forward(*from, *to);
  }
  apply_switches();
  apply_layers();
}

void Echo::apply_switches() {
  for (const Line& line : lines_) {
    if (auto to = client_.sender(line.mid)) services_.pause(*to, !(line.kind == MediaKind::audio ? audio_ : video_));
    if (auto from = client_.receiver(line.mid)) services_.set_bitrate_cap(from->peer, bitrate_bps_);
  }
}

void Echo::apply_layers() {
  for (const Line& line : lines_) {
    auto to = client_.sender(line.mid);
    if (!to || line.kind != MediaKind::video) continue;
    services_.set_layers(*to, layers_);
    services_.set_playout_delay(*to, delay_);
  }
}

void Echo::on_media_down(std::string_view) {
  lines_.clear();
  audio_ = video_ = true;
  e2ee_ = false;
  bitrate_bps_ = 0;
  layers_ = {};
  current_ = {};
  delay_.reset();
  client_.push({Json::object("echotest", "event", "result", "done")});
}

void Echo::on_data(DataMessage message) {
  // Clients look for exactly these words.
  if (!message.binary) message.payload = "Janus EchoTest here! You wrote: " + message.payload.text();
  client_.send_data(message);
}

void Echo::on_slow_link(const SlowLink& link) {
  ++slow_links_;
  if (link.uplink) return;
  Json event = Json::object("echotest", "event", "event", "slow_link", "media", name(link.kind));
  if (link.kind == MediaKind::video) event.set("current-bitrate", bitrate_bps_);
  client_.push({std::move(event)});
}

void Echo::on_layers(SenderId, const CurrentLayers& now) {
  current_ = now;
  Json event = Json::object("echotest", "event", "videocodec", video_codec());
  if (const Line* line = first(MediaKind::video); line != nullptr && line->svc && !line->simulcast) {
    event.set("spatial_layer", now.spatial).set("temporal_layer", now.temporal);
    event.set("tot_spatial_layers", now.spatial_layers);
  } else {
    event.set("substream", now.substream).set("temporal", now.temporal);
  }
  event.set("tot_temporal_layers", now.temporal_layers);
  client_.push({std::move(event)});
}

const Echo::Line* Echo::first(MediaKind kind) const {
  auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& one) { return one.kind == kind; });
  return line == lines_.end() ? nullptr : &*line;
}

std::string Echo::video_codec() const {
  const Line* video = first(MediaKind::video);
  return video == nullptr ? "none" : std::string(name(video->codec.type));
}

Json Echo::describe() const {
  Json about = Json::object("audio_active", audio_, "video_active", video_, "bitrate", bitrate_bps_);
  if (const Line* audio = first(MediaKind::audio)) {
    about.set("audio_codec", name(audio->codec.type));
    if (audio->red) about.set("audio_red", true);
  }
  if (const Line* video = first(MediaKind::video)) {
    about.set("video_codec", name(video->codec.type));
    if (video->simulcast) {
      about.set("simulcast", true);
      about.set("substream", current_.substream).set("substream-target", layers_.substream);
      about.set("temporal-layer", current_.temporal).set("temporal-layer-target", layers_.temporal);
      about.set("fallback", to_us(layers_.fallback));
    }
    if (video->svc) about.set("svc", true);
  }
  about.set("e2ee", e2ee_).set("slowlink_count", slow_links_);
  // An echo goes in one step: nobody can see it half gone.
  return std::move(about.set("hangingup", 0).set("destroyed", 0));
}

}  // namespace cardea::echotest
