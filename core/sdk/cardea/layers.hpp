// What clients say of layers and of playout delay, in the words of the Janus API: members of requests, their tables of
// fields, and what is told back.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <tuple>

#include "cardea/json.hpp"
#include "cardea/media.hpp"
#include "cardea/schema.hpp"

namespace cardea {

// Members of a request: the layers to be relayed. The first two are of simulcast, the two after them of SVC.
struct LayerWishes {
  std::optional<uint8_t> substream, temporal, spatial_layer, temporal_layer;
  std::optional<uint32_t> fallback;  // us
};
inline constexpr auto layer_fields = std::tuple{
    optional("substream", &LayerWishes::substream, range(0, 2)),
    optional("temporal", &LayerWishes::temporal, range(0, 2)),
    optional("fallback", &LayerWishes::fallback),
    optional("spatial_layer", &LayerWishes::spatial_layer, range(0, 2)),
    optional("temporal_layer", &LayerWishes::temporal_layer, range(0, 2)),
};

// Members of a request: the playout delay, in 10 ms. Negative: none is asked for any more.
struct DelayWishes {
  std::optional<int> min_delay, max_delay;

  explicit operator bool() const { return min_delay || max_delay; }
  // None if negative, or if the two contradict each other.
  std::optional<PlayoutDelay> delay() const {
    const int min = min_delay.value_or(0), max = max_delay.value_or(std::max(min, 0));
    if (min < 0 || max < min) return std::nullopt;
    return PlayoutDelay{static_cast<uint16_t>(min), static_cast<uint16_t>(max)};
  }
};
inline constexpr int64_t max_delay_10ms = 4095;  // 12 bits in the extension
inline constexpr auto delay_fields = std::tuple{
    optional("min_delay", &DelayWishes::min_delay, range(-1000000, max_delay_10ms)),
    optional("max_delay", &DelayWishes::max_delay, range(-1000000, max_delay_10ms)),
};

// Which layers a stream has.
struct LayerKind {
  bool simulcast = false, svc = false;
};

// Makes the wishes the target. tell(member, layer) for each wish that is relayed already: no change will tell of it.
template <class Tell>
void choose_layers(const LayerWishes& wanted, LayerKind kind, const CurrentLayers& now, Layers& target, Tell&& tell) {
  auto choose = [&](const std::optional<uint8_t>& wish, uint8_t& layer, int current, const char* member) {
    if (!wish) return;
    layer = *wish;
    if (current == *wish) tell(member, current);
  };
  if (wanted.fallback) target.fallback = std::chrono::microseconds(*wanted.fallback);
  if (kind.simulcast) {
    choose(wanted.substream, target.substream, now.substream, "substream");
    choose(wanted.temporal, target.temporal, now.temporal, "temporal");
  }
  if (kind.svc) {
    choose(wanted.spatial_layer, target.spatial, now.spatial, "spatial_layer");
    choose(wanted.temporal_layer, target.temporal, now.temporal, "temporal_layer");
  }
}

// tell(member, layer) for each layer that is another one now.
template <class Tell>
void tell_changes(LayerKind kind, const CurrentLayers& before, const CurrentLayers& now, Tell&& tell) {
  auto changed = [&](int from, int to, const char* member) {
    if (from != to) tell(member, to);
  };
  if (kind.simulcast) {
    changed(before.substream, now.substream, "substream");
    changed(before.temporal, now.temporal, "temporal");
  } else if (kind.svc) {
    changed(before.spatial, now.spatial, "spatial_layer");
    changed(before.temporal, now.temporal, "temporal_layer");
  }
}

// The members "simulcast", "svc" and "playout-delay" of a stream's description.
inline void describe_layers(LayerKind kind, const CurrentLayers& now, const Layers& target, Json& to) {
  if (kind.simulcast)
    to.set("simulcast",
           Json::object("substream", now.substream, "substream-target", target.substream, "temporal-layer",
                        now.temporal, "temporal-layer-target", target.temporal, "fallback", to_us(target.fallback)));
  if (kind.svc)
    to.set("svc", Json::object("spatial-layer", now.spatial, "target-spatial-layer", target.spatial, "temporal-layer",
                               now.temporal, "target-temporal-layer", target.temporal));
}
inline void describe_delay(const std::optional<PlayoutDelay>& delay, Json& to) {
  if (delay) to.set("playout-delay", Json::object("min-delay", delay->min_10ms, "max-delay", delay->max_10ms));
}

}  // namespace cardea
