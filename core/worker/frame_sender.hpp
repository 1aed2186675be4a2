// Sends runs of datagrams as Ethernet frames, past the kernel's IP layer, for a third of what a UDP socket costs.
// What no link is known for goes by the socket, as does all that is not media. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/prefetch.hpp"
#include "cardea/result.hpp"
#include "worker/frame_ring.hpp"
#include "worker/links.hpp"

namespace cardea::worker {

class FrameSender {
public:
  static constexpr size_t max_run = FrameRing::max_frame - max_frame_headers;  // bytes

  // An error where packet sockets are not allowed (CAP_NET_RAW) or the kernel cannot segment their frames (Linux 6.2).
  static Result<std::unique_ptr<FrameSender>> make(uint32_t send_buffer, uint8_t dscp);

  // Room for a run of `size` <= max_run bytes, datagrams of `segment` bytes each, the last may be shorter. It may be
  // written to until flush(). nullptr: full() until flush(), or this run must go by the socket. Runs that were begun
  // leave in their order. `slot` is the peer's: what was found for it is remembered by it.
  uint8_t* begin(uint32_t slot, const Address& from, const Address& to, size_t size, size_t segment);
  // Asks for what begin() will touch of it (base/prefetch.hpp).
  void fetch(uint32_t slot) const {
    if (slot < known_.size()) prefetch(&known_[slot], 1);
  }
  bool full() const { return full_; }

  // Hands over what was begun. At the end of each turn at least.
  void flush();

  // Counters since the beginning.
  uint64_t runs() const { return runs_; }
  uint64_t unreachable() const { return unreachable_; }  // datagrams that an interface did not take

private:
  FrameSender(Links links, uint32_t send_buffer, uint8_t dscp)
      : send_buffer_(send_buffer), dscp_(dscp), links_(std::move(links)) {}
  // An interface. What it takes at once needs but a few slots, which stay in the processor's cache; behind them are
  // many for what its queue holds.
  struct Door {
    std::vector<FrameRing> rings;  // none where they could not be opened
    size_t filling = 0;            // of them, since the last flush
    uint64_t datagrams = 0;        // not handed over yet
  };
  static constexpr std::array<size_t, 2> ring_slots{64, 512};
  // A peer's link, in one cache line: looked up, it would be a handful.
  struct alignas(64) Known {
    uint32_t age = 0;   // of the links
    uint16_t size = 0;  // the largest IP packet that was asked for
    Address to;
    Link link;
  };
  static_assert(sizeof(Known) == 64);

  const Link* link(uint32_t slot, const Address& from, const Address& to, size_t size);
  Door& door(int interface);
  static uint8_t* room(Door& door);
  bool hand_over(Door& door);

  // given
  const uint32_t send_buffer_;
  const uint8_t dscp_;
  // owned
  Links links_;
  std::map<int, Door> doors_;  // by interface
  std::vector<Known> known_;   // by the peer's slot
  // state
  bool used_ = false;  // since the last flush, or frames wait for the next
  bool full_ = false;
  uint16_t id_ = 0;  // of the next IPv4 packet
  uint64_t runs_ = 0, unreachable_ = 0;
};

}  // namespace cardea::worker
