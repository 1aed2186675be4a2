// Statistics of one incoming SSRC: loss, jitter and what a report block says of it (RFC 3550 sections 6.4.1, A.1, A.3,
// A.8).
#pragma once

#include <cstdint>
#include <optional>

#include "media/sequence.hpp"
#include "rtp/packet.hpp"
#include "rtp/rtcp.hpp"

namespace cardea::media {

class ReceiveStream {
public:
  // A packet that is neither a duplicate nor too old. Packets recovered by RTX do not make the loss smaller: the
  // report is on what the path did.
  void received(const rtp::Packet& packet);
  void sender_report(uint64_t ntp, uint32_t timestamp, uint32_t clock_hz, Time now);

  bool started() const { return highest_ >= 0; }
  // The next report block, but for its SSRC; the fraction is of the time since the call before.
  rtp::ReportBlock report(Time now);

  uint64_t packets() const { return packets_; }      // as sent at first, without recovered ones
  uint64_t recovered() const { return recovered_; }  // by RTX
  uint64_t bytes() const { return bytes_; }          // RTP headers and payloads, recovered ones too
  int64_t lost() const;                              // so far; falls when late packets come
  Duration jitter() const;
  // Added to a timestamp of this stream, it gives a clock that all streams of the same sender share (by its sender
  // reports): what is needed to align simulcast layers. None before a sender report.
  std::optional<uint32_t> common_offset() const { return common_offset_; }

private:
  void count_jitter(const rtp::Packet& packet);

  // state
  rtp::SeqNo first_ = -1, highest_ = -1;
  uint64_t packets_ = 0, recovered_ = 0, bytes_ = 0;
  int64_t expected_before_ = 0, received_before_ = 0;  // at the last report
  uint32_t clock_hz_ = 90000;
  uint32_t last_timestamp_ = 0;
  uint32_t jitter_16_ = 0;  // sixteenths of a timestamp unit
  Time last_arrival_{};
  uint32_t last_sr_ = 0;
  Time last_sr_at_{};
  std::optional<uint32_t> common_offset_;
};

}  // namespace cardea::media
