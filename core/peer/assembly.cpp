#include "peer/assembly.hpp"

#include <algorithm>
#include <cstring>

#include "media/rtx.hpp"
#include "rtp/opus.hpp"
#include "rtp/vp8.hpp"

namespace cardea::peer {
namespace {

constexpr uint8_t padding_bit = 0x20;  // RFC 3550 section 5.1

}  // namespace

bool Assembly::begin(const Outgoing& outgoing) {
  outgoing_ = &outgoing;
  if (outgoing.repeats && !outgoing.sender->repeats(outgoing.seq)) return false;
  header_size_ = static_cast<uint16_t>(outgoing.sender->write_header(outgoing, header_));
  if (header_size_ == 0) return false;  // cannot be: the longest header has room
  payload_size_ = static_cast<uint16_t>(outgoing.packet->payload_size() - outgoing.payload_from +
                                        (outgoing.rtx ? media::rtx_overhead : 0));
  renumbered_ = renumbers();
  return true;
}

// Does a number in the payload differ from what came in?
bool Assembly::renumbers() const {
  const rtp::Packet& packet = *outgoing_->packet;
  if (packet.codec == CodecType::vp8) {
    const media::Rewritten& fields = outgoing_->fields;
    const rtp::VideoInfo& video = packet.video;
    return (fields.picture_id >= 0 && fields.picture_id != video.picture_id) ||
           (fields.tl0_pic_idx >= 0 && fields.tl0_pic_idx != video.tl0_pic_idx) ||
           (fields.key_idx >= 0 && fields.key_idx != video.key_idx);
  }
  return packet.red && outgoing_->payload_from == 0;
}

void Assembly::renumber(MutableBytes payload) const {
  const rtp::Packet& packet = *outgoing_->packet;
  if (packet.codec != CodecType::vp8) {
    rtp::renumber_red(payload, outgoing_->sender->payload_type(packet.codec));
    return;
  }
  // A number that is not written anew stays as it came.
  const auto number = [](int anew, int as_it_came) { return std::max(anew >= 0 ? anew : as_it_came, 0); };
  const media::Rewritten& fields = outgoing_->fields;
  const rtp::VideoInfo& video = packet.video;
  rtp::write_vp8_numbers(payload, video, static_cast<uint16_t>(number(fields.picture_id, video.picture_id)),
                         static_cast<uint8_t>(number(fields.tl0_pic_idx, video.tl0_pic_idx)),
                         static_cast<uint8_t>(number(fields.key_idx, video.key_idx)));
}

void Assembly::write(uint8_t* out, uint8_t padding) const {
  std::memcpy(out, header_.data(), header_size_);
  uint8_t* at = out + header_size_;
  if (outgoing_->rtx) {
    store_u16(at, static_cast<uint16_t>(outgoing_->fields.seq));
    at += media::rtx_overhead;
  }
  const Bytes from = payload();
  std::memcpy(at, from.data(), from.size());
  if (renumbered_) renumber(MutableBytes(at, from.size()));
  if (padding == 0) return;
  out[0] |= padding_bit;
  at += from.size();
  std::memset(at, 0, padding - size_t{1});
  at[padding - 1] = padding;
}

}  // namespace cardea::peer
