#include "worker/packet_ring.hpp"

#include <cstring>
#include <string_view>

namespace cardea::worker {

void copy_packet(const rtp::Packet& from, rtp::Packet& to) {
  to.arrival = from.arrival;
  to.mline = from.mline;
  to.substream = from.substream;
  to.stream = from.stream;
  to.recovered = from.recovered;
  to.seq = from.seq;
  to.timestamp = from.timestamp;
  to.ssrc = from.ssrc;
  to.payload_type = from.payload_type;
  to.marker = from.marker;
  to.extensions = from.extensions;
  to.codec = from.codec;
  to.red = from.red;
  to.clock_hz = from.clock_hz;
  to.video = from.video;
  to.size = from.size;
  to.payload_at = from.payload_at;
  std::memcpy(to.bytes.data(), from.bytes.data(), from.size);

  const uint8_t* old = from.bytes.data();
  auto moved_text = [&](std::string_view text) {
    if (text.empty()) return std::string_view();
    return text_of(Bytes(to.bytes).subspan(static_cast<size_t>(bytes_of(text).data() - old), text.size()));
  };
  auto moved = [&](Bytes bytes) {
    if (bytes.empty()) return Bytes();
    return Bytes(to.bytes).subspan(static_cast<size_t>(bytes.data() - old), bytes.size());
  };
  to.extensions.mid = moved_text(from.extensions.mid);
  to.extensions.rid = moved_text(from.extensions.rid);
  to.extensions.repaired_rid = moved_text(from.extensions.repaired_rid);
  to.extensions.abs_capture_time = moved(from.extensions.abs_capture_time);
  to.extensions.dependency_descriptor = moved(from.extensions.dependency_descriptor);
}

}  // namespace cardea::worker
