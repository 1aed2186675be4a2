// When a worker takes what has come. A wake-up costs as much as forwarding forty packets to somebody, and what is
// taken together goes out in longer runs; but what is held back is late.
#pragma once

#include <cstdint>
#include <utility>

#include "cardea/time.hpp"

namespace cardea::worker {

class Pace {
public:
  enum class Load : uint8_t {
    calm,    // what comes wakes the worker and goes on at once
    bursts,  // much goes out, but what comes is further apart than a tick (a publisher with hundreds of subscribers):
             // it goes on at once, and only the rest of a picture is waited for
    steady,  // there is always something: taken once a tick, without being woken
  };
  static constexpr Duration window = 100ms;  // over which packets are counted

  // above_pps: packets per second, in and out, up to which all is calm. Those that go out count as well: runs are what
  // makes them cheap.
  Pace(Duration tick, uint32_t above_pps) : tick_(tick), above_pps_(above_pps) {}

  // A turn has ended, with so many packets since the beginning of time.
  void turned(uint64_t in, uint64_t out, Time now) {
    const Duration passed = now - began_;
    if (passed < window) return;
    const double seconds = to_seconds(passed);
    const auto came = static_cast<double>(in - std::exchange(in_, in));
    const auto went = static_cast<double>(out - std::exchange(out_, out));
    began_ = now;
    // Leaving takes a little less than entering, so that a rate at the border does not swing.
    const auto more = [](double rate, double border, bool already) { return rate > (already ? border * 0.8 : border); };
    if (!more((came + went) / seconds, above_pps_, load_ != Load::calm))
      load_ = Load::calm;
    else
      load_ = more(came * to_seconds(tick_) / seconds, 1, load_ == Load::steady) ? Load::steady : Load::bursts;
  }

  Load load() const { return load_; }
  Duration tick() const { return tick_; }
  // How long the rest of a picture is waited for. Most send a picture at once, or its parts some milliseconds apart.
  Duration picture_wait() const { return tick_ / 2; }

private:
  static double to_seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }

  // given
  const Duration tick_;
  const double above_pps_;
  // state
  Load load_ = Load::calm;
  Time began_{};
  uint64_t in_ = 0, out_ = 0;
};

}  // namespace cardea::worker
