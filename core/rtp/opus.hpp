// Opus packets, plain and inside RED (RFC 2198): silence, and taking the newest block out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace cardea::rtp {

// Whether this Opus packet says "nothing to hear" (RFC 6716 section 2.1.9: frames of up to one byte).
bool is_dtx(Bytes opus);

// Where the primary, newest block of a RED payload is.
struct RedPrimary {
  uint8_t payload_type = 0;  // of the codec inside
  size_t at = 0;             // its place in the payload; it ends with it
};
std::optional<RedPrimary> find_primary(Bytes red);  // none: broken

// Gives all blocks of a RED payload another payload type, in place: subscribers have numbers of their own. False:
// broken, and nothing was changed.
bool renumber_red(MutableBytes red, uint8_t payload_type);

}  // namespace cardea::rtp
