#include "base/random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace cardea {

void SystemRandom::fill(MutableBytes bytes) {
  while (!bytes.empty()) {
    ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();  // a kernel without randomness cannot keep a secret
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

}  // namespace cardea
