// Answers the ICE connectivity checks of one peer and knows the path to it: an ICE-lite agent (RFC 8445 section 2.5,
// RFC 7675), always controlled. It asks back, which a lite agent need not, where a check alone must not decide: anybody
// can write the source address of a check, but only who is there can answer (RFC 8445 section 7.3.1.4).
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
#include "base/random.hpp"
#include "cardea/time.hpp"
#include "ice/stun.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::ice {

class LiteAgent {
public:
  enum class State : uint8_t {
    checking,   // no valid check yet; never times out by itself
    connected,  // there is a path
    failed,     // consent ran out; connected again with the next valid check on the path
  };
  // Addresses of one peer that are known at a time; browsers use a handful.
  static constexpr size_t max_addresses = 16;
  // An address that nobody has answered from gets so many bytes for each that came from there (RFC 9000 section 8).
  static constexpr uint64_t amplification = 3;

  // What a check or an answer changed, for the worker's table of addresses.
  struct Checked {
    std::optional<Drop> drop;        // not answered, and why; then nothing else is set
    std::optional<Address> heard;    // a valid check or answer came from there
    std::optional<Address> removed;  // forgotten, longest silent
    bool path_changed = false;       // selected() is another one now
  };

  // Who asks: `number` leads an answer back (StunCodec::asker). Codec and randomness outlive this.
  struct Self {
    StunCodec& codec;
    Random& random;
    uint32_t number = 0;
  };
  LiteAgent(Self self, sdp::IceCredentials local, sdp::IceCredentials remote, Duration consent_timeout = 15s);

  // A STUN datagram: a check whose local ufrag is one of ours, or an answer to a request of this agent.
  Checked receive(Bytes datagram, const Address& from, Time now, Outbox& out);
  void tick(Time now, Outbox& out);
  Time next_deadline() const;

  State state() const { return state_; }
  // Where to send: the nominated address (USE-CANDIDATE), before a nomination the first one with a valid check. Once
  // it is proven it gives way to a proven one only.
  const std::optional<Address>& selected() const { return selected_; }
  // The peer is where selected() says: it has answered from there, or done DTLS.
  bool proven() const { return proven_; }
  // The peer has read what was sent to selected(), and to no other address.
  void prove(Time now);
  // The path is needed: ask now.
  void hurry(Time now);

  // A valid check came from there: its DTLS and SRTP may be looked at.
  bool knows(const Address& address) const;
  // The peer has been proven to be there, and still sends from there: nobody else can be.
  bool holds(const Address& address, Time now) const;
  Time last_check() const { return last_check_; }

  // Bytes that came from the peer, besides STUN.
  void came(const Address& from, size_t size);
  // So many bytes may be sent to selected(), and are counted as sent.
  bool allows(size_t size);

  // An ICE restart: the old credentials are answered until the new are used, the old path stays until then.
  void restart(sdp::IceCredentials local);
  // The peer's credentials, where they came or changed.
  void set_remote(sdp::IceCredentials remote) { remote_ = std::move(remote); }
  // Those that checks may use now: one, or the new and the old during a restart.
  std::span<const sdp::IceCredentials> locals() const { return locals_; }

private:
  struct Remote {
    Address address;
    uint32_t priority = 0;
    Time checked{};          // last valid check
    Time nominated{};        // last one with USE-CANDIDATE
    bool nominates = false;  // the last one had USE-CANDIDATE
    uint8_t asks = 0;        // that were sent since a check began them
    std::optional<Time> proven;
    Time ask_at = never;
    TransactionId transaction{};  // of the last one
    uint64_t bytes_in = 0, bytes_out = 0;
  };

  Checked receive_answer(Bytes datagram, const Address& from, Time now);
  Remote& note(const BindingRequest& request, const Address& from, Time now, Checked& checked);
  void choose(Remote& remote, Time now, Checked& checked);
  void select(Remote& remote, Time now, Checked& checked);
  bool prefers(const Remote& candidate, Time now) const;
  void ask(Remote& remote, Time now, Outbox& out);
  static bool take_room(Remote& remote, size_t size);
  Remote* find(const Address& address);
  const Remote* find(const Address& address) const;

  // state
  std::optional<Address> selected_;  // first: whoever has an agent looks at it for each packet
  State state_ = State::checking;
  bool proven_ = false;  // selected_ is
  // given
  Self self_;
  Duration consent_timeout_;
  // state
  std::vector<sdp::IceCredentials> locals_;  // newest first, at most two
  sdp::IceCredentials remote_;               // empty: not known yet
  uint64_t tie_breaker_;
  std::vector<Remote> remotes_;
  Time last_check_{};  // on the path
};

}  // namespace cardea::ice
