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
  static constexpr size_t slots = 4096;  // deadlines further away wait in a list of their own

  explicit TimerWheel(Time now) : at_(tick_of(now)), sort_at_(at_) { first_.fill(nobody); }

  // `never` takes the deadline away.
  void set(uint32_t entry, Time deadline) {
    if (entry >= entries_.size()) entries_.resize(entry + 1);
    const int64_t tick = deadline == never ? none : std::max(at_ + 1, rounded_up(deadline));
    if (entries_[entry].tick == tick) return;
    remove(entry);
    if (tick != none) next_ = std::min(next_, place(entry, tick));
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
    for (int64_t tick = from; tick <= until; ++tick) tell(first_[place_of(tick)], function);
    if (sort_at_ <= until) {
      sort_at_ = until + sort_gap;
      tell(first_[far], function);
    }
    find_next();
  }

  // When expire() is wanted, every other second at least for what is far away; never: nothing is set.
  Time next() const { return next_ == none ? never : Time(next_ * slot); }

private:
  static constexpr int64_t none = INT64_MAX;
  static constexpr uint32_t nobody = UINT32_MAX;
  static constexpr size_t far = slots;            // the list of those that are further away than the slots reach
  static constexpr int64_t sort_gap = slots / 2;  // ticks between two looks at them, so that none is late
  struct Entry {
    int64_t tick = none;
    uint32_t before = nobody, after = nobody;
  };
  static int64_t tick_of(Time time) { return time.time_since_epoch() / slot; }
  static int64_t rounded_up(Time time) { return tick_of(time + slot - 1ns); }  // an entry is never told before its time
  static size_t place_of(int64_t tick) { return static_cast<size_t>(tick) % slots; }

  // Tells those of one list that are due; the others find their place anew. What is set meanwhile must not be met
  // again.
  template <class Function>
  void tell(uint32_t& list, Function& function) {
    const int64_t until = at_;
    working_ = std::exchange(list, nobody);
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

  // Returns when it is to be looked at.
  int64_t place(uint32_t entry, int64_t tick) {
    const bool is_far = tick - at_ >= static_cast<int64_t>(slots);
    if (is_far && first_[far] == nobody) sort_at_ = std::max(sort_at_, at_ + sort_gap);
    uint32_t& first = first_[is_far ? far : place_of(tick)];
    entries_[entry] = {tick, nobody, first};
    if (first != nobody) entries_[first].before = entry;
    first = entry;
    return is_far ? sort_at_ : tick;
  }

  void remove(uint32_t entry) {
    Entry& gone = entries_[entry];
    if (gone.tick == none) return;
    if (gone.after != nobody) entries_[gone.after].before = gone.before;
    if (gone.before != nobody)
      entries_[gone.before].after = gone.after;
    else
      list_that_begins_with(entry) = gone.after;
    gone = {};
  }

  uint32_t& list_that_begins_with(uint32_t entry) {
    if (working_ == entry) return working_;
    return first_[far] == entry ? first_[far] : first_[place_of(entries_[entry].tick)];
  }

  void find_next() {
    next_ = first_[far] == nobody ? none : sort_at_;
    for (int64_t tick = at_ + 1; tick < std::min(next_, at_ + static_cast<int64_t>(slots)); ++tick) {
      if (first_[place_of(tick)] == nobody) continue;
      next_ = tick;
      return;
    }
  }

  // state
  std::array<uint32_t, slots + 1> first_;
  std::vector<Entry> entries_;
  uint32_t working_ = nobody;  // the rest of the list that is being told
  int64_t at_;                 // everything up to this tick was told
  int64_t sort_at_;            // when those that are far away are looked at
  int64_t next_ = none;
};

}  // namespace cardea::worker
