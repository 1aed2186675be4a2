// Choosing among the codecs a peer offers: by type, and by profile where a codec has several variants.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "cardea/media.hpp"

namespace cardea {

// A parameter of an a=fmtp text ("profile-level-id=42e01f;packetization-mode=1"); none if it is not there.
inline std::optional<std::string_view> fmtp_value(std::string_view fmtp, std::string_view name) {
  while (!fmtp.empty()) {
    size_t end = fmtp.find(';');
    std::string_view part = fmtp.substr(0, end);
    fmtp = end == std::string_view::npos ? std::string_view() : fmtp.substr(end + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=') {
      part.remove_prefix(name.size() + 1);
      while (part.ends_with(' ')) part.remove_suffix(1);
      return part;
    }
  }
  return std::nullopt;
}

// The profile as the Janus API writes it: VP9's profile-id ("0" if not said, RFC 9628 section 6), H.264's
// profile-level-id ("42e01f"); empty for other codecs, and for H.264 where nothing is said.
inline std::string profile_of(const Codec& codec) {
  if (codec.type == CodecType::vp9) return std::string(fmtp_value(codec.fmtp, "profile-id").value_or("0"));
  if (codec.type == CodecType::h264) return std::string(fmtp_value(codec.fmtp, "profile-level-id").value_or(""));
  return {};
}

// The offered variant of a codec: the first whose profile is the preferred one, else the first; none if the codec is
// not offered.
inline std::optional<Codec> choose_codec(const Section& section, CodecType type, std::string_view profile = {}) {
  auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  std::optional<Codec> first;
  for (const Codec& codec : section.codecs) {
    if (codec.type != type) continue;
    if (profile.empty()) return codec;
    std::string offered = profile_of(codec);
    if (std::equal(offered.begin(), offered.end(), profile.begin(), profile.end(), same)) return codec;
    if (!first) first = codec;
  }
  return first;
}

}  // namespace cardea
