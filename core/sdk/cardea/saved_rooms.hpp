// The file of permanent rooms: what clients made, changed or destroyed "permanent" outlives the gateway in it. It is
// replaced as a whole, so that a crash leaves the old one or the new one.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "cardea/log.hpp"
#include "cardea/schema.hpp"

namespace cardea {

// Settings: what a room is told to be, with its table of fields. `wrong` says what the table cannot tell.
template <class Settings, const auto& fields>
class SavedRooms {
public:
  using Wrong = std::optional<SettingError> (*)(const Settings&);
  SavedRooms(std::string_view topic, Wrong wrong) : topic_(topic), wrong_(wrong) {}

  // Reads what is there; "" leaves this unusable. Rooms that cannot be understood are reported and left out.
  void open(const std::string& folder, bool string_ids) {
    if (folder.empty()) return;
    path_ = folder + "/rooms.json";
    std::ifstream file(path_, std::ios::binary);
    if (!file) return;  // nothing was ever saved
    auto json = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    if (!json) {
      // Not overwritten: somebody may want to mend it.
      log::error(topic_, path_, " is damaged, permanent rooms are neither read nor saved: ", json.error().reason);
      path_.clear();
      return;
    }
    load((*json)["rooms"], string_ids);
  }
  bool usable() const { return !path_.empty(); }
  bool empty() const { return rooms_.empty(); }
  bool knows(const PublicId& id) const { return rooms_.contains(id); }
  // No settings: the room was destroyed for good, even if the configuration has it.
  const std::map<PublicId, std::optional<Settings>>& rooms() const { return rooms_; }

  // Whether it is in the file now.
  bool save(const PublicId& id, const Settings& settings) { return replace(id, settings); }
  // `configured`: it would come back with the configuration, so that is what has to be remembered.
  bool forget(const PublicId& id, bool configured) {
    if (configured) return replace(id, std::nullopt);
    if (!knows(id)) return usable();
    auto before = rooms_;
    rooms_.erase(id);
    return written_or(std::move(before));
  }

private:
  struct SavedRoom : Settings {
    PublicId room;
    bool destroyed = false;
  };

  void load(JsonView rooms, bool string_ids) {
    const auto saved_fields = std::tuple_cat(
        std::tuple{required("room", &SavedRoom::room), optional("destroyed", &SavedRoom::destroyed)}, fields);
    rooms.each_element([&](JsonView one) {
      auto room = read<SavedRoom>(one, saved_fields, {.string_ids = string_ids});
      std::optional<SettingError> wrong;
      if (room) wrong = wrong_(*room);
      if (!room || wrong || room->room.empty()) {
        const std::string reason = room ? (wrong ? wrong->reason : "no id") : room.error().reason;
        log::warn(topic_, path_, ": a room is left out: ", reason);
        return;
      }
      if (room->destroyed)
        rooms_[room->room] = std::nullopt;
      else
        rooms_[room->room] = std::move(*room);
    });
  }
  bool replace(const PublicId& id, std::optional<Settings> settings) {
    if (!usable()) return false;
    auto before = rooms_;
    rooms_[id] = std::move(settings);
    return written_or(std::move(before));
  }
  bool written_or(std::map<PublicId, std::optional<Settings>> before) {
    if (write_file()) return true;
    rooms_ = std::move(before);
    return false;
  }
  bool write_file() const {
    Json rooms = Json::array();
    for (const auto& [id, settings] : rooms_) {
      Json room = settings ? write(*settings, fields) : Json::object("destroyed", true);
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
    if (!good) log::error(topic_, "cannot save permanent rooms in ", path_);
    return good;
  }

  // given
  std::string_view topic_;
  Wrong wrong_;
  // state
  std::string path_;
  std::map<PublicId, std::optional<Settings>> rooms_;
};

}  // namespace cardea
