// HMAC-SHA1 (RFC 2104) as SRTP and STUN want it: the key is hashed once, then message after message, without
// allocation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace cardea {

// The state is a plain struct (OpenSSL's SHA_CTX): copying it costs less than any EVP object.
class HmacSha1 {
public:
  static constexpr size_t size = 20;     // of a digest, in bytes
  static constexpr size_t max_key = 64;  // in bytes; longer keys would have to be hashed first
  explicit HmacSha1(Bytes key);          // at most max_key: what is longer is cut
  HmacSha1(const HmacSha1&) = default;
  HmacSha1& operator=(const HmacSha1&) = default;
  ~HmacSha1();

  void start() { running_ = inner_; }  // once a message; the first one needs none
  void update(Bytes bytes);
  void finish(uint8_t* digest);  // 20 bytes
  // Finishes too. The time it takes does not tell where a wrong digest differs.
  bool matches(Bytes digest);

private:
  struct alignas(8) State {
    uint8_t bytes[96];
  };
  State inner_, outer_, running_;  // inner_ and outer_ have hashed the padded key's blocks
};

}  // namespace cardea
