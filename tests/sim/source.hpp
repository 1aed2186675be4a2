// A publisher's encoder: VP8 frames in three temporal layers on one SSRC, keyframes when asked, and everything it sent
// kept for retransmission.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/random.hpp"
#include "rtp/packet.hpp"

namespace cardea::sim {

// What a frame leans on and when it was captured: for the judge at the far end.
struct FrameFacts {
  uint32_t number = 0;  // of the source, from 0
  int8_t temporal = 0;
  bool keyframe = false;
  bool switch_up = false;
  size_t packets = 0;
  Time captured{};
};

class Source {
public:
  Source(rtp::PacketPool& pool, uint64_t seed, uint8_t substream, size_t packets_per_frame)
      : pool_(pool), random_(seed), substream_(substream), packets_per_frame_(packets_per_frame) {
    seq_ = static_cast<uint16_t>(random_.u32());
    first_timestamp_ = random_.u32();
    picture_id_ = static_cast<int32_t>(random_.below(0x8000));
    tl0_ = static_cast<uint8_t>(random_.u32());
    key_idx_ = static_cast<uint8_t>(random_.below(32));
  }

  void want_keyframe() { keyframe_wanted_ = true; }
  uint32_t timestamp_at(Duration elapsed) const {
    return first_timestamp_ + static_cast<uint32_t>(elapsed.count() / 1000 * 90 / 1000);
  }

  std::vector<rtp::PacketRef> frame(Time now, Duration elapsed) {
    constexpr int8_t pattern[] = {0, 2, 1, 2};
    const bool keyframe = facts_.empty() || keyframe_wanted_;
    if (keyframe) step_ = 0;
    const int8_t temporal = pattern[step_ % 4];
    // Every fourth group of four lets higher layers begin.
    const bool switch_up = temporal > 0 && step_ % 16 < 3;
    ++step_;
    keyframe_wanted_ = false;
    if (temporal == 0) ++tl0_;
    if (keyframe) ++key_idx_;
    picture_id_ = (picture_id_ + 1) & 0x7fff;
    const size_t count = keyframe ? packets_per_frame_ * 3 : packets_per_frame_;
    const auto number = static_cast<uint32_t>(facts_.size());
    facts_.push_back({number, temporal, keyframe, switch_up, count, now});
    std::vector<rtp::PacketRef> packets;
    for (size_t i = 0; i < count; ++i) {
      rtp::PacketRef packet = pool_.get();
      packet->substream = substream_;
      packet->recovered = false;
      packet->seq = seq_++;
      packet->timestamp = timestamp_at(elapsed);
      packet->ssrc = number;  // the far end's judge finds the frame's facts by it
      packet->marker = i + 1 == count;
      packet->codec = CodecType::vp8;
      packet->clock_hz = 90000;
      packet->payload_at = 12;
      packet->size = 1012;
      rtp::VideoInfo& video = packet->video = {};
      video.keyframe = keyframe && i == 0;
      video.frame_start = i == 0;
      video.switch_up = switch_up;
      video.temporal = temporal;
      video.picture_id = picture_id_;
      video.picture_id_15 = true;
      video.tl0_pic_idx = tl0_;
      video.key_idx = static_cast<int8_t>(key_idx_ & 31);
      kept_[static_cast<uint16_t>(packet->seq)] = packet;
      packets.push_back(packet);
    }
    return packets;
  }
  // A copy of what was sent with this number, as if unwrapped from RTX.
  rtp::PacketRef again(uint16_t seq) {
    const auto found = kept_.find(seq);
    if (found == kept_.end()) return {};
    const rtp::Packet& sent = *found->second;
    rtp::PacketRef copy = pool_.get();
    copy->substream = sent.substream;
    copy->recovered = true;
    copy->seq = static_cast<uint16_t>(sent.seq);
    copy->timestamp = sent.timestamp;
    copy->ssrc = sent.ssrc;
    copy->marker = sent.marker;
    copy->codec = sent.codec;
    copy->clock_hz = sent.clock_hz;
    copy->payload_at = sent.payload_at;
    copy->size = sent.size;
    copy->video = sent.video;
    return copy;
  }
  const FrameFacts& facts(uint32_t frame) const { return facts_[frame]; }
  const std::vector<FrameFacts>& all_facts() const { return facts_; }

private:
  rtp::PacketPool& pool_;
  SeededRandom random_;
  uint8_t substream_;
  size_t packets_per_frame_;
  uint16_t seq_ = 0;
  uint32_t first_timestamp_ = 0;
  int32_t picture_id_ = 0;
  uint8_t tl0_ = 0, key_idx_ = 0;
  size_t step_ = 0;
  bool keyframe_wanted_ = false;
  std::vector<FrameFacts> facts_;
  std::map<uint16_t, rtp::PacketRef> kept_;
};

}  // namespace cardea::sim
