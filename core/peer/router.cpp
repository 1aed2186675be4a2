#include "peer/router.hpp"

#include <algorithm>
#include <utility>

#include "base/prefetch.hpp"

namespace cardea::peer {
namespace {

constexpr Duration upstream_gap = 100ms;  // between two requests for one mirrored layer; the owner merges further

}  // namespace

Router::Router(PeerTable& peers, uint16_t own, Duration history_age)
    : peers_(peers), own_(own), history_age_(std::max<Duration>(history_age, 1s)) {}

bool Router::forward(ReceiverId from, SenderId to, Time now) {
  PeerConnection* peer = peers_.find(to.peer);
  RtpSender* sender = peer == nullptr ? nullptr : peer->sender(to.mline);
  if (sender == nullptr) return false;
  const bool local = from.peer.worker == own_;
  PeerConnection* source = local ? peers_.find(from.peer) : nullptr;
  if (local && (source == nullptr || from.mline >= source->plan().mlines.size())) return false;
  if (sender->source() != from) {
    take_from_row(*sender);
    const RtpReceiver* receiver = local ? source->receiver(from.mline) : nullptr;
    sender->set_source(from, receiver != nullptr && receiver->simulcast());
    Row& row = rows_[from];
    if (!local && !row.mirrored) row.mirrored = std::make_unique<Mirrored>();
    row.sinks.push_back({sender, peer});
  }
  if (sender->kind() == MediaKind::video)
    request_keyframe(from, sender->forwarder().wants_keyframe().value_or(-1), now);
  return true;
}

bool Router::stop_forward(SenderId to) {
  PeerConnection* peer = peers_.find(to.peer);
  RtpSender* sender = peer == nullptr ? nullptr : peer->sender(to.mline);
  if (sender == nullptr) return false;
  stop(*sender);
  return true;
}

void Router::stop(RtpSender& sender) {
  take_from_row(sender);
  sender.clear_source();
}

void Router::take_from_row(RtpSender& sender) {
  if (!sender.source()) return;
  const ReceiverId from = *sender.source();
  auto row = rows_.find(from);
  if (row == rows_.end()) return;
  std::erase_if(row->second.sinks, [&](const Sink& sink) { return sink.sender == &sender; });
  drop_if_empty(from);
}

void Router::drop_if_empty(ReceiverId from) {
  auto row = rows_.find(from);
  if (row != rows_.end() && row->second.sinks.empty() && row->second.mirrors.empty()) rows_.erase(row);
}

bool Router::mirror(ReceiverId from, uint16_t to_worker, bool on) {
  if (to_worker == own_) return false;
  if (!on) {
    auto row = rows_.find(from);
    if (row == rows_.end()) return false;
    std::erase(row->second.mirrors, to_worker);
    drop_if_empty(from);
    return true;
  }
  const PeerConnection* source = peers_.find(from.peer);
  if (source == nullptr || from.mline >= source->plan().mlines.size()) return false;
  std::vector<uint16_t>& mirrors = rows_[from].mirrors;
  if (std::find(mirrors.begin(), mirrors.end(), to_worker) == mirrors.end()) mirrors.push_back(to_worker);
  return true;
}

void Router::close(PeerConnection& peer) {
  for (const auto& sender : peer.senders())
    if (sender) stop(*sender);
  for (uint16_t i = 0; i < peer.plan().mlines.size(); ++i) drop_row({peer.id(), i});
  std::erase(waiting_, &peer);
}

void Router::drop_row(ReceiverId from) {
  auto row = rows_.find(from);
  if (row == rows_.end()) return;
  for (const Sink& sink : row->second.sinks) sink.sender->clear_source();
  rows_.erase(row);
}

void Router::update(PeerConnection& peer, std::unique_ptr<sdp::PeerPlan> plan, Time now, Output& out) {
  const std::vector<sdp::MlinePlan>& before = peer.plan().mlines;
  std::vector<std::pair<uint16_t, ReceiverId>> again;  // what a new sender on the same line is to go on with
  for (uint16_t i = 0; i < std::min(before.size(), plan->mlines.size()); ++i) {
    const bool same = sdp::same_line(before[i], plan->mlines[i]);
    if (!same) drop_row({peer.id(), i});
    RtpSender* sender = peer.sender(i);
    if (sender == nullptr || (same && sender->goes_on(plan->mlines[i]))) continue;
    if (same && sender->source()) again.emplace_back(i, *sender->source());
    stop(*sender);
  }
  peer.update(std::move(plan), now, out);
  for (const auto& [mline, source] : again) forward(source, {peer.id(), mline}, now);
}

Router::Copies Router::deliver(const rtp::SharedPacket& packet, PeerConnection& from, Time now, Output& out) {
  const ReceiverId id{from.id(), packet->mline};
  auto row = rows_.find(id);
  if (row == rows_.end()) {
    out.drops.count(Drop::no_route);
    return {};
  }
  std::optional<uint32_t> common_offset;
  if (packet->video.keyframe)
    if (const RtpReceiver* receiver = from.receiver(packet->mline))
      if (const media::ReceiveStream* stream = receiver->stream(packet->substream))
        common_offset = stream->common_offset();
  fan_out(row->second, id, packet, common_offset, now, out);
  return {row->second.mirrors, common_offset};
}

void Router::deliver_mirrored(const rtp::SharedPacket& packet, ReceiverId from, std::optional<uint32_t> common_offset,
                              Time now, Output& out) {
  auto row = rows_.find(from);
  if (row == rows_.end() || !row->second.mirrored) return out.drops.count(Drop::no_route);
  auto& history = row->second.mirrored->history[packet->substream % RtpReceiver::max_substreams];
  if (!history) history = std::make_unique<media::History>(history_age_);
  const uint32_t before = row->second.streams[packet->substream % RtpReceiver::max_substreams];
  if (before != packet->stream) history->clear();
  history->put(packet);
  fan_out(row->second, from, packet, common_offset, now, out);
}

// Is it of another stream than the packet before? Told by the packet itself: whichever of them got lost on the way
// here, no number of one stream is taken for one of another.
bool Router::begins_anew(Row& row, const rtp::Packet& packet) {
  const uint32_t before = std::exchange(row.streams[packet.substream % RtpReceiver::max_substreams], packet.stream);
  return before != packet.stream && before != 0;
}

// First what a sink is, then where it leads.
void Router::fetch_ahead(std::span<const Sink> sinks, size_t at, MediaKind kind) {
  constexpr size_t near = 2, far = 4;
  if (at + far < sinks.size()) {
    sinks[at + far].sender->fetch(kind);
    sinks[at + far].peer->fetch();
  }
  if (at + near < sinks.size()) prefetch(sinks[at + near].peer->queue().data(), 2 * sizeof(Outgoing));
}

void Router::fan_out(Row& row, ReceiverId from, const rtp::SharedPacket& packet, std::optional<uint32_t> common_offset,
                     Time now, Output& out) {
  if (begins_anew(row, *packet)) [[unlikely]]
    for (const Sink& sink : row.sinks) sink.sender->forwarder().switch_source(packet->substream > 0);
  if (common_offset) [[unlikely]]
    for (const Sink& sink : row.sinks) sink.sender->forwarder().align(packet->substream, *common_offset);
  const MediaKind kind = kind_of(packet->codec);
  const bool look_closer = packet->video.frame_start || packet->video.keyframe;
  for (size_t i = 0; i < row.sinks.size(); ++i) {
    const Sink& sink = row.sinks[i];
    fetch_ahead(row.sinks, i, kind);
    if (sink.peer->send_key() == nullptr) {
      out.drops.count(Drop::not_ready);
      continue;
    }
    SendQueue& queue = sink.peer->queue();
    const size_t before = queue.size();
    std::optional<Drop> drop = sink.sender->forward(packet, now, queue);
    note_waiting(*sink.peer, before);
    if (drop) out.drops.count(*drop);
    if (look_closer || drop == Drop::waiting_keyframe) settle(*sink.sender, *packet, from, drop, now, out);
  }
}

// What follows from a packet's fate: a keyframe is asked for, a change of layers is told.
void Router::settle(RtpSender& sender, const rtp::Packet& packet, ReceiverId from, std::optional<Drop> drop, Time now,
                    Output& out) {
  if (sender.kind() != MediaKind::video) return;
  if (auto layers = sender.take_layers(now)) out.events.push_back(LayersChanged{sender.id(), *layers});
  const bool stuck = drop == Drop::waiting_keyframe || (drop == Drop::layer && packet.video.frame_start);
  if (!stuck) return;
  if (auto substream = sender.forwarder().wants_keyframe()) request_keyframe(from, *substream, now);
}

void Router::expire(Time now) {
  for (auto& [from, row] : rows_) {
    if (!row.mirrored) continue;
    for (auto& history : row.mirrored->history)
      if (history) history->expire(now);
  }
}

void Router::answer(PeerConnection& peer, const Feedback& feedback, Time now, Output& out) {
  RtpSender* sender = peer.sender(feedback.mline);
  if (sender == nullptr || !sender->source()) return;
  if (feedback.kind == Feedback::Kind::nack) return resend(peer, *sender, feedback.seq, now, out);
  request_keyframe(*sender->source(), sender->forwarder().current().substream, now);
}

void Router::resend(PeerConnection& peer, RtpSender& sender, uint16_t seq, Time now, Output& out) {
  if (peer.send_key() == nullptr) return;
  std::optional<rtp::SeqNo> sent = sender.forwarder().sent(seq);
  std::optional<media::Origin> origin = sent ? sender.forwarder().origin(*sent) : std::nullopt;
  if (!origin) return;
  rtp::SharedPacket packet = recent(*sender.source(), *origin);
  if (!packet) return out.drops.count(Drop::too_old);
  SendQueue& queue = peer.queue();
  const size_t before = queue.size();
  std::optional<Drop> drop = sender.resend(*sent, packet, now, queue);
  note_waiting(peer, before);
  if (drop) out.drops.count(*drop);
}

rtp::SharedPacket Router::recent(ReceiverId from, const media::Origin& origin) {
  const media::History* history = nullptr;
  if (from.peer.worker == own_) {
    PeerConnection* source = peers_.find(from.peer);
    const RtpReceiver* receiver = source == nullptr ? nullptr : source->receiver(from.mline);
    if (receiver != nullptr) history = receiver->history(origin.substream);
  } else if (auto row = rows_.find(from); row != rows_.end() && row->second.mirrored) {
    history = row->second.mirrored->history[origin.substream % RtpReceiver::max_substreams].get();
  }
  return history == nullptr ? rtp::SharedPacket() : history->find(origin.seq);
}

void Router::pause(RtpSender& sender, bool paused, Time now) {
  sender.pause(paused);
  if (paused || !sender.source()) return;
  if (auto substream = sender.forwarder().wants_keyframe()) request_keyframe(*sender.source(), *substream, now);
}

void Router::set_layers(RtpSender& sender, const Layers& layers, Time now) {
  sender.forwarder().set_layers(layers);
  if (!sender.source()) return;
  if (auto substream = sender.forwarder().wants_keyframe()) request_keyframe(*sender.source(), *substream, now);
}

void Router::request_keyframe(ReceiverId of, int substream, Time now) {
  if (of.peer.worker == own_) {
    if (PeerConnection* source = peers_.find(of.peer)) source->request_keyframe(of.mline, substream, now);
    return;
  }
  auto row = rows_.find(of);
  if (row == rows_.end() || !row->second.mirrored) return;
  const bool one = substream >= 0 && static_cast<size_t>(substream) < RtpReceiver::max_substreams;
  Time& asked = row->second.mirrored->asked[one ? static_cast<size_t>(substream) : RtpReceiver::max_substreams];
  if (asked != Time{} && now < asked + upstream_gap) return;
  asked = now;
  upstream_.push_back({of, one ? substream : -1});
}

}  // namespace cardea::peer
