// The offer/answer state of one peer connection (RFC 3264, 9429): SDP texts of the peer become the plugins' Offer and
// Answer, the plugins' plans become our SDP texts, and what both agreed on is the PeerPlan for the media worker.
//
// Used as
//   receive_offer(sdp) -> Offer to the plugin -> [renew_credentials() if Offer::ice_restart] -> answer(plan) -> plan()
//   offer(plan) -> SDP to the client -> receive_answer(sdp) -> plan(), Answer to the plugin
// An error leaves everything as it was before the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "base/random.hpp"
#include "cardea/media.hpp"
#include "cardea/result.hpp"
#include "sdp/candidate.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::sdp {

// Our side of the transport: one for all m-lines (everything is bundled).
struct LocalParameters {
  IceCredentials credentials;
  Fingerprint fingerprint;          // of our certificate, SHA-256
  std::vector<Address> candidates;  // host candidates, UDP, with the advertised ports; the best first
  bool ice_lite = true;
  std::string origin_address = "127.0.0.1";  // for o= and c= lines
  // More m-lines than this a peer may only offer where we offered so many before: each costs memory.
  size_t max_offered_mlines = 64;
};

// What stands beside the SDP in a client's jsep.
struct JsepOptions {
  bool trickle = true;
  bool e2ee = false;
  bool low_to_high_rids = false;      // "rid_order": "lmh"
  std::vector<std::string> svc_mids;  // "svc" entries that name a mid
  std::vector<size_t> svc_indices;    // "svc" entries that name an m-line index
};

class Negotiation {
public:
  // `random` outlives this; it gives SSRCs and the session id.
  Negotiation(LocalParameters local, Random& random);
  Negotiation(Negotiation&&) noexcept;
  Negotiation& operator=(Negotiation&&) noexcept;
  ~Negotiation();

  // An offer of the peer; takes the place of one not yet answered, and of an offer of ours that was not answered.
  // 465: not SDP, more m-lines than allowed, or without what a peer connection needs (credentials, fingerprint); 469: a
  // renegotiation that does not fit what was agreed on before (m-lines gone, another mid or kind at the same place).
  Result<Offer> receive_offer(std::string_view sdp, const JsepOptions& options = {});

  // Our answer to the offer received last; plan() is new afterwards. Fails (469) only if there is no such offer.
  Result<std::string> answer(const AnswerPlan& answer);

  // An offer of ours. m-lines known by mid keep their place, new ones (a new or empty mid) follow; known ones that are
  // not named are offered inactive. `restart`: the credentials to use from here on; needed if the plan wants an ICE
  // restart. plan() stays until the answer comes. May be called again before that: the newer offer counts.
  Result<std::string> offer(const OfferPlan& offer, std::optional<IceCredentials> restart = std::nullopt);

  // The peer's answer to our offer; plan() is new afterwards. 469: none is awaited, or it does not fit the offer; 465
  // as for offers.
  Result<Answer> receive_answer(std::string_view sdp, const JsepOptions& options = {});

  // Our new credentials for the answer to an offer that restarts ICE; before answer().
  void renew_credentials(IceCredentials credentials);

  bool awaiting_answer() const;  // our offer is out
  bool awaiting_plan() const;    // an offer of the peer waits for answer()
  bool established() const;      // at least one offer/answer exchange is complete
  bool e2ee() const;             // told by any jsep or plan of this peer connection: sticky
  const PeerPlan& plan() const;  // of the last complete exchange; empty before the first

  // The place of an m-line, offered or agreed on; none if the mid is unknown.
  std::optional<size_t> index_of(std::string_view mid) const;

  // Candidates that stood in the peer's last description.
  const std::vector<Candidate>& remote_candidates() const;
  // Our credentials: those of the last description we wrote or renewed.
  const IceCredentials& local_credentials() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cardea::sdp
