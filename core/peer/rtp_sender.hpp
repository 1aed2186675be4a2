// Media to the peer on one m-line: which packets of its source go on, under which numbers and payload types, and what
// of them is sent again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/drop.hpp"
#include "base/prefetch.hpp"
#include "base/random.hpp"
#include "media/forwarder.hpp"
#include "media/send_stream.hpp"
#include "media/slow_link.hpp"
#include "peer/outgoing.hpp"
#include "peer/output.hpp"
#include "rtp/build.hpp"
#include "rtp/packet.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::peer {

class alignas(64) RtpSender {
public:
  static constexpr size_t max_queue = 2048;  // packets of one peer in one turn
  static constexpr size_t max_header = 400;  // bytes, with the longest dependency descriptor

  // The plan is read here and in update() only. slowlink_threshold: lost packets a second, 0: no events.
  RtpSender(SenderId id, const sdp::MlinePlan& plan, uint32_t slowlink_threshold, Random& random);

  // A renegotiation of the same line under the same SSRC: the numbers go on.
  void update(const sdp::MlinePlan& plan);
  // May it go on with this plan of its line? Another kind is another line, and another SSRC has numbers of its own: a
  // new sender. A plan without SSRC is of a line that is closed.
  bool goes_on(const sdp::MlinePlan& plan) const {
    return plan.kind == kind_ && (plan.ssrc == 0 || ssrc_ == 0 || plan.ssrc == ssrc_);
  }
  // What was wished of the sender that had this place under another SSRC is wished of this one.
  void take_wishes(const RtpSender& before);

  // Each packet of the source: queued, or dropped by name.
  std::optional<Drop> forward(const rtp::SharedPacket& packet, Time now, SendQueue& queue) {
    const Payload& payload = payloads_[static_cast<size_t>(packet->codec)];
    uint16_t payload_from = 0;
    uint8_t payload_type = payload.type;
    if (payload.type == none || packet->red) [[unlikely]] {
      if (payload.type == none) return Drop::codec;
      if (payload.red != none)
        payload_type = payload.red;
      else if (auto from = primary_of(*packet))
        payload_from = *from;
      else
        return Drop::codec;
    }
    if (queue.size() >= max_queue) [[unlikely]]
      return Drop::queue_full;
    Outgoing& outgoing = queue.emplace_back();
    if (auto drop = forwarder_.forward(*packet, now, outgoing.fields)) {
      queue.pop_back();
      return drop;
    }
    outgoing.packet = packet;
    outgoing.sender = this;
    outgoing.seq = outgoing.fields.seq;
    outgoing.payload_type = payload_type;
    outgoing.payload_from = payload_from;
    stats_.sent(packet->payload_size(), outgoing.fields.timestamp, now);
    // It was late: a NACK that is on its way asks for what goes out here.
    if (outgoing.seq + 1 < forwarder_.next_seq()) [[unlikely]]
      stats_.filled(outgoing.seq, now);
    return std::nullopt;
  }

  // A packet that a NACK asks for, as origin() named it: queued as RTX, or once more as it was.
  std::optional<Drop> resend(rtp::SeqNo out, const rtp::SharedPacket& packet, Time now, SendQueue& queue);

  // The header of a queued packet. Returns its size; 0: no room.
  size_t write_header(const Outgoing& outgoing, MutableBytes out) const;
  // May a packet be sent again under its own number, because it would be written today as it was then? Two plaintexts
  // under one SRTP index would break the encryption.
  bool repeats(rtp::SeqNo out) const { return resends_plainly_ && out >= same_since_; }
  // May RTP padding be put behind its packets? Not where some may be sent again under their own numbers.
  bool pads() const { return !resends_plainly_; }

  // Asks for what forward() and write_header() of a packet touch, ahead of them (base/prefetch.hpp).
  void fetch(MediaKind kind) const {
    prefetch(reinterpret_cast<const char*>(this) + 64, 256);
    if (kind == MediaKind::video) prefetch(&forwarder_.selector(), 1);
  }

  // What comes from another receiver from now on.
  void set_source(const ReceiverId& source, bool simulcast);
  void clear_source() { source_.reset(); }
  const std::optional<ReceiverId>& source() const { return source_; }

  void pause(bool paused);
  void set_playout_delay(const std::optional<PlayoutDelay>& delay);
  // A full keyframe request (RFC 5104 section 4.3.1.2) with this number: false if it repeats the one before.
  bool fir(uint8_t seq) { return std::exchange(fir_seq_, seq) != seq; }

  // What goes on now, if it changed since it was told; a source whose layers flicker is told of ten times a second.
  std::optional<CurrentLayers> take_layers(Time now) {
    if (now < layers_told_ + layers_gap) return std::nullopt;
    std::optional<CurrentLayers> layers = forwarder_.take_change();
    if (layers) layers_told_ = now;
    return layers;
  }

  void reported(const rtp::ReportBlock& block, Time now) { stats_.reported(block, now); }
  // About once a second: loss events.
  void tick(Output& out);

  // Of a codec, without RED and RTX; what blocks inside RED are numbered with.
  uint8_t payload_type(CodecType codec) const { return payloads_[static_cast<size_t>(codec)].type; }

  const SenderId& id() const { return id_; }
  uint32_t ssrc() const { return ssrc_; }
  uint32_t rtx_ssrc() const { return rtx_ssrc_; }
  bool open() const { return open_; }
  MediaKind kind() const { return kind_; }
  media::Forwarder& forwarder() { return forwarder_; }
  const media::SendStream& stats() const { return stats_; }

private:
  static constexpr Duration layers_gap = 100ms;
  static constexpr uint8_t none = 0xff;  // payload types have seven bits
  struct Payload {
    uint8_t type = none, rtx = none, red = none;
  };
  static std::optional<uint16_t> primary_of(const rtp::Packet& packet);
  void apply_pause() { forwarder_.pause(paused_ || !open_); }

  // state. What each packet needs stands together, from the end of stats_ to the begin of forwarder_: fetch().
  rtp::SeqNo rtx_seq_;
  media::SendStream stats_;
  std::array<Payload, codec_names.size()> payloads_{};
  const MediaKind kind_;
  bool open_ = false;
  bool paused_ = false;
  bool resends_plainly_ = false;
  std::optional<PlayoutDelay> playout_delay_;
  uint32_t ssrc_, rtx_ssrc_;
  rtp::HeaderWriter header_;
  Time layers_told_{};
  media::Forwarder forwarder_;
  media::SlowLink slow_link_;
  std::optional<ReceiverId> source_;
  std::optional<uint8_t> fir_seq_;  // of the last one
  rtp::SeqNo same_since_ = 0;       // headers of packets from this number on would be written today as they were then
  // given
  const SenderId id_;
};

}  // namespace cardea::peer
