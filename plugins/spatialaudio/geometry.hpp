// Where sounds come from for a listener: direction, distance and what stands between. Axes are those of the map: x
// right, y down the map, z up, in metres. Angles are in degrees; azimuth 0 is in front, 90 at the right ear.
#pragma once

#include <cmath>
#include <cstdint>

namespace cardea::spatialaudio {

struct Point {
  double x = 0, y = 0, z = 0;
  constexpr bool operator==(const Point&) const = default;
};
constexpr Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
constexpr Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
constexpr Point operator*(Point a, double by) { return {a.x * by, a.y * by, a.z * by}; }
constexpr double dot(Point a, Point b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline double length(Point a) { return std::sqrt(dot(a, a)); }

// Heading is clockwise seen from above, 0 looks up the map (towards -y), 90 towards +x. Pitch lifts the nose, roll
// lowers the right ear.
struct Orientation {
  double heading = 0, pitch = 0, roll = 0;
  constexpr bool operator==(const Orientation&) const = default;
};

struct Pose {
  Point position{};
  Orientation orientation{};
  constexpr bool operator==(const Pose&) const = default;
};

struct Direction {
  double azimuth = 0;    // -180..180, positive to the right
  double elevation = 0;  // -90..90
  double distance = 0;   // metres
};

// A head in space, its axes ready for many directions.
class Head {
public:
  explicit Head(const Pose& pose);
  // A sound nearer than touching_distance has no direction: it is in front.
  Direction direction_to(Point source) const;
  Point position() const { return position_; }
  Point forward() const { return forward_; }

private:
  Point position_, forward_, right_, up_;
};
inline constexpr double touching_distance = 0.05;

// Inverse-distance law: 1 up to the reference distance, then reference / (reference + rolloff (distance - reference)).
// The last twentieth before max_distance fades out, so that nobody is cut off at a line.
struct DistanceLaw {
  double reference = 1, max = 50, rolloff = 1;
  double gain(double distance) const;
};

// How a mouth is quieter behind the head: 1 within the inner cone, outer_gain outside the outer one, linear between.
// Both are whole angles, as a light cone's.
struct Cone {
  double inner = 360, outer = 360;
  double outer_gain = 1;
  double gain(double off_axis) const;
  constexpr bool operator==(const Cone&) const = default;
};

// Degrees between where a head looks and a point; 0 where the two touch.
double off_axis(const Head& head, Point at);

// A wall seen from above: it stands between what is on its two sides.
struct Wall {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  double loss_db = 0;
  bool between(Point a, Point b) const;
};

// Moves a pose towards the newest one that was told: straight, and over the shorter turn.
Pose between(const Pose& from, const Pose& to, double part);

double wrapped(double degrees);  // -180..180

}  // namespace cardea::spatialaudio
