// H.264 payloads (RFC 6184 section 5.4): whether a keyframe begins here. They tell nothing of layers.
#pragma once

#include "base/bytes.hpp"
#include "rtp/packet.hpp"

namespace cardea::rtp {

// A keyframe begins where an SPS or an IDR slice does: alone, inside a STAP-A, or at the start of an FU-A. False:
// broken.
bool parse_h264(Bytes payload, VideoInfo& info);

}  // namespace cardea::rtp
