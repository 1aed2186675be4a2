// How often someone may do something, or how much of it: a bucket of tokens that fills with time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "cardea/time.hpp"

namespace cardea {

class Rate {
public:
  // per_second 0: as often as one likes.
  Rate(uint64_t per_second, uint64_t burst)
      : per_second_(static_cast<double>(per_second)), burst_(static_cast<double>(burst)), tokens_(burst_) {}

  bool take(Time now, uint64_t count = 1) {
    if (per_second_ == 0) return true;
    tokens_ = filled(now);
    last_ = now;
    if (tokens_ < static_cast<double>(count)) return false;
    tokens_ -= static_cast<double>(count);
    return true;
  }
  // As good as new: whoever has it may forget it.
  bool full(Time now) const { return filled(now) >= burst_; }

private:
  double filled(Time now) const {
    return std::min(burst_, tokens_ + std::chrono::duration<double>(now - last_).count() * per_second_);
  }

  // given
  double per_second_, burst_;
  // state
  double tokens_;
  Time last_{};
};

}  // namespace cardea
