// Gives out peer ids: which worker a new peer lives on, and in which slot there. Peers with one affinity share a worker
// until it is loaded, then the next one takes over.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "cardea/ids.hpp"

namespace cardea::control {

class Placement {
public:
  // A worker that spends more than this share of its time working takes no further peers while another has room.
  static constexpr double loaded = 0.7;
  // Slots that are given back rest in a queue this long, so that a generation comes round only after 65,535 uses of
  // each of them.
  static constexpr size_t resting_slots = 64;

  // Over `count` workers, the first of which has the index `first`.
  Placement(uint16_t first, uint16_t count) : first_(first), workers_(count) {}

  PeerId allocate(std::optional<uint64_t> affinity);
  void release(PeerId peer);
  bool alive(PeerId peer) const;
  // The share of the last second that a worker spent working.
  void note_load(uint16_t worker, double occupancy);

  uint32_t peers(uint16_t worker) const { return workers_[worker - first_].peers; }
  uint32_t peers() const;

private:
  struct Slot {
    uint16_t generation = 0;
    bool used = false;
    std::optional<uint64_t> affinity;
  };
  struct Home {
    uint16_t worker = 0;
    uint32_t peers = 0;
  };
  struct OneWorker {
    std::vector<Slot> slots;
    std::deque<uint32_t> free;
    uint32_t peers = 0;
    double occupancy = 0;
  };
  bool ours(uint16_t worker) const { return worker >= first_ && size_t{worker} - first_ < workers_.size(); }
  uint16_t least_loaded() const;
  uint16_t choose(std::optional<uint64_t> affinity);

  const uint16_t first_;
  std::vector<OneWorker> workers_;            // without those before the first
  std::unordered_map<uint64_t, Home> homes_;  // by affinity, while it has peers
};

}  // namespace cardea::control
