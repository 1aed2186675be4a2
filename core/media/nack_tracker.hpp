// Knows which packets of one stream are missing, and when to ask for them again (RFC 4585 section 6.2.1).
#pragma once

#include <bitset>
#include <cstdint>
#include <span>
#include <vector>

#include "media/sequence.hpp"

namespace cardea::media {

class NackTracker {
public:
  static constexpr rtp::SeqNo window = 1000;      // packets; what is older is neither accepted nor asked for
  static constexpr uint8_t max_tries = 10;        // then the number is given up
  static constexpr size_t max_missing = 500;      // more at once: hopeless
  static constexpr rtp::SeqNo reorder = 2;        // so many later packets make a gap a loss ...
  static constexpr Duration reorder_wait = 10ms;  // ... or this long without it
  static constexpr Duration min_gap = 20ms;       // between two requests for the same number, at least this ...
  static constexpr Duration answer_wait = 10ms;   // ... or a round trip and this: answers are not that punctual

  // Notes an arrival, first-hand or recovered. Returns false if the packet is a duplicate or older than the window:
  // too_old() tells which.
  bool arrived(rtp::SeqNo seq, Time now);
  bool too_old(rtp::SeqNo seq) const { return highest_ >= 0 && seq <= highest_ - window; }

  // Numbers to ask for now, lowest first: missing, not asked within one RTT, asked fewer than ten times. They count as
  // asked. The span holds until the next call.
  std::span<const rtp::SeqNo> due(Time now, Duration rtt);
  Time next_deadline() const { return next_deadline_; }

  // Too much went missing at once, so that a keyframe is cheaper: nothing of it is asked for. True until
  // keyframe_arrived() is told.
  bool hopeless() const { return hopeless_; }
  void keyframe_arrived() { hopeless_ = false; }

  size_t missing() const { return missing_.size(); }
  uint64_t asked() const { return asked_; }        // numbers asked for, repetitions counted
  uint64_t given_up() const { return given_up_; }  // never came

private:
  struct Missing {
    rtp::SeqNo seq = 0;
    Time ask_at{};
    uint8_t tries = 0;
  };
  static constexpr size_t ring = 1024;

  void note_gap(rtp::SeqNo from, rtp::SeqNo to, Time now);
  void found(rtp::SeqNo seq);
  void drop_older(rtp::SeqNo than);
  void gap_is_loss(Time now);

  // state
  std::bitset<ring> seen_;        // by the low bits of the number, for the window
  std::vector<Missing> missing_;  // ascending
  std::vector<rtp::SeqNo> due_;
  rtp::SeqNo highest_ = -1;
  Time next_deadline_ = never;
  uint64_t asked_ = 0, given_up_ = 0;
  bool hopeless_ = false;
};

}  // namespace cardea::media
