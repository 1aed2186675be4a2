// Asks for memory that is about to be used, so that it is there by then: for loops over many subscribers, each of whom
// is a handful of cache misses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cardea {

// Every cache line that these bytes touch.
inline void prefetch(const void* at, size_t bytes) {
  asm volatile("");  // else GCC takes callers that do nothing else for functions without effect, and leaves them out
  constexpr uintptr_t line = 64;
  const auto first = reinterpret_cast<uintptr_t>(at);
  for (uintptr_t one = first / line * line; one < first + bytes; one += line)
    __builtin_prefetch(reinterpret_cast<const void*>(one));
}

}  // namespace cardea
