// What clients may have and do: by session, by address, and in all. Whoever has something holds a Share of it; it is
// given back with the Share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cardea/json.hpp"
#include "cardea/result.hpp"
#include "cardea/time.hpp"
#include "control/client_address.hpp"
#include "control/settings.hpp"

namespace cardea::control {

// Tokens come with time, up to a depth; what is done takes one.
class TokenBucket {
public:
  // Full at first. A rate of 0 never runs dry.
  TokenBucket(double per_second, double depth) : per_second_(per_second), depth_(depth), tokens_(depth) {}

  bool has_one(Time now) const { return per_second_ == 0 || tokens(now) >= 1; }
  bool full(Time now) const { return tokens(now) >= depth_; }
  // Whether there was one.
  bool take(Time now) {
    if (per_second_ == 0) return true;
    const double there = tokens(now);
    filled_ = now;
    tokens_ = there >= 1 ? there - 1 : there;
    return there >= 1;
  }

private:
  double tokens(Time now) const {
    const Duration passed = std::max(now - filled_, Duration::zero());
    return std::min(depth_, tokens_ + per_second_ * std::chrono::duration<double>(passed).count());
  }

  double per_second_, depth_;
  double tokens_;
  Time filled_{};
};

enum class Counted : uint8_t { sessions, handles, peers, mlines };
inline constexpr std::array<const char*, 4> counted_names{"sessions", "handles", "peers", "mlines"};
using Usage = std::array<uint32_t, counted_names.size()>;

// Whose secret is guessed at: whoever guesses at one does not shut others out of another.
enum class Secret : uint8_t { api, admin, plugin };

class Limits {
  // What is known of an address. It stays while something of it is in use, or a bucket is not full.
  struct Address {
    bool exempt = false;
    Usage used{};
    TokenBucket requests;
    std::array<TokenBucket, 3> guesses;  // by Secret
  };

public:
  static constexpr size_t max_addresses = 100'000;  // beyond it, newcomers share the bounds of one
  static constexpr double burst_seconds = 5;        // of requests that may come at once

  explicit Limits(const LimitSettings& settings);
  Limits(const Limits&) = delete;
  Limits& operator=(const Limits&) = delete;

  // What one session or handle has.
  class Share {
  public:
    // `session`: the usage of the session that it belongs to.
    Share(Limits& limits, const ClientAddress& address, Usage& session)
        : limits_(limits), address_(limits.at(address)), session_(session) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() {
      for (size_t i = 0; i < own_.size(); ++i) resize(i, 0);
    }

    // Has that many from now on. An error, and nothing changes, if these are more than before and too many.
    Status set(Counted what, size_t count);
    size_t get(Counted what) const { return own_[static_cast<size_t>(what)]; }

  private:
    void resize(size_t what, uint32_t count);

    Limits& limits_;
    Address& address_;
    Usage& session_;
    Usage own_{};
  };

  // A request of a session, or of none yet. 490: too many in a short time.
  Status request(const ClientAddress& by, TokenBucket* session, Time now);
  TokenBucket requests_of_session() const {
    return {static_cast<double>(settings_.requests_per_session), settings_.requests_per_session * burst_seconds};
  }

  // Wrong secrets, pins and tokens. Once there were too many, none is looked at for a while, not even a right one.
  bool may_guess(const ClientAddress& by, Secret at, Time now);
  void guess_failed(const ClientAddress& by, Secret at, Time now);

  // Forgets the addresses of which there is nothing to remember, and logs what was refused since the last call.
  void sweep(Time now);
  // For the admin API: what is in use, and how often something was refused.
  Json describe() const;

private:
  struct Bound {
    uint32_t per_session, per_address, in_all;
  };
  Bound bound(size_t what) const;
  Address& at(const ClientAddress& address);

  struct Refusals {
    std::array<uint64_t, counted_names.size()> counted{};
    uint64_t requests = 0, guesses = 0, failed_guesses = 0;
    bool operator==(const Refusals&) const = default;
  };

  // given
  const LimitSettings& settings_;
  std::vector<Network> exempt_;
  // state
  std::unordered_map<ClientAddress, Address> addresses_;  // a Share points into it
  Usage used_{};
  Refusals refused_, logged_;
  ClientAddress last_refused_;
};

}  // namespace cardea::control
