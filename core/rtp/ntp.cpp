#include "rtp/ntp.hpp"

#include <algorithm>

namespace cardea::rtp {
namespace {

constexpr int64_t unix_epoch_s = 2'208'988'800;  // 1970 in NTP seconds (RFC 868)
constexpr int64_t ns_per_s = 1'000'000'000;

}  // namespace

uint64_t to_ntp64(Time time) {
  int64_t ns = time.time_since_epoch().count();
  int64_t seconds = ns / ns_per_s;
  int64_t rest = ns % ns_per_s;
  if (rest < 0) {
    rest += ns_per_s;
    --seconds;
  }
  uint64_t fraction = (static_cast<uint64_t>(rest) << 32) / ns_per_s;
  return (static_cast<uint64_t>(seconds + unix_epoch_s) << 32) | fraction;
}

Time from_ntp64(uint64_t ntp) {
  auto seconds = static_cast<int64_t>(ntp >> 32);
  if (seconds < unix_epoch_s) seconds += int64_t{1} << 32;  // the era that begins in 2036
  uint64_t ns = ((ntp & 0xffffffff) * ns_per_s + (uint64_t{1} << 31)) >> 32;
  return Time(Duration((seconds - unix_epoch_s) * ns_per_s + static_cast<int64_t>(ns)));
}

uint32_t to_compact_ntp(Duration span) {
  if (span <= Duration::zero()) return 0;
  constexpr Duration longest = std::chrono::seconds(65535);
  auto ns = static_cast<uint64_t>(std::min(span, longest).count());
  return static_cast<uint32_t>((ns << 16) / ns_per_s);
}

Duration from_compact_ntp(uint32_t span) { return Duration(static_cast<int64_t>((uint64_t{span} * ns_per_s) >> 16)); }

std::optional<Duration> round_trip(Time now, uint32_t lsr, uint32_t dlsr) {
  if (lsr == 0) return std::nullopt;
  auto units = static_cast<int32_t>(compact_ntp(now) - lsr - dlsr);
  constexpr int32_t rounding = 66;  // 1 ms: two clocks' roundings may eat up a short round trip
  if (units < -rounding) return std::nullopt;
  return from_compact_ntp(static_cast<uint32_t>(std::max(units, 0)));
}

}  // namespace cardea::rtp
