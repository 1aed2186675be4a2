// What the control thread asks of a media worker, and how peers are found by what they send.
#include <algorithm>
#include <utility>
#include <variant>

#include "worker/media_worker.hpp"

namespace cardea::worker {

void MediaWorker::run_commands() {
  mailbox_.take(commands_);
  for (Command& command : commands_) guarded({}, [&] { std::visit([&](auto& one) { handle(one); }, command); });
  commands_.clear();
}

void MediaWorker::handle(CreatePeer& command) {
  if (!command.plan) return;
  guarded(command.peer, [&] { create(command); });
}

void MediaWorker::create(CreatePeer& command) {
  auto made = std::make_unique<peer::PeerConnection>(command.peer, std::move(command.plan), context_, now_);
  peer::PeerConnection& peer = *made;
  if (!peers_.add(std::move(made))) {
    ++stats_.stale_commands;
    return;
  }
  if (doors_.size() <= command.peer.slot) doors_.resize(command.peer.slot + size_t{1});
  renew_ufrags(peer);
}

void MediaWorker::handle(UpdatePeer& command) {
  peer::PeerConnection* peer = peers_.find(command.peer);
  if (peer == nullptr || !command.plan) {
    ++stats_.stale_commands;
    return;
  }
  guarded(command.peer, [&] {
    router_.update(*peer, std::move(command.plan), now_, output_);
    renew_ufrags(*peer);
    queue_start(*peer);
  });
}

void MediaWorker::handle(ClosePeer& command) {
  peer::PeerConnection* peer = peers_.find(command.peer);
  if (peer == nullptr) {
    ++stats_.stale_commands;
    return;
  }
  peer->close(output_);
  remove(*peer);
}

void MediaWorker::handle(Forward& command) {
  if (!router_.forward(command.from, command.to, now_)) ++stats_.stale_commands;
}

void MediaWorker::handle(StopForward& command) {
  if (!router_.stop_forward(command.to)) ++stats_.stale_commands;
}

void MediaWorker::handle(Mirror& command) {
  if (!router_.mirror(command.from, command.to_worker, command.on)) ++stats_.stale_commands;
}

peer::RtpSender* MediaWorker::sender(SenderId id) {
  peer::PeerConnection* peer = peers_.find(id.peer);
  peer::RtpSender* found = peer == nullptr ? nullptr : peer->sender(id.mline);
  if (found == nullptr) ++stats_.stale_commands;
  return found;
}

peer::RtpReceiver* MediaWorker::receiver(ReceiverId id) {
  peer::PeerConnection* peer = peers_.find(id.peer);
  peer::RtpReceiver* found = peer == nullptr ? nullptr : peer->receiver(id.mline);
  if (found == nullptr) ++stats_.stale_commands;
  return found;
}

void MediaWorker::handle(Pause& command) {
  if (peer::RtpSender* of = sender(command.to)) router_.pause(*of, command.paused, now_);
}

void MediaWorker::handle(Mute& command) {
  if (peer::RtpReceiver* of = receiver(command.from)) of->mute(command.muted);
}

void MediaWorker::handle(SetLayers& command) {
  if (peer::RtpSender* of = sender(command.to)) router_.set_layers(*of, command.layers, now_);
}

void MediaWorker::handle(SetPlayoutDelay& command) {
  if (peer::RtpSender* of = sender(command.to)) of->set_playout_delay(command.delay);
}

void MediaWorker::handle(SetBitrateCap& command) {
  if (peer::PeerConnection* peer = peers_.find(command.peer))
    peer->set_bitrate_cap(command.bitrate_bps, now_);
  else
    ++stats_.stale_commands;
}

void MediaWorker::handle(RequestKeyframe& command) { router_.request_keyframe(command.from, command.substream, now_); }

void MediaWorker::handle(DetectTalking& command) {
  if (peer::RtpReceiver* of = receiver(command.from)) of->detect_talking(command.how);
}

void MediaWorker::handle(SendRecords& command) {
  command.records.for_each([&](PeerId id, Bytes record) {
    peer::PeerConnection* peer = peers_.find(id);
    if (peer == nullptr)
      ++stats_.stale_commands;
    else if (!peer->send_record(record, now_, output_))
      output_.drops.count(Drop::not_ready);
  });
}

// A valid check came from there: whatever comes from this address from now on is the peer's, unless another one is
// proven to be there. Checks are repeated, so the address is had when the other has left it.
void MediaWorker::open_door(peer::PeerConnection& peer, const Address& address) {
  auto [known, fresh] = addresses_.try_emplace(address, peer.id());
  if (!fresh && known->second != peer.id()) {
    const peer::PeerConnection* other = peers_.find(known->second);
    if (other != nullptr && other->holds(address, now_)) return output_.drops.count(Drop::address_taken);
    if (other != nullptr) std::erase(doors_[known->second.slot].addresses, address);
    known->second = peer.id();
  }
  std::vector<Address>& addresses = doors_[peer.id().slot].addresses;
  if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
}

void MediaWorker::shut_door(peer::PeerConnection& peer, const Address& address) {
  std::erase(doors_[peer.id().slot].addresses, address);
  auto known = addresses_.find(address);
  if (known != addresses_.end() && known->second == peer.id()) addresses_.erase(known);
}

void MediaWorker::renew_ufrags(const peer::PeerConnection& peer) {
  std::vector<std::string>& ufrags = doors_[peer.id().slot].ufrags;
  for (const std::string& ufrag : ufrags) ufrags_.erase(ufrag);
  ufrags.clear();
  for (const sdp::IceCredentials& local : peer.local_credentials()) {
    ufrags_[local.ufrag] = peer.id();
    ufrags.push_back(local.ufrag);
  }
}

void MediaWorker::remove(peer::PeerConnection& peer) {
  const PeerId id = peer.id();
  if (peer.has_data()) output_.data.push_back({id, std::nullopt});
  Doors& doors = doors_[id.slot];
  for (const std::string& ufrag : doors.ufrags) ufrags_.erase(ufrag);
  while (!doors.addresses.empty()) shut_door(peer, Address(doors.addresses.back()));
  doors = {};
  timers_.set(id.slot, never);
  reports_.set(id.slot, never);
  handshakes_.forget(id);
  router_.close(peer);
  peers_.remove(id);
}

}  // namespace cardea::worker
