// STUN binding requests as an ICE-lite server meets them (RFC 8489, RFC 8445 section 7.3): read, verified, answered;
// and requests of our own that ask whether the peer is where a check came from.
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

// Names a request and its answer. Those of ours begin with the number of who asks.
using TransactionId = std::array<uint8_t, 12>;

// A binding request of ours, in the controlled role.
struct Ask {
  std::string_view remote_ufrag, remote_pwd, local_ufrag;
  TransactionId transaction{};
  uint64_t tie_breaker = 0;
};

// One per worker, for all its peers. Allocates nothing.
class StunCodec {
public:
  // In bytes. RFC 8839 section 5.4 allows 256 to whoever gives a password out; ours are far shorter.
  static constexpr size_t max_pwd = HmacSha1::max_key;
  // In bytes, of a request of ours: more than a peer's longest ufrag (RFC 8839 section 5.4: 256) and ours make.
  static constexpr size_t max_request = 640;

  // True if these bytes are one whole STUN message.
  static bool is_stun(Bytes datagram);
  // Our ufrag in a binding request, the part of USERNAME before the colon: whose peer it is. None if it is not a
  // binding request. Looks into the datagram; nothing is verified yet.
  static std::optional<std::string_view> local_ufrag(Bytes datagram);

  // Whose request this answers: the number that its transaction begins with. None if it is no answer. Not verified yet.
  static std::optional<uint32_t> asker(Bytes datagram);

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

  // A request of ours; the bytes are valid until the next call. Empty: a password or ufrag is longer than can be.
  Bytes request(const Ask& ask);
  // Nothing: it is the success response to that request, made by whoever knows the peer's password.
  static std::optional<Drop> verify_answer(Bytes datagram, const TransactionId& transaction,
                                           std::string_view remote_pwd);

private:
  ByteWriter begin(uint16_t type);
  Bytes finish(ByteWriter& reply);

  // state
  std::optional<HmacSha1> key_;  // of the request last verified: none if it was refused
  TransactionId transaction_{};
  UnknownAttributes unknown_;
  std::array<uint8_t, max_request> reply_;  // an answer has 116 bytes at most: a 420 that names 16 attributes
};

}  // namespace cardea::ice
