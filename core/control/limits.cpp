#include "control/limits.hpp"

#include <algorithm>

#include "cardea/log.hpp"

namespace cardea::control {

bool Limits::may_guess(const ClientAddress& by, Secret at, Time now) {
  auto found = guesses_.find(by);
  return found == guesses_.end() || found->second.buckets[static_cast<size_t>(at)].has_one(now);
}

void Limits::guess_failed(const ClientAddress& by, Secret at, Time now) {
  guesses_[by].buckets[static_cast<size_t>(at)].take(now);
  ++failed_guesses_;
  last_guess_ = by;
}

void Limits::sweep(Time now) {
  std::erase_if(guesses_, [&](auto& one) {
    return std::all_of(std::begin(one.second.buckets), std::end(one.second.buckets),
                       [&](const TokenBucket& bucket) { return bucket.full(now); });
  });
  if (failed_guesses_ > logged_guesses_)
    log::warn("control", failed_guesses_ - logged_guesses_, " wrong secrets, pins or tokens, the last one from ",
              last_guess_.text());
  logged_guesses_ = failed_guesses_;
}

}  // namespace cardea::control
