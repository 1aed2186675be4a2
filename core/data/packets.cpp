#include "data/packets.hpp"

#include <algorithm>
#include <utility>

#include "data/crc32c.hpp"

namespace cardea::data {
namespace {

constexpr size_t header_size = 12, chunk_header_size = 4;
constexpr size_t same_header = 8;  // ports and verification tag
constexpr uint8_t chunk_data = 0, chunk_sack = 3, chunk_forward_tsn = 192;

// What a packet holds, in the order RFC 9260 section 6.10 asks for: control chunks, then DATA.
enum class Holds : uint8_t { data_alone, data_at_the_end, anything };

Holds holds(Bytes packet) {
  bool alone = true;
  uint8_t type = chunk_sack;
  for (size_t at = header_size; at < packet.size();) {
    if (packet.size() - at < chunk_header_size) return Holds::anything;
    type = packet[at];
    if (type != chunk_data && type != chunk_sack && type != chunk_forward_tsn) return Holds::anything;
    alone = alone && type == chunk_data;
    const size_t size = std::max<size_t>(load_u16(&packet[at + 2]), chunk_header_size);
    at += (size + 3) & ~size_t{3};
    if (at > packet.size()) return Holds::anything;  // not padded
  }
  return alone ? Holds::data_alone : type == chunk_data ? Holds::data_at_the_end : Holds::anything;
}

}  // namespace

void Outgoing::add(PeerId peer, Bytes packet) {
  const Holds what = holds(packet);
  if (open_ && what == Holds::data_alone) {
    Records::Entry& last = records_.entries.back();
    const Bytes before = Bytes(records_.bytes).last(last.size);
    if (last.peer == peer && last.size + packet.size() - header_size <= max_packet_ &&
        std::equal(packet.begin(), packet.begin() + same_header, before.begin())) {
      records_.bytes.insert(records_.bytes.end(), packet.begin() + header_size, packet.end());
      last.size = static_cast<uint16_t>(last.size + packet.size() - header_size);
      return;
    }
  }
  records_.add(peer, packet);
  open_ = what != Holds::anything;
}

Records Outgoing::take() {
  Records out = std::exchange(records_, {});
  open_ = false;
  size_t at = 0;
  for (const Records::Entry& entry : out.entries) {
    write_checksum(MutableBytes(out.bytes).subspan(at, entry.size));
    at += entry.size;
  }
  return out;
}

}  // namespace cardea::data
