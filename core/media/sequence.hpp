// Sequence numbers and timestamps that wrap: numbers are widened to 64 bits at the door, timestamps are compared with
// care.
#pragma once

#include <cstdint>

#include "rtp/packet.hpp"

namespace cardea::media {

// Widens the 16 bits of the wire to the number nearest to the highest one seen, so that reordering across the wrap is
// harmless. The first packet gets one round of head start: no number that comes before it is negative.
class SequenceWidener {
public:
  rtp::SeqNo widen(uint16_t wire) {
    const rtp::SeqNo seq = nearest(wire);
    if (seq > highest_) highest_ = seq;
    return seq;
  }
  // The same without noting it; what was given to widen() before decides.
  rtp::SeqNo nearest(uint16_t wire) const {
    if (highest_ < 0) return 0x10000 + rtp::SeqNo{wire};
    return highest_ + static_cast<int16_t>(static_cast<uint16_t>(wire - static_cast<uint16_t>(highest_)));
  }
  bool started() const { return highest_ >= 0; }
  rtp::SeqNo highest() const { return highest_; }  // -1: none yet

private:
  rtp::SeqNo highest_ = -1;
};

// Is timestamp a after b? Half the range counts as the past.
constexpr bool later(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }

// Ticks of an RTP clock in a span of time.
constexpr uint32_t ticks(Duration span, uint32_t clock_hz) {
  const int64_t us = span.count() / 1000;
  return static_cast<uint32_t>(us / 1'000'000 * clock_hz + us % 1'000'000 * clock_hz / 1'000'000);
}

}  // namespace cardea::media
