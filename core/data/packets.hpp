// SCTP packets on their way between the data thread and the workers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "cardea/ids.hpp"

namespace cardea::data {

// One behind the other, each with its peer: what DTLS calls application data.
struct Records {
  struct Entry {
    PeerId peer;
    uint16_t size = 0;
  };
  std::vector<uint8_t> bytes;
  std::vector<Entry> entries;

  bool empty() const { return entries.empty(); }
  void add(PeerId peer, Bytes record) {
    bytes.insert(bytes.end(), record.begin(), record.end());
    entries.push_back({peer, static_cast<uint16_t>(record.size())});
  }
  // function(PeerId, Bytes record), oldest first.
  template <class Function>
  void for_each(Function&& function) const {
    size_t at = 0;
    for (const Entry& entry : entries) {
      function(entry.peer, Bytes(bytes).subspan(at, entry.size));
      at += entry.size;
    }
  }
};

// Packets that the library sends, which makes one of each message and leaves the checksum to us: those of one peer that
// follow each other are joined as far as they fit (RFC 9260 section 6.10).
class Outgoing {
public:
  explicit Outgoing(uint16_t max_packet) : max_packet_(max_packet) {}

  void add(PeerId peer, Bytes packet);
  // With their checksums.
  Records take();
  bool empty() const { return records_.empty(); }

private:
  // given
  const uint16_t max_packet_;
  // state
  Records records_;
  bool open_ = false;  // DATA chunks may be added to the last one
};

}  // namespace cardea::data
