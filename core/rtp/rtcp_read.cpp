#include <limits>

#include "rtp/rtcp.hpp"
#include "rtp/rtcp_types.hpp"

namespace cardea::rtp {
namespace {

constexpr size_t header_size = 4;
constexpr size_t feedback_head = 8;  // RFC 4585 section 6.1: SSRC of sender and of media

SenderInfo load_sender_info(ByteReader& in) {
  SenderInfo info;
  info.ntp = in.u64();
  info.rtp_timestamp = in.u32();
  info.packets = in.u32();
  info.octets = in.u32();
  return info;
}

std::optional<RtcpMessage> read_sender_report(uint8_t count, Bytes body) {
  ByteReader in(body);
  SenderReport report;
  report.ssrc = in.u32();
  report.info = load_sender_info(in);
  report.blocks = Entries<ReportBlock>(in.take(count * ReportBlock::wire_size));
  if (!in.ok()) return std::nullopt;
  return report;
}

std::optional<RtcpMessage> read_receiver_report(uint8_t count, Bytes body) {
  ByteReader in(body);
  ReceiverReport report;
  report.ssrc = in.u32();
  report.blocks = Entries<ReportBlock>(in.take(count * ReportBlock::wire_size));
  if (!in.ok()) return std::nullopt;
  return report;
}

// An exponent of 6 bits over a mantissa of 18: some of its numbers are too large for 64 bits.
std::optional<RtcpMessage> read_remb(Bytes body) {
  ByteReader in(body);
  Remb remb;
  remb.sender_ssrc = in.u32();
  in.skip(8);  // media SSRC, always 0, and "REMB"
  size_t count = in.u8();
  uint32_t packed = in.u24();
  unsigned exponent = packed >> 18;
  uint64_t mantissa = packed & 0x3ffff;
  remb.ssrcs = Entries<SsrcEntry>(in.take(count * SsrcEntry::wire_size));
  if (!in.ok() || mantissa > std::numeric_limits<uint64_t>::max() >> exponent) return std::nullopt;
  remb.bitrate_bps = mantissa << exponent;
  return remb;
}

}  // namespace

ReportBlock ReportBlock::load(const uint8_t* at) {
  ReportBlock block;
  block.ssrc = load_u32(at);
  block.fraction_lost = at[4];
  block.lost = static_cast<int32_t>(load_u32(at + 4) << 8) >> 8;
  block.highest_seq = load_u32(at + 8);
  block.jitter = load_u32(at + 12);
  block.lsr = load_u32(at + 16);
  block.dlsr = load_u32(at + 20);
  return block;
}

std::optional<RtcpMessage> RtcpReader::next() {
  while (!malformed_) {
    if (chunks_left_ > 0) {
      if (auto cname = next_cname()) return cname;
      continue;
    }
    if (rest_.empty()) return std::nullopt;
    size_t size = rest_.size() < header_size ? 0 : header_size + size_t{4} * load_u16(rest_.data() + 2);
    if (size == 0 || size > rest_.size() || rest_[0] >> 6 != 2) {
      malformed_ = true;
      break;
    }
    uint8_t first = rest_[0], type = rest_[1];
    Bytes body = rest_.subspan(header_size, size - header_size);
    rest_ = rest_.subspan(size);
    if ((first & 0x20) != 0) {  // P: the last byte tells how many are padding
      if (body.empty() || body.back() == 0 || body.back() > body.size()) {
        malformed_ = true;
        break;
      }
      body = body.first(body.size() - body.back());
    }
    if (auto message = read(type, first & 0x1f, body)) return message;
  }
  return std::nullopt;
}

std::optional<RtcpMessage> RtcpReader::read(uint8_t type, uint8_t count, Bytes body) {
  std::optional<RtcpMessage> message;
  switch (type) {
  case rtcp_sr: message = read_sender_report(count, body); break;
  case rtcp_rr: message = read_receiver_report(count, body); break;
  case rtcp_sdes:
    chunks_ = body;
    chunks_left_ = count;
    return std::nullopt;
  case rtcp_bye:
    if (body.size() >= count * SsrcEntry::wire_size)
      message = Bye{Entries<SsrcEntry>(body.first(count * SsrcEntry::wire_size))};
    break;
  case rtcp_rtpfb:
  case rtcp_psfb:
    if (body.size() >= feedback_head) return read_feedback(type, count, body);
    break;
  default: return std::nullopt;  // XR, APP and what is yet to come
  }
  malformed_ = !message;
  return message;
}

std::optional<RtcpMessage> RtcpReader::read_feedback(uint8_t type, uint8_t format, Bytes body) {
  uint32_t sender = load_u32(body.data()), media = load_u32(body.data() + 4);
  Bytes control = body.subspan(feedback_head);
  std::optional<RtcpMessage> message;
  if (type == rtcp_rtpfb && format == fmt_nack) {
    if (!control.empty() && control.size() % NackEntry::wire_size == 0)
      message = Nack{sender, media, Entries<NackEntry>(control)};
  } else if (type == rtcp_rtpfb && format == fmt_transport) {
    if (auto feedback = TransportFeedback::parse(body)) message = *feedback;
  } else if (type == rtcp_psfb && format == fmt_pli) {
    message = Pli{sender, media};
  } else if (type == rtcp_psfb && format == fmt_fir) {
    if (!control.empty() && control.size() % FirEntry::wire_size == 0)
      message = Fir{sender, Entries<FirEntry>(control)};
  } else if (type == rtcp_psfb && format == fmt_application && control.size() >= 4 &&
             text_of(control.first(4)) == "REMB") {
    message = read_remb(body);
  } else {
    return std::nullopt;
  }
  malformed_ = !message;
  return message;
}

// RFC 3550 section 6.5: an SSRC, items up to a zero byte, zeros up to the next 32-bit border.
std::optional<RtcpMessage> RtcpReader::next_cname() {
  ByteReader in(chunks_);
  Cname found{in.u32(), {}};
  for (;;) {
    uint8_t type = in.u8();
    if (type == 0) break;
    Bytes text = in.take(in.u8());
    if (type == sdes_cname) found.cname = text_of(text);
  }
  if (!in.ok()) {
    malformed_ = true;
    return std::nullopt;
  }
  size_t used = (in.position() + 3) / 4 * 4;
  chunks_ = chunks_.subspan(std::min(used, chunks_.size()));
  --chunks_left_;
  if (found.cname.empty()) return std::nullopt;
  return found;
}

}  // namespace cardea::rtp
