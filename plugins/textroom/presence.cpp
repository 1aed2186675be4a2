#include "presence.hpp"

#include <cmath>

#include "errors.hpp"
#include "seat.hpp"

namespace cardea::textroom {
namespace {

constexpr size_t max_state = 1024;       // bytes, as compact JSON
constexpr size_t max_lossy = 1090;       // bytes; a message that fits one packet is lost alone
constexpr size_t max_reliable = 16'000;  // bytes; every peer takes messages of 16 KiB
constexpr size_t max_crowd = 100;        // names told with a zone
constexpr Duration settling = 500ms;     // a state that rests so long is told once more, reliably

}  // namespace

Status Presence::check(JsonView state) {
  auto invalid = [](auto... what) {
    return Error{code::invalid_element, text("Invalid element (state", what..., ")")};
  };
  for (const char* axis : {"x", "y"}) {
    const JsonView value = state[axis];
    if (value && (!value.is_number() || !(std::abs(value.number()) <= max_coordinate)))
      return invalid(": x and y should be numbers, at most 1e9");
  }
  for (const char* word : {"nickname", "avatar"})
    if (state[word] && !state[word].is_string()) return invalid(": nickname and avatar should be strings");
  if (state.text().size() > max_state) return invalid(" is larger than ", max_state, " bytes");
  return {};
}

Presence::Presence(const PublicId& room, Members& members, const std::vector<Zone>& zones, Services& services,
                   const General& general)
    : room_(room), members_(members), zones_(zones), services_(services), general_(general), timer_(services) {}

void Presence::watch(Member& member) {
  if (member.watches) return;
  member.watches = true;
  member.behind = true;
  wake();
}

Status Presence::update(Member& member, JsonView state, const std::optional<int64_t>& seq) {
  Place& place = member.place;
  if (!place.rate.take(services_.now())) return Error{code::too_fast, "Too many updates of the state"};
  if (seq && place.seq && *seq <= *place.seq) return {};
  Json merged = place.state ? place.state.copy() : Json::object();
  state.each_member([&](std::string_view key, JsonView value) {
    const std::string name(key);
    if (value.is_null())
      merged.erase(name.c_str());
    else
      merged.set(name, Json::copy(value));
  });
  if (Status good = check(merged); !good) return good;
  place.state = std::move(merged);
  place.entry = text(Json(member.username).text(), ':', place.state.text());
  if (seq) place.seq = seq;
  place.changed = true;
  wake();
  return {};
}

void Presence::forget(Member& member) {
  member.place.state = {};
  member.place.changed = false;
  member.place.settles = never;
  walk(member);
}

void Presence::zones_changed() {
  for (auto& [name, member] : members_) walk(member);
  tell(Json::object("textroom", "zones", "room", room_.json(), "zones", zones()));
}

Json Presence::zones() const {
  Json all = Json::array();
  for (const Zone& zone : zones_) {
    Json one = zone.json();
    add_crowd(one, zone.name);
    all.append(std::move(one));
  }
  return all;
}

void Presence::wake() {
  if (!timer_.running()) timer_.start(std::chrono::milliseconds(general_.presence_interval), [this] { tick(); });
}

void Presence::tick() {
  ++tick_;
  Batches changed, settled;
  settle_and_collect(changed, settled);
  tell_watchers(changed, settled);
  for (const Member* member : changed.whose)
    if (auto found = members_.find(member->username); found != members_.end()) walk(found->second);
  for (const auto& [name, member] : members_)
    if (member.behind || member.place.settles != never) return wake();
}

void Presence::settle_and_collect(Batches& changed, Batches& settled) {
  const Time now = services_.now();
  for (auto& [name, member] : members_) {
    Place& place = member.place;
    if (place.changed) {
      place.changed = false;
      place.settles = now + settling;
      changed.whose.push_back(&member);
    } else if (now >= place.settles) {
      place.settles = never;
      settled.whose.push_back(&member);
    }
  }
}

void Presence::tell_watchers(Batches& changed, Batches& settled) {
  Batches all;
  for (auto& [name, member] : members_) {
    if (!member.watches) continue;
    if (member.behind) {
      if (all.empty())
        for (const auto& [other_name, other] : members_)
          if (other.place.state) all.whose.push_back(&other);
      member.behind = !send(member, all, false);
    } else if (member.seat->loses(member.via)) {
      member.behind = !send(member, changed, true) || !send(member, settled, false);
    } else {
      member.behind = !send(member, changed, false);
    }
  }
}

bool Presence::send(Member& to, Batches& batches, bool lossy) {
  if (batches.empty()) return true;
  auto& packed = lossy ? batches.small : batches.large;
  if (!packed) packed = pack(batches, lossy ? max_lossy : max_reliable);
  for (const Outgoing& one : *packed)
    if (!to.seat->show(to.via, one, lossy)) return false;
  return true;
}

std::vector<Outgoing> Presence::pack(const Batches& batches, size_t max_bytes) const {
  constexpr std::string_view end = "}}";
  const std::string begin =
      text(R"({"textroom":"presence","room":)", room_.json().text(), R"(,"tick":)", tick_, R"(,"states":{)");
  std::vector<Outgoing> packed;
  std::string event;
  auto close = [&] {
    if (!event.empty()) packed.emplace_back(std::exchange(event, {}).append(end));
  };
  for (const Member* member : batches.whose) {
    const std::string& entry = member->place.entry;
    if (event.size() + 1 + entry.size() + end.size() > max_bytes) close();
    event.append(event.empty() ? std::string_view(begin) : ",").append(entry);
  }
  close();
  return packed;
}

// The zones the member stands in now, against those of before.
void Presence::walk(Member& member) {
  std::set<std::string> now_in;
  const JsonView x = member.place.state["x"], y = member.place.state["y"];
  if (x && y)
    for (const Zone& zone : zones_)
      if (zone.contains(x.number(), y.number())) now_in.insert(zone.name);
  const std::set<std::string> before = std::exchange(member.place.zones, now_in);
  for (const std::string& zone : before)
    if (!now_in.contains(zone)) step(member, zone, false);
  for (const std::string& zone : now_in)
    if (!before.contains(zone)) step(member, zone, true);
}

void Presence::step(Member& member, const std::string& zone, bool in) {
  auto& crowd = crowds_[zone];
  if (in)
    crowd.insert(member.username);
  else
    crowd.erase(member.username);
  Json event = Json::object("textroom", in ? "zone-entered" : "zone-left", "room", room_.json(), "zone", zone,
                            "username", member.username);
  add_crowd(event, zone);
  tell(std::move(event));
  if (crowd.empty()) crowds_.erase(zone);
}

void Presence::add_crowd(Json& to, const std::string& zone) const {
  Json present = Json::array();
  size_t count = 0;
  if (auto crowd = crowds_.find(zone); crowd != crowds_.end()) {
    count = crowd->second.size();
    for (const std::string& name : crowd->second)
      if (present.size() < max_crowd) present.append(name);
  }
  to.set("present", std::move(present)).set("count", count);
}

void Presence::tell(Json event) const {
  const Outgoing out(std::move(event), general_.style());
  for (const auto& [name, member] : members_)
    if (member.watches) member.seat->tell(member.via, out);
}

}  // namespace cardea::textroom
