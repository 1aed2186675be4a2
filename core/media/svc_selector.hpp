// Which spatial and temporal layers of one stream go on (RFC 9628, AV1 RTP specification; temporal ones also of VP8,
// RFC 7741): up only where a decoder can follow, down at once with the next picture.
#pragma once

#include <cstdint>

#include "rtp/packet.hpp"

namespace cardea::media {

class SvcSelector {
public:
  void reset();
  // A stream is entered on this keyframe: all layers from here on can be decoded.
  void start(const rtp::Packet& keyframe, uint8_t spatial_target, uint8_t temporal_target);
  bool choose(const rtp::Packet& packet, uint8_t spatial_target, uint8_t temporal_target);
  bool ends_picture(const rtp::Packet& packet, uint8_t spatial_target) const;

  bool wants_keyframe() const { return wants_keyframe_; }  // a higher spatial layer comes in but cannot be entered
  int spatial() const;                                     // being forwarded; -1: the stream has none
  int temporal() const;
  int spatial_layers() const { return spatial_layers_; }
  int temporal_layers() const { return temporal_layers_; }

private:
  void learn(const rtp::VideoInfo& video);
  bool choose_spatial(const rtp::Packet& packet, uint8_t target);
  bool choose_temporal(const rtp::Packet& packet, uint8_t target);

  // state
  uint32_t picture_ = 0;  // timestamp of the picture under way
  int8_t spatial_ = 0;    // the highest that may go on
  int8_t temporal_ = 0;
  int8_t spatial_seen_ = -1;  // the highest that came; -1: none is told
  int8_t temporal_seen_ = -1;
  int8_t spatial_layers_ = 0;  // as told by the stream, or learnt
  int8_t temporal_layers_ = 0;
  bool key_picture_ = false;  // the picture under way can be entered on all its layers
  bool wants_keyframe_ = false;
};

}  // namespace cardea::media
