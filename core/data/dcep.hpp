// The Data Channel Establishment Protocol (RFC 8832) as bytes: what opens a channel, what acknowledges it, and the
// payload protocol identifiers that tell messages apart (RFC 8831 section 8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "cardea/media.hpp"

namespace cardea::data {

enum class Ppid : uint32_t {
  dcep = 50,
  text = 51,
  binary_partial = 52,  // deprecated: a piece of a binary message that another piece follows
  binary = 53,
  text_partial = 54,
  text_empty = 56,
  binary_empty = 57,
};

inline constexpr uint8_t dcep_ack = 0x02;
inline constexpr size_t max_label_size = 1024;     // far above what a client writes; the RFC's bound is the field's
inline constexpr size_t max_protocol_size = 1024;  // the same
inline constexpr uint8_t ack_message[] = {dcep_ack};

struct Open {
  DataChannel channel;
  uint16_t priority = 0;
};

enum class DcepKind : uint8_t { open, ack };

struct Dcep {
  DcepKind kind = DcepKind::ack;
  Open open;  // of an open
};

// None: malformed, or of a type that RFC 8832 does not know.
std::optional<Dcep> parse_dcep(Bytes message);
// The label and protocol are cut to their bounds.
std::vector<uint8_t> build_open(const Open& open);

}  // namespace cardea::data
