// RTP packets as a peer may send them: header, extensions, each codec's descriptor, and a header written from what was
// read. The first byte chooses codec and extension ids, the rest is the packet.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "rtp/av1.hpp"
#include "rtp/build.hpp"
#include "rtp/opus.hpp"
#include "rtp/parse.hpp"
#include "rtp/vp8.hpp"

using namespace cardea;

namespace {

constexpr std::array codecs{CodecType::opus, CodecType::vp8, CodecType::vp9,
                            CodecType::h264, CodecType::av1, CodecType::h265};

void check(bool good) {
  if (!good) std::abort();
}

sdp::ExtensionMap ids_from(uint8_t first) {
  sdp::ExtensionMap ids;
  for (size_t i = 0; i < extension_count; ++i) ids.ids[i] = static_cast<uint8_t>(first + i);
  return ids;
}

// What is written with one map must read back the same.
void rewrite_header(const rtp::Packet& packet, const sdp::ExtensionMap& ids) {
  rtp::HeaderFields fields{.payload_type = packet.payload_type,
                           .marker = packet.marker,
                           .seq = static_cast<uint16_t>(packet.seq),
                           .timestamp = packet.timestamp,
                           .ssrc = packet.ssrc,
                           .transport_seq = {},
                           .abs_send_time = {}};
  static rtp::Packet written;
  size_t size = rtp::write_header(written.bytes, fields, packet.extensions, ids);
  check(size >= rtp::fixed_header_size && size <= written.bytes.size());
  check(rtp::write_header(MutableBytes(written.bytes).first(size - 1), fields, packet.extensions, ids) == 0);
  check(rtp::write_header(MutableBytes(written.bytes).first(size), fields, packet.extensions, ids) == size);
  written.size = static_cast<uint16_t>(size);
  check(!rtp::parse(written) && written.payload_size() == 0 && written.ssrc == packet.ssrc);
  rtp::parse_extensions(written, ids);
  const auto &before = packet.extensions, &after = written.extensions;
  check(before.mid == after.mid && before.rid == after.rid && before.repaired_rid == after.repaired_rid);
  check(before.audio_level == after.audio_level && before.transport_seq == after.transport_seq);
  check(before.abs_send_time == after.abs_send_time && before.video_orientation == after.video_orientation);
  check(std::ranges::equal(before.abs_capture_time, after.abs_capture_time));
  check(std::ranges::equal(before.dependency_descriptor, after.dependency_descriptor));
  rtp::HeaderWriter writer(ids, "0");
  size_t forwarded = writer.write(written.bytes, fields, packet.extensions);
  check(forwarded != 0 && forwarded == writer.size(fields, packet.extensions));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  uint8_t choice = data[0];
  Bytes input(data + 1, size - 1);
  static rtp::Packet packet;
  if (input.size() > rtp::Packet::capacity) return 0;
  (void)rtp::wire_of(input);
  (void)rtp::peek(input);
  (void)rtp::peek_rtcp_ssrc(input);
  std::copy(input.begin(), input.end(), packet.bytes.begin());
  packet.size = static_cast<uint16_t>(input.size());
  packet.codec = codecs[choice % codecs.size()];
  if (rtp::parse(packet)) return 0;
  check(packet.payload_at <= packet.size);

  auto ids = ids_from(choice >= 128 ? 5 : 1);  // 5: some need the two-byte form
  rtp::parse_extensions(packet, ids);
  rewrite_header(packet, ids);

  rtp::DependencyReader reader;
  rtp::describe(packet, reader);
  bool described = rtp::describe(packet);
  if (packet.codec == CodecType::vp8 && described) {
    auto before = packet.video;
    rtp::write_vp8_numbers(packet.payload(), before, 0x1234, 0x56, 0x17);
    check(rtp::describe(packet));
    check(packet.video.keyframe == before.keyframe && packet.video.temporal == before.temporal);
    if (before.picture_id >= 0) check(packet.video.picture_id == (before.picture_id_15 ? 0x1234 : 0x34));
  }
  if (packet.codec == CodecType::opus) {
    (void)rtp::is_dtx(packet.payload());
    auto primary = rtp::find_primary(packet.payload());
    check(rtp::renumber_red(packet.payload(), 111) == primary.has_value());
    if (primary) check(primary->at <= packet.payload_size() && rtp::find_primary(packet.payload())->at == primary->at);
  }
  // A descriptor of its own, so that the fuzzer need not find the header first.
  if (auto frame = reader.read(packet.payload())) check(frame->target_count >= 1 && frame->chain_count <= 32);
  return 0;
}
