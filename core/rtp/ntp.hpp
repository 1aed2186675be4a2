// NTP timestamps as RTCP carries them (RFC 3550 section 4): seconds since 1900 with 32 bits of fraction, or the middle
// 32 bits of that.
#pragma once

#include <cstdint>
#include <optional>

#include "cardea/time.hpp"

namespace cardea::rtp {

uint64_t to_ntp64(Time time);
Time from_ntp64(uint64_t ntp);

// The middle 32 bits, as in LSR.
constexpr uint32_t compact_ntp(uint64_t ntp) { return static_cast<uint32_t>(ntp >> 16); }
inline uint32_t compact_ntp(Time time) { return compact_ntp(to_ntp64(time)); }

// A time span in 1/65536 s, as in DLSR; negative ones become 0, long ones the largest number.
uint32_t to_compact_ntp(Duration span);
Duration from_compact_ntp(uint32_t span);

// The round trip that a report block tells of (RFC 3550 section 6.4.1, figure 2): none without LSR, or when the numbers
// make no sense.
std::optional<Duration> round_trip(Time now, uint32_t lsr, uint32_t dlsr);

}  // namespace cardea::rtp
