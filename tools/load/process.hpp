// CPU time and memory of another process, from /proc.
#pragma once

#include <cstdint>

namespace cardea::load {

struct ProcessUse {
  double cpu_seconds = 0;  // user and system
  uint64_t resident_bytes = 0;
  uint32_t descriptors = 0;
};

// Zeros if there is no such process.
ProcessUse process_use(int pid);

}  // namespace cardea::load
