#include "media/send_stream.hpp"

#include <algorithm>

#include "rtp/ntp.hpp"

namespace cardea::media {

namespace {
constexpr Duration unknown_rtt_gap = 20ms;  // between two resends of a number, before a round trip is known
constexpr Duration max_rtt = 5s;            // more is a report block that does not tell the truth
}  // namespace

SendStream::Resent& SendStream::slot(rtp::SeqNo out) {
  if (!recently_resent_) recently_resent_ = std::make_unique<std::array<Resent, resend_slots>>();
  return (*recently_resent_)[static_cast<size_t>(out) % resend_slots];
}

bool SendStream::resend(rtp::SeqNo out, size_t bytes, Time now) {
  Resent& last = slot(out);
  // A little less than the round trip after which the far end asks again.
  const Duration gap = rtt_ ? *rtt_ * 3 / 4 : unknown_rtt_gap;
  if (last.seq == static_cast<uint16_t>(out) && now - last.at < gap) return false;
  if (resend_budget_ < static_cast<int32_t>(bytes)) return false;
  resend_budget_ -= static_cast<int32_t>(bytes);
  last = {static_cast<uint16_t>(out), now};
  ++resent_;
  return true;
}

rtp::SenderInfo SendStream::sender_info(Time now) const {
  rtp::SenderInfo info;
  info.ntp = rtp::to_ntp64(now);
  info.rtp_timestamp = timestamp_ + ticks(now - sent_at_, clock_hz_);
  info.packets = static_cast<uint32_t>(packets_);
  info.octets = static_cast<uint32_t>(octets_);
  return info;
}

void SendStream::reported(const rtp::ReportBlock& block, Time now) {
  fraction_lost_ = block.fraction_lost;
  lost_ = static_cast<uint64_t>(std::max<int32_t>(0, block.lost));
  jitter_ = block.jitter;
  const std::optional<Duration> measured = rtp::round_trip(now, block.lsr, block.dlsr);
  if (!measured || *measured > max_rtt) return;
  rtt_ = rtt_ ? (*rtt_ * 7 + *measured) / 8 : *measured;
}

Duration SendStream::jitter() const { return Duration(int64_t{jitter_} * 1'000'000'000 / clock_hz_); }

}  // namespace cardea::media
