#include <algorithm>
#include <bit>

#include "rtp/rtcp.hpp"
#include "rtp/rtcp_types.hpp"

namespace cardea::rtp {
namespace {

constexpr size_t max_count = 31;  // five bits

// Begins a message of `size` bytes behind the common header, a multiple of four; false, and nothing is written, if it
// does not fit.
bool begin(ByteWriter& out, uint8_t type, size_t count, size_t size) {
  if (out.room() < 4 + size) {
    out.zeros(out.room() + 1);  // turns ok() false
    return false;
  }
  out.u8(static_cast<uint8_t>(0x80 | count));
  out.u8(type);
  out.u16(static_cast<uint16_t>(size / 4));
  return true;
}

void put_block(ByteWriter& out, const ReportBlock& block) {
  out.u32(block.ssrc);
  out.u8(block.fraction_lost);
  out.u24(static_cast<uint32_t>(std::clamp(block.lost, -0x800000, 0x7fffff)) & 0xffffff);
  out.u32(block.highest_seq);
  out.u32(block.jitter);
  out.u32(block.lsr);
  out.u32(block.dlsr);
}

template <class Number>
size_t put_nack(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, std::span<const Number> lost) {
  constexpr size_t head = 12;
  if (lost.empty() || out.room() < head + NackEntry::wire_size) return 0;
  size_t entries_at = out.size() + head, length_at = out.size() + 2;
  begin(out, rtcp_rtpfb, fmt_nack, 8);
  out.u32(sender_ssrc);
  out.u32(media_ssrc);
  size_t told = 0;
  while (told < lost.size() && out.room() >= NackEntry::wire_size) {
    auto first = static_cast<uint16_t>(lost[told++]);
    unsigned bitmap = 0;
    for (; told < lost.size(); ++told) {
      auto behind = static_cast<uint16_t>(static_cast<uint16_t>(lost[told]) - first);
      if (behind > 16) break;
      if (behind > 0) bitmap |= 1u << (behind - 1);
    }
    out.u16(first);
    out.u16(static_cast<uint16_t>(bitmap));
  }
  out.patch_u16(length_at, static_cast<uint16_t>((8 + out.size() - entries_at) / 4));
  return told;
}

}  // namespace

void write_sender_report(ByteWriter& out, uint32_t ssrc, const SenderInfo& info, std::span<const ReportBlock> blocks) {
  auto here = blocks.first(std::min(blocks.size(), max_count));
  if (!begin(out, rtcp_sr, here.size(), 24 + here.size() * ReportBlock::wire_size)) return;
  out.u32(ssrc);
  out.u64(info.ntp);
  out.u32(info.rtp_timestamp);
  out.u32(info.packets);
  out.u32(info.octets);
  for (const ReportBlock& block : here) put_block(out, block);
  if (here.size() < blocks.size()) write_receiver_report(out, ssrc, blocks.subspan(here.size()));
}

void write_receiver_report(ByteWriter& out, uint32_t ssrc, std::span<const ReportBlock> blocks) {
  do {
    auto here = blocks.first(std::min(blocks.size(), max_count));
    if (!begin(out, rtcp_rr, here.size(), 4 + here.size() * ReportBlock::wire_size)) return;
    out.u32(ssrc);
    for (const ReportBlock& block : here) put_block(out, block);
    blocks = blocks.subspan(here.size());
  } while (!blocks.empty());
}

void write_cname(ByteWriter& out, uint32_t ssrc, std::string_view cname) {
  cname = cname.substr(0, 255);
  size_t used = 4 + 2 + cname.size();
  size_t size = (used + 1 + 3) / 4 * 4;  // a zero ends the list
  if (!begin(out, rtcp_sdes, 1, size)) return;
  out.u32(ssrc);
  out.u8(sdes_cname);
  out.u8(static_cast<uint8_t>(cname.size()));
  out.put(bytes_of(cname));
  out.zeros(size - used);
}

void write_bye(ByteWriter& out, std::span<const uint32_t> ssrcs) {
  ssrcs = ssrcs.first(std::min(ssrcs.size(), max_count));
  if (!begin(out, rtcp_bye, ssrcs.size(), 4 * ssrcs.size())) return;
  for (uint32_t ssrc : ssrcs) out.u32(ssrc);
}

size_t write_nack(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, std::span<const uint16_t> lost) {
  return put_nack(out, sender_ssrc, media_ssrc, lost);
}

size_t write_nack(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, std::span<const SeqNo> lost) {
  return put_nack(out, sender_ssrc, media_ssrc, lost);
}

void write_pli(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc) {
  if (!begin(out, rtcp_psfb, fmt_pli, 8)) return;
  out.u32(sender_ssrc);
  out.u32(media_ssrc);
}

void write_fir(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t seq) {
  if (!begin(out, rtcp_psfb, fmt_fir, 16)) return;
  out.u32(sender_ssrc);
  out.u32(0);  // RFC 5104 section 4.3.1.2: the media source stands in the entry
  out.u32(media_ssrc);
  out.u8(seq);
  out.u24(0);
}

void write_remb(ByteWriter& out, uint32_t sender_ssrc, uint64_t bitrate_bps, std::span<const uint32_t> ssrcs) {
  ssrcs = ssrcs.first(std::min<size_t>(ssrcs.size(), 255));
  if (!begin(out, rtcp_psfb, fmt_application, 16 + 4 * ssrcs.size())) return;
  auto width = static_cast<unsigned>(std::bit_width(bitrate_bps));
  unsigned exponent = width > 18 ? width - 18 : 0;
  out.u32(sender_ssrc);
  out.u32(0);
  out.put(bytes_of("REMB"));
  out.u8(static_cast<uint8_t>(ssrcs.size()));
  out.u24((exponent << 18) | static_cast<uint32_t>(bitrate_bps >> exponent));
  for (uint32_t ssrc : ssrcs) out.u32(ssrc);
}

}  // namespace cardea::rtp
