#include "control/peers.hpp"

#include <memory>
#include <utility>

namespace cardea::control {

Peers::Peers(std::vector<worker::Worker*> workers, LocalMedia local, Random& random, worker::DataDoor* data,
             size_t processors)
    : workers_(std::move(workers)), local_(std::move(local)), random_(random), data_(data),
      processor_threads_(processors), placement_(0, static_cast<uint16_t>(media_workers())),
      processors_(static_cast<uint16_t>(media_workers()), static_cast<uint16_t>(processors)), stats_(workers_.size()) {
  for (uint16_t i = 0; i < stats_.size(); ++i) stats_[i].worker = i;
}

PeerId Peers::open(HandleId owner, std::optional<uint64_t> affinity) {
  PeerId peer = placement_.allocate(affinity);
  known_[peer] = {.owner = owner};
  return peer;
}

sdp::IceCredentials Peers::new_credentials() {
  // RFC 8445 section 5.3 asks for 24 bits of randomness in the ufrag and 128 in the password. The ufrag alone tells the
  // peers of a worker apart, so it is longer.
  return {random_.word(12), random_.word(24)};
}

sdp::LocalParameters Peers::local_parameters(PeerId peer) {
  return {.credentials = new_credentials(),
          .fingerprint = local_.fingerprint,
          .candidates = local_.candidates[peer.worker],
          .ice_lite = true,
          .origin_address = local_.origin_address};
}

void Peers::create(PeerId peer, const sdp::PeerPlan& plan) {
  known_[peer].created = true;
  flush_data();
  workers_[peer.worker]->post(worker::CreatePeer{peer, std::make_unique<sdp::PeerPlan>(plan)});
}

void Peers::update(PeerId peer, const sdp::PeerPlan& plan) {
  flush_data();
  workers_[peer.worker]->post(worker::UpdatePeer{peer, std::make_unique<sdp::PeerPlan>(plan)});
}

void Peers::close(PeerId peer) {
  auto found = known_.find(peer);
  if (found == known_.end()) return;
  if (found->second.created) commands_.push_back({peer.worker, worker::ClosePeer{peer}});
  drop(peer);
}

void Peers::forget(PeerId peer) {
  if (known_.contains(peer)) drop(peer);
}

void Peers::drop(PeerId peer) {
  routes_.forget(peer, commands_);
  // The slot may be given out again in this very turn: its next owner must not overtake the ClosePeer.
  flush();
  known_.erase(peer);
  placement_.release(peer);
}

PeerId Peers::start_processor(std::unique_ptr<MediaProcessor> machine, std::optional<uint64_t> affinity) {
  if (processor_threads_ == 0) return {};
  const PeerId id = processors_.allocate(affinity);
  workers_[id.worker]->post(worker::StartProcessor{id, std::move(machine)});
  return id;
}

void Peers::stop_processor(PeerId id) {
  if (!processors_.alive(id)) return;
  routes_.forget(id, commands_);
  commands_.push_back({id.worker, worker::ClosePeer{id}});
  flush();
  processors_.release(id);
}

HandleId Peers::owner(PeerId peer) const {
  auto found = known_.find(peer);
  return found == known_.end() ? HandleId{} : found->second.owner;
}

void Peers::forward(ReceiverId from, SenderId to) {
  if (alive(from.peer) && alive(to.peer)) routes_.forward(from, to, commands_);
}

void Peers::tell(PeerId peer, worker::Command command) {
  if (alive(peer)) commands_.push_back({peer.worker, std::move(command)});
}

void Peers::tell_data(worker::DataCommand command) {
  if (data_ == nullptr) return;
  data_commands_.push_back(std::move(command));
  if (data_commands_.size() >= max_batch) flush_data();
}

void Peers::flush_data() {
  if (data_ != nullptr) data_->post_all(data_commands_);
}

void Peers::flush() {
  // The worker tells the data thread of a peer's end: what was sent before comes before.
  if (!commands_.empty()) flush_data();
  for (Addressed& one : commands_) workers_[one.worker]->post(std::move(one.command));
  commands_.clear();
}

void Peers::note(const worker::WorkerStats& stats) {
  if (stats.worker >= stats_.size()) return;
  (stats.worker < media_workers() ? placement_ : processors_).note_load(stats.worker, stats.tick_occupancy);
  stats_[stats.worker] = stats;
}

void Peers::note(const worker::PeersDataStats& stats) {
  for (const data::PeerDataStats& one : stats)
    if (auto found = known_.find(one.peer); found != known_.end()) found->second.data = one;
}

const data::PeerDataStats* Peers::data_stats(PeerId peer) const {
  auto found = known_.find(peer);
  return found != known_.end() && found->second.data ? &*found->second.data : nullptr;
}

}  // namespace cardea::control
