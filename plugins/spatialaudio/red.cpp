#include "red.hpp"

#include <algorithm>

namespace cardea::spatialaudio {

// A block's header is |1| payload type 7 | offset 14 | length 10 |; that of the last |0| payload type 7 |.
std::span<const RedBlock> RedReader::read(std::span<const uint8_t> payload) {
  size_t at = 0, count = 0;
  std::array<size_t, max_red_blocks> lengths{};
  for (bool more = true; more;) {
    if (at >= payload.size() || count == max_red_blocks) return {};
    more = (payload[at] & 0x80) != 0;
    blocks_[count] = {.payload_type = static_cast<uint8_t>(payload[at] & 0x7f)};
    if (more) {
      if (payload.size() - at < 4) return {};
      blocks_[count].offset = (uint32_t{payload[at + 1]} << 6) | (payload[at + 2] >> 2);
      lengths[count] = ((payload[at + 2] & 3u) << 8) | payload[at + 3];
    }
    at += more ? 4 : 1;
    ++count;
  }
  for (size_t i = 0; i + 1 < count; ++i) {
    if (payload.size() - at < lengths[i]) return {};
    blocks_[i].data = payload.subspan(at, lengths[i]);
    at += lengths[i];
  }
  blocks_[count - 1].data = payload.subspan(at);
  return {blocks_.data(), count};
}

size_t write_red(uint8_t payload_type, std::span<const uint8_t> earlier, uint32_t offset,
                 std::span<const uint8_t> newest, std::span<uint8_t> to) {
  const size_t size = 5 + earlier.size() + newest.size();
  if (earlier.size() > max_red_block || offset > max_red_offset || size > to.size()) return 0;
  to[0] = static_cast<uint8_t>(0x80 | payload_type);
  to[1] = static_cast<uint8_t>(offset >> 6);
  to[2] = static_cast<uint8_t>((offset << 2) | (earlier.size() >> 8));
  to[3] = static_cast<uint8_t>(earlier.size());
  to[4] = payload_type & 0x7f;
  std::copy(newest.begin(), newest.end(), std::copy(earlier.begin(), earlier.end(), to.begin() + 5));
  return size;
}

}  // namespace cardea::spatialaudio
