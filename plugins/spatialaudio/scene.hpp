// Who hears whom in a spatial room, and from where: the rules of distance, walls, zones, cones and personal gains. What
// a listener may not hear is not in its stream at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "geometry.hpp"

namespace cardea::spatialaudio {

inline constexpr size_t max_walls = 256;
inline constexpr size_t max_zones = 64;
inline constexpr size_t max_audible = 32;
inline constexpr size_t max_personal = 64;    // gains, and ignored participants, of one listener
inline constexpr double silent_loss_db = 40;  // walls of this much and more let nothing through

// A circle around (x, y), or a rectangle from (x, y) on.
struct Zone {
  std::string name;
  double x = 0, y = 0;
  std::optional<double> width, height;
  std::optional<double> radius;
  bool is_private = false;  // inside hears inside only, outside hears none of it
  bool stage = false;       // heard by the whole room at the level of the reference distance

  bool contains(Point at) const;
};

struct SceneSettings {
  uint32_t audible = 8;  // most voices rendered for one listener
  DistanceLaw distance{};
  double air = 0;  // high-frequency loss: 1 is air at 20 degrees and 50 % humidity
  std::vector<Wall> walls{};
  std::vector<Zone> zones{};
};

using SourceId = uint16_t;

// What a listener asked for itself.
struct Personal {
  struct Gain {
    SourceId source = 0;
    float gain = 1;
  };
  std::vector<Gain> gains{};        // sorted by source
  std::vector<SourceId> ignored{};  // sorted

  float gain(SourceId source) const;  // 0 for an ignored one
};

// A participant's place in the room, with what follows from it.
struct Place {
  Pose pose{};
  Head head{Pose{}};
  Cone cone{};
  uint64_t private_zones = 0;  // bit i: inside of zone i
  bool on_stage = false;

  void stand(const Pose& at, const SceneSettings& scene);
};

struct Heard {
  SourceId source = 0;
  float azimuth = 0, elevation = 0;  // degrees
  float gain = 0;
  float distance = 0;
  bool operator==(const Heard&) const = default;
};

struct Candidate {
  SourceId source = 0;
  const Place* place = nullptr;
};

// Chooses the loudest `audible` of the candidates for a listener, sorted by source. Those that are being heard already
// are preferred by a little, so that two equally loud voices do not alternate.
class Selection {
public:
  void reserve(size_t candidates) { found_.reserve(candidates); }
  std::span<const Heard> choose(const Place& listener, const Personal& personal, SourceId self,
                                std::span<const Candidate> candidates, const SceneSettings& scene,
                                std::span<const Heard> before);

private:
  std::vector<Heard> found_{};
};

// As loud as it may be for the listener, walls left out; 0: not heard.
double open_gain(const Place& listener, const Place& source, double distance, const SceneSettings& scene);
// What the walls between let through.
double wall_gain(Point a, Point b, std::span<const Wall> walls);

}  // namespace cardea::spatialaudio
