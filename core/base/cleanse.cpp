#include "base/cleanse.hpp"

#include <openssl/crypto.h>

namespace cardea {

void cleanse(void* at, size_t size) { OPENSSL_cleanse(at, size); }

}  // namespace cardea
