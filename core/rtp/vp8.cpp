#include "rtp/vp8.hpp"

namespace cardea::rtp {

bool parse_vp8(Bytes payload, VideoInfo& info) {
  ByteReader in(payload);
  uint8_t first = in.u8();
  bool extended = (first & 0x80) != 0;
  info.frame_start = (first & 0x10) != 0 && (first & 0x07) == 0;  // S, in partition 0
  uint8_t flags = extended ? in.u8() : uint8_t{0};
  if ((flags & 0x80) != 0) {  // I
    info.picture_id_at = static_cast<uint8_t>(in.position());
    uint8_t high = in.u8();
    info.picture_id_15 = (high & 0x80) != 0;  // M
    info.picture_id = info.picture_id_15 ? ((high & 0x7f) << 8) | in.u8() : high;
  }
  if ((flags & 0x40) != 0) {  // L
    info.tl0_pic_idx_at = static_cast<uint8_t>(in.position());
    info.tl0_pic_idx = in.u8();
  }
  if ((flags & 0x30) != 0) {  // T, K
    info.key_idx_at = static_cast<uint8_t>(in.position());
    uint8_t byte = in.u8();
    if ((flags & 0x20) != 0) {
      info.temporal = static_cast<int8_t>(byte >> 6);
      info.switch_up = (byte & 0x20) != 0;
    }
    if ((flags & 0x10) != 0) info.key_idx = static_cast<int8_t>(byte & 0x1f);
  }
  if (!in.ok() || in.left() == 0) return false;
  // RFC 7741 section 4.3: the payload header stands in the first packet of a frame only; P = 0 is a keyframe.
  info.keyframe = info.frame_start && (in.u8() & 0x01) == 0;
  return true;
}

void write_vp8_numbers(MutableBytes payload, const VideoInfo& where, uint16_t picture_id, uint8_t tl0_pic_idx,
                       uint8_t key_idx) {
  if (where.picture_id >= 0 && payload.size() > size_t{where.picture_id_at} + 1) {
    if (where.picture_id_15)
      store_u16(payload.data() + where.picture_id_at, static_cast<uint16_t>(picture_id | 0x8000));
    else
      payload[where.picture_id_at] = static_cast<uint8_t>(picture_id & 0x7f);
  }
  if (where.tl0_pic_idx >= 0 && payload.size() > where.tl0_pic_idx_at) payload[where.tl0_pic_idx_at] = tl0_pic_idx;
  if (where.key_idx >= 0 && payload.size() > where.key_idx_at) {
    uint8_t& byte = payload[where.key_idx_at];
    byte = static_cast<uint8_t>((byte & 0xe0) | (key_idx & 0x1f));
  }
}

}  // namespace cardea::rtp
