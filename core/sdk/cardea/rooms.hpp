// What plugins with rooms have in common: ids of rooms, words that guard them, lists of allowed tokens, and requests.
#pragma once

#include <array>
#include <charconv>
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

// A secret, pin or key that has to be given, unless none is needed.
struct WordCodes {
  int missing = 0, unauthorized = 0;
};
inline Status check_word(const char* name, const std::string& needed, const std::optional<std::string>& given,
                         WordCodes codes) {
  if (needed.empty()) return {};
  if (!given) return Error{codes.missing, text("Missing mandatory element (", name, ")")};
  if (!same_word(*given, needed)) return Error{codes.unauthorized, text("Unauthorized (wrong ", name, ")")};
  return {};
}

// A room's list of tokens: who may come. None: anyone may.
using Tokens = std::optional<std::vector<std::string>>;
// The verb "allowed": enable, disable, add, remove. A list that is switched off is kept in `unused` and changed there,
// until it is switched on. Returns the list, which a "disable" does not tell.
inline Result<Json> change_tokens(Tokens& tokens, std::vector<std::string>& unused, std::string_view action,
                                  const Tokens& which, int missing) {
  const bool changes = action == "add" || action == "remove";
  if (changes && !which) return Error{missing, "Missing mandatory element (allowed)"};
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

// Requests that every plugin with rooms takes, with their fields.

struct OneRoom {
  PublicId room;
};
inline constexpr auto one_room_fields = std::tuple{required("room", &OneRoom::room)};

struct ListRooms {
  std::optional<std::string> admin_key;
};
inline constexpr auto list_rooms_fields = std::tuple{optional("admin_key", &ListRooms::admin_key)};

struct DestroyRoom {
  PublicId room;
  std::optional<std::string> secret;
  bool permanent = false;
};
inline constexpr auto destroy_room_fields =
    std::tuple{required("room", &DestroyRoom::room), optional("secret", &DestroyRoom::secret),
               optional("permanent", &DestroyRoom::permanent)};

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
