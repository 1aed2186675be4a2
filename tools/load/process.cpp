#include "process.hpp"

#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace cardea::load {

ProcessUse process_use(int pid) {
  ProcessUse use;
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream stat(folder + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return use;
  // proc(5): the second field, in brackets, may hold anything; the 24th is rss in pages.
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string word;
  for (int field = 3; fields >> word; ++field)
    if (field == 24) use.resident_bytes = std::stoull(word) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  // To the nanosecond, with threads that are gone; the fields of stat count in ticks of 10 ms.
  clockid_t clock;
  timespec spent{};
  if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &spent) == 0)
    use.cpu_seconds = static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
  std::error_code error;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder + "/fd", error))
    ++use.descriptors;
  return use;
}

}  // namespace cardea::load
