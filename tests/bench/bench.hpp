// Measures an operation in the CPU time of this thread, so that other work on the machine does not count.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace cardea::bench {

inline double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The median of nine runs, in nanoseconds per operation; `run` does `operations` of them. One run before warms up.
template <class Run>
double measure(size_t operations, Run run) {
  run();
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    double begin = cpu_ns();
    run();
    times.push_back((cpu_ns() - begin) / static_cast<double>(operations));
  }
  std::nth_element(times.begin(), times.begin() + 4, times.end());
  return times[4];
}

// Another use of the caches: 12 MB, more than a core has of its own, so that code and tables are not in them any more.
class OtherUse {
public:
  void pass() {
    for (size_t at = 0; at < memory_.size(); at += 64) ++memory_[at];
  }

private:
  std::vector<uint8_t> memory_ = std::vector<uint8_t>(12 << 20);
};

inline void report(const std::string& what, double ns) { std::printf("%-64s %9.1f ns\n", what.c_str(), ns); }

}  // namespace cardea::bench
