// When a server's thread looks at its sockets again. A look costs wake-ups of this thread and of the core's, whether it
// brings one request or thirty: when looks bring several each, requests gather for a tick. A client that waits for each
// reply before it asks again never pays for it, and replies never wait.
#pragma once

#include "cardea/time.hpp"

namespace cardea::transports {

class Pace {
public:
  static constexpr Duration tick = 500us;
  static constexpr Duration window = 10ms;        // over which the load is judged
  static constexpr uint64_t gather_above = 50;    // requests in a window
  static constexpr uint64_t gather_together = 2;  // requests a look, on average

  // A look that ended now took so many requests.
  void looked(uint64_t requests, Time now) {
    if (requests == 0) return;
    if (now - began_ >= window) {
      const auto windows = static_cast<uint64_t>((now - began_) / window);
      gathers_ = requests_ >= gather_above * windows && requests_ >= gather_together * looks_;
      began_ = now;
      requests_ = looks_ = 0;
    }
    requests_ += requests;
    ++looks_;
    next_look_ = gathers_ ? now + tick : now;
  }
  // Requests need not be looked for before; in the past when little happens.
  Time next_look() const { return next_look_; }

private:
  // state
  Time began_{};
  uint64_t requests_ = 0, looks_ = 0;  // since then; of looks those that brought any
  bool gathers_ = false;
  Time next_look_{};
};

}  // namespace cardea::transports
