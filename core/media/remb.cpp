#include "media/remb.hpp"

#include <algorithm>

namespace cardea::media {

void Remb::set_cap(uint32_t bitrate_bps, Time now) {
  if (bitrate_bps == cap_bps_) return;
  cap_bps_ = bitrate_bps;
  if (started_ && steps_ == 0) next_ = now;
}

void Remb::start(Time now) {
  if (started_) return;
  started_ = true;
  next_ = now;
}

std::optional<uint32_t> Remb::due(Time now) {
  if (now < next_) return std::nullopt;
  const uint32_t cap = cap_bps_ == 0 ? no_cap_bps : cap_bps_;
  const uint32_t divisor = std::max<uint32_t>(1, steps_);  // 4, 3, 2, 1
  if (steps_ > 0) --steps_;
  next_ = now + (steps_ > 0 ? ramp_gap : repeat);
  return cap / divisor;
}

}  // namespace cardea::media
