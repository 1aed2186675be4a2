// The VP9 payload descriptor (RFC 9628 section 4.2), in flexible and non-flexible mode.
#pragma once

#include "base/bytes.hpp"
#include "rtp/packet.hpp"

namespace cardea::rtp {

// False: broken. `info` is then half filled. A keyframe is the start of a frame of the lowest spatial layer that
// depends on no other picture; spatial_layers is told with a scalability structure only.
bool parse_vp9(Bytes payload, VideoInfo& info);

}  // namespace cardea::rtp
