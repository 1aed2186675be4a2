// What session descriptions cost: a browser's offer read, and written again.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "bench/bench.hpp"
#include "sdp/description.hpp"

namespace cardea {
namespace {

constexpr size_t operations = 500;

void measure(const std::string& name) {
  const char* source = std::getenv("top_srcdir");
  std::ifstream in(std::string(source != nullptr ? source : ".") + "/tests/unit/sdp/offers/" + name + ".sdp",
                   std::ios::binary);
  const std::string offer{std::istreambuf_iterator<char>(in), {}};
  auto parsed = sdp::parse(offer);
  if (offer.empty() || !parsed) {
    std::fprintf(stderr, "no offer %s: start this in the source folder, or set top_srcdir\n", name.c_str());
    std::exit(1);
  }
  bench::report(name + ": parse " + std::to_string(offer.size()) + " bytes", bench::measure(operations, [&] {
                  for (size_t i = 0; i < operations; ++i)
                    if (!sdp::parse(offer)) std::abort();
                }));
  bench::report(name + ": write", bench::measure(operations, [&] {
                  for (size_t i = 0; i < operations; ++i)
                    if (sdp::write(*parsed).empty()) std::abort();
                }));
}

}  // namespace
}  // namespace cardea

int main() {
  for (const char* name : {"chromium-audio-video-data", "firefox-simulcast-data", "aiortc"}) cardea::measure(name);
}
