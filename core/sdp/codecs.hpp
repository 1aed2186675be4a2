// What the codecs are called in SDP, and which payload types of two descriptions mean the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cardea/media.hpp"
#include "sdp/description.hpp"

namespace cardea::sdp {

struct CodecLine {
  CodecType type;
  std::string_view name;  // in a=rtpmap
  uint32_t clock_hz;
  uint8_t channels;   // 0: any number
  uint8_t preferred;  // payload type in our offers
};

const CodecLine& codec_line(CodecType type);

// The codec of a payload type, by its rtpmap or, without one, by the static types of RFC 3551. None for RTX, RED, FEC,
// comfort noise, DTMF and what is not known.
std::optional<CodecType> codec_of(const Format& format);

bool is_rtx(const Format& format);
bool is_opus_red(const Format& format);

// The value of a parameter in "a=1;b=2"; names in any case. Empty if it is not there.
std::string_view parameter(std::string_view fmtp, std::string_view name);

// The payload type that an RTX format repairs (RFC 4588 section 8.1).
std::optional<uint8_t> apt(const Format& format);

// The RTX format that repairs a payload type; null if there is none.
const Format* rtx_of(const MediaDescription& media, uint8_t type);
// The RED format that carries an Opus payload type; null if there is none.
const Format* red_of(const MediaDescription& media, uint8_t type);

// The payload type to take for a codec: of the wanted type, and as near as possible to the wanted profile: H.264's
// profile (its level does not matter, RFC 6184 section 8.2.2; constrained baseline if nothing is wanted) and
// packetization mode (1 if nothing is wanted), VP9's profile-id, AV1's profile, H.265's profile-id. `same_type` goes
// before others of equal worth. Null: the codec is not there.
const Format* find_codec(const MediaDescription& media, const Codec& wanted,
                         std::optional<uint8_t> same_type = std::nullopt);

// The parameters of an offered format that the answer must repeat, and after them those of `own` that are new.
std::string answered_fmtp(CodecType type, std::string_view offered, std::string_view own);
// The parameters of a codec in an offer of ours: what H.264 cannot do without is added.
std::string offered_fmtp(const Codec& codec);
// The number of channels in an a=rtpmap of ours.
uint8_t channels_of(const Codec& codec);

// The URI of an extension.
std::string_view uri_of(Extension extension);
std::optional<Extension> extension_of(std::string_view uri);

}  // namespace cardea::sdp
