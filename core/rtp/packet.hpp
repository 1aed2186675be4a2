// One RTP packet (RFC 3550 section 5.1) in memory: its bytes, and everything the floors above want to know of them,
// parsed once when it comes in. Packets live in a worker's pool and are shared by reference: history, forwarding and
// recording look at the same one, so nobody writes into it any more.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/pool.hpp"
#include "cardea/media.hpp"
#include "cardea/time.hpp"

namespace cardea::rtp {

// A sequence number widened at the door: it never wraps. The low 16 bits are the one on the wire.
using SeqNo = int64_t;

// Header extension values (RFC 8285) as parsed; views point into the packet's bytes.
struct ExtensionValues {
  std::string_view mid, rid, repaired_rid;
  std::optional<uint8_t> audio_level;        // 0 loud .. 127 silence
  bool voice = false;                        // RFC 6464 V bit
  std::optional<uint8_t> video_orientation;  // the CVO byte
  std::optional<PlayoutDelay> playout_delay;
  std::optional<uint16_t> transport_seq;  // transport-wide sequence number
  std::optional<uint32_t> abs_send_time;  // 24 bits, 6.18 fixed point seconds
  Bytes abs_capture_time;                 // 8 or 16 bytes, passed on as they are
  Bytes dependency_descriptor;
};

// What a video payload's descriptor says (RFC 7741, RFC 9628, RFC 6184, AV1 RTP specification).
struct VideoInfo {
  bool keyframe = false;  // this packet begins, or belongs to the first packet of, a frame that can be decoded alone
  bool frame_start = false;
  bool switch_up = false;  // from here on this temporal layer may be decoded (VP8 Y, VP9 U, H.265 TSA)
  int8_t switch_to = -1;   // so may layers above this frame's, up to here (dependency descriptor); -1: not told
  int8_t spatial = -1;     // -1: not told
  int8_t temporal = -1;
  int8_t spatial_layers = 0;  // how many there are, where told (VP9 scalability structure, dependency descriptor)
  int8_t temporal_layers = 0;
  bool inter_layer = false;   // VP9 D: depends on the spatial layer below
  bool inter_picture = true;  // VP9 P: depends on earlier pictures
  bool end_of_layer = false;  // VP9 E: last packet of this layer's frame
  int32_t frame_number = -1;  // dependency descriptor; -1: not told
  // VP8: the numbers that forwarding rewrites, and where they stand in the payload. -1, 0: not there.
  int32_t picture_id = -1;  // VP8, VP9
  int16_t tl0_pic_idx = -1;
  int8_t key_idx = -1;
  uint8_t picture_id_at = 0;   // offset in the payload; VP8's is never 0
  bool picture_id_15 = false;  // 15 bits
  uint8_t tl0_pic_idx_at = 0;
  uint8_t key_idx_at = 0;  // byte of TID|Y|KEYIDX
};

struct Packet {
  static constexpr size_t capacity = 1500;  // an Ethernet datagram

  // Where it came from
  Time arrival{};
  uint16_t mline = 0;
  uint8_t substream = 0;   // simulcast layer, 0 the lowest
  uint32_t stream = 0;     // of all that its layer ever had, which: numbers of another one begin anew
  bool recovered = false;  // came as RTX
  // Header
  SeqNo seq = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  uint8_t payload_type = 0;  // as the publisher's SDP numbers it
  bool marker = false;
  ExtensionValues extensions;
  // Payload
  CodecType codec = CodecType::opus;
  bool red = false;  // payload is RFC 2198 RED around the codec
  uint32_t clock_hz = 90000;
  VideoInfo video;
  uint16_t size = 0;  // bytes used: header and payload; RTP padding is cut off
  uint16_t payload_at = 0;

  std::array<uint8_t, capacity> bytes;

  Packet() = default;
  Packet(const Packet&) = delete;  // views point into `bytes`
  Packet& operator=(const Packet&) = delete;

  Bytes payload() const { return Bytes(bytes).subspan(payload_at, size - size_t{payload_at}); }
  MutableBytes payload() { return MutableBytes(bytes).subspan(payload_at, size - size_t{payload_at}); }
  size_t payload_size() const { return size - size_t{payload_at}; }
};

using PacketPool = Pool<Packet>;
using PacketRef = PoolRef<Packet>;           // its one writer's, while it comes in
using SharedPacket = PoolRef<const Packet>;  // everybody else's

}  // namespace cardea::rtp
