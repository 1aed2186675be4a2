#include "rtp/h265.hpp"

namespace cardea::rtp {
namespace {

// ITU-T H.265 table 7-1 and RFC 7798 section 4.4.
constexpr uint8_t first_sub_layer_access = 2, last_sub_layer_access = 5;  // TSA, STSA
constexpr uint8_t first_irap = 16, last_irap = 21;
constexpr uint8_t vps = 32, pps = 34;
constexpr uint8_t last_single = 47, aggregation = 48, fragmentation = 49, paci = 50;

uint8_t type_of(uint8_t first) { return (first >> 1) & 0x3f; }

void note(uint8_t type, VideoInfo& info) {
  if ((type >= first_irap && type <= last_irap) || (type >= vps && type <= pps)) info.keyframe = true;
  if (type >= first_sub_layer_access && type <= last_sub_layer_access) info.switch_up = true;
}

bool read_aggregate(ByteReader& in, VideoInfo& info) {
  while (in.left() > 0) {
    Bytes unit = in.take(in.u16());
    if (!in.ok() || unit.size() < 2) return false;
    note(type_of(unit[0]), info);
  }
  return true;
}

}  // namespace

bool parse_h265(Bytes payload, VideoInfo& info) {
  ByteReader in(payload);
  uint8_t type = type_of(in.u8());
  auto temporal = static_cast<int8_t>((in.u8() & 0x07) - 1);
  if (!in.ok() || temporal < 0) return false;  // TID 0 is forbidden
  info.temporal = temporal;
  bool good = true;
  if (type <= last_single) {
    note(type, info);
  } else if (type == aggregation) {
    good = in.left() > 0 && read_aggregate(in, info);
  } else if (type == fragmentation) {
    uint8_t header = in.u8();
    if ((header & 0x80) != 0) note(header & 0x3f, info);  // S
    good = in.ok() && in.left() > 0;
  } else {
    good = type == paci;  // allowed, not looked into
  }
  info.frame_start = info.keyframe;  // where other frames begin is not told
  return good;
}

}  // namespace cardea::rtp
