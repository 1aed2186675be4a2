// What a room is told to be, by "create", by the configuration file or by a saved room; and the plugin's own settings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cardea/rooms.hpp"
#include "cardea/schema.hpp"
#include "cardea/time.hpp"
#include "errors.hpp"

namespace cardea::textroom {

// A named place on the room's map: a circle around (x, y), or a rectangle from (x, y) on.
struct Zone {
  std::string name;
  double x = 0, y = 0;
  std::optional<double> width, height;
  std::optional<double> radius;

  bool operator==(const Zone&) const = default;
  bool contains(double at_x, double at_y) const;
  Json json() const;
};

inline constexpr auto zone_fields = std::tuple{required("name", &Zone::name, non_empty()),
                                               required("x", &Zone::x),
                                               required("y", &Zone::y),
                                               optional("width", &Zone::width),
                                               optional("height", &Zone::height),
                                               optional("radius", &Zone::radius)};

inline constexpr double max_coordinate = 1e9;
inline constexpr size_t max_zones = 64;
inline constexpr uint32_t max_history = 10000;

struct RoomSettings : RoomBasics {
  uint32_t history = 0;
  std::string post;  // empty: none
  std::vector<Zone> zones;
};

inline constexpr auto room_fields = std::tuple_cat(
    room_basics_fields,
    std::tuple{
        setting("history", &RoomSettings::history, "public messages kept for those who join later, up to 1 MiB",
                "messages", range(0, max_history)),
        setting("post", &RoomSettings::post, "URL that public messages are sent to by HTTP POST; empty: none"),
        optional_array("zones", &RoomSettings::zones, zone_fields),
    });

// Section "general" of the plugin's configuration.
struct General : RoomGeneral {
  std::string json = "compact";
  bool client_post = false;
  std::vector<std::string> post_allow, post_allow_addresses;
  uint32_t max_message = 256 * 1024;
  uint32_t message_rate = 50, message_burst = 200;
  uint64_t max_backlog = 4 * 1024 * 1024;
  uint32_t presence_rate = 30;
  uint32_t presence_interval = 50;

  JsonStyle style() const;
};

inline constexpr auto general_fields = std::tuple_cat(
    room_general_fields,
    std::tuple{
        setting("json", &General::json, "how JSON is written on data channels and to HTTP backends", "",
                one_of("compact", "plain", "indented")),
        setting("client_post", &General::client_post,
                "\"create\" and \"edit\" may name an HTTP backend that post_allow allows"),
        setting("post_allow", &General::post_allow,
                "beginnings of URLs that clients may name, with the / behind the host"),
        setting("post_allow_addresses", &General::post_allow_addresses,
                "private and other special networks that those may lead to"),
        setting("max_message", &General::max_message, "the text of a message or an announcement is refused beyond",
                "bytes", range(1024, 1 << 30)),
        setting("message_rate", &General::message_rate, "what one client may ask for in the long run; 0: no limit",
                "requests/s"),
        setting("message_burst", &General::message_burst, "what one client may ask for at once", "requests",
                range(1, 1000000)),
        setting("max_backlog", &General::max_backlog, "unread messages before a client's peer connection is closed",
                "bytes", range(64 * 1024, 1 << 30)),
        setting("presence_rate", &General::presence_rate, "updates of a member's state that are taken; 0: no limit",
                "1/s", range(0, 1000)),
        setting("presence_interval", &General::presence_interval, "changed states are sent to the room this often",
                "ms", range(10, 10000)),
    });

// What the table cannot tell about settings: the name of the first wrong one, and why.
std::optional<SettingError> wrong_setting(const RoomSettings& settings);

class Room;
struct RoomKind {
  using Room = textroom::Room;
  using Settings = RoomSettings;
  using General = textroom::General;
  static constexpr const auto& settings_fields = room_fields;
  static constexpr const auto& general_fields = textroom::general_fields;
  static constexpr RoomWords words{.key = "textroom",
                                   .unknown_request = code::invalid_request,
                                   .missing = code::missing_element,
                                   .invalid = code::invalid_element,
                                   .no_such_room = code::no_such_room,
                                   .room_exists = code::room_exists,
                                   .unauthorized = code::unauthorized,
                                   .too_many = code::too_many_rooms,
                                   .too_fast = code::too_fast,
                                   .failed = code::unknown_error};
};

}  // namespace cardea::textroom
