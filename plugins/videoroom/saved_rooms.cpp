#include "saved_rooms.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "cardea/log.hpp"

namespace cardea::videoroom {
namespace {

constexpr std::string_view topic = "videoroom";

struct SavedRoom : RoomSettings {
  PublicId room;
  bool destroyed = false;
};
constexpr auto saved_fields = std::tuple_cat(
    std::tuple{required("room", &SavedRoom::room), optional("destroyed", &SavedRoom::destroyed)}, room_fields);

}  // namespace

void SavedRooms::open(const std::string& folder, bool string_ids) {
  if (folder.empty()) return;
  path_ = folder + "/rooms.json";
  std::ifstream file(path_, std::ios::binary);
  if (!file) return;  // nothing was ever saved
  auto json = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!json) {
    // Not overwritten: somebody may want to mend it.
    log::error(topic, path_, " is damaged, permanent rooms are neither read nor saved: ", json.error().reason);
    path_.clear();
    return;
  }
  load((*json)["rooms"], string_ids);
}

void SavedRooms::load(JsonView rooms, bool string_ids) {
  rooms.each_element([&](JsonView one) {
    auto room = read<SavedRoom>(one, saved_fields, {.string_ids = string_ids});
    std::optional<SettingError> wrong;
    if (room) wrong = wrong_setting(*room);
    if (!room || wrong || room->room.empty()) {
      log::warn(topic, path_, ": a room is left out: ", room ? (wrong ? wrong->reason : "no id") : room.error().reason);
      return;
    }
    if (room->destroyed)
      rooms_[room->room] = std::nullopt;
    else
      rooms_[room->room] = std::move(*room);
  });
}

bool SavedRooms::save(const PublicId& id, const RoomSettings& settings) { return replace(id, settings); }

bool SavedRooms::forget(const PublicId& id, bool configured) {
  if (configured) return replace(id, std::nullopt);
  if (!knows(id)) return usable();
  auto before = rooms_;
  rooms_.erase(id);
  if (write_file()) return true;
  rooms_ = std::move(before);
  return false;
}

bool SavedRooms::replace(const PublicId& id, std::optional<RoomSettings> settings) {
  if (!usable()) return false;
  auto before = rooms_;
  rooms_[id] = std::move(settings);
  if (write_file()) return true;
  rooms_ = std::move(before);
  return false;
}

bool SavedRooms::write_file() const {
  Json rooms = Json::array();
  for (const auto& [id, settings] : rooms_) {
    Json room = settings ? write(*settings, room_fields) : Json::object("destroyed", true);
    room.set("room", id.json());
    rooms.append(std::move(room));
  }
  const std::string content = Json::object("rooms", std::move(rooms)).text(JsonStyle::indented) + "\n";
  const std::string beside = path_ + ".new";
  // Secrets are in it: for us alone.
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool good = file >= 0;
  for (size_t written = 0; good && written < content.size();) {
    const ssize_t more = ::write(file, content.data() + written, content.size() - written);
    good = more > 0;
    if (good) written += static_cast<size_t>(more);
  }
  good = good && ::fsync(file) == 0;
  if (file >= 0) good = ::close(file) == 0 && good;
  good = good && std::rename(beside.c_str(), path_.c_str()) == 0;
  if (!good) log::error(topic, "cannot save permanent rooms in ", path_);
  return good;
}

}  // namespace cardea::videoroom
