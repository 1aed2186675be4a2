#include "media/layer_selector.hpp"

namespace cardea::media {

void LayerSelector::reset(bool simulcast) {
  simulcast_.reset(simulcast);
  svc_ = SvcSelector();
}

LayerSelector::Choice LayerSelector::choose(const rtp::Packet& packet, Time now) {
  switch (simulcast_.choose(packet, target_.substream, target_.fallback, now)) {
  case SimulcastSelector::Choice::other: return Choice::layer;
  case SimulcastSelector::Choice::waiting_keyframe: return Choice::waiting_keyframe;
  case SimulcastSelector::Choice::start: svc_.start(packet, target_.temporal); return Choice::start;
  case SimulcastSelector::Choice::current: break;
  }
  return svc_.choose(packet, target_.spatial, target_.temporal) ? Choice::forward : Choice::layer;
}

std::optional<int> LayerSelector::wants_keyframe() const {
  if (auto substream = simulcast_.wants_keyframe()) return substream;
  if (svc_.wants_keyframe()) return simulcast_.current();
  return std::nullopt;
}

CurrentLayers LayerSelector::current() const {
  CurrentLayers layers;
  if (simulcast_.current() < 0) return layers;
  if (simulcast_.simulcast()) layers.substream = simulcast_.current();
  layers.temporal = svc_.temporal();
  layers.spatial = svc_.spatial();
  layers.temporal_layers = svc_.temporal_layers();
  layers.spatial_layers = layers.spatial < 0 ? 0 : svc_.spatial_layers();
  return layers;
}

}  // namespace cardea::media
