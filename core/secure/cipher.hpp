// SRTP encryption for the fan-out: one plaintext, many peers, each packet sealed from the shared plaintext straight
// into its output buffer. RFC 3711 (AES-CM, HMAC-SHA1) and RFC 7714 (AES-GCM), byte for byte what libsrtp makes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "cardea/result.hpp"
#include "secure/keys.hpp"

namespace cardea::secure {

// ipsec-mb takes the widest vectors that the processor has, or those that are named, for comparisons and to rule one
// out.
enum class CipherChoice : uint8_t { automatic, ipsec_mb, ipsec_mb_avx512, ipsec_mb_avx2, ipsec_mb_sse, evp };
// "auto", "ipsec-mb", "ipsec-mb-avx512", "ipsec-mb-avx2", "ipsec-mb-sse", "evp"
Result<CipherChoice> parse_cipher_choice(std::string_view text);

// One peer's expanded sending keys. Belongs to the engine that made it: used on its thread, gone before it.
class SendKey {
public:
  virtual ~SendKey() = default;
  SendKey(const SendKey&) = delete;
  SendKey& operator=(const SendKey&) = delete;
  SrtpProfile profile() const { return profile_; }
  size_t tag_size() const { return secure::tag_size(profile_); }

protected:
  explicit SendKey(SrtpProfile profile) : profile_(profile) {}

private:
  SrtpProfile profile_;
};

// One RTP packet to seal: out receives header, encrypted payload, tag. The payload may already stand behind the header
// in out, and the header at its begin; other overlaps are not allowed. out has room for max_tag_size behind the
// payload. The caller never uses an index twice with one key and SSRC.
struct SealJob {
  const SendKey* key;
  uint64_t index;         // 48 bits: rollover counter << 16 | sequence number
  uint32_t ssrc;          // as in the header
  const uint8_t* header;  // with CSRCs and extensions
  uint16_t header_size;
  const uint8_t* payload;
  uint16_t payload_size;  // with RTP padding, if any
  uint8_t* out;

  size_t sealed_size() const { return size_t{header_size} + payload_size + key->tag_size(); }
};

// One per worker thread.
class CipherEngine {
public:
  virtual ~CipherEngine() = default;
  // The sending keys derived from the local master key.
  virtual std::unique_ptr<SendKey> make_key(const SrtpKeys& keys) = 0;
  // Seals all jobs; profiles may be mixed. Order and size of the batch do not change the outcome, but AES-CM is only
  // fast in batches of 16 and more. Returns how many were sealed: all of them.
  virtual size_t seal(std::span<const SealJob> jobs) = 0;
  // Asks for the part of a key that sealing so many bytes needs, ahead of it (base/prefetch.hpp).
  virtual void fetch(const SendKey& key, size_t bytes) const = 0;
  virtual std::string_view name() const = 0;  // "ipsec-mb avx512", "evp"
};

// Any ipsec-mb asked for and not there is an error; automatic takes what is best.
Result<std::unique_ptr<CipherEngine>> make_cipher_engine(CipherChoice choice);

}  // namespace cardea::secure
