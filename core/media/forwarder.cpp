#include "media/forwarder.hpp"

namespace cardea::media {

Forwarder::Forwarder(MediaKind kind, bool simulcast, Random& random) : kind_(kind), rewriter_(random) {
  selector_.reset(simulcast);
}

std::optional<Drop> Forwarder::forward_video(const rtp::Packet& packet, Time now, Rewritten& out) {
  if (packet.substream == selector_.substream()) [[likely]]
    return forward_current(packet, now, out);
  if (rewriter_.forward_left_behind(packet, out)) return std::nullopt;
  switch (selector_.choose(packet, now)) {
  case LayerSelector::Choice::start: break;
  case LayerSelector::Choice::waiting_keyframe: return Drop::waiting_keyframe;
  default: return Drop::layer;
  }
  rewriter_.start(packet, out);
  out.marker |= selector_.ends_picture(packet);
  return std::nullopt;
}

std::optional<Drop> Forwarder::forward_current(const rtp::Packet& packet, Time now, Rewritten& out) {
  // What becomes of a late packet was decided when its number was passed: it has a hole to fill, or none.
  if (!rewriter_.late(packet) && selector_.choose(packet, now) != LayerSelector::Choice::forward) {
    rewriter_.leave_out(packet);
    return Drop::layer;
  }
  if (!rewriter_.forward(packet, out)) return Drop::layer;
  out.marker |= selector_.ends_picture(packet);
  return std::nullopt;
}

void Forwarder::switch_source(bool simulcast) {
  rewriter_.stop(false);
  selector_.reset(simulcast);
}

void Forwarder::pause(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  if (!paused) return;
  rewriter_.stop(true);
  selector_.need_keyframe();
}

std::optional<int> Forwarder::wants_keyframe() const {
  if (paused_ || kind_ != MediaKind::video) return std::nullopt;
  return selector_.wants_keyframe();
}

std::optional<CurrentLayers> Forwarder::take_change() {
  if (selector_.substream() < 0) return std::nullopt;
  const CurrentLayers now = current();
  if (now == told_) return std::nullopt;
  told_ = now;
  return now;
}

std::optional<rtp::SeqNo> Forwarder::sent(uint16_t wire) const {
  const rtp::SeqNo newest = rewriter_.next() - 1;
  const rtp::SeqNo seq = newest - static_cast<uint16_t>(static_cast<uint16_t>(newest) - wire);
  if (seq < 0) return std::nullopt;
  return seq;
}

std::optional<Rewritten> Forwarder::again(rtp::SeqNo out, const rtp::Packet& packet) const {
  auto rewritten = rewriter_.again(out, packet);
  if (rewritten) rewritten->marker |= selector_.ends_picture(packet);
  return rewritten;
}

}  // namespace cardea::media
