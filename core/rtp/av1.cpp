#include "rtp/av1.hpp"

#include "rtp/parse.hpp"

namespace cardea::rtp {
namespace {

constexpr uint8_t obu_sequence_header = 1;  // AV1 specification section 6.2.2

// AV1 specification section 4.10.5; lengths beyond 32 bits are broken.
bool read_leb128(ByteReader& in, size_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    uint8_t byte = in.u8();
    value |= (size_t{byte} & 0x7f) << shift;
    if ((byte & 0x80) == 0) return in.ok();
  }
  return false;
}

}  // namespace

bool parse_av1(Bytes payload, VideoInfo& info) {
  ByteReader in(payload);
  uint8_t head = in.u8();
  bool continues = (head & 0x80) != 0;     // Z: the first element goes on from the packet before
  unsigned elements = (head >> 4) & 0x03;  // W: 0: any number, each with its length
  bool new_sequence = (head & 0x08) != 0;  // N
  if (!in.ok() || in.left() == 0 || (new_sequence && continues)) return false;
  info.keyframe = new_sequence;
  for (unsigned i = 1; in.left() > 0; ++i) {
    size_t size = in.left();
    if (i != elements && !read_leb128(in, size)) return false;
    Bytes element = in.take(size);
    if (!in.ok() || (i == elements && in.left() > 0)) return false;
    bool whole = i > 1 || !continues;
    if (whole && !element.empty() && ((element[0] >> 3) & 0x0f) == obu_sequence_header) info.keyframe = true;
    if (elements != 0 && i < elements && in.left() == 0) return false;
  }
  info.frame_start = info.keyframe;  // where other frames begin is told by the dependency descriptor
  return true;
}

}  // namespace cardea::rtp
