// Why a packet was not forwarded. Every packet that comes in is forwarded or dropped by one of these names, and
// counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cardea {

enum class Drop : uint8_t {
  malformed,        // not what its first byte promised
  unknown_source,   // no peer has this address, no peer this ufrag
  bad_integrity,    // STUN MESSAGE-INTEGRITY or FINGERPRINT wrong
  not_ready,        // media or RTCP before DTLS is done
  bad_auth,         // SRTP tag wrong
  replayed,         // SRTP index seen before, or too old to tell
  unknown_ssrc,     // no m-line for it
  unknown_payload,  // payload type not negotiated
  duplicate,
  too_old,
  muted,     // by moderation, or m-line not open
  no_route,  // nobody listens
  layer,     // another layer is being forwarded
  waiting_keyframe,
  paused,
  codec,  // the sender did not negotiate this codec
  queue_full,
  ring_full,    // the other worker does not keep up
  unreachable,  // the system refused to send
  padding,      // only padding: nothing to forward
  stale_peer,   // the peer is gone
  too_large,
  address_taken,  // a check from where another peer is proven to be
};
inline constexpr size_t drop_count = 23;

constexpr std::array<std::string_view, drop_count> drop_names{
    "malformed",    "unknown_source",   "bad_integrity", "not_ready", "bad_auth",     "replayed",
    "unknown_ssrc", "unknown_payload",  "duplicate",     "too_old",   "muted",        "no_route",
    "layer",        "waiting_keyframe", "paused",        "codec",     "queue_full",   "ring_full",
    "unreachable",  "padding",          "stale_peer",    "too_large", "address_taken"};
constexpr std::string_view name(Drop drop) { return drop_names[static_cast<size_t>(drop)]; }

class Drops {
public:
  void count(Drop drop, uint64_t packets = 1) { counts_[static_cast<size_t>(drop)] += packets; }
  uint64_t operator[](Drop drop) const { return counts_[static_cast<size_t>(drop)]; }
  Drops& operator+=(const Drops& other) {
    for (size_t i = 0; i < drop_count; ++i) counts_[i] += other.counts_[i];
    return *this;
  }

private:
  std::array<uint64_t, drop_count> counts_{};
};

}  // namespace cardea
