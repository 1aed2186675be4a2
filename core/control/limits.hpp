// What one address may do: how many wrong secrets it may try.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "cardea/time.hpp"
#include "control/client_address.hpp"

namespace cardea::control {

// Tokens come with time, up to a depth; what is done takes one.
class TokenBucket {
public:
  // Full at first.
  TokenBucket(double per_second, double depth) : per_second_(per_second), depth_(depth), tokens_(depth) {}

  bool has_one(Time now) const { return tokens(now) >= 1; }
  bool full(Time now) const { return tokens(now) >= depth_; }
  // Whether there was one.
  bool take(Time now) {
    const double there = tokens(now);
    filled_ = now;
    tokens_ = there >= 1 ? there - 1 : there;
    return there >= 1;
  }

private:
  double tokens(Time now) const {
    return std::min(depth_, tokens_ + per_second_ * std::chrono::duration<double>(now - filled_).count());
  }

  double per_second_, depth_;
  double tokens_;
  Time filled_{};
};

// Whose secret is guessed at: whoever guesses at one does not shut others out of another.
enum class Secret { api, admin, plugin };

class Limits {
public:
  // Wrong secrets, pins and tokens. Once there were too many, none is looked at for a while, not even a right one.
  bool may_guess(const ClientAddress& by, Secret at, Time now);
  void guess_failed(const ClientAddress& by, Secret at, Time now);
  uint64_t failed_guesses() const { return failed_guesses_; }

  // Once a second: forgets the addresses of which there is nothing to remember, and logs what was refused.
  void sweep(Time now);

private:
  static constexpr double guesses_per_minute = 30;

  struct Guesses {
    TokenBucket buckets[3] = {{guesses_per_minute / 60, guesses_per_minute},
                              {guesses_per_minute / 60, guesses_per_minute},
                              {guesses_per_minute / 60, guesses_per_minute}};
  };
  std::unordered_map<ClientAddress, Guesses> guesses_;
  uint64_t failed_guesses_ = 0, logged_guesses_ = 0;
  ClientAddress last_guess_;
};

}  // namespace cardea::control
