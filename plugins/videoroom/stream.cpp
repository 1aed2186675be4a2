#include "stream.hpp"

#include "cardea/layers.hpp"
#include "room.hpp"

namespace cardea::videoroom {
namespace {

Extensions accepted_extensions(MediaKind kind, const RoomSettings& room) {
  Extensions accepted{Extension::mid, Extension::rid, Extension::repaired_rid, Extension::abs_capture_time};
  if (room.transport_wide_cc_ext) accepted.add(Extension::transport_cc);
  if (kind == MediaKind::audio) {
    if (room.audiolevel_ext) accepted.add(Extension::audio_level);
    return accepted;
  }
  accepted.add(Extension::dependency_descriptor);
  if (room.videoorient_ext) accepted.add(Extension::video_orientation);
  if (room.playoutdelay_ext) accepted.add(Extension::playout_delay);
  return accepted;
}

Extensions common(Extensions accepted, const Extensions& offered) {
  for (size_t i = 0; i < extension_count; ++i)
    if (auto extension = static_cast<Extension>(i); !offered.has(extension)) accepted.remove(extension);
  return accepted;
}

std::optional<Codec> choose(const Section& section, const Room& room, std::optional<CodecType> forced) {
  const auto& codecs = section.kind == MediaKind::audio ? room.audio_codecs() : room.video_codecs();
  for (CodecType type : codecs) {
    if (forced && *forced != type) continue;
    const std::string& profile = type == CodecType::vp9    ? room.settings().vp9_profile
                                 : type == CodecType::h264 ? room.settings().h264_profile
                                                           : std::string();
    if (auto codec = choose_codec(section, type, profile)) return codec;
  }
  return std::nullopt;
}

// What the publisher's Opus encoder should do, and what it can (RFC 7587 section 6.1).
void agree_on_opus(const RoomSettings& room, AnswerSection& answer, Stream& stream) {
  const std::string& offered = stream.codec->fmtp;
  stream.fec = room.opus_fec && fmtp_value(offered, "useinbandfec") == "1";
  stream.dtx = room.opus_dtx;
  stream.stereo = fmtp_value(offered, "stereo") == "1" || fmtp_value(offered, "sprop-stereo") == "1";
  answer.fmtp = stream.fec ? "useinbandfec=1" : "";
  if (stream.dtx) answer.fmtp += answer.fmtp.empty() ? "usedtx=1" : ";usedtx=1";
  if (stream.stereo) answer.fmtp += answer.fmtp.empty() ? "stereo=1" : ";stereo=1";
}

}  // namespace

std::pair<AnswerSection, Stream> accept_section(const Section& section, size_t mindex, const Room& room,
                                                std::optional<CodecType> forced) {
  AnswerSection answer{.mid = section.mid, .reject = section.rejected};
  Stream stream;
  stream.kind = section.kind;
  stream.mindex = mindex;
  stream.mid = section.mid;
  stream.disabled = true;
  if (section.rejected) return {answer, stream};
  if (section.kind == MediaKind::data) {
    answer.direction = Direction::sendrecv;
    stream.disabled = false;
    return {answer, stream};
  }
  answer.codec = choose(section, room, forced);
  if (!answer.codec || !sends(section.direction)) return {answer, stream};

  answer.direction = Direction::recvonly;
  answer.extensions = common(accepted_extensions(section.kind, room.settings()), section.extensions);
  stream.disabled = false;
  stream.codec = answer.codec;
  stream.extensions = answer.extensions;
  // Of no use to us, but subscribers of such a publisher expect ours.
  if (section.extensions.has(Extension::abs_send_time)) stream.extensions.add(Extension::abs_send_time);
  auto id_of = [&](Extension extension) {
    return stream.extensions.has(extension) ? section.extension_id(extension) : uint8_t{0};
  };
  stream.audio_level_id = id_of(Extension::audio_level);
  stream.video_orientation_id = id_of(Extension::video_orientation);
  stream.playout_delay_id = id_of(Extension::playout_delay);
  stream.simulcast = section.simulcast();
  stream.svc = section.svc && !stream.simulcast;
  if (stream.codec->type == CodecType::opus) agree_on_opus(room.settings(), answer, stream);
  if (section.kind == MediaKind::video && room.settings().bitrate_cap && room.settings().bitrate > 0)
    answer.bandwidth_bps = room.settings().bitrate;
  return {answer, stream};
}

Json Stream::agreed() const {
  Json json = Json::object("type", name(kind), "mindex", mindex, "mid", mid);
  if (disabled) return std::move(json.set("disabled", true));
  if (!description.empty()) json.set("description", description);
  if (!codec) return json;
  json.set("codec", name(codec->type));
  if (stereo) json.set("stereo", true);
  if (fec) json.set("fec", true);
  if (dtx) json.set("dtx", true);
  if (std::string profile = profile_of(*codec); !profile.empty())
    json.set(codec->type == CodecType::h264 ? "h264_profile" : "vp9_profile", profile);
  if (simulcast) json.set("simulcast", true);
  if (svc) json.set("svc", true);
  return json;
}

Json Stream::configured() const {
  Json json = agreed();
  if (audio_level_id != 0) json.set("audiolevel_ext_id", audio_level_id);
  if (video_orientation_id != 0) json.set("videoorient_ext_id", video_orientation_id);
  if (playout_delay_id != 0) json.set("playoutdelay_ext_id", playout_delay_id);
  return json;
}

Json Stream::shown(bool with_talking) const {
  Json json = agreed();
  if (moderated) json.set("moderated", true);
  if (with_talking && has_levels()) json.set("talking", talking);
  return json;
}

Json Stream::described(const std::optional<uint64_t>& subscribers) const {
  Json json = Json::object("type", name(kind), "mindex", mindex, "mid", mid, "subscribers", subscribers);
  if (disabled) json.set("disabled", true);
  if (!description.empty()) json.set("description", description);
  if (codec) {
    json.set("codec", name(codec->type));
    if (std::string profile = profile_of(*codec); !profile.empty())
      json.set(codec->type == CodecType::h264 ? "h264-profile" : "vp9-profile", profile);
  }
  describe_delay(delay, json);
  if (simulcast) json.set("simulcast", true);
  if (svc) json.set("svc", true);
  if (has_levels()) json.set("talking", talking);
  return json;
}

Codec Stream::offered_codec() const {
  if (codec->type != CodecType::opus) return *codec;  // its profile is what is being sent
  Codec opus{CodecType::opus};
  if (fec) opus.fmtp = "useinbandfec=1";
  if (stereo) opus.fmtp += opus.fmtp.empty() ? "stereo=1;sprop-stereo=1" : ";stereo=1;sprop-stereo=1";
  return opus;
}

Extensions Stream::offered_extensions() const {
  Extensions offered{Extension::mid};
  for (Extension extension : {Extension::audio_level, Extension::video_orientation, Extension::playout_delay,
                              Extension::transport_cc, Extension::abs_send_time, Extension::abs_capture_time})
    if (extensions.has(extension)) offered.add(extension);
  // Without it a receiver cannot tell the spatial layers of AV1 apart; other codecs say it in the payload.
  if (codec && codec->type == CodecType::av1 && extensions.has(Extension::dependency_descriptor))
    offered.add(Extension::dependency_descriptor);
  return offered;
}

}  // namespace cardea::videoroom
