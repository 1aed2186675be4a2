// Makes one unbroken stream out of packets of many: numbers without gaps where packets were left out on purpose,
// timestamps, VP8 picture ids and frame numbers that go on across sources and layers, and the way back for NACKs.
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
  int32_t picture_id = -1;  // VP8 only, as are the next two
  int16_t tl0_pic_idx = -1;
  int8_t key_idx = -1;
  bool marker = false;
  uint16_t frame_offset = 0;  // to be added to the dependency descriptor's frame number
  bool operator==(const Rewritten&) const = default;
};
static_assert(std::is_trivially_copyable_v<Rewritten> && sizeof(Rewritten) <= 24);

// Where a packet that was sent came from.
struct Origin {
  uint8_t substream = 0;
  rtp::SeqNo seq = 0;
  bool operator==(const Origin&) const = default;
};

// A packet of the current substream is given to forward() or leave_out(); the first of another one, or after a pause,
// to start(). Numbers that the source lost stay holes in the output, so that subscribers ask for them.
class Rewriter {
public:
  explicit Rewriter(Random& random) : next_(static_cast<rtp::SeqNo>(random.below(0x8000))) {
    current_.out_first = next_;
  }

  // Nothing is current: the next packet goes to start(). Same source (a pause): its timestamps go on as they are.
  void stop(bool same_source);
  bool stopped() const { return expected_ < 0; }

  // The first packet of a substream or source, or after stop(). Its number follows the last one sent.
  void start(const rtp::Packet& packet, Rewritten& out);
  // A packet of the current substream goes on as `out`. False: it is late, and was left out when its turn was, or is
  // too old to say.
  bool forward(const rtp::Packet& packet, Rewritten& out) {
    if (packet.seq != expected_) [[unlikely]]
      return forward_out_of_turn(packet, out);
    ++expected_;
    ++next_;
    note(packet);
    apply(current_, packet, out);
    return true;
  }
  // A packet of the current substream, not late, does not go on.
  void leave_out(const rtp::Packet& packet);
  // Did packets with higher numbers come before?
  bool late(const rtp::Packet& packet) const { return packet.seq < expected_; }
  // A late packet of a substream that was current before.
  bool forward_left_behind(const rtp::Packet& packet, Rewritten& out) const {
    if (packet.substream >= left_behind_.size() || packet.seq >= left_behind_[packet.substream]) return false;
    return find(packet, out);
  }

  // The way back. `out` as sent; none: never sent, too long ago, or of a source before this one.
  std::optional<Origin> origin(rtp::SeqNo out) const;
  // The same mapping again (without the marker), for the packet that origin() names.
  std::optional<Rewritten> again(rtp::SeqNo out, const rtp::Packet& packet) const;

  // Adding it to timestamps of the substream gives a clock that all substreams share.
  void align(uint8_t substream, uint32_t common_offset);

  rtp::SeqNo next() const { return next_; }  // the number the next new packet will get

private:
  // A run of numbers that are mapped alike: source numbers from in_first on to output numbers from out_first on, up to
  // where the next run's output begins.
  struct Segment {
    rtp::SeqNo in_first = 0;
    rtp::SeqNo out_first = 0;
    uint32_t timestamp_offset = 0;
    // Timestamps of the pictures left out before the run; the last one only if it is of the run's own substream.
    uint32_t first_left_out = 0;
    uint32_t last_left_out = 0;
    uint16_t picture_id_offset = 0;
    uint8_t tl0_offset = 0;
    uint8_t key_idx_offset = 0;
    uint16_t frame_offset = 0;
    uint8_t substream = 0;
    bool has_first_left_out = false;
    bool has_last_left_out = false;
  };
  static constexpr size_t max_closed = 64;
  static constexpr size_t max_substreams = 3;

  void note(const rtp::Packet& packet) {
    if (packet.timestamp == newest_timestamp_) return;
    newest_timestamp_ = packet.timestamp;
    newest_arrival_ = packet.arrival;
    note_picture(packet.video);
  }
  void note_picture(const rtp::VideoInfo& video) {
    newest_picture_id_ = video.picture_id;
    newest_tl0_ = video.tl0_pic_idx;
    newest_key_idx_ = video.key_idx;
    if (video.frame_number >= 0) newest_frame_ = video.frame_number;
  }
  // Writes where the result is to be: each packet passes here for each subscriber, and a value that is written in small
  // parts and then copied in large ones makes the processor wait.
  static void apply(const Segment& segment, const rtp::Packet& packet, Rewritten& out) {
    out.seq = segment.out_first + (packet.seq - segment.in_first);
    out.timestamp = packet.timestamp + segment.timestamp_offset;
    out.marker = packet.marker;
    out.frame_offset = segment.frame_offset;
    out.picture_id = out.tl0_pic_idx = out.key_idx = -1;
    if (packet.codec == CodecType::vp8) apply_vp8(segment, packet.video, out);
  }
  static void apply_vp8(const Segment& segment, const rtp::VideoInfo& video, Rewritten& out) {
    if (video.picture_id >= 0) out.picture_id = (video.picture_id + segment.picture_id_offset) & picture_id_mask(video);
    if (video.tl0_pic_idx >= 0) out.tl0_pic_idx = static_cast<uint8_t>(video.tl0_pic_idx + segment.tl0_offset);
    if (video.key_idx >= 0) out.key_idx = static_cast<int8_t>((video.key_idx + segment.key_idx_offset) & key_idx_mask);
  }
  static constexpr int8_t key_idx_mask = 0x1f;  // RFC 7741: five bits
  static constexpr int32_t picture_id_mask(const rtp::VideoInfo& video) { return video.picture_id_15 ? 0x7fff : 0x7f; }
  bool forward_out_of_turn(const rtp::Packet& packet, Rewritten& out);
  bool find(const rtp::Packet& packet, Rewritten& out) const;
  uint32_t join_timestamps(const rtp::Packet& packet);
  void join_pictures(const rtp::VideoInfo& video);
  void close_current();
  const Segment& closed(size_t newest) const;  // 0: the newest
  const Segment* segment_of(rtp::SeqNo out) const;

  // state
  rtp::SeqNo expected_ = -1;  // the source's number after the highest one handled; -1: nothing is current
  rtp::SeqNo next_;           // of the output
  Segment current_;
  // The newest picture that was forwarded, as the source numbers it.
  Time newest_arrival_{};
  uint32_t newest_timestamp_ = 0;
  int32_t newest_picture_id_ = -1;  // or left out: it then has its place in the offset
  int16_t newest_tl0_ = -1;
  int8_t newest_key_idx_ = -1;
  int32_t newest_frame_ = -1;
  bool ever_ = false;          // something was forwarded
  bool same_source_ = false;   // since then: timestamps may go on, clocks may be tied
  uint32_t exact_offset_ = 0;  // what timestamp_offset would be if timestamps needed not grow
  std::array<std::optional<uint32_t>, max_substreams> common_offset_;
  std::array<rtp::SeqNo, max_substreams> left_behind_{};  // the source's number after the last one that may be late
  std::vector<Segment> closed_;  // a ring, oldest at oldest_ once it is full; empty while nothing is ever left out
  size_t oldest_ = 0;
};

}  // namespace cardea::media
