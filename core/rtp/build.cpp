#include "rtp/build.hpp"

#include <algorithm>
#include <cstring>

#include "rtp/parse.hpp"

namespace cardea::rtp {
namespace {

constexpr size_t block_head = 4;             // profile and length of the extension block
constexpr uint8_t largest_one_byte_id = 14;  // RFC 8285 section 4.2
constexpr size_t largest_one_byte_value = 16;
constexpr size_t largest_value = 255;
// All elements but the texts and the dependency descriptor, two-byte form, and the padding.
constexpr size_t fixed_elements = 3 + 3 + 5 + 4 + 5 + 18 + 3;

bool any_large_id(const sdp::ExtensionMap& ids) {
  return std::any_of(ids.ids.begin(), ids.ids.end(), [](uint8_t id) { return id > largest_one_byte_id; });
}

// What goes into one header: the publisher's values, and what the sender has of its own.
struct Contents {
  const sdp::ExtensionMap& ids;
  const ExtensionValues& values;
  std::string_view mid, rid, repaired_rid;
  const std::optional<uint16_t>& transport_seq;
  const std::optional<uint32_t>& abs_send_time;
  uint16_t frame_offset;
};

bool fits_one_byte(const sdp::ExtensionMap& ids, Extension e, size_t size) {
  return ids[e] == 0 || size <= largest_one_byte_value;
}

// Appends elements; the caller has seen to the room.
template <bool two_byte>
class ElementWriter {
public:
  ElementWriter(uint8_t* at, const sdp::ExtensionMap& ids) : at_(at), ids_(ids) {}

  // Begins an element of `size` bytes if the extension is negotiated: where its value goes, or null.
  uint8_t* begin(Extension e, size_t size) {
    uint8_t id = ids_[e];
    if (id == 0) return nullptr;
    if constexpr (two_byte) {
      *at_++ = id;
      *at_++ = static_cast<uint8_t>(size);
    } else {
      *at_++ = static_cast<uint8_t>((id << 4) | (size - 1));
    }
    uint8_t* value = at_;
    at_ += size;
    return value;
  }
  void put(Extension e, const void* value, size_t size) {
    if (size == 0 || size > largest_value) return;
    if (uint8_t* at = begin(e, size)) std::memcpy(at, value, size);
  }
  uint8_t* end() const { return at_; }

private:
  uint8_t* at_;
  const sdp::ExtensionMap& ids_;
};

template <bool two_byte>
uint8_t* write_elements(uint8_t* into, const Contents& what) {
  ElementWriter<two_byte> out(into, what.ids);
  const ExtensionValues& values = what.values;
  if (what.transport_seq)
    if (uint8_t* at = out.begin(Extension::transport_cc, 2)) store_u16(at, *what.transport_seq);
  if (what.abs_send_time)
    if (uint8_t* at = out.begin(Extension::abs_send_time, 3)) {
      at[0] = static_cast<uint8_t>(*what.abs_send_time >> 16);
      store_u16(at + 1, static_cast<uint16_t>(*what.abs_send_time));
    }
  out.put(Extension::mid, what.mid.data(), what.mid.size());
  out.put(Extension::rid, what.rid.data(), what.rid.size());
  out.put(Extension::repaired_rid, what.repaired_rid.data(), what.repaired_rid.size());
  if (values.audio_level)
    if (uint8_t* at = out.begin(Extension::audio_level, 1))
      *at = static_cast<uint8_t>((values.voice ? 0x80 : 0) | (*values.audio_level & 0x7f));
  if (values.video_orientation)
    if (uint8_t* at = out.begin(Extension::video_orientation, 1)) *at = *values.video_orientation;
  if (values.playout_delay)
    if (uint8_t* at = out.begin(Extension::playout_delay, 3)) {
      uint32_t packed = ((values.playout_delay->min_10ms & 0xfffu) << 12) | (values.playout_delay->max_10ms & 0xfffu);
      at[0] = static_cast<uint8_t>(packed >> 16);
      store_u16(at + 1, static_cast<uint16_t>(packed));
    }
  out.put(Extension::abs_capture_time, values.abs_capture_time.data(), values.abs_capture_time.size());
  const Bytes descriptor = values.dependency_descriptor;
  const bool there = !descriptor.empty() && descriptor.size() <= largest_value;
  if (uint8_t* at = there ? out.begin(Extension::dependency_descriptor, descriptor.size()) : nullptr) {
    std::memcpy(at, descriptor.data(), descriptor.size());
    // It stands behind eight bits, whatever follows (AV1 RTP specification, section A.8.3).
    if (descriptor.size() >= 3) store_u16(at + 1, static_cast<uint16_t>(((at[1] << 8) | at[2]) + what.frame_offset));
  }
  return out.end();
}

// How long write_elements() gets, without padding.
size_t elements_size(const Contents& what, size_t head) {
  size_t total = 0;
  auto add = [&](Extension e, size_t size) {
    if (what.ids[e] != 0 && size != 0 && size <= largest_value) total += head + size;
  };
  const ExtensionValues& values = what.values;
  add(Extension::transport_cc, what.transport_seq ? 2 : 0);
  add(Extension::abs_send_time, what.abs_send_time ? 3 : 0);
  add(Extension::mid, what.mid.size());
  add(Extension::rid, what.rid.size());
  add(Extension::repaired_rid, what.repaired_rid.size());
  add(Extension::audio_level, values.audio_level ? 1 : 0);
  add(Extension::video_orientation, values.video_orientation ? 1 : 0);
  add(Extension::playout_delay, values.playout_delay ? 3 : 0);
  add(Extension::abs_capture_time, values.abs_capture_time.size());
  add(Extension::dependency_descriptor, values.dependency_descriptor.size());
  return total;
}

size_t header_size(const Contents& what, bool two_byte) {
  size_t elements = elements_size(what, two_byte ? 2 : 1);
  return elements == 0 ? fixed_header_size : fixed_header_size + block_head + (elements + 3) / 4 * 4;
}

// A size that is surely enough, told without looking at each element.
size_t ample_size(const Contents& what) {
  return fixed_header_size + block_head + fixed_elements + 2 + what.mid.size() + 2 + what.rid.size() + 2 +
         what.repaired_rid.size() + 2 + what.values.dependency_descriptor.size();
}

size_t write(MutableBytes out, const HeaderFields& fields, const Contents& what, bool two_byte) {
  if (out.size() < ample_size(what) && out.size() < header_size(what, two_byte)) return 0;
  uint8_t* bytes = out.data();
  bytes[1] = static_cast<uint8_t>((fields.marker ? 0x80 : 0) | (fields.payload_type & 0x7f));
  store_u16(bytes + 2, fields.seq);
  store_u32(bytes + 4, fields.timestamp);
  store_u32(bytes + 8, fields.ssrc);

  uint8_t* begin = bytes + fixed_header_size + block_head;
  uint8_t* end = two_byte ? write_elements<true>(begin, what) : write_elements<false>(begin, what);
  if (end == begin) {
    bytes[0] = 0x80;
    return fixed_header_size;
  }
  while ((end - begin) % 4 != 0) *end++ = 0;
  bytes[0] = 0x90;
  store_u16(bytes + fixed_header_size, two_byte ? 0x1000 : 0xbede);
  store_u16(bytes + fixed_header_size + 2, static_cast<uint16_t>((end - begin) / 4));
  return static_cast<size_t>(end - bytes);
}

}  // namespace

HeaderWriter::HeaderWriter(const sdp::ExtensionMap& ids, std::string_view mid)
    : ids_(ids), mid_size_(static_cast<uint8_t>(std::min(mid.size(), mid_.size()))), two_byte_(any_large_id(ids)) {
  std::copy_n(mid.begin(), mid_size_, mid_.begin());
}

size_t HeaderWriter::write(MutableBytes out, const HeaderFields& fields, const ExtensionValues& forwarded) const {
  Contents what{ids_,
                forwarded,
                {mid_.data(), mid_size_},
                {},
                {},
                fields.transport_seq,
                fields.abs_send_time,
                fields.frame_offset};
  return rtp::write(out, fields, what, two_byte(forwarded));
}

size_t HeaderWriter::size(const HeaderFields& fields, const ExtensionValues& forwarded) const {
  Contents what{ids_,
                forwarded,
                {mid_.data(), mid_size_},
                {},
                {},
                fields.transport_seq,
                fields.abs_send_time,
                fields.frame_offset};
  return header_size(what, two_byte(forwarded));
}

bool HeaderWriter::two_byte(const ExtensionValues& forwarded) const {
  return two_byte_ || !fits_one_byte(ids_, Extension::dependency_descriptor, forwarded.dependency_descriptor.size());
}

size_t write_header(MutableBytes out, const HeaderFields& fields, const ExtensionValues& values,
                    const sdp::ExtensionMap& ids) {
  Contents what{ids, values, values.mid, values.rid, values.repaired_rid, values.transport_seq, values.abs_send_time,
                0};
  bool two_byte = any_large_id(ids) ||
                  !fits_one_byte(ids, Extension::dependency_descriptor, values.dependency_descriptor.size()) ||
                  !fits_one_byte(ids, Extension::mid, values.mid.size()) ||
                  !fits_one_byte(ids, Extension::rid, values.rid.size()) ||
                  !fits_one_byte(ids, Extension::repaired_rid, values.repaired_rid.size());
  return write(out, fields, what, two_byte);
}

void set_padding(MutableBytes packet, uint8_t padding) {
  if (padding == 0 || packet.size() < fixed_header_size + padding) return;
  std::memset(packet.data() + packet.size() - padding, 0, padding);
  packet.back() = padding;
  packet[0] = static_cast<uint8_t>(packet[0] | 0x20);
}

uint32_t to_abs_send_time(Time time) {
  constexpr int64_t wrap_ns = 64'000'000'000;
  int64_t ns = time.time_since_epoch().count() % wrap_ns;
  if (ns < 0) ns += wrap_ns;
  return static_cast<uint32_t>((ns << 18) / 1'000'000'000) & 0xffffff;
}

}  // namespace cardea::rtp
