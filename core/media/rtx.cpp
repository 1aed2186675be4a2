#include "media/rtx.hpp"

#include <cstring>

namespace cardea::media {

std::optional<uint16_t> unwrap_rtx(rtp::Packet& packet, uint32_t original_ssrc, uint8_t original_payload_type) {
  constexpr size_t fixed_header = 12;
  if (packet.payload_at < fixed_header || packet.size < packet.payload_at + rtx_overhead) return std::nullopt;
  uint8_t* header = packet.bytes.data();
  uint8_t* payload = header + packet.payload_at;
  const uint16_t original = load_u16(payload);
  // The payload moves, not the header: the views of the extensions stay right.
  packet.size = static_cast<uint16_t>(packet.size - rtx_overhead);
  std::memmove(payload, payload + rtx_overhead, packet.payload_size());
  header[1] = static_cast<uint8_t>((header[1] & 0x80) | (original_payload_type & 0x7f));
  store_u16(header + 2, original);
  store_u32(header + 8, original_ssrc);
  packet.payload_type = original_payload_type;
  packet.ssrc = original_ssrc;
  packet.recovered = true;
  return original;
}

}  // namespace cardea::media
