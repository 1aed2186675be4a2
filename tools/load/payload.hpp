// What the publishers put into their packets, so that a receiver can tell loss, corruption and one-way latency: behind
// the codec's own header stand when it was sent, a number, and a checksum of all of it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "cardea/time.hpp"

namespace cardea::load {

inline constexpr size_t opus_payload = 120;  // 48 kbit/s in frames of 20 ms
inline constexpr size_t stamp_size = 20;     // time 8, number 8, checksum 4

struct Stamp {
  Time sent;
  uint64_t number = 0;
};

// Fills the payload of an Opus packet.
void write_opus(MutableBytes payload, const Stamp& stamp);

// Fills one packet of a VP8 frame: descriptor with picture id, TL0PICIDX and TID (RFC 7741), VP8 header, stamp.
struct Vp8Place {
  bool first = false;  // of the frame
  bool keyframe = false;
  uint16_t picture_id = 0;
  uint8_t tl0_pic_idx = 0;
};
void write_vp8(MutableBytes payload, const Vp8Place& place, const Stamp& stamp);

// The stamp of a packet that came back, at its end; none: what it holds is not what was sent. `descriptor` bytes at the
// begin, which a server may rewrite, are outside the checksum.
std::optional<Stamp> read_stamp(Bytes payload, size_t descriptor);
inline constexpr size_t vp8_descriptor = 6;

}  // namespace cardea::load
