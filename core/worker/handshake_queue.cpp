#include "worker/handshake_queue.hpp"

#include <utility>

namespace cardea::worker {

bool HandshakeQueue::push(PeerId peer, const Datagram& datagram) {
  if (of_peer_.size() <= peer.slot) of_peer_.resize(peer.slot + size_t{1});
  if (queue_.size() >= max_datagrams || of_peer_[peer.slot] >= max_of_peer) return false;
  ++of_peer_[peer.slot];
  queue_.push_back({peer, datagram.from, {datagram.bytes.begin(), datagram.bytes.end()}});
  return true;
}

std::optional<HandshakeQueue::Waiting> HandshakeQueue::pop() {
  if (queue_.empty()) return std::nullopt;
  Waiting first = std::move(queue_.front());
  queue_.pop_front();
  --of_peer_[first.peer.slot];
  return first;
}

}  // namespace cardea::worker
