#include "media/history.hpp"

#include <utility>

namespace cardea::media {

namespace {
constexpr size_t first_ring = 32;
}

void History::put(rtp::SharedPacket packet) {
  const rtp::SeqNo seq = packet->seq;
  if (size_ > 0 && seq > highest_) {
    expire(packet->arrival);
    if (seq - highest_ >= static_cast<rtp::SeqNo>(max_packets)) clear();
  }
  if (size_ == 0) {
    if (ring_.empty()) ring_.resize(first_ring);
    lowest_ = seq;
    highest_ = seq - 1;
  }
  if (seq < lowest_) {
    if (highest_ - seq >= static_cast<rtp::SeqNo>(max_packets)) return;
    const rtp::SeqNo was = std::exchange(lowest_, seq);
    grow(highest_);
    if (highest_ - seq >= static_cast<rtp::SeqNo>(ring_.size())) {
      lowest_ = was;
      return;
    }
  } else if (seq > highest_) {
    grow(seq);
    while (seq - lowest_ >= static_cast<rtp::SeqNo>(ring_.size())) drop_oldest();
    highest_ = seq;
  }
  rtp::SharedPacket& slot = ring_[at(seq)];
  if (!slot) ++size_;
  slot = std::move(packet);
}

rtp::SharedPacket History::find(rtp::SeqNo seq) const {
  if (size_ == 0 || seq < lowest_ || seq > highest_) return {};
  return ring_[at(seq)];
}

void History::expire(Time now) {
  while (size_ > 0) {
    const rtp::SharedPacket& oldest = ring_[at(lowest_)];
    if (oldest && oldest->arrival + max_age_ >= now) return;
    drop_oldest();
  }
}

void History::clear() {
  for (rtp::SharedPacket& slot : ring_) slot.reset();
  size_ = 0;
}

void History::drop_oldest() {
  rtp::SharedPacket& slot = ring_[at(lowest_++)];
  if (slot) --size_;
  slot.reset();
}

// Doubles the ring until the numbers from lowest_ to `newest` have room, or it is as large as it may get.
void History::grow(rtp::SeqNo newest) {
  size_t wanted = ring_.size();
  while (wanted < max_packets && newest - lowest_ >= static_cast<rtp::SeqNo>(wanted)) wanted *= 2;
  if (wanted == ring_.size()) return;
  std::vector<rtp::SharedPacket> larger(wanted);
  for (rtp::SharedPacket& slot : ring_) {
    if (!slot) continue;
    const size_t index = static_cast<size_t>(slot->seq) & (wanted - 1);
    larger[index] = std::move(slot);
  }
  ring_ = std::move(larger);
}

}  // namespace cardea::media
