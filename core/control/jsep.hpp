// The "jsep" member of a client's message: an SDP and what stands beside it.
#pragma once

#include <string>

#include "cardea/json.hpp"
#include "cardea/result.hpp"
#include "sdp/negotiation.hpp"

namespace cardea::control {

struct ClientJsep {
  bool is_offer = false;  // else an answer
  std::string sdp;
  sdp::JsepOptions options;
};

// 455: no object; 456, 467: its members; 464: neither offer nor answer.
Result<ClientJsep> read_jsep(JsonView jsep);

// Checks a "trickle" request: 456, 454 and, once a description is there to judge them by (`described`), the candidates.
// The candidates themselves are of no use here: in ICE-lite the client does the checks, and its checks tell where it
// is.
Status check_trickle(JsonView request, bool described);

}  // namespace cardea::control
