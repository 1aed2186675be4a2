// Statistics of one SSRC that we send: what sender reports say (RFC 3550 section 6.4.1), what the far end's report
// blocks say of it, and how much may be sent again.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "media/sequence.hpp"
#include "rtp/rtcp.hpp"

namespace cardea::media {

class SendStream {
public:
  explicit SendStream(uint32_t clock_hz = 90000) : clock_hz_(clock_hz) {}

  // A packet goes out: its payload's size, its timestamp as sent.
  void sent(size_t payload_bytes, uint32_t timestamp, Time now) {
    ++packets_;
    octets_ += payload_bytes;
    if (packets_ == 1 || later(timestamp, timestamp_)) {
      timestamp_ = timestamp;
      sent_at_ = now;
    }
    resend_budget_ = std::min(resend_budget_ + static_cast<int32_t>(payload_bytes), max_resend_budget);
  }
  // A packet that fills a hole goes out for the first time: whoever asks for it now will not have seen it yet.
  void filled(rtp::SeqNo out, Time now) { slot(out) = {static_cast<uint16_t>(out), now}; }
  // May the packet with this number be sent again? Not twice within one round trip, and in the long run not more bytes
  // than are sent at first: a NACK costs its sender little. True counts as sent again.
  bool resend(rtp::SeqNo out, size_t bytes, Time now);

  bool started() const { return packets_ > 0; }
  // For a sender report at `now`. Meaningless before the first packet.
  rtp::SenderInfo sender_info(Time now) const;
  // A report block on this SSRC.
  void reported(const rtp::ReportBlock& block, Time now);

  uint64_t packets() const { return packets_; }
  uint64_t octets() const { return octets_; }               // payload
  uint64_t resent() const { return resent_; }               // packets
  uint64_t lost() const { return lost_; }                   // as reported, cumulative
  uint8_t fraction_lost() const { return fraction_lost_; }  // of 256
  std::optional<Duration> rtt() const { return rtt_; }      // smoothed
  Duration jitter() const;                                  // at the far end

private:
  static constexpr int32_t max_resend_budget = 500'000;  // bytes: about a second of a good video
  static constexpr size_t resend_slots = 128;
  struct Resent {
    uint16_t seq = 0;
    Time at{};
  };

  Resent& slot(rtp::SeqNo out);

  // given
  uint32_t clock_hz_;
  // owned: allocated with the first loss
  std::unique_ptr<std::array<Resent, resend_slots>> recently_resent_;
  // state
  uint64_t resent_ = 0, lost_ = 0;
  std::optional<Duration> rtt_;
  uint32_t jitter_ = 0;  // timestamp units
  uint8_t fraction_lost_ = 0;
  // What each packet changes, together.
  uint64_t packets_ = 0, octets_ = 0;
  Time sent_at_{};  // the newest, and its timestamp
  uint32_t timestamp_ = 0;
  int32_t resend_budget_ = 100'000;  // bytes
};

}  // namespace cardea::media
