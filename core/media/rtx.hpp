// Retransmission payloads (RFC 4588 section 4): the original sequence number, then the original payload.
#pragma once

#include <cstdint>
#include <optional>

#include "rtp/packet.hpp"

namespace cardea::media {

inline constexpr size_t rtx_overhead = 2;  // bytes an RTX payload is longer than the original

// Turns an RTX packet into the one it repeats, in place: payload, size, header bytes, ssrc, payload_type and
// `recovered`. Returns the original sequence number as on the wire (widening it is the stream's business), or none if
// there is nothing in it: a probe, to be dropped as padding. `seq`, codec and video are left to the caller.
std::optional<uint16_t> unwrap_rtx(rtp::Packet& packet, uint32_t original_ssrc, uint8_t original_payload_type);

}  // namespace cardea::media
