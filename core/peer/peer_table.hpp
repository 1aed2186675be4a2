// The peers of one worker by id. A stale id finds nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "cardea/ids.hpp"
#include "peer/peer_connection.hpp"

namespace cardea::peer {

class PeerTable {
public:
  static constexpr uint32_t max_slots = 1 << 20;  // far above what control gives out

  PeerConnection* find(PeerId id) const {
    if (id.slot >= slots_.size()) return nullptr;
    PeerConnection* peer = slots_[id.slot].get();
    return peer != nullptr && peer->id() == id ? peer : nullptr;
  }
  PeerConnection* at(uint32_t slot) const { return slot < slots_.size() ? slots_[slot].get() : nullptr; }
  // False: the slot is taken or out of range, and the peer is gone.
  bool add(std::unique_ptr<PeerConnection> peer) {
    const uint32_t slot = peer->id().slot;
    if (slot >= max_slots) return false;
    if (slot >= slots_.size()) slots_.resize(slot + 1);
    if (slots_[slot]) return false;
    slots_[slot] = std::move(peer);
    ++size_;
    return true;
  }
  void remove(PeerId id) {
    if (find(id) == nullptr) return;
    slots_[id.slot].reset();
    --size_;
  }
  size_t size() const { return size_; }
  template <class Function>
  void for_each(Function&& function) const {
    for (const auto& peer : slots_)
      if (peer) function(*peer);
  }

private:
  std::vector<std::unique_ptr<PeerConnection>> slots_;
  size_t size_ = 0;
};

}  // namespace cardea::peer
