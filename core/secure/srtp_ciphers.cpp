#include "secure/srtp_ciphers.hpp"

#include <openssl/crypto.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "base/hmac_sha1.hpp"
#include "secure/evp.hpp"
#include "secure/gcm.hpp"

namespace cardea::secure {

namespace {

constexpr int salt_and_key(int key) { return key + 14; }       // what libsrtp calls the key length of AES-CM
constexpr int gcm_salt = 12, gcm_tag = 16, short_gcm_tag = 8;  // the short one is in libsrtp's own tests

// Set once, before sessions are made.
CipherChoice choice_in_use = CipherChoice::automatic;
bool replaced = false;

std::unique_ptr<Gcm> make_gcm(Bytes key) {
  auto gcm = choice_in_use == CipherChoice::evp ? nullptr : make_ipsec_mb_gcm(choice_in_use, key);
  return gcm ? std::move(gcm) : make_evp_gcm(key);
}

// Where a packet's pieces of additional data are joined, if they are more than one (SRTCP: header and index).
thread_local uint8_t joined[2048];

// libsrtp calls set_iv, set_aad (twice for SRTCP), then encrypt and get_tag, or decrypt with the tag behind the text.
// A session has four of these, with a kilobyte of tables each that take 0.15 us to make. Those for RTP are made with
// the first packet, since many only listen or only speak; those for RTCP, of which there is little, for each packet
// anew.
struct GcmState {
  size_t key_size, tag_size;
  uint8_t key[32] = {};
  std::unique_ptr<Gcm> gcm{};
  uint8_t nonce[Gcm::nonce_size] = {};
  uint8_t tag[Gcm::tag_size] = {};
  const uint8_t* aad = nullptr;  // one piece stays where it is
  size_t aad_size = 0;

  ~GcmState() { OPENSSL_cleanse(key, sizeof key); }
  // use(Gcm&) with this key.
  template <class Use>
  auto with_cipher(Use&& use) {
    const bool rtcp = aad == joined;
    if (rtcp) return use(*make_gcm(Bytes(key, key_size)));
    if (!gcm) gcm = make_gcm(Bytes(key, key_size));
    return use(*gcm);
  }
  Bytes whole_aad() const { return {aad, aad_size}; }
  static GcmState& of(void* state) { return *static_cast<GcmState*>(state); }
};

srtp_err_status_t gcm_init(void* state, const uint8_t* key) {
  auto& self = GcmState::of(state);
  std::memcpy(self.key, key, self.key_size);
  self.gcm.reset();
  return srtp_err_status_ok;
}

srtp_err_status_t gcm_set_iv(void* state, uint8_t* iv, srtp_cipher_direction_t) {
  auto& self = GcmState::of(state);
  std::memcpy(self.nonce, iv, sizeof self.nonce);
  self.aad_size = 0;
  return srtp_err_status_ok;
}

srtp_err_status_t gcm_set_aad(void* state, const uint8_t* aad, uint32_t size) {
  auto& self = GcmState::of(state);
  if (self.aad_size == 0) {
    self.aad = aad;
    self.aad_size = size;
    return srtp_err_status_ok;
  }
  if (self.aad_size + size > sizeof joined) return srtp_err_status_bad_param;
  if (self.aad != joined) std::memcpy(joined, self.aad, self.aad_size);
  std::memcpy(joined + self.aad_size, aad, size);
  self.aad = joined;
  self.aad_size += size;
  return srtp_err_status_ok;
}

srtp_err_status_t gcm_encrypt(void* state, uint8_t* buffer, unsigned int* size) {
  auto& self = GcmState::of(state);
  self.with_cipher([&](Gcm& gcm) { gcm.seal(self.nonce, self.whole_aad(), Bytes(buffer, *size), buffer, self.tag); });
  self.aad_size = 0;
  return srtp_err_status_ok;
}

srtp_err_status_t gcm_get_tag(void* state, uint8_t* tag, uint32_t* size) {
  const auto& self = GcmState::of(state);
  std::memcpy(tag, self.tag, self.tag_size);
  *size = static_cast<uint32_t>(self.tag_size);
  return srtp_err_status_ok;
}

srtp_err_status_t gcm_decrypt(void* state, uint8_t* buffer, unsigned int* size) {
  auto& self = GcmState::of(state);
  if (*size < self.tag_size) return srtp_err_status_bad_param;
  unsigned int text = *size - static_cast<unsigned int>(self.tag_size);
  const bool right = self.with_cipher([&](Gcm& gcm) {
    return gcm.open(self.nonce, self.whole_aad(), Bytes(buffer, text), buffer, Bytes(buffer + text, self.tag_size));
  });
  self.aad_size = 0;
  if (!right) return srtp_err_status_auth_fail;
  *size = text;
  return srtp_err_status_ok;
}

// RFC 3711 section 4.1.1, without the prefix: the IV is libsrtp's XOR the salt.
struct IcmState {
  size_t key_size, tag_size;
  std::unique_ptr<EvpCtr> ctr{};
  uint8_t salt[16] = {};

  ~IcmState() { OPENSSL_cleanse(salt, sizeof salt); }
  static IcmState& of(void* state) { return *static_cast<IcmState*>(state); }
};

srtp_err_status_t icm_init(void* state, const uint8_t* key) {
  auto& self = IcmState::of(state);
  self.ctr = std::make_unique<EvpCtr>(Bytes(key, self.key_size));
  std::memcpy(self.salt, key + self.key_size, 14);
  return srtp_err_status_ok;
}

srtp_err_status_t icm_set_iv(void* state, uint8_t* iv, srtp_cipher_direction_t) {
  auto& self = IcmState::of(state);
  uint8_t counter[16];
  for (size_t i = 0; i < 16; ++i) counter[i] = self.salt[i] ^ iv[i];
  self.ctr->set_iv(counter);
  return srtp_err_status_ok;
}

srtp_err_status_t icm_crypt(void* state, uint8_t* buffer, unsigned int* size) {
  IcmState::of(state).ctr->apply(buffer, *size, buffer);
  return srtp_err_status_ok;
}

// The vectors with which libsrtp tries a cipher before taking it.

uint8_t gcm_nonce[] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
const uint8_t gcm_key[32 + gcm_salt] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                        0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                        0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
const uint8_t gcm_aad[] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                           0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
const uint8_t gcm_plain[] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26,
                             0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31,
                             0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
                             0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
const uint8_t gcm_sealed_128[] = {
    0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7, 0x84, 0xd0, 0xd4, 0x9c, 0xe3, 0xaa, 0x21,
    0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35, 0xc1, 0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e, 0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66,
    0x93, 0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05, 0x1b, 0xa3, 0x0b, 0x39, 0x6a, 0x0a, 0xac, 0x97, 0x3d,
    0x58, 0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc, 0x32, 0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47};
const uint8_t gcm_sealed_256[] = {
    0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c,
    0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d,
    0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc,
    0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};
// D. McGrew, J. Viega, "The Galois/Counter Mode of Operation", test cases 4 and 16.
const srtp_cipher_test_case_t gcm_128_test = {
    16 + gcm_salt,  gcm_key,        gcm_nonce, sizeof gcm_plain, gcm_plain, sizeof gcm_sealed_128,
    gcm_sealed_128, sizeof gcm_aad, gcm_aad,   gcm_tag,          nullptr};
const srtp_cipher_test_case_t gcm_256_test = {
    32 + gcm_salt,  gcm_key,        gcm_nonce, sizeof gcm_plain, gcm_plain, sizeof gcm_sealed_256,
    gcm_sealed_256, sizeof gcm_aad, gcm_aad,   gcm_tag,          nullptr};

uint8_t icm_iv[16] = {};
const uint8_t icm_plain[32] = {};
// RFC 3711 appendix B.2
const uint8_t icm_128_key[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
                               0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, 0xf0, 0xf1, 0xf2, 0xf3,
                               0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
const uint8_t icm_128_stream[] = {0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66, 0xb1,
                                  0x6d, 0xd9, 0x2b, 0x4e, 0xb4, 0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02,
                                  0xd0, 0xf7, 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab};
// RFC 6188 section 7.1
const uint8_t icm_256_key[] = {0x57, 0xf8, 0x2f, 0xe3, 0x61, 0x3f, 0xd1, 0x70, 0xa8, 0x5e, 0xc9, 0x3c,
                               0x40, 0xb1, 0xf0, 0x92, 0x2e, 0xc4, 0xcb, 0x0d, 0xc0, 0x25, 0xb5, 0x82,
                               0x72, 0x14, 0x7c, 0xc4, 0x38, 0x94, 0x4a, 0x98, 0xf0, 0xf1, 0xf2, 0xf3,
                               0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};
const uint8_t icm_256_stream[] = {0x92, 0xbd, 0xd2, 0x8a, 0x93, 0xc3, 0xf5, 0x25, 0x11, 0xc6, 0x77,
                                  0xd0, 0x8b, 0x55, 0x15, 0xa4, 0x9d, 0xa7, 0x1b, 0x23, 0x78, 0xa8,
                                  0x54, 0xf6, 0x70, 0x50, 0x75, 0x6d, 0xed, 0x16, 0x5b, 0xac};
const srtp_cipher_test_case_t icm_128_test = {salt_and_key(16), icm_128_key,    icm_iv, sizeof icm_plain, icm_plain,
                                              sizeof icm_plain, icm_128_stream, 0,      nullptr,          0,
                                              nullptr};
const srtp_cipher_test_case_t icm_256_test = {salt_and_key(32), icm_256_key,    icm_iv, sizeof icm_plain, icm_plain,
                                              sizeof icm_plain, icm_256_stream, 0,      nullptr,          0,
                                              nullptr};

template <class State, size_t key_size, const srtp_cipher_type_t& type>
srtp_err_status_t cipher_alloc(srtp_cipher_pointer_t* into, int key_and_salt, int tag) {
  constexpr bool gcm = std::is_same_v<State, GcmState>;
  if (key_and_salt != static_cast<int>(key_size) + (gcm ? gcm_salt : 14)) return srtp_err_status_bad_param;
  if (gcm && tag != gcm_tag && tag != short_gcm_tag) return srtp_err_status_bad_param;
  *into = new (std::nothrow) srtp_cipher_t{&type, new (std::nothrow) State{key_size, static_cast<size_t>(tag)},
                                           key_and_salt, static_cast<int>(type.id)};
  return *into != nullptr ? srtp_err_status_ok : srtp_err_status_alloc_fail;
}

template <class State>
srtp_err_status_t cipher_dealloc(srtp_cipher_pointer_t cipher) {
  delete static_cast<State*>(cipher->state);
  delete cipher;
  return srtp_err_status_ok;
}

extern const srtp_cipher_type_t gcm_128, gcm_256, icm_128, icm_256;
const srtp_cipher_type_t gcm_128 = {cipher_alloc<GcmState, 16, gcm_128>,
                                    cipher_dealloc<GcmState>,
                                    gcm_init,
                                    gcm_set_aad,
                                    gcm_encrypt,
                                    gcm_decrypt,
                                    gcm_set_iv,
                                    gcm_get_tag,
                                    "AES-128 GCM of cardea",
                                    &gcm_128_test,
                                    SRTP_AES_GCM_128};
const srtp_cipher_type_t gcm_256 = {cipher_alloc<GcmState, 32, gcm_256>,
                                    cipher_dealloc<GcmState>,
                                    gcm_init,
                                    gcm_set_aad,
                                    gcm_encrypt,
                                    gcm_decrypt,
                                    gcm_set_iv,
                                    gcm_get_tag,
                                    "AES-256 GCM of cardea",
                                    &gcm_256_test,
                                    SRTP_AES_GCM_256};
const srtp_cipher_type_t icm_128 = {cipher_alloc<IcmState, 16, icm_128>,
                                    cipher_dealloc<IcmState>,
                                    icm_init,
                                    nullptr,
                                    icm_crypt,
                                    icm_crypt,
                                    icm_set_iv,
                                    nullptr,
                                    "AES-128 counter mode of cardea",
                                    &icm_128_test,
                                    SRTP_AES_ICM_128};
const srtp_cipher_type_t icm_256 = {cipher_alloc<IcmState, 32, icm_256>,
                                    cipher_dealloc<IcmState>,
                                    icm_init,
                                    nullptr,
                                    icm_crypt,
                                    icm_crypt,
                                    icm_set_iv,
                                    nullptr,
                                    "AES-256 counter mode of cardea",
                                    &icm_256_test,
                                    SRTP_AES_ICM_256};

struct HmacState {
  std::unique_ptr<HmacSha1> hmac{};
  static HmacSha1& of(void* state) { return *static_cast<HmacState*>(state)->hmac; }
};

srtp_err_status_t hmac_init(void* state, const uint8_t* key, int size) {
  static_cast<HmacState*>(state)->hmac = std::make_unique<HmacSha1>(Bytes(key, static_cast<size_t>(size)));
  return srtp_err_status_ok;
}

srtp_err_status_t hmac_start(void* state) {
  HmacState::of(state).start();
  return srtp_err_status_ok;
}

srtp_err_status_t hmac_update(void* state, const uint8_t* bytes, int size) {
  HmacState::of(state).update(Bytes(bytes, static_cast<size_t>(size)));
  return srtp_err_status_ok;
}

srtp_err_status_t hmac_compute(void* state, const uint8_t* bytes, int size, int tag_size, uint8_t* tag) {
  if (tag_size < 0 || tag_size > static_cast<int>(HmacSha1::size)) return srtp_err_status_bad_param;
  uint8_t digest[HmacSha1::size];
  HmacState::of(state).update(Bytes(bytes, static_cast<size_t>(size)));
  HmacState::of(state).finish(digest);
  std::memcpy(tag, digest, static_cast<size_t>(tag_size));
  return srtp_err_status_ok;
}

// RFC 2202 section 3, test case 1.
const uint8_t hmac_key[20] = {0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                              0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
const uint8_t hmac_text[] = {'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e'};
const uint8_t hmac_digest[] = {0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
                               0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00};
const srtp_auth_test_case_t hmac_test = {sizeof hmac_key,    hmac_key,    sizeof hmac_text, hmac_text,
                                         sizeof hmac_digest, hmac_digest, nullptr};

srtp_err_status_t hmac_alloc(srtp_auth_pointer_t* into, int key_size, int tag_size);
srtp_err_status_t hmac_dealloc(srtp_auth_pointer_t auth) {
  delete static_cast<HmacState*>(auth->state);
  delete auth;
  return srtp_err_status_ok;
}

const srtp_auth_type_t hmac_sha1 = {hmac_alloc, hmac_dealloc,          hmac_init,  hmac_compute,  hmac_update,
                                    hmac_start, "HMAC-SHA1 of cardea", &hmac_test, SRTP_HMAC_SHA1};

srtp_err_status_t hmac_alloc(srtp_auth_pointer_t* into, int key_size, int tag_size) {
  if (key_size < 0 || key_size > static_cast<int>(HmacSha1::max_key) || tag_size < 0 ||
      tag_size > static_cast<int>(HmacSha1::size))
    return srtp_err_status_bad_param;
  *into = new (std::nothrow) srtp_auth_t{&hmac_sha1, new (std::nothrow) HmacState, tag_size, key_size, 0};
  return *into != nullptr ? srtp_err_status_ok : srtp_err_status_alloc_fail;
}

}  // namespace

Status replace_srtp_ciphers(CipherChoice choice) {
  choice_in_use = choice;
  for (const auto* type : {&gcm_128, &gcm_256, &icm_128, &icm_256})
    if (srtp_replace_cipher_type(type, type->id) != srtp_err_status_ok)
      return Error{0, std::string("libsrtp does not take ") + type->description};
  if (srtp_replace_auth_type(&hmac_sha1, hmac_sha1.id) != srtp_err_status_ok)
    return Error{0, std::string("libsrtp does not take ") + hmac_sha1.description};
  replaced = true;
  return {};
}

bool srtp_ciphers_replaced() { return replaced; }

}  // namespace cardea::secure
