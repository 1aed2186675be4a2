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

std::optional<HandshakeQueue::Waiting> HandshakeQueue::pop(Time now) {
  forget_slow(now);
  const bool begins = begun_.empty();
  if (begins && under_way_.size() >= max_under_way) return std::nullopt;
  std::deque<PeerId>& line = begins ? fresh_ : begun_;
  if (line.empty()) return std::nullopt;
  auto next = waiting_.find(line.front());
  Waiting out{line.front(), std::move(next->second)};
  line.pop_front();
  waiting_.erase(next);
  size_ -= out.datagrams.size();
  if (begins && under_way_.try_emplace(out.peer, now).second) beginnings_.emplace_back(now, out.peer);
  return out;
}

Time HandshakeQueue::next() const {
  if (waiting_.empty()) return never;
  if (!begun_.empty() || under_way_.size() < max_under_way) return Time::min();
  return beginnings_.front().first + patience;
}

void HandshakeQueue::forget_slow(Time now) {
  while (!beginnings_.empty()) {
    const auto [began, peer] = beginnings_.front();
    auto known = under_way_.find(peer);
    const bool ended = known == under_way_.end() || known->second != began;
    if (!ended && began + patience > now) return;
    if (!ended) under_way_.erase(known);
    beginnings_.pop_front();
  }
}

}  // namespace cardea::worker
