// Sends runs of datagrams as Ethernet frames, past the kernel's IP layer, for a third of what a UDP socket costs.
// What no link is known for goes by the socket, as does all that is not media. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/address.hpp"
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
  // written to until flush(). nullptr: full() until flush(), or this run must go by the socket.
  uint8_t* begin(const Address& from, const Address& to, size_t size, size_t segment);
  bool full() const { return full_; }

  // Hands over what was begun. At the end of each turn at least.
  void flush();

  // Counters since the beginning.
  uint64_t runs() const { return runs_; }
  uint64_t unreachable() const { return unreachable_; }  // datagrams that an interface did not take

private:
  FrameSender(Links links, uint32_t send_buffer, uint8_t dscp)
      : send_buffer_(send_buffer), dscp_(dscp), links_(std::move(links)) {}
  struct Door {
    std::optional<FrameRing> ring;  // none where it could not be opened
    uint64_t datagrams = 0;         // not handed over yet
  };
  Door& door(int interface);

  // given
  const uint32_t send_buffer_;
  const uint8_t dscp_;
  // owned
  Links links_;
  std::map<int, Door> doors_;  // by interface
  // state
  bool used_ = false;  // since the last flush
  bool full_ = false;
  uint16_t id_ = 0;  // of the next IPv4 packet
  uint64_t runs_ = 0, unreachable_ = 0;
};

}  // namespace cardea::worker
