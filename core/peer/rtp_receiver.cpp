#include "peer/rtp_receiver.hpp"

#include <algorithm>

#include "media/rtx.hpp"
#include "rtp/parse.hpp"

namespace cardea::peer {

namespace {
constexpr Duration history_check = 1s;  // how often old packets of silent streams are let go
}

RtpReceiver::RtpReceiver(ReceiverId id, const sdp::MlinePlan& plan, const PeerSettings& settings, uint32_t& streams)
    : id_(id), settings_(settings), kind_(plan.kind), streams_(streams), activity_(settings.no_media_timer) {
  apply(plan);
}

void RtpReceiver::apply(const sdp::MlinePlan& plan) {
  open_ = receives(plan.direction);
  simulcast_ = plan.rids.size() > 1 || plan.ssrcs.size() > 1;
  payloads_.clear();
  for (const sdp::PayloadPlan& one : plan.payloads)
    payloads_.push_back({one.type, one.rtx, one.red, one.codec.type, one.clock_hz, one.nack, one.pli, one.fir});
}

void RtpReceiver::update(const sdp::MlinePlan& plan, Output& out) {
  if (open_ && !receives(plan.direction)) close(out);
  apply(plan);
}

// Closing the line is told as the end of its media (seconds: 0), layer by layer where there are layers.
void RtpReceiver::close(Output& out) {
  for (uint8_t i = 0; i < max_substreams; ++i)
    if (activity_.receiving(i)) tell(i, false, 0, out);
  activity_.stop();
  for (auto& one : substreams_) one.reset();
  open_ = false;
}

RtpReceiver::Substream& RtpReceiver::substream(uint8_t index) {
  auto& slot = substreams_[std::min<size_t>(index, max_substreams - 1)];
  if (!slot) slot = std::make_unique<Substream>(settings_, ++streams_);
  return *slot;
}

const media::History* RtpReceiver::history(uint8_t index) const {
  return index < max_substreams && substreams_[index] ? &substreams_[index]->history : nullptr;
}

std::optional<uint32_t> RtpReceiver::ssrc(uint8_t index) const {
  if (index >= max_substreams || !substreams_[index] || !substreams_[index]->known) return std::nullopt;
  return substreams_[index]->ssrc;
}

const media::ReceiveStream* RtpReceiver::stream(uint8_t index) const {
  return index < max_substreams && substreams_[index] ? &substreams_[index]->stream : nullptr;
}

const RtpReceiver::Payload* RtpReceiver::payload_of(rtp::Packet& packet) const {
  for (const Payload& payload : payloads_) {
    packet.red = payload.red == packet.payload_type;
    if (payload.type == packet.payload_type || packet.red) return &payload;
  }
  return nullptr;
}

// From here on the packet is one of the original stream, whichever way it came.
std::optional<Drop> RtpReceiver::make_whole(rtp::Packet& packet, Substream& from, const StreamPlace& place) {
  auto number = static_cast<uint16_t>(packet.seq);
  packet.recovered = false;
  if (place.rtx) {
    if (!from.known) return Drop::padding;  // browsers probe the path with RTX before there is anything to repeat
    const uint8_t rtx_type = packet.payload_type;
    auto original = std::find_if(payloads_.begin(), payloads_.end(),
                                 [&](const Payload& payload) { return payload.rtx == rtx_type; });
    if (original == payloads_.end()) return Drop::unknown_payload;
    auto unwrapped = media::unwrap_rtx(packet, from.ssrc, original->type);
    if (!unwrapped) return Drop::padding;
    number = *unwrapped;
    packet.recovered = true;
  }
  const Payload* payload = payload_of(packet);
  if (payload == nullptr) return Drop::unknown_payload;
  packet.mline = id_.mline;
  packet.substream = place.substream;
  packet.stream = from.number;
  packet.codec = payload->codec;
  packet.clock_hz = payload->clock_hz == 0 ? 90000 : payload->clock_hz;
  packet.seq = packet.recovered ? from.widener.nearest(number) : from.widener.widen(number);
  return std::nullopt;
}

std::optional<Drop> RtpReceiver::receive(const rtp::PacketRef& packet, const StreamPlace& place, Time now,
                                         Output& out) {
  if (!open()) return Drop::muted;
  if (!place.rtx) {
    // Before anything is known to have restarted: what is not media must not end a stream.
    if (payload_of(*packet) == nullptr) return Drop::unknown_payload;
    Substream* existing = &substream(place.substream);
    if (existing->known && existing->ssrc != packet->ssrc) {
      substreams_[place.substream].reset();
      existing = &substream(place.substream);
    }
    existing->ssrc = packet->ssrc;
    existing->known = true;
  }
  Substream& from = substream(place.substream);
  packet->arrival = now;
  if (auto drop = make_whole(*packet, from, place)) return drop;

  if (!from.nack.arrived(packet->seq, now)) return from.nack.too_old(packet->seq) ? Drop::too_old : Drop::duplicate;
  from.stream.received(*packet);
  if (packet->recovered) note_recovery(from, packet->seq, now);
  if (activity_.received(place.substream, now)) tell(place.substream, true, 0, out);

  // A broken payload descriptor is no reason to lose the packet: end-to-end encrypted ones look like that.
  if (kind_ == MediaKind::video && packet->payload_size() > 0) {
    if (packet->extensions.dependency_descriptor.empty()) {
      rtp::describe(*packet);
    } else {
      if (!from.dependencies) from.dependencies = std::make_unique<rtp::DependencyReader>();
      rtp::describe(*packet, *from.dependencies);
    }
    if (packet->video.keyframe) {
      from.keyframes.keyframe_arrived();
      from.nack.keyframe_arrived();
    }
  } else {
    listen(*packet, out);
  }
  if (from.nack.hopeless() && kind_ == MediaKind::video) from.keyframes.request(now);
  if (muted_) return Drop::muted;
  from.history.put(packet);
  return std::nullopt;
}

void RtpReceiver::listen(const rtp::Packet& packet, Output& out) {
  if (!talk_ || !packet.extensions.audio_level) return;
  if (auto change = talk_->heard(*packet.extensions.audio_level))
    out.events.push_back(Talking{id_, change->talking, change->level});
}

void RtpReceiver::detect_talking(const std::optional<TalkDetection>& how) {
  talk_.reset();
  if (how) talk_.emplace(*how);
}

void RtpReceiver::note_recovery(Substream& from, rtp::SeqNo seq, Time now) {
  if (seq != from.probe) return;
  const Duration sample = now - from.probe_at;
  rtt_ = rtt_ ? (*rtt_ * 7 + sample) / 8 : sample;
  from.probe = -1;
}

void RtpReceiver::sender_report(uint8_t index, const rtp::SenderInfo& info, Time now) {
  if (payloads_.empty() || index >= max_substreams || !substreams_[index]) return;
  const uint32_t clock_hz = payloads_.front().clock_hz;
  substreams_[index]->stream.sender_report(info.ntp, info.rtp_timestamp, clock_hz == 0 ? 90000 : clock_hz, now);
}

void RtpReceiver::request_keyframe(int index, Time now) {
  if (kind_ != MediaKind::video || !open()) return;
  for (size_t i = 0; i < max_substreams; ++i)
    if (substreams_[i] && substreams_[i]->known && (index < 0 || static_cast<size_t>(index) == i))
      substreams_[i]->keyframes.request(now);
}

void RtpReceiver::tell(uint8_t index, bool receiving, int seconds, Output& out) const {
  out.events.push_back(MediaState{id_, simulcast() ? index : -1, receiving, seconds});
}

void RtpReceiver::tick(Time now, Output& out) {
  while (auto change = activity_.ceased(now))
    tell(change->substream, false, static_cast<int>(activity_.timeout() / 1s), out);
  if (now < expire_at_) return;
  expire_at_ = now + history_check;
  for (auto& one : substreams_)
    if (one) one->history.expire(now);
}

bool RtpReceiver::asks_for_lost() const {
  return std::any_of(payloads_.begin(), payloads_.end(), [](const Payload& payload) { return payload.nack; });
}

void RtpReceiver::write_feedback(ByteWriter& out, uint32_t our_ssrc, Duration rtt, Time now) {
  const bool nack = asks_for_lost();
  for (auto& one : substreams_) {
    if (!one || !one->known) continue;
    if (nack && one->nack.next_deadline() <= now) {
      std::span<const rtp::SeqNo> lost = one->nack.due(now, rtt_.value_or(rtt));
      // What does not fit counts as asked and comes again a round trip later.
      if (!lost.empty()) {
        rtp::write_nack(out, our_ssrc, one->ssrc, lost);
        one->probe = lost.front();
        one->probe_at = now;
      }
    }
    if (kind_ != MediaKind::video || !one->keyframes.due(now) || payloads_.empty()) continue;
    const Payload& payload = payloads_.front();
    if (payload.fir && !payload.pli)
      rtp::write_fir(out, our_ssrc, one->ssrc, ++one->fir_seq);
    else
      rtp::write_pli(out, our_ssrc, one->ssrc);
  }
}

size_t RtpReceiver::report(std::span<rtp::ReportBlock> into, Time now, Output& out) {
  size_t count = 0;
  for (auto& one : substreams_) {
    if (!one || !one->known || !one->stream.started() || count == into.size()) continue;
    into[count] = one->stream.report(now);
    into[count++].ssrc = one->ssrc;
    if (auto lost = one->slow_link.lost(one->stream.lost()))
      out.events.push_back(SlowLinkSeen{id_.peer, id_.mline, false, *lost});
  }
  return count;
}

Time RtpReceiver::next_deadline() const {
  Time deadline = activity_.next_deadline();
  const bool nack = asks_for_lost();
  for (const auto& one : substreams_) {
    if (!one) continue;
    if (nack) deadline = std::min(deadline, one->nack.next_deadline());
    deadline = std::min(deadline, one->keyframes.next_deadline());
    if (one->history.size() > 0) deadline = std::min(deadline, std::max(expire_at_, Time{} + history_check));
  }
  return deadline;
}

}  // namespace cardea::peer
