// H.265 payloads (RFC 7798 section 4.4): whether a keyframe begins here, and the temporal layer.
#pragma once

#include "base/bytes.hpp"
#include "rtp/packet.hpp"

namespace cardea::rtp {

// A keyframe begins where an IRAP picture (types 16 to 21) or a VPS, SPS or PPS does: alone, inside an aggregation
// packet, or at the start of a fragmentation unit. False: broken.
bool parse_h265(Bytes payload, VideoInfo& info);

}  // namespace cardea::rtp
