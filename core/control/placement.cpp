#include "control/placement.hpp"

#include <utility>

namespace cardea::control {

uint16_t Placement::least_loaded() const {
  auto load = [](const OneWorker& worker) { return std::pair(worker.occupancy > loaded, worker.peers); };
  uint16_t best = 0;
  for (uint16_t i = 1; i < workers_.size(); ++i)
    if (load(workers_[i]) < load(workers_[best])) best = i;
  return best;
}

uint16_t Placement::choose(std::optional<uint64_t> affinity) {
  if (!affinity) return least_loaded();
  auto [home, fresh] = homes_.try_emplace(*affinity, Home{least_loaded(), 0});
  if (!fresh && workers_[home->second.worker].occupancy > loaded) home->second.worker = least_loaded();
  ++home->second.peers;
  return home->second.worker;
}

PeerId Placement::allocate(std::optional<uint64_t> affinity) {
  uint16_t index = choose(affinity);
  OneWorker& worker = workers_[index];
  uint32_t number = 0;
  if (worker.free.size() > resting_slots) {
    number = worker.free.front();
    worker.free.pop_front();
  } else {
    number = static_cast<uint32_t>(worker.slots.size());
    worker.slots.emplace_back();
  }
  Slot& slot = worker.slots[number];
  if (++slot.generation == 0) slot.generation = 1;
  slot.used = true;
  slot.affinity = affinity;
  ++worker.peers;
  return {static_cast<uint16_t>(first_ + index), slot.generation, number};
}

bool Placement::alive(PeerId peer) const {
  if (!ours(peer.worker)) return false;
  const OneWorker& worker = workers_[peer.worker - first_];
  if (peer.slot >= worker.slots.size()) return false;
  const Slot& slot = worker.slots[peer.slot];
  return slot.used && slot.generation == peer.generation;
}

void Placement::release(PeerId peer) {
  if (!alive(peer)) return;
  OneWorker& worker = workers_[peer.worker - first_];
  Slot& slot = worker.slots[peer.slot];
  slot.used = false;
  worker.free.push_back(peer.slot);
  --worker.peers;
  if (!slot.affinity) return;
  auto home = homes_.find(*slot.affinity);
  if (home != homes_.end() && --home->second.peers == 0) homes_.erase(home);
}

void Placement::note_load(uint16_t worker, double occupancy) {
  if (ours(worker)) workers_[worker - first_].occupancy = occupancy;
}

uint32_t Placement::peers() const {
  uint32_t all = 0;
  for (const OneWorker& worker : workers_) all += worker.peers;
  return all;
}

}  // namespace cardea::control
