// How often someone may do something: a bucket of tokens that fills with time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "cardea/time.hpp"

namespace cardea::textroom {

class Rate {
public:
  // per_second 0: as often as one likes.
  Rate(uint32_t per_second, uint32_t burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

  bool take(Time now, uint32_t count = 1) {
    if (per_second_ == 0) return true;
    tokens_ = std::min(burst_, tokens_ + std::chrono::duration<double>(now - last_).count() * per_second_);
    last_ = now;
    if (tokens_ < count) return false;
    tokens_ -= count;
    return true;
  }

private:
  // given
  double per_second_, burst_;
  // state
  double tokens_;
  Time last_{};
};

}  // namespace cardea::textroom
