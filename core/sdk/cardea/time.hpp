// Time as the whole house counts it: one monotonic clock, read in the event loops only and passed down as an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace cardea {

using Duration = std::chrono::nanoseconds;

// Nanoseconds since the Unix epoch, as set when the process started and monotonic from then on, so that the same value
// serves deadlines and the NTP timestamps of sender reports. It has no now(): only base/clock.hpp reads the system.
struct Timeline {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<Timeline, Duration>;
  static constexpr bool is_steady = true;
};
using Time = Timeline::time_point;

// next_deadline() of a machine that wants nothing.
inline constexpr Time never = Time::max();

using namespace std::chrono_literals;

constexpr int64_t to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}
constexpr int64_t to_us(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace cardea
