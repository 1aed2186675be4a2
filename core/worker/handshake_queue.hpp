// Datagrams of DTLS handshakes that wait for their share of a turn. A handshake costs as much time as a thousand
// forwarded packets: when many peers join at once, media goes first and their datagrams wait here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/drop.hpp"
#include "base/outbox.hpp"
#include "cardea/ids.hpp"

namespace cardea::worker {

class HandshakeQueue {
public:
  static constexpr size_t max_datagrams = 8192;  // a thousand joins at once are some four thousand
  static constexpr size_t max_of_peer = 32;      // more than the longest flight: nobody fills the queue alone

  struct Kept {
    Address from;
    std::vector<uint8_t> bytes;
  };
  struct Waiting {
    PeerId peer;
    std::vector<Kept> datagrams;  // in the order they came
  };

  // Copies the datagram, unless there is no room for it or what waits already says the same: peers that wait long send
  // theirs again. begun: the peer's handshake is under way.
  std::optional<Drop> push(PeerId peer, bool begun, const Datagram& datagram);
  // All that waits of one peer, in the order in which peers came; those whose handshake is under way first, so that not
  // all are under way at once. None: nothing waits.
  std::optional<Waiting> pop();

  bool waits(PeerId peer) const { return waiting_.contains(peer); }
  bool empty() const { return waiting_.empty(); }
  size_t size() const { return size_; }  // datagrams

private:
  std::deque<PeerId> begun_, fresh_;
  std::unordered_map<PeerId, std::vector<Kept>> waiting_;
  size_t size_ = 0;
};

}  // namespace cardea::worker
