// The one place that reads the clock. Included by event loops and main only.
#pragma once

#include <chrono>

#include "cardea/time.hpp"

namespace cardea {

class Clock {
public:
  // What the real clock says, which may be set while we run: for dates that others wrote, never for deadlines.
  static Time wall() {
    return Time(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
  }
  static Time now() {
    static const Duration epoch =
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()) -
        std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
    return Time(epoch + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
  }
};

}  // namespace cardea
