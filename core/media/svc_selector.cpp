#include "media/svc_selector.hpp"

#include <algorithm>

namespace cardea::media {

namespace {
// Layer numbers are three bits on the wire; targets may be anything.
constexpr int highest_layer = 7;
int8_t layer(int number) { return static_cast<int8_t>(std::clamp(number, 0, highest_layer)); }
}  // namespace

void SvcSelector::start(const rtp::Packet& packet, uint8_t temporal_target) {
  learn(packet.video);
  picture_ = packet.timestamp;
  key_picture_ = true;
  wants_keyframe_ = false;
  spatial_ = layer(packet.video.spatial);
  temporal_ = layer(temporal_target);
}

bool SvcSelector::choose_layer(const rtp::Packet& packet, uint8_t spatial_target, uint8_t temporal_target) {
  const rtp::VideoInfo& video = packet.video;
  learn(video);
  if (packet.timestamp != picture_) {
    picture_ = packet.timestamp;
    key_picture_ = false;
    wants_keyframe_ = false;
    spatial_ = std::min(spatial_, layer(spatial_target));
    temporal_ = std::min(temporal_, layer(temporal_target));
  }
  if (video.keyframe) {
    key_picture_ = true;
    temporal_ = layer(temporal_target);
  }
  return temporal_goes_on(video, temporal_target) && spatial_goes_on(video, spatial_target);
}

void SvcSelector::learn(const rtp::VideoInfo& video) {
  spatial_seen_ = std::max(spatial_seen_, video.spatial);
  temporal_seen_ = std::max(temporal_seen_, video.temporal);
  if (video.spatial_layers > 0) spatial_layers_ = video.spatial_layers;
  if (video.temporal_layers > 0) temporal_layers_ = video.temporal_layers;
  spatial_layers_ = std::max(spatial_layers_, static_cast<int8_t>(spatial_seen_ + 1));
  temporal_layers_ = std::max(temporal_layers_, static_cast<int8_t>(temporal_seen_ + 1));
}

bool SvcSelector::spatial_goes_on(const rtp::VideoInfo& video, int target) {
  if (video.spatial <= spatial_) return true;
  if (video.spatial > target) return false;
  // A layer without earlier pictures in its prediction needs the one below in this picture, nothing else.
  const bool can_enter = video.frame_start && (key_picture_ || !video.inter_picture);
  if (!can_enter || video.spatial != spatial_ + 1) {
    wants_keyframe_ = true;
    return false;
  }
  spatial_ = video.spatial;
  wants_keyframe_ = false;
  return true;
}

bool SvcSelector::temporal_goes_on(const rtp::VideoInfo& video, int target) {
  if (video.temporal <= temporal_) {
    if (video.frame_start && video.switch_to > temporal_) temporal_ = std::min(video.switch_to, layer(target));
    return true;
  }
  // A switch-up frame leans on the lower layers alone; those in between must be there, so one layer at a time.
  if (video.temporal > target || video.temporal != temporal_ + 1 || !video.frame_start || !video.switch_up)
    return false;
  temporal_ = video.temporal;
  return true;
}

int SvcSelector::top_of_picture(int spatial_target) const {
  return key_picture_ ? std::min(spatial_target, spatial_layers_ - 1) : spatial_;
}

int SvcSelector::spatial() const { return spatial_layers_ > 1 ? std::min(spatial_, spatial_seen_) : -1; }

int SvcSelector::temporal() const { return temporal_seen_ < 0 ? -1 : std::min(temporal_, temporal_seen_); }

}  // namespace cardea::media
