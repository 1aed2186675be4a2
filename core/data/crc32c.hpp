// The checksum of SCTP packets (RFC 9260 appendix A).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace cardea::data {

uint32_t crc32c(Bytes bytes);

// Of a whole SCTP packet, where it belongs: at byte 8, its own bytes counted as zeros.
void write_checksum(MutableBytes packet);
bool checksum_is_right(Bytes packet);

}  // namespace cardea::data
