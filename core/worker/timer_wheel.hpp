// Deadlines of many machines in slots of a millisecond: setting one and finding those that are due cost the same for
// ten and ten thousand of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cardea/time.hpp"

namespace cardea::worker {

// Entries are named by small numbers (slots of the peer table). Each has at most one deadline. Those of one slot are a
// list through the entries themselves: an entry takes 16 bytes, however often its deadline moves.
class TimerWheel {
public:
  static constexpr Duration slot = 1ms;
  static constexpr size_t slots = 4096;  // deadlines further away go round more than once

  explicit TimerWheel(Time now) : at_(tick_of(now)) { first_.fill(nobody); }

  // `never` takes the deadline away.
  void set(uint32_t entry, Time deadline) {
    if (entry >= entries_.size()) entries_.resize(entry + 1);
    const int64_t tick = deadline == never ? none : std::max(at_ + 1, rounded_up(deadline));
    if (entries_[entry].tick == tick) return;
    remove(entry);
    if (tick != none) place(entry, tick);
    next_ = std::min(next_, tick);
  }

  // Calls function(entry) for each that is due; it may set() again.
  template <class Function>
  void expire(Time now, Function&& function) {
    const int64_t until = tick_of(now);
    if (until < next_) {
      at_ = std::max(at_, until);
      return;
    }
    const int64_t from = std::max(at_ + 1, until - static_cast<int64_t>(slots) + 1);
    at_ = until;
    for (int64_t tick = from; tick <= until; ++tick) {
      // What is set meanwhile, or goes round once more, must not be met again.
      working_ = std::exchange(first_[place_of(tick)], nobody);
      while (working_ != nobody) {
        const uint32_t entry = working_;
        const int64_t due = entries_[entry].tick;
        remove(entry);
        if (due > until)
          place(entry, due);
        else
          function(entry);
      }
    }
    find_next();
  }

  // When expire() is wanted; never: nothing is set.
  Time next() const { return next_ == none ? never : Time(next_ * slot); }

private:
  static constexpr int64_t none = INT64_MAX;
  static constexpr uint32_t nobody = UINT32_MAX;
  struct Entry {
    int64_t tick = none;
    uint32_t before = nobody, after = nobody;
  };
  static int64_t tick_of(Time time) { return time.time_since_epoch() / slot; }
  static int64_t rounded_up(Time time) { return tick_of(time + slot - 1ns); }  // an entry is never told before its time
  static size_t place_of(int64_t tick) { return static_cast<size_t>(tick) % slots; }

  void place(uint32_t entry, int64_t tick) {
    uint32_t& first = first_[place_of(tick)];
    entries_[entry] = {tick, nobody, first};
    if (first != nobody) entries_[first].before = entry;
    first = entry;
  }

  void remove(uint32_t entry) {
    Entry& gone = entries_[entry];
    if (gone.tick == none) return;
    if (gone.after != nobody) entries_[gone.after].before = gone.before;
    if (gone.before != nobody)
      entries_[gone.before].after = gone.after;
    else
      (working_ == entry ? working_ : first_[place_of(gone.tick)]) = gone.after;
    gone = {};
  }

  void find_next() {
    next_ = none;
    for (int64_t tick = at_ + 1; tick <= at_ + static_cast<int64_t>(slots); ++tick) {
      if (first_[place_of(tick)] == nobody) continue;
      next_ = tick;
      return;
    }
  }

  // state
  std::array<uint32_t, slots> first_;
  std::vector<Entry> entries_;
  uint32_t working_ = nobody;  // the rest of the slot that is being told
  int64_t at_;                 // everything up to this tick was told
  int64_t next_ = none;
};

}  // namespace cardea::worker
