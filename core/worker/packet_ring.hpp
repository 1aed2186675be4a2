// Packets from one worker to another: a bounded ring for one writing and one reading thread. A packet is copied once
// into it, so nothing is shared across cores; a full ring drops.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>

#include "cardea/ids.hpp"
#include "rtp/packet.hpp"

namespace cardea::worker {

// Everything of a packet but its pool: the bytes in use, and views that point into the copy.
void copy_packet(const rtp::Packet& from, rtp::Packet& to);

struct MirroredPacket {
  ReceiverId from;
  std::optional<uint32_t> common_offset;
  rtp::Packet packet;
};
static_assert(std::is_trivially_destructible_v<MirroredPacket>);

class PacketRing {
public:
  static constexpr size_t default_size = 1024;

  // size: a power of two.
  explicit PacketRing(size_t size = default_size) : size_(size), slots_(new Slot[size]) {}

  // The writer. False: full.
  bool push(const rtp::Packet& packet, ReceiverId from, std::optional<uint32_t> common_offset) {
    const size_t at = written_.load(std::memory_order_relaxed);
    if (at - read_seen_ >= size_) {
      read_seen_ = read_.load(std::memory_order_acquire);
      if (at - read_seen_ >= size_) return false;
    }
    // Made anew in untouched memory, so that an unused ring costs none; there is nothing to destroy in it.
    auto* slot = new (slots_[at & (size_ - 1)].bytes) MirroredPacket;
    slot->from = from;
    slot->common_offset = common_offset;
    copy_packet(packet, slot->packet);
    written_.store(at + 1, std::memory_order_release);
    return true;
  }

  // The reader. The oldest packet, until pop(); nullptr: nothing waits.
  const MirroredPacket* front() {
    const size_t at = read_.load(std::memory_order_relaxed);
    if (at == written_seen_) {
      written_seen_ = written_.load(std::memory_order_acquire);
      if (at == written_seen_) return nullptr;
    }
    return std::launder(reinterpret_cast<const MirroredPacket*>(slots_[at & (size_ - 1)].bytes));
  }
  void pop() { read_.store(read_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  bool empty() const { return read_.load(std::memory_order_acquire) == written_.load(std::memory_order_acquire); }

private:
  struct Slot {
    alignas(MirroredPacket) unsigned char bytes[sizeof(MirroredPacket)];
  };

  // owned
  const size_t size_;
  const std::unique_ptr<Slot[]> slots_;
  // state: each side's numbers on a cache line of its own
  alignas(64) std::atomic<size_t> written_{0};
  size_t read_seen_ = 0;  // the writer's
  alignas(64) std::atomic<size_t> read_{0};
  size_t written_seen_ = 0;  // the reader's
};

}  // namespace cardea::worker
