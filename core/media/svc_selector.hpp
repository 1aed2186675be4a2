// Which spatial and temporal layers of one stream go on (RFC 9628, AV1 RTP specification; temporal ones also of VP8,
// RFC 7741): up only where a decoder can follow, down at once with the next picture.
#pragma once

#include <cstdint>

#include "rtp/packet.hpp"

namespace cardea::media {

class SvcSelector {
public:
  // A stream is entered with this packet, a keyframe: what follows can be decoded on all its layers.
  void start(const rtp::Packet& packet, uint8_t temporal_target);
  // Does the packet, which is not late, go on?
  bool choose(const rtp::Packet& packet, uint8_t spatial_target, uint8_t temporal_target) {
    const rtp::VideoInfo& video = packet.video;
    if (video.spatial < 0 && video.temporal < 0) return true;
    return choose_layer(packet, spatial_target, temporal_target);
  }
  // Is it the last one of its picture that goes on?
  bool ends_picture(const rtp::Packet& packet, uint8_t spatial_target) const {
    return packet.video.end_of_layer && spatial_seen_ > 0 && packet.video.spatial >= top_of_picture(spatial_target);
  }

  bool wants_keyframe() const { return wants_keyframe_; }  // a higher spatial layer comes in but cannot be entered
  // What goes on; -1: the stream has no such layers.
  int spatial() const;
  int temporal() const;
  // How many there are; 0: not known.
  int spatial_layers() const { return spatial_layers_; }
  int temporal_layers() const { return temporal_layers_; }

private:
  bool choose_layer(const rtp::Packet& packet, uint8_t spatial_target, uint8_t temporal_target);
  void learn(const rtp::VideoInfo& video);
  bool spatial_goes_on(const rtp::VideoInfo& video, int target);
  bool temporal_goes_on(const rtp::VideoInfo& video, int target);
  int top_of_picture(int spatial_target) const;

  // state
  uint32_t picture_ = 0;  // timestamp of the picture under way
  int8_t spatial_ = 0;    // the highest that goes on
  int8_t temporal_ = 0;
  int8_t spatial_seen_ = -1;  // the highest that came; -1: none is told
  int8_t temporal_seen_ = -1;
  int8_t spatial_layers_ = 0;
  int8_t temporal_layers_ = 0;
  bool key_picture_ = false;  // the picture under way can be entered on all its spatial layers
  bool wants_keyframe_ = false;
};

}  // namespace cardea::media
