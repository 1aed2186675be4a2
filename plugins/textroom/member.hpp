// Someone in a room: a name, the client behind it, the way its events go, and its state where it shows one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "cardea/json.hpp"
#include "cardea/rate.hpp"
#include "cardea/time.hpp"

namespace cardea::textroom {

class Seat;

// Where requests come from and events go to.
enum class Via : uint8_t { channel, api };

// The presence of a member: a small JSON object, and what of it is still to be told.
struct Place {
  explicit Place(uint32_t updates_per_second) : rate(updates_per_second, updates_per_second) {}

  Json state{};         // nothing: shows none
  std::string entry{};  // as it is told: "username":{...}
  std::optional<int64_t> seq{};
  bool changed = false;
  Time settles = never;           // when it is told again to those who may have lost it
  std::set<std::string> zones{};  // those it stands in
  Rate rate;
};

struct Member {
  std::string username;
  std::optional<std::string> display;
  Seat* seat;
  Via via;
  Place place;
  bool watches = false;  // gets the states of the others
  bool behind = false;   // missed some: gets all again

  Json json() const { return Json::object("username", username, "display", display); }
};

using Members = std::map<std::string, Member, std::less<>>;

}  // namespace cardea::textroom
