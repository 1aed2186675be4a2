#include "rtp/vp9.hpp"

#include <algorithm>

namespace cardea::rtp {
namespace {

// RFC 9628 section 4.2.1, figure 6.
void read_scalability_structure(ByteReader& in, VideoInfo& info) {
  uint8_t head = in.u8();
  auto layers = static_cast<uint8_t>((head >> 5) + 1);
  info.spatial_layers = static_cast<int8_t>(layers);
  if ((head & 0x10) != 0) in.skip(size_t{4} * layers);  // Y: a width and a height each
  if ((head & 0x08) == 0) return;                       // G
  uint8_t pictures = in.u8();
  int8_t highest = -1;
  for (uint8_t i = 0; i < pictures && in.ok(); ++i) {
    uint8_t byte = in.u8();
    highest = std::max(highest, static_cast<int8_t>(byte >> 5));
    in.skip((byte >> 2) & 0x03);  // R reference indices
  }
  if (in.ok()) info.temporal_layers = static_cast<int8_t>(highest + 1);
}

}  // namespace

bool parse_vp9(Bytes payload, VideoInfo& info) {
  ByteReader in(payload);
  uint8_t first = in.u8();
  bool flexible = (first & 0x10) != 0;       // F
  info.inter_picture = (first & 0x40) != 0;  // P
  info.frame_start = (first & 0x08) != 0;    // B
  info.end_of_layer = (first & 0x04) != 0;   // E
  if ((first & 0x80) != 0) {                 // I
    info.picture_id_at = static_cast<uint8_t>(in.position());
    uint8_t high = in.u8();
    info.picture_id_15 = (high & 0x80) != 0;  // M
    info.picture_id = info.picture_id_15 ? ((high & 0x7f) << 8) | in.u8() : high;
  }
  if ((first & 0x20) != 0) {  // L
    uint8_t layer = in.u8();
    info.temporal = static_cast<int8_t>(layer >> 5);
    info.switch_up = (layer & 0x10) != 0;
    info.spatial = static_cast<int8_t>((layer >> 1) & 0x07);
    info.inter_layer = (layer & 0x01) != 0;
    if (!flexible) {
      info.tl0_pic_idx_at = static_cast<uint8_t>(in.position());
      info.tl0_pic_idx = in.u8();
    }
  }
  if (flexible && info.inter_picture) {
    int differences = 0;
    while (in.ok() && (in.u8() & 0x01) != 0)  // N: another follows
      if (++differences == 3) return false;   // section 4.2: up to three P_DIFF
  }
  if ((first & 0x02) != 0) read_scalability_structure(in, info);  // V
  if (!in.ok() || in.left() == 0) return false;
  info.keyframe = !info.inter_picture && info.frame_start && info.spatial <= 0;
  return true;
}

}  // namespace cardea::rtp
