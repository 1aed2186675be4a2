// From bytes to a Packet: what kind of packet a datagram is, its RTP header (RFC 3550 section 5.1) and its header
// extensions (RFC 8285). Nothing here allocates; every length is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/drop.hpp"
#include "rtp/packet.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::rtp {

inline constexpr size_t fixed_header_size = 12;  // RFC 3550 section 5.1, without CSRC and extensions

// What arrives on a socket that STUN, DTLS and SRTP share: told by the first byte (RFC 7983 section 7), RTP from RTCP
// by the second (RFC 5761 section 4).
enum class Wire : uint8_t { stun, dtls, rtp, rtcp, junk };
Wire wire_of(Bytes datagram);

// The header fields that SRTP leaves readable.
struct Peek {
  uint8_t payload_type = 0;
  bool marker = false;
  uint16_t seq = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
};
std::optional<Peek> peek(Bytes rtp);                 // none: shorter than a header, or another version
std::optional<uint32_t> peek_rtcp_ssrc(Bytes rtcp);  // of the sender of the first message

// Reads the header of a decrypted packet, packet.bytes and packet.size. `seq` becomes the 16 bits of the wire: the
// caller widens it. RTP padding is cut off (size, and the P bit with it), so that a packet of padding only has
// payload_size() == 0. Extensions are not looked at and `extensions` and `video` become empty, for pooled packets are
// used again.
std::optional<Drop> parse(Packet& packet);

// Reads the extensions of a packet that parse() has accepted; those without an id in `ids`, and those with a wrong
// length, are passed over. May be called again with another map, when a first look for the mid has told the m-line.
void parse_extensions(Packet& packet, const sdp::ExtensionMap& ids);

// Fills packet.video as packet.codec says (parse() and the codec come first); does nothing for audio and for empty
// payloads. False: the payload's descriptor is broken. AV1's layers are told only by the dependency descriptor, see
// the overload in av1.hpp.
bool describe(Packet& packet);

}  // namespace cardea::rtp
