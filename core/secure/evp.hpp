// OpenSSL's AES in the form SRTP wants: one context per key, only the IV set anew for each packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

struct evp_cipher_ctx_st;

namespace cardea::secure {

struct FreeCipherContext {
  void operator()(evp_cipher_ctx_st* context) const;
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, FreeCipherContext>;

// AES in counter mode.
class EvpCtr {
public:
  explicit EvpCtr(Bytes key);  // 16 or 32 bytes
  void set_iv(const uint8_t* iv);
  // Continues the key stream. In and out may be the same.
  void apply(const uint8_t* in, size_t size, uint8_t* out);
  void apply(const uint8_t* iv, const uint8_t* in, size_t size, uint8_t* out) {
    set_iv(iv);
    apply(in, size, out);
  }

private:
  CipherContext context_;
};

}  // namespace cardea::secure
