// AES-GCM with a 96-bit nonce and a 128-bit tag under one key: what the fan-out and libsrtp both use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "secure/cipher.hpp"

namespace cardea::secure {

class Gcm {
public:
  static constexpr size_t nonce_size = 12, tag_size = 16;

  virtual ~Gcm() = default;
  // Encrypts in to out (which may be the same), and writes the tag.
  virtual void seal(const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out, uint8_t* tag) = 0;
  // Decrypts; false if the tag (which may be shorter) is not right, then what out holds is to be thrown away.
  virtual bool open(const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out, Bytes tag) = 0;
};

std::unique_ptr<Gcm> make_evp_gcm(Bytes key);  // 16 or 32 bytes
// None where ipsec-mb is not built in, or the processor cannot.
std::unique_ptr<Gcm> make_ipsec_mb_gcm(CipherChoice choice, Bytes key);

}  // namespace cardea::secure
