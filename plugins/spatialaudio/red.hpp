// Redundant audio (RFC 2198): a packet that carries earlier frames beside its own, so that a loss costs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace cardea::spatialaudio {

inline constexpr size_t max_red_blocks = 8;
inline constexpr uint32_t max_red_offset = 0x3fff;  // of a timestamp
inline constexpr size_t max_red_block = 0x3ff;      // bytes of an earlier frame

struct RedBlock {
  uint8_t payload_type = 0;
  uint32_t offset = 0;  // how much older than the packet's timestamp
  std::span<const uint8_t> data{};
};

// The blocks of a payload, oldest first; the last is the packet's own frame. Empty: it is malformed.
class RedReader {
public:
  std::span<const RedBlock> read(std::span<const uint8_t> payload);

private:
  std::array<RedBlock, max_red_blocks> blocks_{};
};

// Writes a payload of one earlier frame and the newest. Returns its size; 0: it has no room, or the earlier one is too
// long or too old to be told.
size_t write_red(uint8_t payload_type, std::span<const uint8_t> earlier, uint32_t offset,
                 std::span<const uint8_t> newest, std::span<uint8_t> to);

}  // namespace cardea::spatialaudio
