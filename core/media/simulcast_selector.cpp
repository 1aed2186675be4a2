#include "media/simulcast_selector.hpp"

#include <algorithm>

namespace cardea::media {

void SimulcastSelector::reset(bool simulcast) {
  *this = SimulcastSelector();
  simulcast_ = simulcast;
}

void SimulcastSelector::need_keyframe() {
  current_ = -1;
  waiting_since_ = never;
}

SimulcastSelector::Choice SimulcastSelector::choose(const rtp::Packet& packet, uint8_t target, Duration fallback,
                                                    Time now) {
  if (packet.substream >= max_substreams) return Choice::other;
  if (!simulcast_) {
    if (packet.substream == 0) return choose_single(packet, now);
    simulcast_ = true;
  }
  note(packet, now);
  wanted_ = highest_living(target, fallback, now);
  if (packet.substream == current_) return Choice::current;
  // Until something goes on, any keyframe that may is better than to wait for the best.
  const bool enters =
      packet.video.keyframe && (packet.substream == wanted_ || (current_ < 0 && packet.substream <= target));
  if (!enters) return current_ < 0 && packet.substream <= target ? Choice::waiting_keyframe : Choice::other;
  current_ = static_cast<int8_t>(packet.substream);
  return Choice::start;
}

SimulcastSelector::Choice SimulcastSelector::choose_single(const rtp::Packet& packet, Time now) {
  if (current_ == 0) return Choice::current;
  wanted_ = 0;
  if (!packet.video.keyframe) {
    if (waiting_since_ == never) waiting_since_ = now;
    if (now - waiting_since_ < start_anyway) return Choice::waiting_keyframe;
  }
  current_ = 0;
  return Choice::start;
}

void SimulcastSelector::note(const rtp::Packet& packet, Time now) {
  Substream& substream = substreams_[packet.substream];
  if (!substream.seen || packet.timestamp != substream.timestamp) {
    for (Substream& other : substreams_) other.silent_for = static_cast<uint8_t>(std::min(other.silent_for + 1, 255));
  }
  substream = {now, packet.timestamp, 0, true};
}

// If none lives, the one wanted before, or the target.
int8_t SimulcastSelector::highest_living(uint8_t target, Duration fallback, Time now) const {
  const auto highest = static_cast<int8_t>(std::min<size_t>(target, max_substreams - 1));
  for (int8_t i = highest; i >= 0; --i) {
    const Substream& substream = substreams_[static_cast<size_t>(i)];
    const bool dead = substream.silent_for >= dead_after_frames && now - substream.last > fallback;
    if (substream.seen && !dead) return i;
  }
  return wanted_ < 0 ? highest : std::min(wanted_, highest);
}

std::optional<int> SimulcastSelector::wants_keyframe() const {
  if (current_ < 0) return wanted_;
  if (simulcast_ && current_ != wanted_) return wanted_;
  return std::nullopt;
}

}  // namespace cardea::media
