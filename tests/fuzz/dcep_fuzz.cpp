// Feeds bytes to the DCEP parser; what it accepts must survive building and parsing again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "data/dcep.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace cardea::data;
  auto message = parse_dcep({bytes, size});
  if (!message || message->kind != DcepKind::open) return 0;
  auto again = parse_dcep(build_open(message->open));
  if (!again) std::abort();
  const cardea::DataChannel &a = message->open.channel, &b = again->open.channel;
  if (a.label != b.label || a.protocol != b.protocol || a.ordered != b.ordered ||
      a.max_retransmits != b.max_retransmits || a.max_lifetime_ms != b.max_lifetime_ms)
    std::abort();
  return 0;
}
