// Decides which packets of a video stream with layers go on to one sender: one simulcast substream at a time (entered
// on its keyframes), and of it spatial (SVC) and temporal layers up to a target.
#pragma once

#include <cstdint>
#include <optional>

#include "cardea/media.hpp"
#include "media/simulcast_selector.hpp"
#include "media/svc_selector.hpp"
#include "rtp/packet.hpp"

namespace cardea::media {

class LayerSelector {
public:
  enum class Choice : uint8_t {
    forward,
    start,  // forward: the first packet of a substream that was not forwarded until now, a keyframe
    layer,
    waiting_keyframe,
  };

  void set_target(const Layers& layers) { target_ = layers; }
  const Layers& target() const { return target_; }
  // A new source: nothing is known of it but whether it has several substreams.
  void reset(bool simulcast);
  // What follows can only be decoded from a keyframe on (after a pause).
  void need_keyframe() { simulcast_.need_keyframe(); }

  // Packets of the current substream must come in order: what to do with late ones was decided by their neighbours.
  Choice choose(const rtp::Packet& packet, Time now);
  // Is it the last packet of its picture that goes on? Its marker is set then (RFC 9628 section 4.2: M ends a picture).
  bool ends_picture(const rtp::Packet& packet) const { return svc_.ends_picture(packet, target_.spatial); }

  // The substream of which a keyframe is wanted; -1: any, nothing came yet.
  std::optional<int> wants_keyframe() const;
  int substream() const { return simulcast_.current(); }  // -1: none yet
  CurrentLayers current() const;

private:
  // given
  Layers target_;
  // state
  SvcSelector svc_;
  SimulcastSelector simulcast_;
};

}  // namespace cardea::media
