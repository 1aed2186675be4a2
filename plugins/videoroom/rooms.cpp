#include "rooms.hpp"

#include "cardea/log.hpp"
#include "errors.hpp"

namespace cardea::videoroom {
namespace {

constexpr std::string_view topic = "videoroom";

// What one meets who starts the gateway without any configuration.
RoomSettings demo_room() {
  RoomSettings demo;
  demo.description = "Demo Room";
  demo.publishers = 6;
  demo.audiolevel_event = true;
  demo.videocodec = "vp8,vp9,h264,av1";
  return demo;
}

}  // namespace

Error no_such_room(const PublicId& id) { return {code::no_such_room, "No such room (" + id.text() + ")"}; }

Rooms::Rooms(Services& services) : services_(services), store_(topic, wrong_setting) {}

// One by one, while they can still be found: their dummies leave them.
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

Room* Rooms::find(RoomKey key) const {
  auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

std::vector<Room*> Rooms::all() const {
  std::vector<Room*> all;
  for (const auto& [id, room] : rooms_) all.push_back(room.get());
  return all;
}

Result<Room*> Rooms::create(PublicId id, RoomSettings settings) {
  if (id.empty()) id = new_id([this](const PublicId& candidate) { return find(candidate) != nullptr; });
  if (find(id) != nullptr) return Error{code::room_exists, "Room " + id.text() + " already exists"};
  const bool wants_dummy = settings.dummy_publisher;
  auto made = std::make_unique<Room>(RoomKey{++last_key_}, id, std::move(settings), services_);
  Room* room = made.get();
  by_key_.emplace(room->key(), room);
  rooms_.emplace(id, std::move(made));
  if (wants_dummy) {
    Person dummy;
    dummy.id = new_id([](const PublicId&) { return false; });
    dummy.private_id = random_32();
    dummy.display = "Dummy publisher";
    dummy.dummy = true;
    room->add_dummy(std::make_unique<Publisher>(*this, *room, nullptr, std::move(dummy)));
  }
  return room;
}

void Rooms::destroy(Room& room) {
  room.close();
  by_key_.erase(room.key());
  rooms_.erase(PublicId(room.id()));
}

bool Rooms::save(const Room& room) { return store_.save(room.id(), room.settings()); }
bool Rooms::forget(const PublicId& id) { return store_.forget(id); }

uint32_t Rooms::random_32() { return static_cast<uint32_t>(services_.random()) | 1; }

}  // namespace cardea::videoroom
