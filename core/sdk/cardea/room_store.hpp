// The rooms that are there when a plugin starts: those of its configuration, and permanent ones, which clients made,
// changed or destroyed, from a file. The file is replaced as a whole, so that a crash leaves the old one or the new
// one.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "cardea/log.hpp"
#include "cardea/plugin.hpp"
#include "cardea/rooms.hpp"
#include "cardea/schema.hpp"

namespace cardea {

// Settings: what a room is told to be, with its table of fields. `wrong` says what the table cannot tell.
template <class Settings, const auto& fields>
class RoomStore {
public:
  using Wrong = std::function<std::optional<SettingError>(const Settings&)>;
  RoomStore(std::string_view topic, Wrong wrong) : topic_(topic), wrong_(std::move(wrong)) {}

  // The rooms of a configuration: its sections "room-ID", beside the plugin's own, "general".
  Configured configure(JsonView values, bool string_ids) {
    Configured wrong;
    values.each_member([&](std::string_view section, JsonView value) {
      if (!wrong && section != "general") wrong = read_room(section, value, string_ids);
    });
    return wrong;
  }
  // Reads the file; without a folder no room can be saved. Rooms that cannot be understood are reported and left out.
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
  // A room as if the configuration had it.
  void add(PublicId id, Settings settings) { configured_.emplace(std::move(id), std::move(settings)); }
  // Neither the configuration nor the file has a room, or remembers one that was destroyed.
  bool empty() const { return configured_.empty() && saved_.empty(); }
  // All that are to be made at start. The file wins over the configuration.
  std::map<PublicId, Settings> at_start() const {
    std::map<PublicId, Settings> all;
    for (const auto& [id, settings] : saved_)
      if (settings) all.emplace(id, *settings);
    for (const auto& [id, settings] : configured_)
      if (!saved_.contains(id)) all.emplace(id, settings);
    return all;
  }

  // The configuration has it; the file has it.
  bool configured(const PublicId& id) const { return configured_.contains(id); }
  bool saved(const PublicId& id) const {
    auto found = saved_.find(id);
    return found != saved_.end() && found->second;
  }

  // Keep or forget a room over restarts; whether that worked.
  bool save(const PublicId& id, const Settings& settings) { return replace(id, settings); }
  bool forget(const PublicId& id) {
    // It would come back with the configuration: what has to be remembered is that it was destroyed.
    if (configured_.contains(id)) return replace(id, std::nullopt);
    if (!saved_.contains(id)) return usable();
    auto before = saved_;
    saved_.erase(id);
    return written_or(std::move(before));
  }

private:
  struct SavedRoom : Settings {
    PublicId room;
    bool destroyed = false;
  };

  std::optional<SettingError> read_room(std::string_view section, JsonView value, bool string_ids) {
    if (!section.starts_with(room_prefix)) return SettingError{std::string(section), "no such section"};
    Settings settings;
    if (auto wrong = read_section(value, section, settings, fields, string_ids)) return wrong;
    if (auto wrong = wrong_(settings)) return SettingError{text(section, ".", wrong->path), wrong->reason};
    if (auto id = room_of_section(section, string_ids))
      add(std::move(*id), std::move(settings));
    else
      log::warn(topic_, section, ": not an id, the room is left out");
    return {};
  }
  void load(JsonView rooms, bool string_ids) {
    const auto saved_fields = std::tuple_cat(
        std::tuple{required("room", &SavedRoom::room), optional("destroyed", &SavedRoom::destroyed)}, fields);
    rooms.each_element([&](JsonView one) {
      auto room =
          read<SavedRoom>(one, saved_fields, {.string_ids = string_ids, .sizes = {any_size, any_size, any_size}});
      std::optional<SettingError> wrong;
      if (room) wrong = wrong_(*room);
      if (!room || wrong || room->room.empty()) {
        const std::string reason = room ? (wrong ? wrong->reason : "no id") : room.error().reason;
        log::warn(topic_, path_, ": a room is left out: ", reason);
        return;
      }
      if (room->destroyed)
        saved_[room->room] = std::nullopt;
      else
        saved_[room->room] = std::move(*room);
    });
  }
  bool replace(const PublicId& id, std::optional<Settings> settings) {
    if (!usable()) return false;
    auto before = saved_;
    saved_[id] = std::move(settings);
    return written_or(std::move(before));
  }
  bool written_or(std::map<PublicId, std::optional<Settings>> before) {
    if (write_file()) return true;
    saved_ = std::move(before);
    return false;
  }
  bool write_file() const {
    Json rooms = Json::array();
    for (const auto& [id, settings] : saved_) {
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
  std::map<PublicId, Settings> configured_;
  std::map<PublicId, std::optional<Settings>> saved_;  // no settings: destroyed, whatever the configuration has
};

}  // namespace cardea
