#include "payload.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace cardea::load {
namespace {

// Adler-like sum: quick, and any changed byte shows.
uint32_t checksum(Bytes bytes) {
  uint64_t a = 1, b = 0;
  for (uint8_t byte : bytes) {
    a += byte;
    b += a;
  }
  return static_cast<uint32_t>(((b % 65521) << 16) | (a % 65521));
}

void write_stamp(MutableBytes payload, size_t descriptor, const Stamp& stamp) {
  uint8_t* at = payload.data() + payload.size() - stamp_size;
  const auto ns = static_cast<uint64_t>(stamp.sent.time_since_epoch().count());
  store_u32(at, static_cast<uint32_t>(ns >> 32));
  store_u32(at + 4, static_cast<uint32_t>(ns));
  store_u32(at + 8, static_cast<uint32_t>(stamp.number >> 32));
  store_u32(at + 12, static_cast<uint32_t>(stamp.number));
  store_u32(at + 16, checksum(payload.subspan(descriptor, payload.size() - descriptor - 4)));
}

}  // namespace

void write_opus(MutableBytes payload, const Stamp& stamp) {
  std::fill(payload.begin(), payload.end(), static_cast<uint8_t>(stamp.number));
  payload[0] = 0x78;  // RFC 6716 3.1: CELT, fullband, 20 ms, mono, one frame
  write_stamp(payload, 0, stamp);
}

void write_vp8(MutableBytes payload, const Vp8Place& place, const Stamp& stamp) {
  std::fill(payload.begin(), payload.end(), static_cast<uint8_t>(stamp.number));
  uint8_t* at = payload.data();
  at[0] = static_cast<uint8_t>(0x80 | (place.first ? 0x10 : 0));                   // X, S, partition 0
  at[1] = 0x80 | 0x40 | 0x20;                                                      // I, L, T
  store_u16(at + 2, static_cast<uint16_t>(0x8000 | (place.picture_id & 0x7fff)));  // M: 15 bits
  at[4] = place.tl0_pic_idx;
  at[5] = 0x20;  // TID 0, Y
  if (place.first) {
    at[6] = place.keyframe ? 0x10 : 0x11;  // P bit: 0 is a keyframe
    at[7] = at[8] = 0x20;
    if (place.keyframe) {
      constexpr std::array<uint8_t, 7> start{0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01};  // start code, 640x480
      std::memcpy(at + 9, start.data(), start.size());
    }
  }
  write_stamp(payload, vp8_descriptor, stamp);
}

std::optional<Stamp> read_stamp(Bytes payload, size_t descriptor) {
  if (payload.size() < descriptor + stamp_size) return std::nullopt;
  const uint8_t* at = payload.data() + payload.size() - stamp_size;
  if (load_u32(at + 16) != checksum(payload.subspan(descriptor, payload.size() - descriptor - 4))) return std::nullopt;
  const uint64_t ns = (uint64_t{load_u32(at)} << 32) | load_u32(at + 4);
  return Stamp{Time(Duration(static_cast<int64_t>(ns))), (uint64_t{load_u32(at + 8)} << 32) | load_u32(at + 12)};
}

}  // namespace cardea::load
