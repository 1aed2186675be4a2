// Which simulcast substream goes on: the highest living one up to the target, entered on a keyframe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "rtp/packet.hpp"

namespace cardea::media {

class SimulcastSelector {
public:
  static constexpr size_t max_substreams = 3;
  // A substream that was silent while the others had so many frames, and for the fallback time, is dead. Frames are
  // counted too, for a still picture has few of them on any substream.
  static constexpr uint8_t dead_after_frames = 5;
  // A stream without substreams whose keyframe is not recognised (encrypted end to end, intra refresh) starts anyway.
  static constexpr Duration start_anyway = 3s;

  enum class Choice : uint8_t { current, start, other, waiting_keyframe };

  void reset(bool simulcast);
  void need_keyframe();
  Choice choose(const rtp::Packet& packet, uint8_t target, Duration fallback, Time now);

  bool simulcast() const { return simulcast_; }
  int current() const { return current_; }  // -1: none
  // The substream whose keyframe is waited for; -1: any; none: nothing is waited for.
  std::optional<int> wants_keyframe() const;

private:
  struct Substream {
    Time last{};             // packet
    uint32_t timestamp = 0;  // of it
    uint8_t silent_for = 0;  // frames of other substreams since
    bool seen = false;
  };
  Choice choose_single(const rtp::Packet& packet, Time now);
  void note(const rtp::Packet& packet, Time now);
  int8_t highest_living(uint8_t target, Duration fallback, Time now) const;

  // state
  int8_t current_ = -1;
  int8_t wanted_ = -1;
  bool simulcast_ = false;
  Time waiting_since_ = never;
  std::array<Substream, max_substreams> substreams_;
};

}  // namespace cardea::media
