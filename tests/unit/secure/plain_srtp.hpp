// libsrtp as the distribution built it, with its own ciphers: what ours are measured against.
#pragma once

#include <srtp2/srtp.h>

#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "secure/cipher.hpp"
#include "secure/keys.hpp"

namespace cardea::secure {

// While one of these lives, sessions are made with libsrtp's own ciphers, and keep them.
class PlainLibsrtp {
public:
  PlainLibsrtp();
  ~PlainLibsrtp();
};

// Speaks for the peer: its local key is our remote one.
class PlainSession {
public:
  explicit PlainSession(const SrtpKeys& peers_view);
  std::vector<uint8_t> protect(std::vector<uint8_t> packet);
  std::vector<uint8_t> protect_rtcp(std::vector<uint8_t> packet);
  bool unprotect_rtcp(std::vector<uint8_t>& packet);
  bool unprotect(std::vector<uint8_t>& packet);

private:
  struct Free {
    void operator()(srtp_ctx_t* session) const { srtp_dealloc(session); }
  };
  std::unique_ptr<srtp_ctx_t, Free> in_, out_;
};

inline constexpr SrtpProfile all_profiles[] = {SrtpProfile::aead_aes_128_gcm, SrtpProfile::aead_aes_256_gcm,
                                               SrtpProfile::aes128_cm_sha1_80};

SrtpKeys random_keys(SrtpProfile profile, Random& random);
SrtpKeys swapped(const SrtpKeys& keys);
// An RTP packet; with CSRCs and a header extension where the seed says so. header_size tells where its payload begins.
std::vector<uint8_t> rtp_packet(uint16_t seq, uint32_t ssrc, size_t payload, Random& random, size_t& header_size);
std::vector<uint8_t> rtcp_packet(uint32_t ssrc, size_t size);

}  // namespace cardea::secure
