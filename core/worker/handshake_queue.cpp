#include "worker/handshake_queue.hpp"

#include <algorithm>
#include <utility>

namespace cardea::worker {
namespace {

// RFC 6347 sections 4.1 and 4.2.2: a message that is sent again differs in the number of its record only.
constexpr size_t number_at = 5, number_end = 11, message_end = 25;
constexpr size_t kept_overhead = 64;  // what a datagram that waits costs besides its bytes

bool says_the_same(Bytes one, Bytes other) {
  if (one.size() != other.size() || one.size() < message_end) return false;
  return std::equal(one.begin(), one.begin() + number_at, other.begin()) &&
         std::equal(one.begin() + number_end, one.begin() + message_end, other.begin() + number_end);
}

}  // namespace

std::optional<Drop> HandshakeQueue::push(PeerId peer, bool begun, const Datagram& datagram) {
  const size_t weighs = datagram.bytes.size() + kept_overhead;
  auto known = waiting_.find(peer);
  if (known != waiting_.end()) {
    if (known->second.bytes + weighs > max_bytes_of_peer) return Drop::queue_full;
    for (const Kept& kept : known->second.datagrams)
      if (kept.from == datagram.from && says_the_same(kept.bytes, datagram.bytes)) return Drop::duplicate;
  }
  if (bytes_ + weighs > max_bytes) return Drop::queue_full;
  if (known == waiting_.end()) {
    known = waiting_.try_emplace(peer).first;
    (begun ? begun_ : fresh_).push_back(peer);
  }
  known->second.datagrams.push_back({datagram.from, {datagram.bytes.begin(), datagram.bytes.end()}});
  known->second.bytes += weighs;
  bytes_ += weighs;
  ++size_;
  return std::nullopt;
}

void HandshakeQueue::push(PeerId peer) {
  if (waiting_.try_emplace(peer).second) fresh_.push_back(peer);
}

std::optional<HandshakeQueue::Waiting> HandshakeQueue::pop(Time now) {
  forget_slow(now);
  const bool begins = begun_.empty();
  if (begins && under_way_.size() >= max_under_way) return std::nullopt;
  std::deque<PeerId>& line = begins ? fresh_ : begun_;
  if (line.empty()) return std::nullopt;
  auto next = waiting_.find(line.front());
  Waiting out{line.front(), std::move(next->second.datagrams)};
  line.pop_front();
  bytes_ -= next->second.bytes;
  size_ -= out.datagrams.size();
  waiting_.erase(next);
  if (begins && under_way_.try_emplace(out.peer, now).second) beginnings_.emplace_back(now, out.peer);
  return out;
}

void HandshakeQueue::forget(PeerId peer) {
  over(peer);
  auto known = waiting_.find(peer);
  if (known == waiting_.end()) return;
  std::erase(begun_, peer);
  std::erase(fresh_, peer);
  bytes_ -= known->second.bytes;
  size_ -= known->second.datagrams.size();
  waiting_.erase(known);
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
