#include "data/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace cardea::data {
namespace {

constexpr uint32_t polynomial = 0x82f63b78;  // Castagnoli's, reflected
constexpr size_t place = 8, width = 4;       // in the common header (RFC 9260 section 3.1)

// tables[k][byte]: what a byte does to the checksum with k bytes behind it.
constexpr auto tables = [] {
  std::array<std::array<uint32_t, 256>, 8> out{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    out[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k)
    for (size_t byte = 0; byte < 256; ++byte) out[k][byte] = (out[k - 1][byte] >> 8) ^ out[0][out[k - 1][byte] & 0xff];
  return out;
}();

uint32_t by_table(uint32_t crc, Bytes bytes) {
  while (bytes.size() >= 8) {
    const uint8_t* at = bytes.data();
    crc ^= at[0] | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
    crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^ tables[5][crc >> 16 & 0xff] ^ tables[4][crc >> 24] ^
          tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
    bytes = bytes.subspan(8);
  }
  for (uint8_t byte : bytes) crc = (crc >> 8) ^ tables[0][(crc ^ byte) & 0xff];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t crc, Bytes bytes) {
  uint64_t wide = crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    uint64_t eight;
    std::memcpy(&eight, bytes.data(), 8);
    wide = __builtin_ia32_crc32di(wide, eight);
  }
  crc = static_cast<uint32_t>(wide);
  for (uint8_t byte : bytes) crc = __builtin_ia32_crc32qi(crc, byte);
  return crc;
}
#endif

uint32_t add(uint32_t crc, Bytes bytes) {
#if defined(__x86_64__)
  static const bool there = __builtin_cpu_supports("sse4.2") != 0;
  if (there) return by_instruction(crc, bytes);
#endif
  return by_table(crc, bytes);
}

uint32_t checksum(Bytes packet) {
  static constexpr uint8_t zeros[width] = {};
  return ~add(add(add(~0u, packet.first(place)), zeros), packet.subspan(place + width));
}

}  // namespace

uint32_t crc32c(Bytes bytes) { return ~add(~0u, bytes); }

void write_checksum(MutableBytes packet) {
  if (packet.size() < place + width) return;
  const uint32_t crc = checksum(packet);
  for (size_t i = 0; i < width; ++i) packet[place + i] = static_cast<uint8_t>(crc >> (8 * i));
}

bool checksum_is_right(Bytes packet) {
  if (packet.size() < place + width) return false;
  const uint32_t crc = checksum(packet);
  for (size_t i = 0; i < width; ++i)
    if (packet[place + i] != static_cast<uint8_t>(crc >> (8 * i))) return false;
  return true;
}

}  // namespace cardea::data
