#include "rtp/parse.hpp"

#include "rtp/av1.hpp"
#include "rtp/h264.hpp"
#include "rtp/h265.hpp"
#include "rtp/vp8.hpp"
#include "rtp/vp9.hpp"

namespace cardea::rtp {
namespace {

constexpr uint16_t one_byte_profile = 0xbede;  // RFC 8285 section 4.2
constexpr uint16_t two_byte_profile = 0x1000;  // section 4.3; the low four bits are the application's
constexpr uint8_t one_byte_stop = 15;          // section 4.2: nothing behind this id is read

bool is_version_2(uint8_t first) { return first >> 6 == 2; }

void read_value(Extension extension, Bytes value, ExtensionValues& values) {
  size_t size = value.size();
  switch (extension) {
  case Extension::mid: values.mid = text_of(value); break;
  case Extension::rid: values.rid = text_of(value); break;
  case Extension::repaired_rid: values.repaired_rid = text_of(value); break;
  case Extension::audio_level:
    if (size != 1 && size != 2) break;  // RFC 6464 section 3: the two-byte form may be padded
    values.audio_level = static_cast<uint8_t>(value[0] & 0x7f);
    values.voice = (value[0] & 0x80) != 0;
    break;
  case Extension::video_orientation:
    if (size == 1) values.video_orientation = value[0];
    break;
  case Extension::playout_delay:
    if (size == 3)
      values.playout_delay = PlayoutDelay{static_cast<uint16_t>((value[0] << 4) | (value[1] >> 4)),
                                          static_cast<uint16_t>(((value[1] & 15) << 8) | value[2])};
    break;
  case Extension::transport_cc:
    // Four bytes: version 2 of the extension, with a request for feedback behind the number.
    if (size == 2 || size == 4) values.transport_seq = load_u16(value.data());
    break;
  case Extension::abs_send_time:
    if (size == 3) values.abs_send_time = (uint32_t{value[0]} << 16) | load_u16(value.data() + 1);
    break;
  case Extension::abs_capture_time:
    if (size == 8 || size == 16) values.abs_capture_time = value;
    break;
  case Extension::dependency_descriptor:
    if (size >= 3) values.dependency_descriptor = value;  // its mandatory fields
    break;
  case Extension::video_layers: break;  // meant for us, not for subscribers; no use is made of it
  }
}

void read_element(uint8_t id, Bytes value, const sdp::ExtensionMap& ids, ExtensionValues& values) {
  if (value.empty()) return;
  for (size_t i = 0; i < extension_count; ++i)
    if (ids.ids[i] == id) return read_value(static_cast<Extension>(i), value, values);
}

// The elements of the extension block, and its profile; empty if there is none.
Bytes extension_block(const Packet& packet, uint16_t& profile) {
  const uint8_t* bytes = packet.bytes.data();
  if ((bytes[0] & 0x10) == 0) return {};
  size_t at = fixed_header_size + size_t{4} * (bytes[0] & 15);
  profile = load_u16(bytes + at);
  return {bytes + at + 4, packet.payload_at - at - 4};
}

}  // namespace

Wire wire_of(Bytes datagram) {
  if (datagram.size() < 2) return Wire::junk;
  uint8_t first = datagram[0];
  if (first < 4) return Wire::stun;
  if (first >= 20 && first < 64) return Wire::dtls;
  if (!is_version_2(first)) return Wire::junk;
  return datagram[1] >= 192 && datagram[1] < 224 ? Wire::rtcp : Wire::rtp;
}

std::optional<Peek> peek(Bytes rtp) {
  if (rtp.size() < fixed_header_size || !is_version_2(rtp[0])) return std::nullopt;
  const uint8_t* at = rtp.data();
  return Peek{static_cast<uint8_t>(at[1] & 0x7f), (at[1] & 0x80) != 0, load_u16(at + 2), load_u32(at + 4),
              load_u32(at + 8)};
}

std::optional<uint32_t> peek_rtcp_ssrc(Bytes rtcp) {
  if (rtcp.size() < 8 || !is_version_2(rtcp[0])) return std::nullopt;
  return load_u32(rtcp.data() + 4);
}

std::optional<Drop> parse(Packet& packet) {
  packet.extensions = {};
  packet.video = {};
  packet.payload_at = packet.size;
  if (packet.size > packet.bytes.size()) return Drop::too_large;
  uint8_t* bytes = packet.bytes.data();
  auto header = peek(Bytes(bytes, packet.size));
  if (!header) return Drop::malformed;

  size_t at = fixed_header_size + size_t{4} * (bytes[0] & 15);
  if ((bytes[0] & 0x10) != 0) {
    if (at + 4 > packet.size) return Drop::malformed;
    at += 4 + size_t{4} * load_u16(bytes + at + 2);
  }
  if (at > packet.size) return Drop::malformed;

  size_t size = packet.size;
  if ((bytes[0] & 0x20) != 0) {
    size_t padding = bytes[size - 1];
    if (padding == 0 || padding > size - at) return Drop::malformed;
    size -= padding;
    bytes[0] = static_cast<uint8_t>(bytes[0] & ~0x20);
  }

  packet.payload_type = header->payload_type;
  packet.marker = header->marker;
  packet.seq = header->seq;
  packet.timestamp = header->timestamp;
  packet.ssrc = header->ssrc;
  packet.payload_at = static_cast<uint16_t>(at);
  packet.size = static_cast<uint16_t>(size);
  return std::nullopt;
}

void parse_extensions(Packet& packet, const sdp::ExtensionMap& ids) {
  packet.extensions = {};
  uint16_t profile = 0;
  Bytes block = extension_block(packet, profile);
  bool one_byte = profile == one_byte_profile;
  if (!one_byte && (profile & 0xfff0) != two_byte_profile) return;
  size_t at = 0;
  while (at < block.size()) {
    uint8_t head = block[at++];
    if (head == 0) continue;  // padding
    uint8_t id = head;
    size_t size = 0;
    if (one_byte) {
      id = head >> 4;
      size = size_t{head} % 16 + 1;
      if (id == one_byte_stop) return;
    } else {
      if (at == block.size()) return;
      size = block[at++];
    }
    if (size > block.size() - at) return;
    if (id != 0) read_element(id, block.subspan(at, size), ids, packet.extensions);
    at += size;
  }
}

bool describe(Packet& packet) {
  packet.video = {};
  Bytes payload = packet.payload();
  if (payload.empty()) return true;
  switch (packet.codec) {
  case CodecType::vp8: return parse_vp8(payload, packet.video);
  case CodecType::vp9: return parse_vp9(payload, packet.video);
  case CodecType::h264: return parse_h264(payload, packet.video);
  case CodecType::h265: return parse_h265(payload, packet.video);
  case CodecType::av1: return parse_av1(payload, packet.video);
  default: return true;
  }
}

}  // namespace cardea::rtp
