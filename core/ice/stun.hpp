// STUN binding requests as an ICE-lite server meets them (RFC 8489, RFC 8445 section 7.3): read, verified, answered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/drop.hpp"
#include "base/hmac_sha1.hpp"

namespace cardea::ice {

// What a checked binding request says.
struct BindingRequest {
  uint32_t priority = 0;  // 0 if it says none
  bool use_candidate = false;
  bool controlled = false;  // the sender claims the controlled role, which is ours
};

// Types of attributes that must be understood and are not, as they came; of many the first.
struct UnknownAttributes {
  std::array<uint16_t, 16> types{};
  size_t count = 0;
};

// One per worker, for all its peers. Only answers, never asks; allocates nothing.
class StunCodec {
public:
  // In bytes. RFC 8839 section 5.4 allows 256 to whoever gives a password out; ours are far shorter.
  static constexpr size_t max_pwd = HmacSha1::max_key;

  // True if these bytes are one whole STUN message.
  static bool is_stun(Bytes datagram);
  // Our ufrag in a binding request, the part of USERNAME before the colon: whose peer it is. None if it is not a
  // binding request. Looks into the datagram; nothing is verified yet.
  static std::optional<std::string_view> local_ufrag(Bytes datagram);

  // Verifies FINGERPRINT and MESSAGE-INTEGRITY against the password that we gave out, and reads the request; a password
  // that is empty or longer than max_pwd verifies none (malformed). The reply functions answer the last request
  // verified.
  struct Verified {
    std::optional<Drop> drop;  // malformed, bad_integrity
    BindingRequest request;
    bool unknown_attribute = false;  // one that must be understood and is not: answer with unknown_attributes()
  };
  Verified verify(Bytes datagram, std::string_view local_pwd);

  // Replies to the request last verified; the bytes are valid until the next call. Empty if the last one was refused.
  Bytes success(const Address& mapped);  // XOR-MAPPED-ADDRESS: where the request came from
  Bytes error(uint16_t code);            // 400 or 487
  Bytes unknown_attributes();            // 420

private:
  ByteWriter begin(uint16_t type);
  Bytes finish(ByteWriter& reply);

  // state
  std::optional<HmacSha1> key_;  // of the request last verified: none if it was refused
  std::array<uint8_t, 12> transaction_{};
  UnknownAttributes unknown_;
  std::array<uint8_t, 128> reply_;  // the longest has 116 bytes: a 420 that names 16 attributes
};

}  // namespace cardea::ice
