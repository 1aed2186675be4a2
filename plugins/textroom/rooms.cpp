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
    : services_(services), backend_(backend), store_(topic, [&backend](const RoomSettings& settings) {
        auto wrong = wrong_setting(settings);
        if (!wrong && !settings.post.empty() && !backend.available())
          wrong = SettingError{"post", "this gateway was built without libcurl"};
        return wrong;
      }) {}

// One by one, while they can still be found.
Rooms::~Rooms() {
  while (!rooms_.empty()) destroy(*rooms_.begin()->second);
}

Configured Rooms::configure(JsonView values) {
  if (auto wrong = read_section(values["general"], "general", general_, general_fields)) return wrong;
  return store_.configure(values, general_.string_ids);
}

void Rooms::list_settings(std::vector<SettingInfo>& to) {
  list_section<General>("general", general_fields, to);
  list_section<RoomSettings>("room-<id>", room_fields, to);
}

void Rooms::start() {
  store_.open(services_.state_folder(), general_.string_ids);
  if (general_.demo_room && store_.empty())
    store_.add(general_.string_ids ? PublicId("1234") : PublicId(1234), demo_room());
  for (const auto& [id, settings] : store_.at_start()) (void)create(id, settings);
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
