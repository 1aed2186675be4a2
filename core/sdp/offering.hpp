// Payload types and extension ids for our offers. Within a bundle each number means one thing for the life of the
// connection (RFC 9143 section 9.1, RFC 8285 section 6), whoever said it first.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cardea/media.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::sdp {

class Numbers {
public:
  // Takes in what the m-lines agreed on so far.
  void know(const std::vector<MlinePlan>& mlines);

  // The payload of a codec, with its feedback, RTX (video) and RED (if asked for and Opus).
  PayloadPlan payload(const Codec& codec, bool red, bool transport_cc);
  // The id of an extension.
  uint8_t extension(Extension extension);

private:
  uint8_t take(const std::string& meaning, uint8_t preferred, bool is_codec);

  // state
  std::map<uint8_t, std::string> types_;  // payload type to what it means
  std::map<uint8_t, Extension> ids_;
};

}  // namespace cardea::sdp
