// What plugins with rooms have in common: ids of rooms, words that guard them, lists of allowed tokens, settings, and
// requests. room_registry.hpp has the rooms, room_verbs.hpp answers the requests.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "cardea/plugin.hpp"
#include "cardea/public_id.hpp"
#include "cardea/result.hpp"
#include "cardea/schema.hpp"
#include "cardea/text.hpp"

namespace cardea {

// A room's section in a configuration file: "room-1234".
inline constexpr std::string_view room_prefix = "room-";

// The id in the name of such a section; none if it is not one.
inline std::optional<PublicId> room_of_section(std::string_view name, bool string_ids) {
  if (!name.starts_with(room_prefix)) return std::nullopt;
  name.remove_prefix(room_prefix.size());
  if (name.empty()) return std::nullopt;
  if (string_ids) return PublicId(std::string(name));
  int64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number <= 0) return std::nullopt;
  return PublicId(static_cast<uint64_t>(number));
}

// An id that nobody guesses: a number that is exact in JavaScript, or a random UUID (RFC 9562 section 5.4).
inline PublicId random_id(Services& services, bool string_ids) {
  if (!string_ids) return PublicId((services.random() & ((uint64_t{1} << 53) - 1)) | 1);
  static constexpr char digits[] = "0123456789abcdef";
  std::array<uint64_t, 2> bits{services.random(), services.random()};
  bits[0] = (bits[0] & ~uint64_t{0xf000}) | 0x4000;
  bits[1] = (bits[1] & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  std::string uuid;
  for (size_t i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) uuid += '-';
    uuid += digits[(bits[i / 16] >> (60 - 4 * (i % 16))) & 15];
  }
  return PublicId(uuid);
}

// Takes as long for a wrong guess as for a right one.
inline bool same_word(std::string_view a, std::string_view b) {
  unsigned char differences = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i)
    differences = static_cast<unsigned char>(differences | (a[i] ^ (b.empty() ? 0 : b[i % b.size()])));
  return differences == 0;
}

// How a plugin names itself in its answers and its log, and its codes of errors.
struct RoomWords {
  const char* key;  // {"videoroom": "success"}
  int unknown_request, missing, invalid;
  int no_such_room, room_exists, unauthorized;
  int too_many, too_fast, failed;
};

// A room's list of tokens: who may come. None: anyone may.
using Tokens = std::optional<std::vector<std::string>>;
// The verb "allowed": enable, disable, add, remove. A list that is switched off is kept in `unused` and changed there,
// until it is switched on. Returns the list, which a "disable" does not tell.
inline Result<Json> change_tokens(Tokens& tokens, std::vector<std::string>& unused, std::string_view action,
                                  const Tokens& which, const RoomWords& words) {
  const bool changes = action == "add" || action == "remove";
  if (changes && !which) return Error{words.missing, "Missing mandatory element (allowed)"};
  if (action == "enable" && !tokens) tokens = std::exchange(unused, {});
  if (action == "disable") {
    if (tokens) unused = std::move(*tokens);
    tokens.reset();
    return Json();
  }
  std::vector<std::string>& list = tokens ? *tokens : unused;
  if (changes)
    for (const std::string& token : *which) {
      std::erase(list, token);
      if (action == "add") list.push_back(token);
    }
  Json all = Json::array();
  for (const std::string& token : list) all.append(token);
  return all;
}

// What the settings of every kind of room begin with.
struct RoomBasics {
  std::string description;  // empty: "Room <id>"
  std::string secret, pin;  // empty: none
  bool is_private = false;
  Tokens allowed;
  std::vector<std::string> unused_tokens;  // of a list that is switched off; not configured, not saved
};
inline constexpr auto room_basics_fields = std::tuple{
    setting("description", &RoomBasics::description, "shown in lists; empty: \"Room <id>\""),
    setting("secret", &RoomBasics::secret, "needed to edit, destroy, kick...; empty: none"),
    setting("pin", &RoomBasics::pin, "needed to join; empty: none"),
    setting("is_private", &RoomBasics::is_private, "hidden from \"list\""),
    setting("allowed", &RoomBasics::allowed, "tokens that may join; left out: anyone"),
};

// Section "general" of every plugin with rooms begins with this.
struct RoomGeneral {
  std::string admin_key;
  bool string_ids = false;
  bool demo_room = true;
  uint32_t max_rooms = 10000, max_session_rooms = 100;
  uint32_t max_room_size = 64 * 1024, max_saved = 16 * 1024 * 1024;
  bool permanent_without_key = false;
  uint32_t max_text = Sizes{}.text, max_metadata = Sizes{}.object;
  uint32_t told_rate = 64 * 1024, told_burst = 1024 * 1024;

  Sizes sizes() const { return {.text = max_text, .object = max_metadata}; }
};
inline constexpr auto room_general_fields = std::tuple{
    setting("admin_key", &RoomGeneral::admin_key, "needed to create rooms and to list private ones; empty: not needed"),
    setting("string_ids", &RoomGeneral::string_ids, "ids are strings, not numbers"),
    setting("demo_room", &RoomGeneral::demo_room, "make the demo room 1234 where no room is configured or saved"),
    setting("max_rooms", &RoomGeneral::max_rooms, "no room is created beyond so many", "rooms", range(1, 1000000)),
    setting("max_session_rooms", &RoomGeneral::max_session_rooms, "so many rooms that one session created may be there",
            "rooms", range(1, 1000000)),
    setting("max_room_size", &RoomGeneral::max_room_size, "what clients may make of one room's settings, in JSON",
            "bytes", range(4096, 16 * 1024 * 1024)),
    setting("max_saved", &RoomGeneral::max_saved, "no room is made permanent beyond, in JSON", "bytes",
            range(4096, 1 << 30)),
    setting("permanent_without_key", &RoomGeneral::permanent_without_key,
            "rooms may be saved by those who do not know the admin_key"),
    setting("max_text", &RoomGeneral::max_text, "names, descriptions, mids, tokens and the like are refused beyond",
            "bytes", range(64, 1024 * 1024)),
    setting("max_metadata", &RoomGeneral::max_metadata, "metadata and other objects are refused beyond", "bytes",
            range(64, 1024 * 1024)),
    setting("told_rate", &RoomGeneral::told_rate,
            "what one session may have told to others in the long run; 0: no limit", "bytes/s"),
    setting("told_burst", &RoomGeneral::told_burst, "what one session may have told to others at once", "bytes",
            range(64 * 1024, 1 << 30)),
};

// A list in an answer, of which a client gets no more than its queue takes: the elements that fit. `next` is where to
// go on ("after" of the next request) if some did not.
class Page {
public:
  static constexpr size_t max_bytes = 512 * 1024;

  // Whether it fits; nothing is added after what did not.
  bool add(const PublicId& id, Json one) {
    if (full_) return false;
    bytes_ += one.text().size();
    if (bytes_ > max_bytes && all_.size() > 0) return !(full_ = true);
    all_.append(std::move(one));
    last_ = id;
    return true;
  }
  // As the member `name` of an answer, with "next".
  void move_to(const char* name, Json& answer) {
    answer.set(name, std::move(all_));
    if (full_) answer.set("next", last_.json());
  }

private:
  // state
  Json all_ = Json::array();
  PublicId last_;
  size_t bytes_ = 0;
  bool full_ = false;
};

// Requests that every plugin with rooms takes, with their fields.

template <class Settings>
struct CreateRoom : Settings {
  PublicId room;
  bool permanent = false;
  std::optional<std::string> admin_key;
};
template <class Settings>
constexpr auto create_room_fields(const auto& settings_fields) {
  using Create = CreateRoom<Settings>;
  return std::tuple_cat(std::tuple{optional("room", &Create::room), optional("permanent", &Create::permanent),
                                   optional("admin_key", &Create::admin_key)},
                        settings_fields);
}

// A plugin's own edit is built on it, and has `void apply(Settings&) const` for what it adds.
struct EditRoom {
  PublicId room;
  std::optional<std::string> secret, admin_key;
  std::optional<std::string> new_description, new_secret, new_pin;
  std::optional<bool> new_is_private;
  bool permanent = false;

  // Empty words are no wish: a secret or pin cannot be taken away.
  static void change(const std::optional<std::string>& to, std::string& word) {
    if (to && !to->empty()) word = *to;
  }
  template <class T>
  static void change(const std::optional<T>& to, T& value) {
    if (to) value = *to;
  }
  void apply_basics(RoomBasics& to) const {
    change(new_description, to.description);
    change(new_secret, to.secret);
    change(new_pin, to.pin);
    change(new_is_private, to.is_private);
  }
};
inline constexpr auto edit_room_fields = std::tuple{
    required("room", &EditRoom::room),
    optional("secret", &EditRoom::secret),
    optional("admin_key", &EditRoom::admin_key),
    optional("new_description", &EditRoom::new_description),
    optional("new_secret", &EditRoom::new_secret),
    optional("new_pin", &EditRoom::new_pin),
    optional("new_is_private", &EditRoom::new_is_private),
    optional("permanent", &EditRoom::permanent),
};

// Requests that every plugin with rooms takes, with their fields.

struct OneRoom {
  PublicId room;
};
inline constexpr auto one_room_fields = std::tuple{required("room", &OneRoom::room)};

struct ListRooms {
  std::optional<std::string> admin_key;
  std::optional<PublicId> after;  // a page's "next"
};
inline constexpr auto list_rooms_fields =
    std::tuple{optional("admin_key", &ListRooms::admin_key), optional("after", &ListRooms::after)};

struct DestroyRoom {
  PublicId room;
  std::optional<std::string> secret, admin_key;
  bool permanent = false;
};
inline constexpr auto destroy_room_fields =
    std::tuple{required("room", &DestroyRoom::room), optional("secret", &DestroyRoom::secret),
               optional("admin_key", &DestroyRoom::admin_key), optional("permanent", &DestroyRoom::permanent)};

struct ChangeAllowed {
  PublicId room;
  std::optional<std::string> secret;
  std::string action;
  Tokens allowed;
};
inline constexpr auto change_allowed_fields =
    std::tuple{required("room", &ChangeAllowed::room), optional("secret", &ChangeAllowed::secret),
               required("action", &ChangeAllowed::action, one_of("enable", "disable", "add", "remove")),
               optional("allowed", &ChangeAllowed::allowed)};

}  // namespace cardea
