// What a room is told to be, by "create", by the configuration file or by a saved room; and the plugin's own settings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cardea/room_store.hpp"
#include "cardea/rooms.hpp"
#include "cardea/schema.hpp"
#include "cardea/time.hpp"

namespace cardea::textroom {

// A named place on the room's map: a circle around (x, y), or a rectangle from (x, y) on.
struct Zone {
  std::string name;
  double x = 0, y = 0;
  std::optional<double> width, height;
  std::optional<double> radius;

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

struct RoomSettings {
  std::string description;  // empty: "Room <id>"
  bool is_private = false;
  std::string secret, pin;  // empty: none
  uint32_t history = 0;
  std::string post;  // empty: none
  Tokens allowed;
  std::vector<std::string> unused_tokens;  // of a list that is switched off; not configured, not saved
  std::vector<Zone> zones;
};

inline constexpr auto room_fields = std::tuple{
    setting("description", &RoomSettings::description, "shown in lists; empty: \"Room <id>\""),
    setting("is_private", &RoomSettings::is_private, "hidden from \"list\""),
    setting("secret", &RoomSettings::secret, "needed to edit, destroy, kick...; empty: none"),
    setting("pin", &RoomSettings::pin, "needed to join; empty: none"),
    setting("history", &RoomSettings::history, "public messages kept for those who join later, up to 1 MiB", "messages",
            range(0, max_history)),
    setting("post", &RoomSettings::post, "URL that public messages are sent to by HTTP POST; empty: none"),
    setting("allowed", &RoomSettings::allowed, "tokens that may join; left out: anyone"),
    optional_array("zones", &RoomSettings::zones, zone_fields),
};

// Section "general" of the plugin's configuration.
struct General {
  std::string admin_key;
  bool string_ids = false;
  std::string json = "compact";
  bool demo_room = true;
  bool client_post = true;
  uint32_t message_rate = 50, message_burst = 200;
  uint64_t max_backlog = 4 * 1024 * 1024;
  uint32_t presence_rate = 30;
  uint32_t presence_interval = 50;

  JsonStyle style() const;
};

inline constexpr auto general_fields = std::tuple{
    setting("admin_key", &General::admin_key, "needed to create rooms and to list private ones; empty: not needed"),
    setting("string_ids", &General::string_ids, "ids of rooms are strings, not numbers"),
    setting("json", &General::json, "how JSON is written on data channels and to HTTP backends", "",
            one_of("compact", "plain", "indented")),
    setting("demo_room", &General::demo_room, "make the demo room 1234 where no room is configured or saved"),
    setting("client_post", &General::client_post, "\"create\" and \"edit\" may name an HTTP backend"),
    setting("message_rate", &General::message_rate, "what one client may ask for in the long run; 0: no limit",
            "requests/s"),
    setting("message_burst", &General::message_burst, "what one client may ask for at once", "requests",
            range(1, 1000000)),
    setting("max_backlog", &General::max_backlog, "unread messages before a client's peer connection is closed",
            "bytes", range(64 * 1024, 1 << 30)),
    setting("presence_rate", &General::presence_rate, "updates of a member's state that are taken; 0: no limit", "1/s",
            range(0, 1000)),
    setting("presence_interval", &General::presence_interval, "changed states are sent to the room this often", "ms",
            range(10, 10000)),
};

// What the table cannot tell about settings: the name of the first wrong one, and why.
std::optional<SettingError> wrong_setting(const RoomSettings& settings);

using TextRoomStore = RoomStore<RoomSettings, room_fields>;

}  // namespace cardea::textroom
