// Deadlines of the control thread: functions to call once, in order of time.
#pragma once

#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "cardea/ids.hpp"
#include "cardea/time.hpp"

namespace cardea::control {

class Timers {
public:
  TimerId at(Time when, std::function<void()> call) {
    TimerId id{++last_};
    due_.emplace(std::pair(when, id.value), std::move(call));
    when_.emplace(id, when);
    return id;
  }
  // Nothing happens if it has run, or never was.
  void cancel(TimerId id) {
    auto found = when_.find(id);
    if (found == when_.end()) return;
    due_.erase({found->second, id.value});
    when_.erase(found);
  }
  // The next function whose time has come; empty if there is none. Only those set before `before` was taken: a timer
  // set by a timer waits for the next turn.
  std::function<void()> take(Time now, TimerId before) {
    for (auto next = due_.begin(); next != due_.end() && next->first.first <= now; ++next) {
      if (next->first.second > before.value) continue;
      std::function<void()> call = std::move(next->second);
      when_.erase(TimerId{next->first.second});
      due_.erase(next);
      return call;
    }
    return {};
  }
  TimerId newest() const { return TimerId{last_}; }
  Time next_deadline() const { return due_.empty() ? never : due_.begin()->first.first; }
  size_t size() const { return due_.size(); }
  void clear() {
    when_.clear();
    due_.clear();
  }

private:
  std::map<std::pair<Time, uint64_t>, std::function<void()>> due_;
  std::unordered_map<TimerId, Time> when_;
  uint64_t last_ = 0;
};

}  // namespace cardea::control
