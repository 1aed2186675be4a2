// When to tell a publisher which bitrate it may use (REMB, draft-alvestrand-rmcat-remb-03): ramped up at first, then
// repeated.
#pragma once

#include <cstdint>
#include <optional>

#include "cardea/time.hpp"

namespace cardea::media {

class Remb {
public:
  static constexpr uint32_t no_cap_bps = 10'000'000;  // what is told when there is none
  static constexpr Duration ramp_gap = 200ms;
  static constexpr Duration repeat = 5s;

  // 0: none. A new cap is told at once if the ramp is over.
  void set_cap(uint32_t bitrate_bps, Time now);
  // Media began to come in: a quarter, a third, a half of the cap, and then all of it.
  void start(Time now);

  // What to tell now, if anything; it counts as told.
  std::optional<uint32_t> due(Time now);
  Time next_deadline() const { return next_; }

private:
  // state
  uint32_t cap_bps_ = 0;
  uint8_t steps_ = 4;  // of the ramp, to go
  bool started_ = false;
  Time next_ = never;
};

}  // namespace cardea::media
