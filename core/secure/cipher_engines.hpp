// The implementations that make_cipher_engine() chooses from.
#pragma once

#include <memory>

#include "secure/cipher.hpp"

namespace cardea::secure {

std::unique_ptr<CipherEngine> make_evp_engine();
// None where it is not built in, or the processor cannot.
std::unique_ptr<CipherEngine> make_ipsec_mb_engine(CipherChoice choice);

}  // namespace cardea::secure
