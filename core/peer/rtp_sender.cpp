#include "peer/rtp_sender.hpp"

#include "media/rtx.hpp"
#include "rtp/opus.hpp"

namespace cardea::peer {
namespace {

uint32_t clock_of(const sdp::MlinePlan& plan) {
  if (!plan.payloads.empty() && plan.payloads.front().clock_hz != 0) return plan.payloads.front().clock_hz;
  return plan.kind == MediaKind::audio ? 48000 : 90000;
}

// Whether the packet is the same when it is made again: whether the last one of a layer ends its picture, and gets the
// marker, depends on what was being forwarded then.
bool repeatable(const rtp::Packet& packet) { return !packet.video.end_of_layer; }

}  // namespace

RtpSender::RtpSender(SenderId id, const sdp::MlinePlan& plan, uint32_t slowlink_threshold, Random& random)
    : rtx_seq_(static_cast<rtp::SeqNo>(random.below(0x8000))), stats_(clock_of(plan)), kind_(plan.kind),
      ssrc_(plan.ssrc), rtx_ssrc_(plan.rtx_ssrc), forwarder_(plan.kind, false, random), slow_link_(slowlink_threshold),
      id_(id) {
  update(plan);
}

void RtpSender::update(const sdp::MlinePlan& plan) {
  open_ = sends(plan.direction);
  // A line that was offered inactive may get its RTX later; an SSRC in use stays.
  if (rtx_ssrc_ == 0) rtx_ssrc_ = plan.rtx_ssrc;
  if (ssrc_ == 0) ssrc_ = plan.ssrc;
  payloads_ = {};
  resends_plainly_ = false;
  for (const sdp::PayloadPlan& payload : plan.payloads) {
    Payload& ours = payloads_[static_cast<size_t>(payload.codec.type)];
    if (ours.type != none) continue;  // the first of a codec's variants is the preferred one
    ours = {payload.type, payload.rtx.value_or(none), payload.red.value_or(none)};
    if (plan.rtx_ssrc == 0) ours.rtx = none;
    if (payload.nack && ours.rtx == none) resends_plainly_ = true;
  }
  header_ = rtp::HeaderWriter(plan.extensions, plan.mid);
  same_since_ = forwarder_.next_seq();
  apply_pause();
}

std::optional<uint16_t> RtpSender::primary_of(const rtp::Packet& packet) {
  auto primary = rtp::find_primary(packet.payload());
  if (!primary) return std::nullopt;
  return static_cast<uint16_t>(primary->at);
}

std::optional<Drop> RtpSender::resend(rtp::SeqNo out, const rtp::SharedPacket& packet, Time now, SendQueue& queue) {
  const Payload& payload = payloads_[static_cast<size_t>(packet->codec)];
  if (!open_ || paused_) return Drop::paused;
  if (payload.type == none || packet->red) return Drop::codec;
  const bool as_rtx = payload.rtx != none && rtx_ssrc_ != 0;
  if (!as_rtx && (!repeats(out) || !repeatable(*packet))) return Drop::codec;
  if (queue.size() >= max_queue) return Drop::queue_full;
  auto again = forwarder_.again(out, *packet);
  if (!again) return Drop::too_old;
  if (!stats_.resend(out, packet->payload_size() + media::rtx_overhead, now)) return Drop::duplicate;
  if (as_rtx)
    queue.push_back({packet, this, *again, rtx_seq_++, payload.rtx, true, false, 0});
  else
    queue.push_back({packet, this, *again, again->seq, payload.type, false, true, 0});
  return std::nullopt;
}

size_t RtpSender::write_header(const Outgoing& outgoing, MutableBytes out) const {
  rtp::HeaderFields fields;
  fields.payload_type = outgoing.payload_type;
  fields.marker = outgoing.fields.marker;
  fields.seq = static_cast<uint16_t>(outgoing.seq);
  fields.timestamp = outgoing.fields.timestamp;
  fields.frame_offset = outgoing.fields.frame_offset;
  fields.ssrc = outgoing.rtx ? rtx_ssrc_ : ssrc_;
  if (!playout_delay_) [[likely]]
    return header_.write(out, fields, outgoing.packet->extensions);
  rtp::ExtensionValues values = outgoing.packet->extensions;
  values.playout_delay = playout_delay_;
  return header_.write(out, fields, values);
}

void RtpSender::set_source(const ReceiverId& source, bool simulcast) {
  if (source_ == source) return;
  source_ = source;
  forwarder_.switch_source(simulcast);
}

void RtpSender::take_wishes(const RtpSender& before) {
  pause(before.paused_);
  set_playout_delay(before.playout_delay_);
  forwarder_.set_layers(before.forwarder_.layers());
}

void RtpSender::pause(bool paused) {
  paused_ = paused;
  apply_pause();
}

void RtpSender::set_playout_delay(const std::optional<PlayoutDelay>& delay) {
  playout_delay_ = delay;
  same_since_ = forwarder_.next_seq();
}

void RtpSender::tick(Output& out) {
  if (auto lost = slow_link_.lost(static_cast<int64_t>(stats_.lost())))
    out.events.push_back(SlowLinkSeen{id_.peer, id_.mline, true, *lost});
}

}  // namespace cardea::peer
