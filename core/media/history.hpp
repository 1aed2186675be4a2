// The recent packets of one incoming stream, by number: what NACKs of its subscribers are answered from.
#pragma once

#include <cstdint>
#include <vector>

#include "media/sequence.hpp"
#include "rtp/packet.hpp"

namespace cardea::media {

class History {
public:
  static constexpr size_t max_packets = 1024;
  explicit History(Duration max_age = 1s) : max_age_(max_age) {}

  // Keeps a reference; packets may come in any order. References older than max_age are let go on the way.
  void put(rtp::SharedPacket packet);
  // An empty reference if there is none.
  rtp::SharedPacket find(rtp::SeqNo seq) const;
  // Lets go of what is too old: for streams that fell silent. About once a second is enough.
  void expire(Time now);
  void clear();
  size_t size() const { return size_; }

private:
  size_t at(rtp::SeqNo seq) const { return static_cast<size_t>(seq) & (ring_.size() - 1); }
  void grow(rtp::SeqNo newest);
  void drop_oldest();

  // given
  Duration max_age_;
  // state: numbers lowest_ .. highest_ may be there, each in the slot of its low bits
  std::vector<rtp::SharedPacket> ring_;  // a power of two
  rtp::SeqNo lowest_ = 0, highest_ = -1;
  size_t size_ = 0;
};

}  // namespace cardea::media
