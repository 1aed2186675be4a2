#include "geometry.hpp"

#include <algorithm>
#include <numbers>

namespace cardea::spatialaudio {
namespace {

constexpr double radians(double degrees) { return degrees * std::numbers::pi / 180; }
constexpr double degrees(double radians) { return radians * 180 / std::numbers::pi; }

// Twice the area of the triangle: its sign tells on which side of a-b the third point lies.
double side(double ax, double ay, double bx, double by, double x, double y) {
  return (bx - ax) * (y - ay) - (by - ay) * (x - ax);
}

}  // namespace

double wrapped(double degrees) { return degrees >= -180 && degrees <= 180 ? degrees : std::remainder(degrees, 360.0); }

Head::Head(const Pose& pose) : position_(pose.position) {
  const double h = radians(pose.orientation.heading), p = radians(pose.orientation.pitch),
               r = radians(pose.orientation.roll);
  const Point level{std::sin(h), -std::cos(h), 0}, right{std::cos(h), std::sin(h), 0}, up{0, 0, 1};
  forward_ = level * std::cos(p) + up * std::sin(p);
  const Point crown = up * std::cos(p) - level * std::sin(p);
  right_ = right * std::cos(r) - crown * std::sin(r);
  up_ = crown * std::cos(r) + right * std::sin(r);
}

Direction Head::direction_to(Point source) const {
  const Point way = source - position_;
  const double distance = length(way);
  if (distance < touching_distance) return {.distance = distance};
  return {degrees(std::atan2(dot(way, right_), dot(way, forward_))),
          degrees(std::asin(std::clamp(dot(way, up_) / distance, -1.0, 1.0))), distance};
}

double DistanceLaw::gain(double distance) const {
  if (distance >= max) return 0;
  const double law = distance <= reference ? 1 : reference / (reference + rolloff * (distance - reference));
  return law * std::min(1.0, (max - distance) / (max * 0.05));
}

double Cone::gain(double off_axis) const {
  if (off_axis <= inner / 2) return 1;
  if (off_axis >= outer / 2) return outer_gain;
  const double part = (off_axis - inner / 2) / (outer / 2 - inner / 2);
  return 1 + part * (outer_gain - 1);
}

double off_axis(const Head& head, Point at) {
  const Point way = at - head.position();
  const double distance = length(way);
  if (distance < touching_distance) return 0;
  return degrees(std::acos(std::clamp(dot(way, head.forward()) / distance, -1.0, 1.0)));
}

bool Wall::between(Point a, Point b) const {
  const double of_a = side(x1, y1, x2, y2, a.x, a.y), of_b = side(x1, y1, x2, y2, b.x, b.y);
  if ((of_a >= 0) == (of_b >= 0)) return false;
  return (side(a.x, a.y, b.x, b.y, x1, y1) >= 0) != (side(a.x, a.y, b.x, b.y, x2, y2) >= 0);
}

Pose between(const Pose& from, const Pose& to, double part) {
  const auto turn = [&](double a, double b) { return wrapped(a + wrapped(b - a) * part); };
  return {from.position + (to.position - from.position) * part,
          {turn(from.orientation.heading, to.orientation.heading), turn(from.orientation.pitch, to.orientation.pitch),
           turn(from.orientation.roll, to.orientation.roll)}};
}

}  // namespace cardea::spatialaudio
