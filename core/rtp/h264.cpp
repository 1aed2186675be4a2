#include "rtp/h264.hpp"

namespace cardea::rtp {
namespace {

// RFC 6184 table 1.
constexpr uint8_t idr = 5, sps = 7, last_single = 23, stap_a = 24, stap_b = 25, mtap_16 = 26, mtap_24 = 27, fu_a = 28,
                  fu_b = 29;

uint8_t type_of(uint8_t header) { return header & 0x1f; }
bool begins_keyframe(uint8_t type) { return type == idr || type == sps; }

bool read_aggregate(ByteReader& in, VideoInfo& info) {
  while (in.left() > 0) {
    Bytes unit = in.take(in.u16());
    if (!in.ok() || unit.empty()) return false;
    info.keyframe = info.keyframe || begins_keyframe(type_of(unit[0]));
  }
  return true;
}

}  // namespace

bool parse_h264(Bytes payload, VideoInfo& info) {
  ByteReader in(payload);
  uint8_t type = type_of(in.u8());
  if (!in.ok()) return false;
  bool good = true;
  if (type >= 1 && type <= last_single) {
    info.keyframe = begins_keyframe(type);
  } else if (type == stap_a || type == stap_b) {
    if (type == stap_b) in.skip(2);  // decoding order number
    good = in.left() > 0 && read_aggregate(in, info);
  } else if (type == fu_a || type == fu_b) {
    uint8_t header = in.u8();
    info.keyframe = (header & 0x80) != 0 && begins_keyframe(type_of(header));  // S
    good = in.ok() && in.left() > 0;
  } else {
    good = type == mtap_16 || type == mtap_24;  // interleaved mode: allowed, not looked into
  }
  info.frame_start = info.keyframe;  // where other frames begin is not told
  return good;
}

}  // namespace cardea::rtp
