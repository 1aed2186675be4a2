// The time of day in this program: the one that the tests set. libusrsctp calls this instead of libc's.
#include <sys/time.h>

#include "unit/data/pair.hpp"

namespace cardea::data::test {
Time wall{1000s};
}

extern "C" __attribute__((visibility("default"))) int gettimeofday(timeval* now, void*) noexcept {
  const auto us = cardea::to_us(cardea::data::test::wall.time_since_epoch());
  now->tv_sec = us / 1'000'000;
  now->tv_usec = us % 1'000'000;
  return 0;
}
