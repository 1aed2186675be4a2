// SHA_CTX is deprecated in favour of EVP_MD, which costs 100 ns more per packet.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hmac_sha1.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <new>

#include "base/cleanse.hpp"

namespace cardea {

namespace {

SHA_CTX* sha(uint8_t* state) { return std::launder(reinterpret_cast<SHA_CTX*>(state)); }

}  // namespace

HmacSha1::HmacSha1(Bytes key) {
  static_assert(sizeof(State) >= sizeof(SHA_CTX) && alignof(State) >= alignof(SHA_CTX) && max_key == SHA_CBLOCK);
  uint8_t block[SHA_CBLOCK] = {};
  std::copy_n(key.begin(), std::min<size_t>(key.size(), SHA_CBLOCK), block);
  for (auto& byte : block) byte ^= 0x36;
  SHA1_Init(new (inner_.bytes) SHA_CTX);
  SHA1_Update(sha(inner_.bytes), block, sizeof block);
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  SHA1_Init(new (outer_.bytes) SHA_CTX);
  SHA1_Update(sha(outer_.bytes), block, sizeof block);
  running_ = inner_;
  cardea::cleanse(block);
}

HmacSha1::~HmacSha1() {
  cardea::cleanse(inner_);
  cardea::cleanse(outer_);
  cardea::cleanse(running_);
}

void HmacSha1::update(Bytes bytes) {
  if (!bytes.empty()) SHA1_Update(sha(running_.bytes), bytes.data(), bytes.size());
}

void HmacSha1::finish(uint8_t* digest) {
  uint8_t inner[size];
  SHA1_Final(inner, sha(running_.bytes));
  running_ = outer_;
  SHA1_Update(sha(running_.bytes), inner, sizeof inner);
  SHA1_Final(digest, sha(running_.bytes));
}

bool HmacSha1::matches(Bytes digest) {
  uint8_t own[size];
  finish(own);
  return digest.size() == size && CRYPTO_memcmp(digest.data(), own, size) == 0;
}

}  // namespace cardea
