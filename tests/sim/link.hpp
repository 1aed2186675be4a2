// One direction of a network path, in virtual time: loss (alone or in bursts), delay, jitter, reordering and a rate
// with a bounded queue. The same seed loses the same packets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/random.hpp"
#include "sim/world.hpp"

namespace cardea::sim {

struct LinkOptions {
  double loss = 0;                 // share of the messages, single losses
  double burst_begin = 0;          // chance that a burst begins with a message
  double burst_go_on = 0.7;        // and that it takes the next one too
  Duration clean_for = 0ms;        // from the start: nothing is lost so long
  Duration delay = 50ms;           // one way
  Duration jitter = 0ms;           // at most so much more; order is kept
  double reorder = 0;              // share of the messages that are overtaken ...
  Duration reorder_delay = 8ms;    // ... for they take so much longer
  uint64_t rate_bps = 0;           // 0: no limit
  Duration longest_queue = 300ms;  // what would wait longer is lost
};

template <class Message>
class Link {
public:
  Link(World& world, uint64_t seed, const LinkOptions& options, std::function<void(Message)> receive)
      : world_(world), random_(seed), options_(options), receive_(std::move(receive)) {}

  void send(Message message, size_t bytes = 100) {
    ++sent_;
    Time leaves = world_.now();
    if (options_.rate_bps > 0) {
      const Time begins = std::max(world_.now(), line_free_);
      if (begins - world_.now() > options_.longest_queue) return lose();
      line_free_ = begins + Duration(static_cast<int64_t>(bytes * 8 * 1'000'000'000 / options_.rate_bps));
      leaves = line_free_;
    }
    in_burst_ = chance(in_burst_ ? options_.burst_go_on : options_.burst_begin);
    const bool bad_luck = in_burst_ || chance(options_.loss);
    if (bad_luck && world_.elapsed() >= options_.clean_for) return lose();
    Time arrives = leaves + options_.delay;
    if (options_.jitter > 0ms)
      arrives += Duration(static_cast<int64_t>(random_.below(static_cast<uint64_t>(options_.jitter.count()))));
    arrives = std::max(arrives, last_arrival_);
    if (chance(options_.reorder))
      arrives += options_.reorder_delay;
    else
      last_arrival_ = arrives;
    world_.plan(arrives, [this, message = std::move(message)] { receive_(message); });
  }
  uint64_t sent() const { return sent_; }
  uint64_t lost() const { return lost_; }

private:
  bool chance(double share) { return share > 0 && static_cast<double>(random_.below(1'000'000)) < share * 1e6; }
  void lose() { ++lost_; }

  World& world_;
  SeededRandom random_;
  LinkOptions options_;
  std::function<void(Message)> receive_;
  Time line_free_{}, last_arrival_{};
  bool in_burst_ = false;
  uint64_t sent_ = 0, lost_ = 0;
};

}  // namespace cardea::sim
