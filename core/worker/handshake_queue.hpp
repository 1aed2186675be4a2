// Datagrams of DTLS handshakes that wait for their share of a turn. A handshake costs as much time as a thousand
// forwarded packets: when many peers join at once, media goes first and their datagrams wait here, in the order they
// came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/outbox.hpp"
#include "cardea/ids.hpp"

namespace cardea::worker {

class HandshakeQueue {
public:
  static constexpr size_t max_datagrams = 8192;  // a thousand joins at once are some four thousand
  static constexpr size_t max_of_peer = 32;      // more than the longest flight: nobody fills the queue alone

  struct Waiting {
    PeerId peer;
    Address from;
    std::vector<uint8_t> bytes;
  };

  // Copies the datagram. False: there is no room for it; the peer will send it again.
  bool push(PeerId peer, const Datagram& datagram);
  // The one that came first; none: nothing waits.
  std::optional<Waiting> pop();

  bool empty() const { return queue_.empty(); }
  size_t size() const { return queue_.size(); }

private:
  std::deque<Waiting> queue_;
  std::vector<uint8_t> of_peer_;  // how many wait, by the peer's slot
};

}  // namespace cardea::worker
