// Virtual time: what is to happen, in the order of its time. Thirty seconds of call take milliseconds.
#pragma once

#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "cardea/time.hpp"

namespace cardea::sim {

class World {
public:
  explicit World(Time start = Time(std::chrono::hours(24 * 365 * 50))) : start_(start), now_(start) {}

  Time now() const { return now_; }
  Duration elapsed() const { return now_ - start_; }
  Time at(Duration since_start) const { return start_ + since_start; }

  // Things of the same time happen in the order they were asked for.
  void plan(Time when, std::function<void()> what) { planned_.push({when, ++count_, std::move(what)}); }
  // From now on, until it answers false.
  void every(Duration period, std::function<bool()> what) {
    plan(now_, [this, period, what = std::move(what)] {
      if (what()) plan(now_ + period, [this, period, what] { every_from_now(period, what); });
    });
  }
  void run(Duration until_since_start) {
    const Time until = at(until_since_start);
    while (!planned_.empty() && planned_.top().when <= until) {
      Planned next = planned_.top();
      planned_.pop();
      now_ = next.when;
      next.what();
    }
    now_ = until;
  }

private:
  struct Planned {
    Time when;
    uint64_t order;
    std::function<void()> what;
    bool operator<(const Planned& other) const {  // a priority_queue gives the largest first
      return std::pair(when, order) > std::pair(other.when, other.order);
    }
  };
  void every_from_now(Duration period, const std::function<bool()>& what) {
    if (what()) plan(now_ + period, [this, period, what] { every_from_now(period, what); });
  }

  Time start_, now_;
  uint64_t count_ = 0;
  std::priority_queue<Planned> planned_;
};

}  // namespace cardea::sim
