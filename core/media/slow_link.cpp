#include "media/slow_link.hpp"

#include <utility>

namespace cardea::media {

std::optional<uint32_t> SlowLink::lost(int64_t cumulative) {
  const int64_t since = cumulative - std::exchange(before_, cumulative);
  if (threshold_ == 0 || since < int64_t{threshold_}) return std::nullopt;
  return static_cast<uint32_t>(since);
}

}  // namespace cardea::media
