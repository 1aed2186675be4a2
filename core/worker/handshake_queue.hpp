// Datagrams of DTLS handshakes that wait for their share of a turn. A handshake costs as much time as a thousand
// forwarded packets: when many peers join at once, media goes first and their datagrams wait here. And it costs 70 kB
// for as long as it lasts: of a thousand that come at once, so many begin as others end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/drop.hpp"
#include "base/outbox.hpp"
#include "cardea/ids.hpp"
#include "cardea/time.hpp"

namespace cardea::worker {

class HandshakeQueue {
public:
  static constexpr size_t max_bytes = 8 << 20;          // with 64 for each datagram: a thousand joins at once have 3 MB
  static constexpr size_t max_bytes_of_peer = 6 << 10;  // more than the longest flight: nobody fills the queue alone
  static constexpr size_t max_under_way = 50;
  static constexpr Duration patience = 50ms;  // a handshake that lasts longer keeps nobody waiting: its peer is slow

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
  // The peer's handshake is ours to begin: it waits in the same line, with no datagrams.
  void push(PeerId peer);
  // All that waits of one peer, in the order in which peers came; those whose handshake is under way first. None:
  // nothing waits, or it has to wait for next().
  std::optional<Waiting> pop(Time now);
  // The peer's handshake is over, whatever way.
  void over(PeerId peer) { under_way_.erase(peer); }
  // The peer is gone, and what waits of it.
  void forget(PeerId peer);
  // When pop() gives something unless over() is called before; never: nothing waits.
  Time next() const;

  bool waits(PeerId peer) const { return waiting_.contains(peer); }
  bool empty() const { return waiting_.empty(); }
  size_t size() const { return size_; }    // datagrams
  size_t bytes() const { return bytes_; }  // as max_bytes counts them

private:
  void forget_slow(Time now);

  std::deque<PeerId> begun_, fresh_;
  std::unordered_map<PeerId, Time> under_way_;      // and when they began
  std::deque<std::pair<Time, PeerId>> beginnings_;  // the same in order, and some that are over
  struct Line {
    std::vector<Kept> datagrams;
    size_t bytes = 0;
  };
  std::unordered_map<PeerId, Line> waiting_;
  size_t size_ = 0, bytes_ = 0;
};

}  // namespace cardea::worker
