// The RTCP of a peer connection: what the client says of our media and its own, and what we say.
#include <algorithm>
#include <array>
#include <chrono>

#include "peer/peer_connection.hpp"

namespace cardea::peer {
namespace {

// Reports are due at multiples of this, so that those of many peers share a wake-up and a system call.
using ReportGrid = std::chrono::duration<int64_t, std::ratio<1, 40>>;

}  // namespace

void PeerConnection::receive_rtcp(Datagram& datagram, Time now, Received& received, Output& out) {
  if (!srtp_) return out.drops.count(Drop::not_ready);
  size_t size = datagram.bytes.size();
  if (auto drop = srtp_->unprotect_rtcp(datagram.bytes, size)) return out.drops.count(*drop);
  feedback_.clear();
  auto malformed = rtp::read_rtcp(datagram.bytes.first(size), [&](const auto& message) { handle(message, now); });
  if (malformed) out.drops.count(*malformed);
  received.feedback = feedback_;
}

void PeerConnection::handle(const rtp::SenderReport& report, Time now) {
  note_blocks(report.blocks, now);
  auto place = ssrcs_.find(report.ssrc);
  if (!place || place->rtx) return;
  if (RtpReceiver* of = receiver(place->mline)) of->sender_report(place->substream, report.info, now);
}

void PeerConnection::handle(const rtp::ReceiverReport& report, Time now) { note_blocks(report.blocks, now); }

void PeerConnection::note_blocks(const rtp::Entries<rtp::ReportBlock>& blocks, Time now) {
  for (const rtp::ReportBlock& block : blocks)
    if (RtpSender* sender = sender_of(block.ssrc)) sender->reported(block, now);
}

RtpSender* PeerConnection::sender_of(uint32_t ssrc) {
  auto found = sender_mlines_.find(ssrc);
  return found == sender_mlines_.end() ? nullptr : sender(found->second);
}

void PeerConnection::handle(const rtp::Nack& nack, Time) {
  RtpSender* sender = sender_of(nack.media_ssrc);
  if (sender == nullptr) return;
  nack.for_each([&](uint16_t seq) {
    if (feedback_.size() < max_feedback) feedback_.push_back({Feedback::Kind::nack, sender->id().mline, seq});
  });
}

void PeerConnection::want_keyframe(uint32_t media_ssrc) {
  RtpSender* sender = sender_of(media_ssrc);
  if (sender == nullptr || feedback_.size() >= max_feedback) return;
  feedback_.push_back({Feedback::Kind::keyframe, sender->id().mline, 0});
}

void PeerConnection::handle(const rtp::Pli& pli, Time) { want_keyframe(pli.media_ssrc); }

void PeerConnection::handle(const rtp::Fir& fir, Time) {
  for (const rtp::FirEntry& entry : fir.entries) {
    RtpSender* sender = sender_of(entry.media_ssrc);
    if (sender != nullptr && sender->fir(entry.seq)) want_keyframe(entry.media_ssrc);
  }
}

// Only what was learnt from packets can be forgotten; an announced SSRC may speak again.
void PeerConnection::handle(const rtp::Bye& bye, Time) {
  for (uint32_t ssrc : bye.ssrcs) ssrcs_.forget(ssrc);
}

uint32_t PeerConnection::any_receiver_ssrc() const {
  for (const auto& receiver : receivers_) {
    if (!receiver) continue;
    for (uint8_t layer = 0; layer < RtpReceiver::max_substreams; ++layer)
      if (auto ssrc = receiver->ssrc(layer)) return *ssrc;
  }
  return 0;
}

// RFC 3550 section 6.1: a compound packet begins with a report, an empty one where there is nothing to report.
void PeerConnection::begin_rtcp(ByteWriter& out) const { rtp::write_receiver_report(out, rtcp_ssrc_, {}); }

void PeerConnection::send_rtcp(MutableBytes buffer, size_t size, Output& out) {
  const size_t sealed = srtp_->protect_rtcp(buffer, size);
  if (sealed > 0) out.datagrams.send(*path(), buffer.first(sealed));
}

void PeerConnection::send_feedback(Time now, Output& out) {
  std::array<uint8_t, rtcp_room + secure::rtcp_trailer_size> buffer;
  ByteWriter writer(MutableBytes(buffer).first(rtcp_room));
  begin_rtcp(writer);
  const size_t head = writer.size();
  for (auto& receiver : receivers_) {
    if (!receiver || receiver->next_deadline() > now) continue;
    receiver->write_feedback(writer, rtcp_ssrc_, assumed_rtt, now);
    if (writer.size() < rtcp_room / 2) continue;
    send_rtcp(buffer, writer.size(), out);
    writer = ByteWriter(MutableBytes(buffer).first(rtcp_room));
    begin_rtcp(writer);
  }
  if (writer.size() > head) send_rtcp(buffer, writer.size(), out);
}

void PeerConnection::send_transport_feedback(Time now, Output& out) {
  // Each message tells of up to a period's packets; a peer that numbers wildly gets a few messages, not many.
  for (int messages = 0; messages < 4 && twcc_.due(now); ++messages) {
    std::array<uint8_t, rtcp_room + secure::rtcp_trailer_size> buffer;
    ByteWriter writer(MutableBytes(buffer).first(rtcp_room));
    begin_rtcp(writer);
    if (!twcc_.write(writer, rtcp_ssrc_, any_receiver_ssrc(), now)) return;
    send_rtcp(buffer, writer.size(), out);
  }
}

bool PeerConnection::takes_remb() const {
  return std::any_of(plan_->mlines.begin(), plan_->mlines.end(), [](const sdp::MlinePlan& mline) {
    return receives(mline.direction) && std::any_of(mline.payloads.begin(), mline.payloads.end(),
                                                    [](const sdp::PayloadPlan& payload) { return payload.remb; });
  });
}

void PeerConnection::send_remb(Time now, Output& out) {
  std::optional<uint32_t> bitrate_bps = remb_.due(now);
  if (!bitrate_bps) return;
  std::array<uint32_t, 16> ssrcs;
  size_t count = 0;
  for (const auto& receiver : receivers_) {
    if (!receiver || receiver->kind() != MediaKind::video) continue;
    for (uint8_t layer = 0; layer < RtpReceiver::max_substreams && count < ssrcs.size(); ++layer)
      if (auto ssrc = receiver->ssrc(layer)) ssrcs[count++] = *ssrc;
  }
  if (count == 0) return;
  std::array<uint8_t, 256> buffer;
  ByteWriter writer(MutableBytes(buffer).first(buffer.size() - secure::rtcp_trailer_size));
  begin_rtcp(writer);
  rtp::write_remb(writer, rtcp_ssrc_, *bitrate_bps, std::span(ssrcs).first(count));
  if (writer.ok()) send_rtcp(buffer, writer.size(), out);
}

// A message of its own costs as much as several packets that leave in one with others.
void PeerConnection::send_with_media(rtp::PacketRef packet, size_t size, Output& out) {
  if (queue_.empty() || report_) return send_rtcp(packet->bytes, size, out);
  packet->size = static_cast<uint16_t>(srtp_->protect_rtcp(packet->bytes, size));
  packet->payload_at = 0;
  if (packet->size > 0) report_ = std::move(packet);
}

// Sender reports of what was sent, receiver reports of what came, with our CNAME: in as many packets as it takes.
void PeerConnection::send_reports(Time now, Output& out) {
  const Time next = now + report_interval * 9 / 10 + Duration(context_.random.below(report_interval.count() / 5));
  report_at_ = std::chrono::ceil<ReportGrid>(next);
  std::array<rtp::ReportBlock, 31> blocks;  // what one report holds; a peer sends fewer streams than that
  size_t count = 0;
  for (auto& receiver : receivers_)
    if (receiver) count += receiver->report(std::span(blocks).subspan(count), now, out);

  rtp::PacketRef packet = context_.packets.get();
  ByteWriter writer(MutableBytes(packet->bytes).first(rtcp_room));
  constexpr size_t one_sender = 28 + 8 + 4 + 256;  // bytes: SR and SDES with the longest CNAME
  std::span<const rtp::ReportBlock> rest = std::span(blocks).first(count);
  for (auto& sender : senders_) {
    if (!sender || !sender->open() || !sender->stats().started()) continue;
    sender->tick(out);
    rtp::write_sender_report(writer, sender->ssrc(), sender->stats().sender_info(now), rest);
    rest = {};
    rtp::write_cname(writer, sender->ssrc(), plan_->cname);
    if (writer.room() >= one_sender) continue;
    send_with_media(std::move(packet), writer.size(), out);
    packet = context_.packets.get();
    writer = ByteWriter(MutableBytes(packet->bytes).first(rtcp_room));
  }
  if (!rest.empty()) {
    rtp::write_receiver_report(writer, rtcp_ssrc_, rest);
    rtp::write_cname(writer, rtcp_ssrc_, plan_->cname);
  }
  if (writer.size() > 0 && writer.ok()) send_with_media(std::move(packet), writer.size(), out);
}

}  // namespace cardea::peer
