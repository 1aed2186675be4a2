// What DTLS hands to SRTP: the chosen protection profile and both sides' master keys (RFC 5764 section 4.2).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/cleanse.hpp"

namespace cardea::secure {

// RFC 5764 section 4.1.2 and RFC 7714 section 14.2; the values are the wire's.
enum class SrtpProfile : uint16_t { aes128_cm_sha1_80 = 0x0001, aead_aes_128_gcm = 0x0007, aead_aes_256_gcm = 0x0008 };

constexpr bool is_gcm(SrtpProfile profile) { return profile != SrtpProfile::aes128_cm_sha1_80; }
constexpr size_t key_size(SrtpProfile profile) { return profile == SrtpProfile::aead_aes_256_gcm ? 32 : 16; }
constexpr size_t salt_size(SrtpProfile profile) { return is_gcm(profile) ? 12 : 14; }
// Bytes that SRTP adds to an RTP packet.
constexpr size_t tag_size(SrtpProfile profile) { return is_gcm(profile) ? 16 : 10; }
inline constexpr size_t max_tag_size = 16;
// Room that an RTCP packet needs behind it: tag, and the SRTCP index.
inline constexpr size_t rtcp_trailer_size = max_tag_size + 4;

constexpr std::string_view name(SrtpProfile profile) {
  switch (profile) {
  case SrtpProfile::aes128_cm_sha1_80: return "AES_CM_128_HMAC_SHA1_80";
  case SrtpProfile::aead_aes_128_gcm: return "AEAD_AES_128_GCM";
  case SrtpProfile::aead_aes_256_gcm: return "AEAD_AES_256_GCM";
  }
  return "";
}

struct SrtpKeys {
  SrtpProfile profile = SrtpProfile::aead_aes_128_gcm;
  std::array<uint8_t, 48> local{};   // master key and behind it the salt: what we send
  std::array<uint8_t, 48> remote{};  // what the peer sends

  SrtpKeys() = default;
  SrtpKeys(const SrtpKeys&) = default;
  SrtpKeys& operator=(const SrtpKeys&) = default;
  ~SrtpKeys() {
    cleanse(local);
    cleanse(remote);
  }

  Bytes local_key() const { return Bytes(local).first(key_size(profile)); }
  Bytes local_salt() const { return Bytes(local).subspan(key_size(profile), salt_size(profile)); }
};

}  // namespace cardea::secure
