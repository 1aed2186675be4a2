// Makes an outgoing packet out of one that came in: the header as the subscriber's m-line numbers it, in front of RTX
// the original number (RFC 4588 section 4), the payload with the subscriber's own numbers in it, and padding. What came
// in is only read.
//
// A packet that is sent twice under one number must be the same to the last byte, for two plaintexts under one SRTP
// index give the key stream away (RFC 3711 section 9.1, RFC 7714 section 9): see repeats() of RtpSender.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "peer/outgoing.hpp"
#include "peer/rtp_sender.hpp"

namespace cardea::peer {

class Assembly {
public:
  // Writes the header. False: the packet is not to be sent any more, because its line was renegotiated since it was
  // queued. `outgoing` outlives what follows.
  bool begin(const Outgoing& outgoing);

  // Bytes of header and payload, without padding.
  size_t size() const { return header_size_ + payload_size_; }
  bool may_pad() const { return outgoing_->sender->pads(); }
  // Packets of one stream keep their order; the number tells the streams of a peer apart.
  uint32_t stream() const { return uint32_t{outgoing_->sender->id().mline} * 2 + (outgoing_->rtx ? 1 : 0); }
  uint64_t index() const { return static_cast<uint64_t>(outgoing_->seq); }  // of SRTP
  uint32_t ssrc() const { return load_u32(header_.data() + 8); }

  // Is the payload the shared packet's own, to the byte? Then header() and payload() are all.
  bool as_it_came(uint8_t padding) const { return padding == 0 && !outgoing_->rtx && !renumbered_; }
  Bytes header() const { return Bytes(header_).first(header_size_); }
  Bytes payload() const { return outgoing_->packet->payload().subspan(outgoing_->payload_from); }
  // The whole packet with so many bytes of padding, header first: size() + padding bytes.
  void write(uint8_t* out, uint8_t padding) const;

private:
  bool renumbers() const;
  void renumber(MutableBytes payload) const;

  const Outgoing* outgoing_ = nullptr;
  uint16_t header_size_ = 0;
  uint16_t payload_size_ = 0;  // with RTX's number
  bool renumbered_ = false;
  std::array<uint8_t, RtpSender::max_header> header_;
};

}  // namespace cardea::peer
