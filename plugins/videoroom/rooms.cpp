#include "rooms.hpp"

namespace cardea::videoroom {

std::unique_ptr<Room> Rooms::make(RoomKey key, const PublicId& id, RoomSettings settings) {
  return std::make_unique<Room>(key, id, std::move(settings), services());
}

void Rooms::made(Room& room) {
  if (!room.settings().dummy_publisher) return;
  Person dummy;
  dummy.id = new_id([](const PublicId&) { return false; });
  dummy.private_id = random_32();
  dummy.display = "Dummy publisher";
  dummy.dummy = true;
  room.add_dummy(std::make_unique<Publisher>(*this, room, nullptr, std::move(dummy)));
}

RoomSettings Rooms::demo() const {
  RoomSettings demo;
  demo.description = "Demo Room";
  demo.publishers = 6;
  demo.audiolevel_event = true;
  demo.videocodec = "vp8,vp9,h264,av1";
  return demo;
}

std::optional<SettingError> Rooms::wrong_setting(const RoomSettings& settings) const {
  return videoroom::wrong_setting(settings);
}

Status Rooms::check_settings(const RoomSettings& wanted, const RoomSettings* before) const {
  if (wanted.record) return Error{code::unknown_error, "Recording is not available"};
  return RoomRegistry::check_settings(wanted, before);
}

}  // namespace cardea::videoroom
