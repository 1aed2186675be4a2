// The VP8 payload descriptor (RFC 7741 section 4.2): layers, keyframes, and the numbers that forwarding rewrites.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "rtp/packet.hpp"

namespace cardea::rtp {

// False: broken. `info` is then half filled.
bool parse_vp8(Bytes payload, VideoInfo& info);

// Writes those numbers that `where`, from parse_vp8() of the same payload, found there; the length stays as it is. A
// 7-bit picture id takes the low 7 bits.
void write_vp8_numbers(MutableBytes payload, const VideoInfo& where, uint16_t picture_id, uint8_t tl0_pic_idx,
                       uint8_t key_idx);

}  // namespace cardea::rtp
