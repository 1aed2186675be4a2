#include "rtp/opus.hpp"

namespace cardea::rtp {
namespace {

constexpr size_t block_header = 4;  // RFC 2198 section 3: F, payload type, timestamp offset, length
constexpr uint8_t follows = 0x80;   // F: another header comes

}  // namespace

bool is_dtx(Bytes opus) { return opus.size() <= 2; }

std::optional<RedPrimary> find_primary(Bytes red) {
  size_t at = 0, older = 0;
  while (at < red.size() && (red[at] & follows) != 0) {
    if (red.size() - at < block_header) return std::nullopt;
    older += load_u16(red.data() + at + 2) & size_t{0x03ff};
    at += block_header;
  }
  if (at >= red.size()) return std::nullopt;
  uint8_t payload_type = red[at++];
  if (older > red.size() - at) return std::nullopt;
  return RedPrimary{payload_type, at + older};
}

bool renumber_red(MutableBytes red, uint8_t payload_type) {
  if (!find_primary(red)) return false;
  size_t at = 0;
  while ((red[at] & follows) != 0) {
    red[at] = static_cast<uint8_t>(follows | (payload_type & 0x7f));
    at += block_header;
  }
  red[at] = payload_type & 0x7f;
  return true;
}

}  // namespace cardea::rtp
