// Writes the RTP header of an outgoing packet (RFC 3550 section 5.1) with its extensions (RFC 8285): once per forwarded
// packet and subscriber, so it is short and allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "cardea/time.hpp"
#include "rtp/packet.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::rtp {

struct HeaderFields {
  uint8_t payload_type = 0;
  bool marker = false;
  uint16_t seq = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  uint16_t frame_offset = 0;  // added to a dependency descriptor's frame number
  // What every transmission has anew; written where negotiated. Left alone by write_header(), which takes them from the
  // values.
  std::optional<uint16_t> transport_seq;
  std::optional<uint32_t> abs_send_time;
};

// No header is longer, unless a dependency descriptor is: 12 fixed, 4 of the extension block, all extensions.
inline constexpr size_t usual_header_size = 128;

// The header writer of one sender: what is the same in all its packets is worked out once.
class HeaderWriter {
public:
  HeaderWriter() = default;  // no extensions
  // `mid` (up to 16 bytes) is written into each packet if it has an id.
  HeaderWriter(const sdp::ExtensionMap& ids, std::string_view mid);

  // The number of bytes written to `out`; 0: too small. Of `forwarded` (the publisher's values, unchanged) it writes
  // audio level, orientation, playout delay, capture time and dependency descriptor, where they are there and
  // negotiated; mid, transport-wide number and send time are this sender's own. The one-byte form is used when all ids
  // are below 15 and all values up to 16 bytes, else the two-byte form.
  size_t write(MutableBytes out, const HeaderFields& fields, const ExtensionValues& forwarded) const;

  // How many bytes write() would need.
  size_t size(const HeaderFields& fields, const ExtensionValues& forwarded) const;

private:
  bool two_byte(const ExtensionValues& forwarded) const;

  // state
  sdp::ExtensionMap ids_;
  std::array<char, 16> mid_{};
  uint8_t mid_size_ = 0;
  bool two_byte_ = false;  // some id needs it
};

// A header with all that `values` holds and `ids` names, rid and mid too: what a publisher writes. 0: `out` is too
// small.
size_t write_header(MutableBytes out, const HeaderFields& fields, const ExtensionValues& values,
                    const sdp::ExtensionMap& ids);

// Fills the last `padding` bytes (1-255) of `packet` as RTP padding and sets the P bit (RFC 3550 section 5.1).
void set_padding(MutableBytes packet, uint8_t padding);

// The 24 bits of the abs-send-time extension: 6.18 fixed point seconds, wrapping every 64 s.
uint32_t to_abs_send_time(Time time);

}  // namespace cardea::rtp
