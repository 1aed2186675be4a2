// Orders the packets that go to one peer into runs of equal length, each of which the kernel takes as one message
// (UDP GSO): padding makes almost equal ones equal, and the last of a run may be shorter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cardea::worker {

class RunPlanner {
public:
  static constexpr size_t max_packets = 64;  // looked at together, and the kernel's bound for one message
  static constexpr size_t max_padding = 255;

  struct Item {
    uint16_t size = 0;    // bytes on the wire, without padding
    uint8_t padding = 0;  // plan() sets it
    bool may_pad = true;  // RTP padding is allowed
    uint32_t stream = 0;  // packets of one stream keep their order
  };
  struct Run {
    size_t first = 0, count = 0;  // in order()
    size_t segment = 0;           // length of each but, perhaps, the last
  };

  // waste: padding up to this share of a run's bytes; max_bytes of a run.
  RunPlanner(double waste, size_t max_bytes) : waste_(waste), max_bytes_(max_bytes) {}

  // At most max_packets items.
  void plan(std::span<Item> items);
  std::span<const Run> runs() const { return std::span(runs_).first(run_count_); }
  std::span<const uint8_t> order() const { return std::span(order_).first(order_count_); }  // indices into the items

private:
  struct Growing {
    size_t count = 0, bytes = 0, longest = 0, shortest = 0;
    bool all_may_pad = true;
  };
  bool plan_alike(std::span<Item> items);
  bool fits(const Growing& run, const Item& item) const;
  static void add(Growing& run, const Item& item);
  void take(size_t index);
  bool held_back(uint32_t stream) const;
  void collect(std::span<Item> items, size_t head, Growing& run);
  bool add_tail(std::span<Item> items, const Growing& run);

  // given
  const double waste_;
  const size_t max_bytes_;
  // state
  std::array<Run, max_packets> runs_{};
  std::array<uint8_t, max_packets> order_{};
  std::array<bool, max_packets> taken_{};
  std::array<uint32_t, max_packets> passed_over_{};  // streams with a packet that did not fit
  size_t run_count_ = 0, order_count_ = 0, passed_count_ = 0;
};

}  // namespace cardea::worker
