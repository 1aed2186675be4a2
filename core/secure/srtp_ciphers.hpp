// Our AES and HMAC-SHA1 in the form of libsrtp's replaceable ciphers, so that nothing of NSS ever touches media.
#pragma once

#include "cardea/result.hpp"
#include "secure/cipher.hpp"

namespace cardea::secure {

// After srtp_init(). Sessions made before keep the ciphers they were made with.
Status replace_srtp_ciphers(CipherChoice choice);
bool srtp_ciphers_replaced();

}  // namespace cardea::secure
