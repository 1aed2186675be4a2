// Packets for tests of the media floor: made by hand, never parsed.
#pragma once

#include <chrono>

#include "rtp/packet.hpp"

namespace cardea::media::test {

inline constexpr Time start_time = Time(std::chrono::hours(24 * 365 * 50));

inline Time at(Duration since_start) { return start_time + since_start; }

// The pool outlives every reference of a test.
inline rtp::PacketRef packet(rtp::PacketPool& pool, rtp::SeqNo seq, Time arrival = start_time) {
  rtp::PacketRef ref = pool.get();
  ref->seq = seq;
  ref->arrival = arrival;
  ref->timestamp = static_cast<uint32_t>(seq) * 3000;
  ref->substream = 0;
  ref->recovered = false;
  ref->marker = false;
  ref->codec = CodecType::vp8;
  ref->clock_hz = 90000;
  ref->video = rtp::VideoInfo();
  ref->payload_at = 12;
  ref->size = 1012;
  return ref;
}

}  // namespace cardea::media::test
