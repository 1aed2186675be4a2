// The fast cipher engine (amd64): intel-ipsec-mb. AES-GCM packet by packet; AES-CM with HMAC-SHA1 in bursts, because
// SHA-1 is only fast when many packets fill the vector lanes.
#include "config.h"
#include "secure/cipher_engines.hpp"
#include "secure/gcm.hpp"

#ifndef CARDEA_IPSEC_MB

namespace cardea::secure {

std::unique_ptr<Gcm> make_ipsec_mb_gcm(CipherChoice, Bytes) { return nullptr; }
std::unique_ptr<CipherEngine> make_ipsec_mb_engine(CipherChoice) { return nullptr; }

}  // namespace cardea::secure

#else

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "base/hmac_sha1.hpp"
#include "base/prefetch.hpp"
#include "secure/key_derivation.hpp"

namespace cardea::secure {

namespace {

constexpr size_t burst = 64;
// With fewer packets than this, empty lanes cost more than OpenSSL's SHA-1 one by one (measured with SHA-NI).
constexpr size_t least_burst = 6;

struct FreeManager {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};
using Manager = std::unique_ptr<IMB_MGR, FreeManager>;

Manager make_manager(CipherChoice choice, IMB_ARCH& arch) {
  Manager manager(alloc_mb_mgr(0));
  if (!manager) return nullptr;
  switch (choice) {
  case CipherChoice::ipsec_mb_avx512: init_mb_mgr_avx512(manager.get()), arch = IMB_ARCH_AVX512; break;
  case CipherChoice::ipsec_mb_avx2: init_mb_mgr_avx2(manager.get()), arch = IMB_ARCH_AVX2; break;
  case CipherChoice::ipsec_mb_sse: init_mb_mgr_sse(manager.get()), arch = IMB_ARCH_SSE; break;
  default: init_mb_mgr_auto(manager.get(), &arch);
  }
  bool able = imb_get_errno(manager.get()) == 0 && arch >= IMB_ARCH_SSE;
  return able ? std::move(manager) : nullptr;
}

// The GCM functions keep nothing in the manager, so one serves all threads.
template <CipherChoice choice>
const IMB_MGR* shared_manager() {
  static IMB_ARCH arch = IMB_ARCH_NONE;
  static const Manager manager = make_manager(choice, arch);
  return manager.get();
}

const IMB_MGR* shared_manager(CipherChoice choice) {
  switch (choice) {
  case CipherChoice::ipsec_mb_avx512: return shared_manager<CipherChoice::ipsec_mb_avx512>();
  case CipherChoice::ipsec_mb_avx2: return shared_manager<CipherChoice::ipsec_mb_avx2>();
  case CipherChoice::ipsec_mb_sse: return shared_manager<CipherChoice::ipsec_mb_sse>();
  default: return shared_manager<CipherChoice::automatic>();
  }
}

struct GcmKey {
  GcmKey(const IMB_MGR* manager, Bytes key) {
    if (key.size() == 32) {
      manager->gcm256_pre(key.data(), &data);
      encrypt = manager->gcm256_enc;
      decrypt = manager->gcm256_dec;
    } else {
      manager->gcm128_pre(key.data(), &data);
      encrypt = manager->gcm128_enc;
      decrypt = manager->gcm128_dec;
    }
  }

  GcmKey(const GcmKey&) = delete;
  GcmKey& operator=(const GcmKey&) = delete;
  ~GcmKey() { cleanse(data); }

  void seal(const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out, uint8_t* tag) const {
    gcm_context_data context;
    encrypt(&data, &context, out, in.data(), in.size(), nonce, aad.data(), aad.size(), tag, Gcm::tag_size);
  }

  aes_gcm_enc_dec_t encrypt, decrypt;
  alignas(64) gcm_key_data data;  // the header asks for it on its own build only
};

class IpsecMbGcm final : public Gcm {
public:
  IpsecMbGcm(const IMB_MGR* manager, Bytes key) : key_(manager, key) {}

  void seal(const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out, uint8_t* tag) override {
    key_.seal(nonce, aad, in, out, tag);
  }

  bool open(const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out, Bytes tag) override {
    gcm_context_data context;
    uint8_t found[tag_size];
    key_.decrypt(&key_.data, &context, out, in.data(), in.size(), nonce, aad.data(), aad.size(), found, tag_size);
    return tag.size() <= tag_size && CRYPTO_memcmp(found, tag.data(), tag.size()) == 0;
  }

private:
  GcmKey key_;
};

// Of AES-CM with HMAC-SHA1. A packet in a burst needs the first three.
struct CmKey {
  CmKey(const IMB_MGR* manager, const SessionKeys& session) : hmac(session.auth) {
    alignas(16) uint32_t unused[4 * 15];
    IMB_AES_KEYEXP_128(manager, session.key.data(), schedule, unused);
    cleanse(unused);
    uint8_t block[IMB_SHA1_BLOCK_SIZE] = {};
    std::memcpy(block, session.auth.data(), session.auth.size());
    for (auto& byte : block) byte ^= 0x36;
    IMB_SHA1_ONE_BLOCK(manager, block, inner);
    for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
    IMB_SHA1_ONE_BLOCK(manager, block, outer);
    cleanse(block);
  }
  CmKey(const CmKey&) = delete;
  CmKey& operator=(const CmKey&) = delete;
  ~CmKey() {
    cleanse(inner);
    cleanse(outer);
    cleanse(schedule);
  }

  alignas(16) uint8_t inner[IMB_SHA1_DIGEST_SIZE_IN_BYTES];
  alignas(16) uint8_t outer[IMB_SHA1_DIGEST_SIZE_IN_BYTES];
  alignas(16) uint32_t schedule[4 * 15];
  HmacSha1 hmac;
};

class IpsecMbKey final : public SendKey {
public:
  IpsecMbKey(const IMB_MGR* manager, const SrtpKeys& keys) : SendKey(keys.profile) {
    const SessionKeys session = derive_session_keys(keys.profile, keys.local_key(), keys.local_salt());
    salt = session.salt;
    if (is_gcm(keys.profile))
      std::construct_at(&gcm, manager, Bytes(session.key).first(key_size(keys.profile)));
    else
      std::construct_at(&cm, manager, session);
  }
  IpsecMbKey(const IpsecMbKey&) = delete;
  IpsecMbKey& operator=(const IpsecMbKey&) = delete;
  ~IpsecMbKey() override {
    cleanse(salt);
    if (is_gcm(profile()))
      std::destroy_at(&gcm);
    else
      std::destroy_at(&cm);
  }

  // Asks for what is needed to seal so many bytes. Which key it is would have to be read from it, and is not: the begin
  // of both is wanted. With VAES GCM needs the round keys there, and of the hash key's powers, the lowest of which
  // stand at the end, as many as there are blocks (two more for header and lengths).
  void fetch(size_t bytes, bool vaes) const {
    constexpr size_t block = 16, round_keys = 11 * block, most = sizeof gcm.data - sizeof gcm.data.expanded_keys;
    static_assert(offsetof(CmKey, schedule) <= offsetof(GcmKey, data));
    const auto* key = reinterpret_cast<const uint8_t*>(&gcm.data);
    const size_t powers = vaes ? std::min(bytes + 4 * block, most) : 0;
    const auto before = static_cast<size_t>(key - reinterpret_cast<const uint8_t*>(this));
    prefetch(this, before + (vaes ? round_keys : sizeof gcm.data));
    prefetch(key + sizeof gcm.data - powers, powers);
  }

  SessionSalt salt{};
  union {  // by the profile
    GcmKey gcm;
    CmKey cm;
  };
};

class IpsecMbEngine final : public CipherEngine {
public:
  IpsecMbEngine(Manager manager, IMB_ARCH arch)
      : manager_(std::move(manager)), vaes_(arch == IMB_ARCH_AVX512 && (manager_->features & IMB_FEATURE_VAES) != 0) {
    switch (arch) {
    case IMB_ARCH_AVX512: name_ = "ipsec-mb avx512"; break;
    case IMB_ARCH_AVX2: name_ = "ipsec-mb avx2"; break;
    case IMB_ARCH_AVX: name_ = "ipsec-mb avx"; break;
    default: name_ = "ipsec-mb sse"; break;
    }
  }

  std::unique_ptr<SendKey> make_key(const SrtpKeys& keys) override {
    return std::make_unique<IpsecMbKey>(manager_.get(), keys);
  }

  size_t seal(std::span<const SealJob> jobs) override {
    size_t waiting = 0;
    for (const auto& job : jobs) {
      if (job.header != job.out) std::memcpy(job.out, job.header, job.header_size);
      auto* key = static_cast<IpsecMbKey*>(const_cast<SendKey*>(job.key));
      if (is_gcm(key->profile())) {
        uint8_t iv[12];
        gcm_iv(key->salt, job.ssrc, job.index, iv);
        uint8_t* body = job.out + job.header_size;
        key->gcm.seal(iv, Bytes(job.out, job.header_size), Bytes(job.payload, job.payload_size), body,
                      body + job.payload_size);
        continue;
      }
      queue(job, *key, waiting++);
      if (waiting == burst) flush(std::exchange(waiting, 0));
    }
    if (waiting > 0) flush(waiting);
    return jobs.size();
  }

  void fetch(const SendKey& key, size_t bytes) const override {
    static_cast<const IpsecMbKey&>(key).fetch(bytes, vaes_);
  }

  std::string_view name() const override { return name_; }

private:
  struct Waiting {
    IpsecMbKey* key;
    uint8_t* out;
    size_t size;
    alignas(16) uint8_t iv[16];
    uint8_t digest[IMB_SHA1_DIGEST_SIZE_IN_BYTES];
  };

  void queue(const SealJob& job, IpsecMbKey& key, size_t at) {
    Waiting& waiting = waiting_[at];
    waiting.key = &key;
    waiting.out = job.out;
    waiting.size = size_t{job.header_size} + job.payload_size;
    cm_iv(key.salt, job.ssrc, job.index, waiting.iv);
    // RFC 3711 section 4.2: the rollover counter is hashed behind the packet; the tag takes its place afterwards.
    store_u32(job.out + waiting.size, static_cast<uint32_t>(job.index >> 16));

    IMB_JOB& to = jobs_[at];
    to.src = job.payload;
    to.dst = job.out + job.header_size;
    to.cipher_start_src_offset_in_bytes = 0;
    to.msg_len_to_cipher_in_bytes = job.payload_size;
    to.iv = waiting.iv;
    to.iv_len_in_bytes = sizeof waiting.iv;
    to.enc_keys = key.cm.schedule;
    to.dec_keys = key.cm.schedule;
    to.key_len_in_bytes = 16;
    to.cipher_mode = IMB_CIPHER_CNTR;
    to.cipher_direction = IMB_DIR_ENCRYPT;
    to.chain_order = IMB_ORDER_CIPHER_HASH;
    to.hash_alg = IMB_AUTH_HMAC_SHA_1;
    to.auth_tag_output = waiting.digest;
    to.auth_tag_output_len_in_bytes = sizeof waiting.digest;
    to.u.HMAC._hashed_auth_key_xor_ipad = key.cm.inner;
    to.u.HMAC._hashed_auth_key_xor_opad = key.cm.outer;
  }

  void flush(size_t count) {
    IMB_SUBMIT_CIPHER_BURST_NOCHECK(manager_.get(), jobs_.data(), static_cast<uint32_t>(count), IMB_CIPHER_CNTR,
                                    IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
    if (count < least_burst) {
      for (size_t i = 0; i < count; ++i) {
        auto& hmac = waiting_[i].key->cm.hmac;
        hmac.start();
        hmac.update(Bytes(waiting_[i].out, waiting_[i].size + 4));
        hmac.finish(waiting_[i].digest);
      }
    } else {
      for (size_t i = 0; i < count; ++i) {
        jobs_[i].src = waiting_[i].out;
        jobs_[i].hash_start_src_offset_in_bytes = 0;
        jobs_[i].msg_len_to_hash_in_bytes = waiting_[i].size + 4;
      }
      IMB_SUBMIT_HASH_BURST_NOCHECK(manager_.get(), jobs_.data(), static_cast<uint32_t>(count), IMB_AUTH_HMAC_SHA_1);
    }
    for (size_t i = 0; i < count; ++i)
      std::memcpy(waiting_[i].out + waiting_[i].size, waiting_[i].digest, tag_size(SrtpProfile::aes128_cm_sha1_80));
  }

  // owned
  Manager manager_;
  std::string_view name_;
  bool vaes_;
  // state
  std::array<IMB_JOB, burst> jobs_{};
  std::array<Waiting, burst> waiting_{};
};

}  // namespace

std::unique_ptr<Gcm> make_ipsec_mb_gcm(CipherChoice choice, Bytes key) {
  const IMB_MGR* manager = shared_manager(choice);
  return manager == nullptr ? nullptr : std::make_unique<IpsecMbGcm>(manager, key);
}

std::unique_ptr<CipherEngine> make_ipsec_mb_engine(CipherChoice choice) {
  IMB_ARCH arch = IMB_ARCH_NONE;
  Manager manager = make_manager(choice, arch);
  return manager ? std::make_unique<IpsecMbEngine>(std::move(manager), arch) : nullptr;
}

}  // namespace cardea::secure

#endif
