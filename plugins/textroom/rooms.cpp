#include "rooms.hpp"

#include "cardea/log.hpp"
#include "cardea/rooms.hpp"
#include "errors.hpp"

namespace cardea::textroom {
namespace {

constexpr std::string_view topic = "textroom";

// What one meets who starts the gateway without any configuration.
RoomSettings demo_room() {
  RoomSettings demo;
  demo.description = "Demo Room";
  return demo;
}

}  // namespace

Rooms::Rooms(Services& services, Backend& backend)
    : services_(services), backend_(backend), saved_(topic, wrong_setting) {}

// One by one, while they can still be found.
Rooms::~Rooms() {
  while (!rooms_.empty()) destroy(*rooms_.begin()->second);
}

Configured Rooms::configure(JsonView values) {
  if (auto wrong = read_section(values["general"], "general", general_, general_fields)) return wrong;
  Configured wrong;
  values.each_member([&](std::string_view section, JsonView value) {
    if (wrong || section == "general") return;
    if (!section.starts_with(room_prefix)) {
      wrong = SettingError{std::string(section), "no such section"};
      return;
    }
    RoomSettings settings;
    if ((wrong = read_section(value, section, settings, room_fields, general_.string_ids))) return;
    if (auto reason = wrong_setting(settings)) {
      wrong = SettingError{text(section, ".", reason->path), reason->reason};
      return;
    }
    if (!settings.post.empty() && !backend_.available()) {
      wrong = SettingError{text(section, ".post"), "this gateway was built without libcurl"};
      return;
    }
    if (auto id = room_of_section(section, general_.string_ids))
      configured_.emplace(std::move(*id), std::move(settings));
    else
      log::warn(topic, section, ": not an id, the room is left out");
  });
  return wrong;
}

void Rooms::list_settings(std::vector<SettingInfo>& to) {
  list_section<General>("general", general_fields, to);
  list_section<RoomSettings>("room-<id>", room_fields, to);
}

void Rooms::start() {
  saved_.open(services_.state_folder(), general_.string_ids);
  if (general_.demo_room && configured_.empty() && saved_.empty())
    configured_.emplace(general_.string_ids ? PublicId("1234") : PublicId(1234), demo_room());
  for (const auto& [id, settings] : configured_)
    if (!saved_.knows(id)) (void)create(id, settings);
  for (const auto& [id, settings] : saved_.rooms())
    if (settings) (void)create(id, *settings);
  log::info(topic, rooms_.size(), " rooms");
}

Room* Rooms::find(const PublicId& id) const {
  auto found = rooms_.find(id);
  return found == rooms_.end() ? nullptr : found->second.get();
}

std::vector<Room*> Rooms::all() const {
  std::vector<Room*> all;
  for (const auto& [id, room] : rooms_) all.push_back(room.get());
  return all;
}

Result<Room*> Rooms::create(PublicId id, RoomSettings settings) {
  if (id.empty()) {
    do id = random_id(services_, general_.string_ids);
    while (find(id) != nullptr);
  }
  if (find(id) != nullptr) return Error{code::room_exists, "Room " + id.text() + " already exists"};
  auto made = std::make_unique<Room>(id, std::move(settings), general_, services_, backend_);
  return rooms_.emplace(std::move(id), std::move(made)).first->second.get();
}

void Rooms::destroy(Room& room) {
  room.close();
  rooms_.erase(PublicId(room.id()));
}

}  // namespace cardea::textroom
