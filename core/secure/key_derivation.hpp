// SRTP session keys from a master key (RFC 3711 section 4.3, RFC 7714 section 11), key derivation rate zero.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "secure/keys.hpp"

namespace cardea::secure {

using SessionSalt = std::array<uint8_t, 14>;  // salt_size() of them

struct SessionKeys {
  std::array<uint8_t, 32> key{};   // key_size() of them
  std::array<uint8_t, 20> auth{};  // HMAC-SHA1, for AES-CM only
  SessionSalt salt{};

  SessionKeys() = default;
  SessionKeys(const SessionKeys&) = default;
  SessionKeys& operator=(const SessionKeys&) = default;
  ~SessionKeys() {
    cleanse(key);
    cleanse(auth);
    cleanse(salt);
  }
};

// For RTP (not RTCP).
SessionKeys derive_session_keys(SrtpProfile profile, Bytes master_key, Bytes master_salt);

// The initial vector of a packet. RFC 7714 section 8.1.
inline void gcm_iv(const SessionSalt& salt, uint32_t ssrc, uint64_t index, uint8_t iv[12]) {
  uint8_t packet[12] = {};
  store_u32(packet + 2, ssrc);
  store_u32(packet + 6, static_cast<uint32_t>(index >> 16));
  store_u16(packet + 10, static_cast<uint16_t>(index));
  for (size_t i = 0; i < 12; ++i) iv[i] = packet[i] ^ salt[i];
}

// RFC 3711 section 4.1.1.
inline void cm_iv(const SessionSalt& salt, uint32_t ssrc, uint64_t index, uint8_t iv[16]) {
  uint8_t packet[14] = {};
  store_u32(packet + 4, ssrc);
  store_u32(packet + 8, static_cast<uint32_t>(index >> 16));
  store_u16(packet + 12, static_cast<uint16_t>(index));
  for (size_t i = 0; i < 14; ++i) iv[i] = packet[i] ^ salt[i];
  iv[14] = iv[15] = 0;
}

}  // namespace cardea::secure
