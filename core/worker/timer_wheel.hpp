// Deadlines of many machines in slots of a millisecond: setting one and finding those that are due cost the same for
// ten and ten thousand of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cardea/time.hpp"

namespace cardea::worker {

// Entries are named by small numbers (slots of the peer table). Each has at most one deadline that counts; setting a
// nearer one leaves the old entry behind, which is passed over when its time comes.
class TimerWheel {
public:
  static constexpr Duration slot = 1ms;
  static constexpr size_t slots = 4096;  // deadlines further away go round more than once

  explicit TimerWheel(Time now) : at_(tick_of(now)) {}

  // `never` takes the deadline away.
  void set(uint32_t entry, Time deadline) {
    if (entry >= due_.size()) due_.resize(entry + 1, none);
    if (deadline == never) {
      due_[entry] = none;
      return;
    }
    // Rounded up: an entry is never told before its time.
    const int64_t tick = std::max(at_ + 1, tick_of(deadline + slot - 1ns));
    if (due_[entry] == tick) return;
    due_[entry] = tick;
    place(entry, tick);
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
      std::vector<Entry>& bucket = buckets_[static_cast<size_t>(tick) % slots];
      if (bucket.empty()) continue;
      working_.swap(bucket);
      for (const Entry& entry : working_) {
        if (due_[entry.entry] != entry.tick) continue;
        if (entry.tick > until) {
          place(entry.entry, entry.tick);
          continue;
        }
        due_[entry.entry] = none;
        function(entry.entry);
      }
      working_.clear();
    }
    find_next();
  }

  // When expire() is wanted; never: nothing is set.
  Time next() const { return next_ == none ? never : Time(next_ * slot); }

private:
  static constexpr int64_t none = INT64_MAX;
  struct Entry {
    uint32_t entry;
    int64_t tick;
  };
  static int64_t tick_of(Time time) { return time.time_since_epoch() / slot; }

  void place(uint32_t entry, int64_t tick) { buckets_[static_cast<size_t>(tick) % slots].push_back({entry, tick}); }

  void find_next() {
    next_ = none;
    for (int64_t tick = at_ + 1; tick <= at_ + static_cast<int64_t>(slots); ++tick) {
      if (buckets_[static_cast<size_t>(tick) % slots].empty()) continue;
      next_ = tick;
      return;
    }
  }

  // state
  std::array<std::vector<Entry>, slots> buckets_;
  std::vector<Entry> working_;
  std::vector<int64_t> due_;  // by entry; none: not set
  int64_t at_;                // everything up to this tick was told
  int64_t next_ = none;
};

}  // namespace cardea::worker
