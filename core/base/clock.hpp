// The one place that reads the clock. Included by event loops and main only.
#pragma once

#include <chrono>

#include "cardea/time.hpp"

namespace cardea {

class Clock {
public:
  static Time now() {
    static const Duration epoch =
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()) -
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
    return Time(epoch + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
  }
};

}  // namespace cardea
