// The cipher engine that runs everywhere: OpenSSL.
#include <cstring>
#include <optional>

#include "base/hmac_sha1.hpp"
#include "secure/cipher_engines.hpp"
#include "secure/evp.hpp"
#include "secure/gcm.hpp"
#include "secure/key_derivation.hpp"

namespace cardea::secure {

namespace {

class EvpKey final : public SendKey {
public:
  explicit EvpKey(const SrtpKeys& keys) : SendKey(keys.profile) {
    const SessionKeys session = derive_session_keys(keys.profile, keys.local_key(), keys.local_salt());
    salt_ = session.salt;
    Bytes key = Bytes(session.key).first(key_size(keys.profile));
    if (is_gcm(keys.profile)) {
      gcm_ = make_evp_gcm(key);
    } else {
      cm_.emplace(key);
      hmac_.emplace(session.auth);
    }
  }

  ~EvpKey() override { cleanse(salt_); }

  void seal(const SealJob& job) {
    Bytes payload(job.payload, job.payload_size);
    uint8_t* body = job.out + job.header_size;
    uint8_t* tag = body + job.payload_size;
    if (gcm_) {
      uint8_t iv[12];
      gcm_iv(salt_, job.ssrc, job.index, iv);
      gcm_->seal(iv, Bytes(job.out, job.header_size), payload, body, tag);
      return;
    }
    uint8_t iv[16], rollover[4], digest[HmacSha1::size];
    cm_iv(salt_, job.ssrc, job.index, iv);
    cm_->apply(iv, job.payload, job.payload_size, body);
    store_u32(rollover, static_cast<uint32_t>(job.index >> 16));
    hmac_->start();
    hmac_->update(Bytes(job.out, size_t{job.header_size} + job.payload_size));
    hmac_->update(rollover);
    hmac_->finish(digest);
    std::memcpy(tag, digest, tag_size());
  }

private:
  SessionSalt salt_;
  std::unique_ptr<Gcm> gcm_;
  std::optional<EvpCtr> cm_;
  std::optional<HmacSha1> hmac_;
};

class EvpEngine final : public CipherEngine {
public:
  std::unique_ptr<SendKey> make_key(const SrtpKeys& keys) override { return std::make_unique<EvpKey>(keys); }

  size_t seal(std::span<const SealJob> jobs) override {
    for (const auto& job : jobs) {
      if (job.header != job.out) std::memcpy(job.out, job.header, job.header_size);
      // Keys are the engine's own; const for all others.
      static_cast<EvpKey*>(const_cast<SendKey*>(job.key))->seal(job);
    }
    return jobs.size();
  }

  void fetch(const SendKey&, size_t) const override {}  // they are OpenSSL's, wherever it has put them
  std::string_view name() const override { return "evp"; }
};

}  // namespace

std::unique_ptr<CipherEngine> make_evp_engine() { return std::make_unique<EvpEngine>(); }

}  // namespace cardea::secure
