// Bytes written as they stand in an RFC's figure: hex("80 60 00 01"); anything but hex digits is passed over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "rtp/packet.hpp"

namespace cardea::rtp {

inline std::vector<uint8_t> hex(std::string_view text) {
  std::vector<uint8_t> out;
  int high = -1;
  for (char c : text) {
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) continue;
    if (high >= 0) out.push_back(static_cast<uint8_t>(high << 4 | digit));
    high = high >= 0 ? -1 : digit;
  }
  return out;
}

inline void fill(Packet& packet, Bytes bytes) {
  std::copy(bytes.begin(), bytes.end(), packet.bytes.begin());
  packet.size = static_cast<uint16_t>(bytes.size());
}

// A copy on the heap for each length, so that the address sanitizer sees a read past the end.
template <class Function>
void for_each_truncation(const std::vector<uint8_t>& bytes, Function&& function) {
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    cut.shrink_to_fit();
    function(cut);
  }
}

}  // namespace cardea::rtp
