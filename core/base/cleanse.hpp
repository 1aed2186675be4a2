// Erases secrets from memory when they are done with: what is freed is found again by whoever reads it.
#pragma once

#include <cstddef>
#include <type_traits>

namespace cardea {

// Is done, whatever the compiler thinks of it.
void cleanse(void* at, size_t size);

template <class Plain>
void cleanse(Plain& secret) {
  static_assert(std::is_trivially_copyable_v<Plain> && !std::is_pointer_v<Plain>);
  cleanse(&secret, sizeof secret);
}

}  // namespace cardea
