// ICE candidate lines (RFC 8839 section 5.1), as they stand in an SDP and in a client's trickle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"

namespace cardea::sdp {

enum class CandidateType : uint8_t { host, srflx, prflx, relay };

struct Candidate {
  std::string foundation;
  uint8_t component = 1;
  bool tcp = false;
  uint32_t priority = 0;
  Address address;
  CandidateType type = CandidateType::host;
  bool operator==(const Candidate&) const = default;
};

// Reads "candidate:1 1 udp 2015363327 192.0.2.1 40000 typ host ...", with or without "a=" before it. None for an empty
// string, a host name (mDNS ".local" and others are not resolved), an unknown protocol or anything malformed.
std::optional<Candidate> parse_candidate(std::string_view line);

// The value of an a=candidate attribute: "1 1 udp 2015363327 192.0.2.1 40000 typ host".
std::string write_candidate(const Candidate& candidate);

// RFC 8445 section 5.1.2.1; `rank` 0 is the best of several local addresses.
constexpr uint32_t candidate_priority(uint8_t type_preference, uint16_t rank, uint8_t component) {
  return (uint32_t{type_preference} << 24) | (uint32_t{static_cast<uint16_t>(65535 - rank)} << 8) |
         (256u - uint32_t{component});
}

}  // namespace cardea::sdp
