// Notes when transport-wide numbered packets arrived and writes feedback on them
// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "media/sequence.hpp"
#include "rtp/transport_feedback.hpp"

namespace cardea::media {

// One per peer: the numbers count over all its streams.
class TwccReceiver {
public:
  static constexpr size_t max_waiting = 512;  // arrivals; then feedback is due before its time
  explicit TwccReceiver(Duration interval = 100ms) : interval_(interval) {}

  void arrived(uint16_t transport_seq, Time at);

  bool due(Time now) const { return now >= next_deadline_; }
  Time next_deadline() const { return next_deadline_; }  // never: nothing waits
  // Appends one feedback message with what waits, or as much as there is room for: call while due(). Returns false if
  // nothing was written.
  bool write(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, Time now);

private:
  // given
  Duration interval_;
  // state
  SequenceWidener widener_;
  std::vector<rtp::TransportArrival> waiting_;  // by number
  rtp::SeqNo base_ = -1;                        // the first number not told of yet
  uint8_t feedback_count_ = 0;
  Time next_deadline_ = never;
};

}  // namespace cardea::media
