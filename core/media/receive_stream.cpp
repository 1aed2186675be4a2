#include "media/receive_stream.hpp"

#include <algorithm>

#include "rtp/ntp.hpp"

namespace cardea::media {

namespace {
constexpr uint32_t jitter_sanity_s = 5;  // a larger jump is a clock that was set anew, not jitter
constexpr int32_t max_cumulative = 0x7fffff;
constexpr int32_t min_cumulative = -0x800000;
}  // namespace

void ReceiveStream::received(const rtp::Packet& packet) {
  bytes_ += packet.size;
  if (packet.recovered) {
    ++recovered_;
    return;
  }
  ++packets_;
  if (highest_ < 0) {
    first_ = highest_ = packet.seq;
    clock_hz_ = packet.clock_hz;
    last_timestamp_ = packet.timestamp;
    last_arrival_ = packet.arrival;
    return;
  }
  if (packet.seq <= highest_) return;
  highest_ = packet.seq;
  if (packet.timestamp != last_timestamp_) count_jitter(packet);
}

// RFC 3550 A.8, once a frame: packets of one frame share a timestamp, but a sender spreads them over time.
void ReceiveStream::count_jitter(const rtp::Packet& packet) {
  const uint32_t passed = ticks(packet.arrival - last_arrival_, clock_hz_);
  const auto difference = static_cast<int32_t>(passed - (packet.timestamp - last_timestamp_));
  const auto d = static_cast<uint32_t>(difference < 0 ? -int64_t{difference} : difference);
  if (d < jitter_sanity_s * clock_hz_) jitter_16_ += d - ((jitter_16_ + 8) >> 4);
  last_timestamp_ = packet.timestamp;
  last_arrival_ = packet.arrival;
}

void ReceiveStream::sender_report(uint64_t ntp, uint32_t timestamp, uint32_t clock_hz, Time now) {
  last_sr_ = rtp::compact_ntp(ntp);
  last_sr_at_ = now;
  const auto seconds = static_cast<uint32_t>(ntp >> 32);
  const uint64_t fraction = ntp & 0xffffffffu;
  common_offset_ = seconds * clock_hz + static_cast<uint32_t>((fraction * clock_hz) >> 32) - timestamp;
}

int64_t ReceiveStream::lost() const {
  if (highest_ < 0) return 0;
  return highest_ - first_ + 1 - static_cast<int64_t>(packets_);
}

Duration ReceiveStream::jitter() const { return Duration(int64_t{jitter_16_ >> 4} * 1'000'000'000 / clock_hz_); }

// RFC 3550 A.3.
rtp::ReportBlock ReceiveStream::report(Time now) {
  rtp::ReportBlock block;
  if (highest_ < 0) return block;
  const int64_t expected = highest_ - first_ + 1;
  const auto received = static_cast<int64_t>(packets_);
  const int64_t expected_since = expected - expected_before_;
  const int64_t lost_since = expected_since - (received - received_before_);
  expected_before_ = expected;
  received_before_ = received;
  if (expected_since > 0 && lost_since > 0)
    block.fraction_lost = static_cast<uint8_t>(std::min<int64_t>(255, lost_since * 256 / expected_since));
  block.lost = static_cast<int32_t>(std::clamp<int64_t>(lost(), min_cumulative, max_cumulative));
  block.highest_seq = static_cast<uint32_t>(highest_ - (first_ & ~rtp::SeqNo{0xffff}));
  block.jitter = jitter_16_ >> 4;
  block.lsr = last_sr_;
  block.dlsr = last_sr_ == 0 ? 0 : rtp::to_compact_ntp(now - last_sr_at_);
  return block;
}

}  // namespace cardea::media
