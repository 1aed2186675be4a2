#include "settings.hpp"

#include <cmath>
#include <set>

namespace cardea::textroom {
namespace {

constexpr size_t max_url = 2048;

bool on_the_map(double coordinate) { return std::abs(coordinate) <= max_coordinate; }  // not for NaN
bool extent(const std::optional<double>& size) { return size && *size > 0 && on_the_map(*size); }

std::optional<std::string> wrong_zone(const Zone& zone) {
  if (zone.name.size() > 64) return "its name is longer than 64 bytes";
  if (!on_the_map(zone.x) || !on_the_map(zone.y)) return "x and y should be at most 1e9";
  const bool circle = extent(zone.radius) && !zone.width && !zone.height;
  const bool rectangle = extent(zone.width) && extent(zone.height) && !zone.radius;
  if (!circle && !rectangle) return "it should have either a radius or a width and a height, above 0";
  return std::nullopt;
}

}  // namespace

bool Zone::contains(double at_x, double at_y) const {
  const double right = at_x - x, down = at_y - y;
  if (radius) return right * right + down * down <= *radius * *radius;
  return right >= 0 && down >= 0 && right < width.value_or(0) && down < height.value_or(0);
}

Json Zone::json() const {
  return Json::object("name", name, "x", x, "y", y, "width", width, "height", height, "radius", radius);
}

JsonStyle General::style() const {
  return json == "indented" ? JsonStyle::indented : json == "plain" ? JsonStyle::plain : JsonStyle::compact;
}

std::optional<SettingError> wrong_setting(const RoomSettings& settings) {
  if (settings.history > max_history) return SettingError{"history", text("should be at most ", max_history)};
  const std::string& url = settings.post;
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://"))
    return SettingError{"post", "should be an http:// or https:// URL"};
  if (url.size() > max_url) return SettingError{"post", text("should have at most ", max_url, " characters")};
  if (settings.zones.size() > max_zones) return SettingError{"zones", text("should be at most ", max_zones)};
  std::set<std::string> names;
  for (const Zone& zone : settings.zones) {
    if (auto wrong = wrong_zone(zone)) return SettingError{"zones", text("zone ", zone.name, ": ", *wrong)};
    if (!names.insert(zone.name).second) return SettingError{"zones", text("two zones are called ", zone.name)};
  }
  return std::nullopt;
}

}  // namespace cardea::textroom
