// What a value costs on its way from one thread to another, both sides' CPU time: in masses, in small groups, and one
// at a time, where waking the sleeper is everything.
#include <poll.h>

#include <ctime>
#include <thread>

#include "bench/bench.hpp"
#include "cardea/mailbox.hpp"

namespace cardea {
namespace {

double process_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// `group` values every `pause_us`; 0: as fast as they go.
double handed_over(size_t total, size_t group, long pause_us) {
  Mailbox<uint64_t> box;
  const double began = process_ns();
  std::thread reader([&] {
    std::vector<uint64_t> got;
    for (size_t taken = 0; taken < total;) {
      pollfd waiting{box.fd(), POLLIN, 0};
      poll(&waiting, 1, -1);
      box.take(got);
      taken += got.size();
    }
  });
  const timespec pause{0, pause_us * 1000};
  for (size_t sent = 0; sent < total;) {
    for (size_t i = 0; i < group && sent < total; ++i) box.post(sent++);
    if (pause_us > 0) nanosleep(&pause, nullptr);
  }
  reader.join();
  return (process_ns() - began) / static_cast<double>(total);
}

}  // namespace
}  // namespace cardea

int main() {
  using namespace cardea;
  bench::report("mailbox, as fast as it goes", handed_over(2'000'000, 1000, 0));
  bench::report("mailbox, 16 every 500 us", handed_over(16'000, 16, 500));
  bench::report("mailbox, 1 every 200 us", handed_over(2'000, 1, 200));
}
