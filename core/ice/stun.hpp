// STUN binding requests as an ICE-lite server meets them (RFC 8489, RFC 8445 section 7.3), on libnice's STUN codec.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/drop.hpp"

namespace cardea::ice {

// What a checked binding request says.
struct BindingRequest {
  uint32_t priority = 0;
  bool use_candidate = false;
  bool controlled = false;  // the sender claims the controlled role, which is ours
};

// One per worker, for all its peers (libnice's agent state is 12.8 kB). Only answers, never asks.
class StunCodec {
public:
  StunCodec();
  ~StunCodec();
  StunCodec(const StunCodec&) = delete;
  StunCodec& operator=(const StunCodec&) = delete;

  // True if these bytes are one whole STUN message.
  static bool is_stun(Bytes datagram);
  // Our ufrag in a binding request, the part of USERNAME before the colon: whose peer it is. None if it is not a
  // binding request. Looks into the datagram; nothing is verified yet.
  static std::optional<std::string_view> local_ufrag(Bytes datagram);

  // Verifies FINGERPRINT and MESSAGE-INTEGRITY against the password that we gave out, and reads the request. The reply
  // functions answer the last request verified, from its bytes: call them before these change.
  struct Verified {
    std::optional<Drop> drop;  // malformed, bad_integrity
    BindingRequest request;
    bool unknown_attribute = false;  // one that must be understood and is not: answer with unknown_attributes()
  };
  Verified verify(Bytes datagram, std::string_view local_pwd);

  // Replies to the request last verified; the bytes are valid until the next call. Empty if it could not be built.
  Bytes success(const Address& mapped);  // XOR-MAPPED-ADDRESS: where the request came from
  Bytes error(uint16_t code);            // 400, 487 ...
  Bytes unknown_attributes();            // 420

private:
  struct Native;
  std::unique_ptr<Native> native_;
};

}  // namespace cardea::ice
