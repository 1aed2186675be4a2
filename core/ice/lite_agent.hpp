// Answers the ICE connectivity checks of one peer and knows the path to it: an ICE-lite agent (RFC 8445 section 2.5,
// RFC 7675), always controlled, that never sends a request of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/drop.hpp"
#include "base/outbox.hpp"
#include "cardea/time.hpp"
#include "ice/stun.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::ice {

class LiteAgent {
public:
  enum class State : uint8_t {
    checking,   // no valid check yet; never times out by itself
    connected,  // there is a path
    failed,     // consent ran out; connected again with the next valid check
  };
  // Addresses of one peer that are known at a time; browsers use a handful.
  static constexpr size_t max_addresses = 16;

  // What a check changed, for the worker's table of addresses.
  struct Checked {
    std::optional<Drop> drop;        // not answered, and why; then nothing else is set
    std::optional<Address> added;    // the first valid check from there
    std::optional<Address> removed;  // forgotten, longest silent
    bool path_changed = false;       // selected() is another one now
  };

  // The codec outlives this. The peer's own credentials are not needed to answer.
  LiteAgent(StunCodec& codec, sdp::IceCredentials local, Duration consent_timeout = 15s);

  // A STUN datagram whose local ufrag is one of ours.
  Checked receive(Bytes datagram, const Address& from, Time now, Outbox& out);
  void tick(Time now);
  Time next_deadline() const;

  State state() const { return state_; }
  // Where to send: the nominated address (USE-CANDIDATE), before a nomination the first one with a valid check.
  const std::optional<Address>& selected() const { return selected_; }
  // A valid check came from there: its DTLS and SRTP may be looked at.
  bool knows(const Address& address) const;
  Time last_check() const { return last_check_; }

  // An ICE restart: the old credentials are answered until the new are used, the old path stays until then.
  void restart(sdp::IceCredentials local);
  // Those that checks may use now: one, or the new and the old during a restart.
  std::span<const sdp::IceCredentials> locals() const { return locals_; }

private:
  struct Remote {
    Address address;
    uint32_t priority = 0;
    Time checked{};          // last valid check
    Time nominated{};        // last one with USE-CANDIDATE
    bool nominates = false;  // the last one had USE-CANDIDATE
  };

  void note(const BindingRequest& request, const Address& from, Time now, Checked& checked);
  bool prefers(const Remote& candidate, Time now) const;
  Remote* find(const Address& address);

  // state
  std::optional<Address> selected_;  // first: whoever has an agent looks at it for each packet
  State state_ = State::checking;
  // given
  StunCodec& codec_;
  Duration consent_timeout_;
  // state
  std::vector<sdp::IceCredentials> locals_;  // newest first, at most two
  std::vector<Remote> remotes_;
  Time last_check_{};
};

}  // namespace cardea::ice
