// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1): which
// packets of a transport arrived, and when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "cardea/time.hpp"
#include "rtp/packet.hpp"

namespace cardea::rtp {

// What the far end says about one of our packets.
struct TransportStatus {
  uint16_t seq = 0;
  bool received = false;
  Duration delta{};  // since the packet received before it; for the first, since the reference time. 250 us steps
  Duration at{};     // arrival on the far end's clock, which starts anew every 12 days (24 bits of 64 ms)
};

// A feedback message whose chunks and deltas were found to be complete.
struct TransportFeedback {
  uint32_t sender_ssrc = 0;
  uint32_t media_ssrc = 0;
  uint16_t base_seq = 0;
  uint16_t status_count = 0;   // packets told of, from base_seq on
  int32_t reference_time = 0;  // 24 bits signed, in 64 ms
  uint8_t feedback_count = 0;  // of this message, wraps
  Bytes chunks, deltas;

  // Every packet told of, in order of number, lost ones too: function(const TransportStatus&).
  template <class Function>
  void for_each(Function&& function) const;

  // From the body of an RTPFB message of format 15, after the common header; none: malformed.
  static std::optional<TransportFeedback> parse(Bytes body);
};

// Walks through a feedback message; for_each() in steps.
class TransportStatusReader {
public:
  explicit TransportStatusReader(const TransportFeedback& feedback);
  std::optional<TransportStatus> next();

private:
  uint8_t symbol();  // of the next packet

  ByteReader chunks_, deltas_;
  uint16_t chunk_ = 0;
  unsigned left_in_chunk_ = 0;
  unsigned left_;
  uint16_t seq_;
  Duration at_;
};

template <class Function>
void TransportFeedback::for_each(Function&& function) const {
  TransportStatusReader reader(*this);
  while (auto status = reader.next()) function(*status);
}

// One packet that has arrived, by its widened transport-wide number.
struct TransportArrival {
  SeqNo seq = 0;
  Time at{};
};

// Appends one message about the packets from `base` on; `arrivals` are in order of number, what is missing between them
// is told as lost. Returns how many arrivals were told of: fewer than given when room ends, when more than 65,535
// numbers are spanned, or when two lie more than 8 s apart; then the next message starts at arrivals[result].seq (or at
// the first number behind the last one told). 0: nothing was written.
size_t write_transport_feedback(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t feedback_count,
                                SeqNo base, std::span<const TransportArrival> arrivals);

}  // namespace cardea::rtp
