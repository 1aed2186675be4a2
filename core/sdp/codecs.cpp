#include "sdp/codecs.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "sdp/scan.hpp"

namespace cardea::sdp {
namespace {

// In the order of CodecType.
constexpr std::array<CodecLine, codec_names.size()> lines{{
    {CodecType::opus, "opus", 48000, 2, 111},
    {CodecType::multiopus, "multiopus", 48000, 0, 111},
    {CodecType::pcmu, "PCMU", 8000, 1, 0},
    {CodecType::pcma, "PCMA", 8000, 1, 8},
    {CodecType::g722, "G722", 8000, 1, 9},  // RFC 3551 section 4.5.2: 8000, though it samples at 16000
    {CodecType::l16_48, "L16", 48000, 0, 105},
    {CodecType::l16, "L16", 16000, 0, 106},
    {CodecType::isac16, "ISAC", 16000, 1, 103},
    {CodecType::isac32, "ISAC", 32000, 1, 104},
    {CodecType::vp8, "VP8", 90000, 1, 96},
    {CodecType::vp9, "VP9", 90000, 1, 101},
    {CodecType::h264, "H264", 90000, 1, 107},
    {CodecType::av1, "AV1", 90000, 1, 98},
    {CodecType::h265, "H265", 90000, 1, 100},
}};

constexpr std::array<std::string_view, extension_count> uris{
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "urn:3gpp:video-orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00",
};

enum class H264Profile : uint8_t { constrained_baseline, baseline, main, constrained_high, high, other };

// RFC 6184 table 5: what profile_idc and the constraint flags mean together.
H264Profile h264_profile(std::string_view fmtp) {
  std::string_view id = parameter(fmtp, "profile-level-id");
  if (id.empty()) return H264Profile::baseline;  // section 8.1
  auto value = id.size() == 6 ? number<uint32_t>(id, 16) : std::nullopt;
  if (!value) return H264Profile::other;
  uint32_t idc = *value >> 16, flags = (*value >> 8) & 0xff;
  bool set0 = (flags & 0x80) != 0, set1 = (flags & 0x40) != 0;
  if ((idc == 0x42 && set1) || (idc == 0x4d && set0) || (idc == 0x58 && set0 && set1))
    return H264Profile::constrained_baseline;
  if (idc == 0x42 || (idc == 0x58 && set0)) return H264Profile::baseline;
  if (idc == 0x4d) return H264Profile::main;
  if (idc == 0x64) return (flags & 0x0c) == 0x0c ? H264Profile::constrained_high : H264Profile::high;
  return H264Profile::other;
}

std::string_view value_or(std::string_view value, std::string_view otherwise) {
  return value.empty() ? otherwise : value;
}

bool same_profile(CodecType type, std::string_view a, std::string_view b) {
  switch (type) {
  case CodecType::h264: return h264_profile(a) == h264_profile(b);
  case CodecType::vp9: return value_or(parameter(a, "profile-id"), "0") == value_or(parameter(b, "profile-id"), "0");
  case CodecType::av1: return value_or(parameter(a, "profile"), "0") == value_or(parameter(b, "profile"), "0");
  case CodecType::h265: return value_or(parameter(a, "profile-id"), "1") == value_or(parameter(b, "profile-id"), "1");
  case CodecType::multiopus: return parameter(a, "channel_mapping") == parameter(b, "channel_mapping");
  default: return true;
  }
}

bool names_profile(const Codec& codec) {
  switch (codec.type) {
  case CodecType::h264: return !parameter(codec.fmtp, "profile-level-id").empty();
  case CodecType::vp9: return !parameter(codec.fmtp, "profile-id").empty();
  case CodecType::av1: return !parameter(codec.fmtp, "profile").empty();
  case CodecType::h265: return !parameter(codec.fmtp, "profile-id").empty();
  case CodecType::multiopus: return !parameter(codec.fmtp, "channel_mapping").empty();
  default: return false;
  }
}

std::span<const std::string_view> profile_parameters(CodecType type) {
  static constexpr std::array<std::string_view, 3> h264{"level-asymmetry-allowed", "packetization-mode",
                                                        "profile-level-id"};
  static constexpr std::array<std::string_view, 1> vp9{"profile-id"};
  static constexpr std::array<std::string_view, 3> av1{"level-idx", "profile", "tier"};
  static constexpr std::array<std::string_view, 5> h265{"level-id", "profile-id", "profile-space", "tier-flag",
                                                        "tx-mode"};
  static constexpr std::array<std::string_view, 3> multiopus{"channel_mapping", "coupled_streams", "num_streams"};
  switch (type) {
  case CodecType::h264: return h264;
  case CodecType::vp9: return vp9;
  case CodecType::av1: return av1;
  case CodecType::h265: return h265;
  case CodecType::multiopus: return multiopus;
  default: return {};
  }
}

void add_parameter(std::string& fmtp, std::string_view part) {
  if (part.empty()) return;
  if (!fmtp.empty()) fmtp += ';';
  fmtp += part;
}

// Adds the parameters that are not there yet.
void add_missing(std::string& fmtp, std::string_view more) {
  while (!more.empty()) {
    std::string_view part = trim(take_until(more, ';'));
    std::string_view rest = part, name = take_until(rest, '=');
    if (parameter(fmtp, name).empty()) add_parameter(fmtp, part);
  }
}

}  // namespace

const CodecLine& codec_line(CodecType type) { return lines[static_cast<size_t>(type)]; }

std::optional<CodecType> codec_of(const Format& format) {
  if (format.name.empty()) {
    if (format.type == 0) return CodecType::pcmu;
    if (format.type == 8) return CodecType::pcma;
    if (format.type == 9) return CodecType::g722;
    return std::nullopt;
  }
  for (const auto& line : lines)
    if (same_word(format.name, line.name) && format.clock_hz == line.clock_hz &&
        (line.channels == 0 || line.channels == format.channels))
      return line.type;
  return std::nullopt;
}

bool is_rtx(const Format& format) { return same_word(format.name, "rtx"); }

bool is_opus_red(const Format& format) {
  return same_word(format.name, "red") && format.clock_hz == 48000 && format.channels == 2;
}

std::string_view parameter(std::string_view fmtp, std::string_view name) {
  while (!fmtp.empty()) {
    std::string_view value = take_until(fmtp, ';');
    std::string_view key = trim(take_until(value, '='));
    if (same_word(key, name)) return trim(value);
  }
  return {};
}

std::optional<uint8_t> apt(const Format& format) { return number<uint8_t>(parameter(format.fmtp, "apt")); }

const Format* rtx_of(const MediaDescription& media, uint8_t type) {
  for (const auto& format : media.formats)
    if (is_rtx(format) && apt(format) == type) return &format;
  return nullptr;
}

const Format* red_of(const MediaDescription& media, uint8_t type) {
  for (const auto& format : media.formats) {
    if (!is_opus_red(format)) continue;
    std::string_view carried = format.fmtp;  // "111/111", RFC 2198 section 5
    if (carried.empty() || number<uint8_t>(trim(take_until(carried, '/'))) == type) return &format;
  }
  return nullptr;
}

const Format* find_codec(const MediaDescription& media, const Codec& wanted, std::optional<uint8_t> same_type) {
  const Format* best = nullptr;
  int best_score = -1;
  std::string_view wanted_mode = value_or(parameter(wanted.fmtp, "packetization-mode"), "1");
  for (const auto& format : media.formats) {
    if (codec_of(format) != wanted.type) continue;
    int score = 0;
    if (names_profile(wanted) && same_profile(wanted.type, format.fmtp, wanted.fmtp)) score += 8;
    if (wanted.type == CodecType::h264) {
      if (value_or(parameter(format.fmtp, "packetization-mode"), "0") == wanted_mode) score += 4;
      // RFC 7742 section 6.2: the one profile that every browser has.
      if (h264_profile(format.fmtp) == H264Profile::constrained_baseline) score += 2;
    }
    if (same_type == format.type) score += 1;
    if (score > best_score) {
      best = &format;
      best_score = score;
    }
  }
  return best;
}

std::string answered_fmtp(CodecType type, std::string_view offered, std::string_view own) {
  std::string fmtp;
  for (std::string_view name : profile_parameters(type))
    if (auto value = parameter(offered, name); !value.empty())
      add_parameter(fmtp, std::string(name) + "=" + std::string(value));
  add_missing(fmtp, own);
  return fmtp;
}

std::string offered_fmtp(const Codec& codec) {
  if (codec.type != CodecType::h264) return codec.fmtp;
  std::string fmtp;
  add_missing(fmtp, codec.fmtp);
  add_missing(fmtp, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f");
  return fmtp;
}

uint8_t channels_of(const Codec& codec) {
  if (codec.type == CodecType::multiopus) {
    auto mapping = parameter(codec.fmtp, "channel_mapping");
    auto commas = std::count(mapping.begin(), mapping.end(), ',');
    return static_cast<uint8_t>(std::clamp<long>(commas + 1, 2, 255));
  }
  uint8_t channels = codec_line(codec.type).channels;
  return channels == 0 ? uint8_t{1} : channels;
}

std::string_view uri_of(Extension extension) { return uris[static_cast<size_t>(extension)]; }

std::optional<Extension> extension_of(std::string_view uri) {
  for (size_t i = 0; i < uris.size(); ++i)
    if (uris[i] == uri) return static_cast<Extension>(i);
  return std::nullopt;
}

}  // namespace cardea::sdp
