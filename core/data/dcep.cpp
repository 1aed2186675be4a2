#include "data/dcep.hpp"

#include <algorithm>

namespace cardea::data {
namespace {

constexpr uint8_t type_open = 0x03;
constexpr size_t header_size = 12;  // RFC 8832 section 5.1
constexpr uint8_t unordered = 0x80, by_count = 0x01, by_time = 0x02;

std::optional<Dcep> parse_open(ByteReader& in) {
  const uint8_t type = in.u8();
  Dcep out{.kind = DcepKind::open, .open = {}};
  out.open.priority = in.u16();
  const uint32_t reliability = in.u32();
  const size_t label_size = in.u16(), protocol_size = in.u16();
  if (!in.ok() || label_size > max_label_size || protocol_size > max_protocol_size) return {};
  DataChannel& channel = out.open.channel;
  channel.label = text_of(in.take(label_size));
  channel.protocol = text_of(in.take(protocol_size));
  if (!in.ok() || in.left() != 0) return {};
  channel.ordered = (type & unordered) == 0;
  switch (type & ~unordered) {
  case 0: break;  // the parameter is ignored
  case by_count: channel.max_retransmits = reliability; break;
  case by_time: channel.max_lifetime_ms = reliability; break;
  default: return {};
  }
  return out;
}

}  // namespace

std::optional<Dcep> parse_dcep(Bytes message) {
  ByteReader in(message);
  switch (in.u8()) {
  case type_open: return parse_open(in);
  // Section 5.2: one byte. What may follow in a later version is none of ours.
  case dcep_ack: return in.ok() ? std::optional(Dcep{}) : std::nullopt;
  default: return {};
  }
}

std::vector<uint8_t> build_open(const Open& open) {
  const DataChannel& channel = open.channel;
  const std::string_view label = std::string_view(channel.label).substr(0, max_label_size);
  const std::string_view protocol = std::string_view(channel.protocol).substr(0, max_protocol_size);
  std::vector<uint8_t> message(header_size + label.size() + protocol.size());
  ByteWriter out(message);
  uint8_t type = channel.ordered ? 0 : unordered;
  if (channel.max_retransmits)
    type |= by_count;
  else if (channel.max_lifetime_ms)
    type |= by_time;
  out.u8(type_open);
  out.u8(type);
  out.u16(open.priority);
  out.u32(channel.max_retransmits ? *channel.max_retransmits : channel.max_lifetime_ms.value_or(0));
  out.u16(static_cast<uint16_t>(label.size()));
  out.u16(static_cast<uint16_t>(protocol.size()));
  out.put(bytes_of(label));
  out.put(bytes_of(protocol));
  return message;
}

}  // namespace cardea::data
