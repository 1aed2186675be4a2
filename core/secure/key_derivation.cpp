#include "secure/key_derivation.hpp"

#include <algorithm>

#include "secure/evp.hpp"

namespace cardea::secure {

namespace {

enum Label : uint8_t { encryption = 0, authentication = 1, salting = 2 };

}  // namespace

SessionKeys derive_session_keys(SrtpProfile profile, Bytes master_key, Bytes master_salt) {
  auto derive = [&](Label label, MutableBytes into) {
    // RFC 3711 section 4.3.1: label || index (zero) XOR salt, then AES-CM's block counter. RFC 7714 section 11: a salt
    // of 12 bytes is followed by zeros.
    uint8_t iv[16] = {};
    std::copy(master_salt.begin(), master_salt.end(), iv);
    iv[7] = static_cast<uint8_t>(iv[7] ^ label);
    std::fill(into.begin(), into.end(), uint8_t{0});
    EvpCtr(master_key).apply(iv, into.data(), into.size(), into.data());
  };
  SessionKeys keys;
  derive(encryption, MutableBytes(keys.key).first(key_size(profile)));
  derive(salting, MutableBytes(keys.salt).first(salt_size(profile)));
  if (!is_gcm(profile)) derive(authentication, keys.auth);
  return keys;
}

}  // namespace cardea::secure
