// Makes one unbroken stream out of packets of many: numbers without gaps where packets were left out on purpose,
// timestamps and VP8 picture ids that go on across sources and layers, and the way back for NACKs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/random.hpp"
#include "media/sequence.hpp"
#include "rtp/packet.hpp"

namespace cardea::media {

// What of a packet is written anew. -1: as it is.
struct Rewritten {
  rtp::SeqNo seq = 0;  // starts below 2^15; the upper bits are SRTP's rollover counter
  uint32_t timestamp = 0;
  int32_t picture_id = -1;
  int16_t tl0_pic_idx = -1;
  int8_t key_idx = -1;
  bool marker = false;
};
static_assert(std::is_trivially_copyable_v<Rewritten> && sizeof(Rewritten) <= 24);

// Where a packet that was sent came from.
struct Origin {
  uint8_t substream = 0;
  rtp::SeqNo seq = 0;
  bool operator==(const Origin&) const = default;
};

class Rewriter {
public:
  explicit Rewriter(Random& random) : next_(static_cast<rtp::SeqNo>(random.below(0x8000))) {}

  // The next packet continues the output without a gap, whatever its number is. Timestamps and picture ids go on from
  // the source's if `same_clock` (a pause), else they are joined anew (another source).
  void restart(bool same_clock);
  // A whole new source: what was sent of the old one can no longer be traced back.
  void forget();
  // A packet that starts another substream or source, or comes after restart().
  Rewritten start(const rtp::Packet& packet);

  // In-order or late packet of the current substream; none: it was left out, or is too old to say.
  std::optional<Rewritten> forward(const rtp::Packet& packet) {
    if (packet.seq == expected_) [[likely]] {
      ++expected_;
      ++next_;
      return apply(current_, packet);
    }
    return forward_out_of_order(packet);
  }
  bool late(const rtp::Packet& packet) const { return packet.seq < expected_; }
  // A late packet of a substream that was current before.
  std::optional<Rewritten> forward_left_behind(const rtp::Packet& packet) const;
  // The packet of the current substream, not late, is left out on purpose.
  void leave_out(const rtp::Packet& packet);

  // The way back. `out` as sent; none: never sent, or too long ago.
  std::optional<Origin> origin(rtp::SeqNo out) const;
  // The same mapping again, for the packet that origin() names.
  std::optional<Rewritten> again(rtp::SeqNo out, const rtp::Packet& packet) const;

  // Adding it to timestamps of the substream gives a clock that all substreams share.
  void align(uint8_t substream, uint32_t common_offset);

  rtp::SeqNo next() const { return next_; }  // the number the next new packet will get

private:
  // A run of numbers that were mapped alike: source numbers from in_first on to output numbers from out_first on, up to
  // where the next run's output begins.
  struct Segment {
    rtp::SeqNo in_first = 0;
    rtp::SeqNo out_first = 0;
    uint32_t timestamp_offset = 0;
    uint32_t left_out_timestamp = 0;  // of the last packet left out before the run
    uint16_t picture_id_offset = 0;
    uint8_t tl0_offset = 0;
    uint8_t key_idx_offset = 0;
    uint8_t substream = 0;
    bool after_left_out = false;
  };
  static constexpr size_t max_segments = 128;

  static Rewritten apply(const Segment& segment, const rtp::Packet& packet);
  std::optional<Rewritten> forward_out_of_order(const rtp::Packet& packet);
  std::optional<Rewritten> find_late(const rtp::Packet& packet) const;
  void close_current();
  void reopen(rtp::SeqNo in_first);
  const Segment* segment_of(rtp::SeqNo out) const;

  // state
  rtp::SeqNo expected_ = -1;  // source number after the highest one handled; -1: nothing is current
  rtp::SeqNo next_;           // output number
  Segment current_;
  std::vector<Segment> closed_;  // a ring in the order of output numbers, empty while nothing is ever left out
  size_t oldest_ = 0;
};

}  // namespace cardea::media
