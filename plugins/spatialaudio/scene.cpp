#include "scene.hpp"

#include <algorithm>

namespace cardea::spatialaudio {
namespace {

constexpr float stay = 1.4f;  // 3 dB: what is heard already may be this much quieter than what would take its place

bool heard_in(std::span<const Heard> list, SourceId source) {
  const auto at = std::lower_bound(list.begin(), list.end(), source,
                                   [](const Heard& heard, SourceId wanted) { return heard.source < wanted; });
  return at != list.end() && at->source == source;
}

}  // namespace

bool Zone::contains(Point at) const {
  if (radius) return std::hypot(at.x - x, at.y - y) <= *radius;
  return at.x >= x && at.y >= y && at.x <= x + width.value_or(0) && at.y <= y + height.value_or(0);
}

float Personal::gain(SourceId source) const {
  if (std::binary_search(ignored.begin(), ignored.end(), source)) return 0;
  const auto at = std::lower_bound(gains.begin(), gains.end(), source,
                                   [](const Gain& gain, SourceId wanted) { return gain.source < wanted; });
  return at != gains.end() && at->source == source ? at->gain : 1;
}

void Place::stand(const Pose& at, const SceneSettings& scene) {
  pose = at;
  head = Head(at);
  private_zones = 0;
  on_stage = false;
  for (size_t i = 0; i < scene.zones.size(); ++i) {
    const Zone& zone = scene.zones[i];
    if (!(zone.is_private || zone.stage) || !zone.contains(at.position)) continue;
    if (zone.is_private) private_zones |= uint64_t{1} << i;
    on_stage = on_stage || zone.stage;
  }
}

double open_gain(const Place& listener, const Place& source, double distance, const SceneSettings& scene) {
  if (listener.private_zones != source.private_zones) return 0;
  const double far = source.on_stage ? 1 : scene.distance.gain(distance);
  return source.cone == Cone{} ? far : far * source.cone.gain(off_axis(source.head, listener.pose.position));
}

double wall_gain(Point a, Point b, std::span<const Wall> walls) {
  double loss_db = 0;
  for (const Wall& wall : walls) {
    if (wall.between(a, b)) loss_db += wall.loss_db;
    if (loss_db >= silent_loss_db) return 0;
  }
  return loss_db == 0 ? 1 : std::pow(10.0, -loss_db / 20);
}

std::span<const Heard> Selection::choose(const Place& listener, const Personal& personal, SourceId self,
                                         std::span<const Candidate> candidates, const SceneSettings& scene,
                                         std::span<const Heard> before) {
  found_.clear();
  const Point ears = listener.pose.position;
  for (const auto& [source, place] : candidates) {
    if (source == self) continue;
    const double own = personal.gain(source);
    if (own == 0) continue;
    double gain = own * open_gain(listener, *place, length(place->pose.position - ears), scene);
    if (gain > 0 && !place->on_stage) gain *= wall_gain(ears, place->pose.position, scene.walls);
    if (gain > 0) found_.push_back({.source = source, .gain = static_cast<float>(gain)});
  }
  if (found_.size() > scene.audible) {
    for (Heard& heard : found_) heard.distance = heard_in(before, heard.source) ? heard.gain * stay : heard.gain;
    const auto louder = [](const Heard& a, const Heard& b) {  // by what the line above noted for the moment
      return a.distance != b.distance ? a.distance > b.distance : a.source < b.source;
    };
    std::nth_element(found_.begin(), found_.begin() + scene.audible, found_.end(), louder);
    found_.resize(scene.audible);
    std::sort(found_.begin(), found_.end(), [](const Heard& a, const Heard& b) { return a.source < b.source; });
  }
  size_t next = 0;  // candidates and what was found are both in the order of sources
  for (Heard& heard : found_) {
    while (candidates[next].source != heard.source) ++next;
    const Direction direction = listener.head.direction_to(candidates[next].place->pose.position);
    heard.azimuth = static_cast<float>(direction.azimuth);
    heard.elevation = static_cast<float>(direction.elevation);
    heard.distance = static_cast<float>(direction.distance);
  }
  return found_;
}

}  // namespace cardea::spatialaudio
