#include "worker/handshake_queue.hpp"

#include <algorithm>
#include <utility>

namespace cardea::worker {
namespace {

// RFC 6347 sections 4.1 and 4.2.2: a message that is sent again differs in the number of its record only.
constexpr size_t number_at = 5, number_end = 11, message_end = 25;

bool says_the_same(Bytes one, Bytes other) {
  if (one.size() != other.size() || one.size() < message_end) return false;
  return std::equal(one.begin(), one.begin() + number_at, other.begin()) &&
         std::equal(one.begin() + number_end, one.begin() + message_end, other.begin() + number_end);
}

}  // namespace

std::optional<Drop> HandshakeQueue::push(PeerId peer, bool begun, const Datagram& datagram) {
  auto known = waiting_.find(peer);
  if (known != waiting_.end()) {
    if (known->second.size() >= max_of_peer) return Drop::queue_full;
    for (const Kept& kept : known->second)
      if (kept.from == datagram.from && says_the_same(kept.bytes, datagram.bytes)) return Drop::duplicate;
  }
  if (size_ >= max_datagrams) return Drop::queue_full;
  if (known == waiting_.end()) {
    known = waiting_.try_emplace(peer).first;
    (begun ? begun_ : fresh_).push_back(peer);
  }
  known->second.push_back({datagram.from, {datagram.bytes.begin(), datagram.bytes.end()}});
  ++size_;
  return std::nullopt;
}

std::optional<HandshakeQueue::Waiting> HandshakeQueue::pop() {
  std::deque<PeerId>& line = begun_.empty() ? fresh_ : begun_;
  if (line.empty()) return std::nullopt;
  auto next = waiting_.find(line.front());
  Waiting out{line.front(), std::move(next->second)};
  line.pop_front();
  waiting_.erase(next);
  size_ -= out.datagrams.size();
  return out;
}

}  // namespace cardea::worker
