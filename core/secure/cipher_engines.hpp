// The implementations that make_cipher_engine() chooses from.
#pragma once

#include <memory>

#include "secure/cipher.hpp"

namespace cardea::secure {

std::unique_ptr<CipherEngine> make_evp_engine();
std::unique_ptr<CipherEngine> make_ipsec_mb_engine();  // none where it is not built in or the CPU has no AES

}  // namespace cardea::secure
