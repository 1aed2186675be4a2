#include "worker/run_planner.hpp"

#include <algorithm>

namespace cardea::worker {

bool RunPlanner::fits(const Growing& run, const Item& item) const {
  const size_t longest = std::max<size_t>(run.longest, item.size);
  const size_t shortest = std::min<size_t>(run.shortest, item.size);
  if (longest * (run.count + 1) > max_bytes_) return false;
  if (longest == shortest) return true;
  if (!run.all_may_pad || !item.may_pad || longest - shortest > max_padding) return false;
  const size_t bytes = run.bytes + item.size;
  return static_cast<double>(longest * (run.count + 1) - bytes) <= waste_ * static_cast<double>(bytes);
}

void RunPlanner::add(Growing& run, const Item& item) {
  run.longest = std::max<size_t>(run.longest, item.size);
  run.shortest = run.count == 0 ? item.size : std::min<size_t>(run.shortest, item.size);
  run.bytes += item.size;
  run.all_may_pad = run.all_may_pad && item.may_pad;
  ++run.count;
}

void RunPlanner::take(size_t index) {
  taken_[index] = true;
  order_[order_count_++] = static_cast<uint8_t>(index);
}

bool RunPlanner::held_back(uint32_t stream) const {
  const auto* end = passed_over_.begin() + passed_count_;
  return std::find(passed_over_.begin(), end, stream) != end;
}

void RunPlanner::collect(std::span<Item> items, size_t head, Growing& run) {
  passed_count_ = 0;
  for (size_t i = head; i < items.size(); ++i) {
    if (taken_[i]) continue;
    if (run.count == 0 || (!held_back(items[i].stream) && fits(run, items[i]))) {
      add(run, items[i]);
      take(i);
    } else {
      passed_over_[passed_count_++] = items[i].stream;
    }
  }
}

// One shorter packet of a stream that waits for nothing earlier may end the run.
bool RunPlanner::add_tail(std::span<Item> items, const Growing& run) {
  if (run.count >= max_packets) return false;
  passed_count_ = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    if (taken_[i]) continue;
    if (items[i].size <= run.longest && !held_back(items[i].stream) &&
        run.longest * run.count + items[i].size <= max_bytes_) {
      take(i);
      return true;
    }
    passed_over_[passed_count_++] = items[i].stream;
  }
  return false;
}

// The usual: one packet, or those of a picture, all of a size but for a shorter last one.
bool RunPlanner::plan_alike(std::span<Item> items) {
  const size_t size = items.empty() ? 0 : items[0].size;
  if (items.empty() || items.size() > max_packets || size * items.size() > max_bytes_) return false;
  for (size_t i = 1; i + 1 < items.size(); ++i)
    if (items[i].size != size) return false;
  if (items.back().size > size) return false;
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].padding = 0;
    order_[i] = static_cast<uint8_t>(i);
  }
  order_count_ = items.size();
  runs_[run_count_++] = {0, order_count_, size};
  return true;
}

void RunPlanner::plan(std::span<Item> items) {
  run_count_ = order_count_ = 0;
  if (plan_alike(items)) return;
  std::fill_n(taken_.begin(), items.size(), false);
  for (size_t head = 0; head < items.size(); ++head) {
    if (taken_[head]) continue;
    const size_t first = order_count_;
    Growing run;
    collect(items, head, run);
    const bool tail = add_tail(items, run);
    for (size_t i = first; i < first + run.count; ++i) {
      Item& item = items[order_[i]];
      const bool last = !tail && i + 1 == first + run.count;
      item.padding = last ? uint8_t{0} : static_cast<uint8_t>(run.longest - item.size);
    }
    if (tail) items[order_[order_count_ - 1]].padding = 0;
    runs_[run_count_++] = {first, order_count_ - first, run.longest};
  }
}

}  // namespace cardea::worker
