// The rooms that are there when a plugin starts: those of its configuration, and permanent ones, which clients made,
// changed or destroyed, from a file. The file is written by the files thread, at most once a second however often rooms
// change: after a crash it may lack the last second.
#pragma once

#include <chrono>
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
#include "cardea/timer.hpp"

namespace cardea {

// Settings: what a room is told to be, with its table of fields. `wrong` says what the table cannot tell.
template <class Settings, const auto& fields>
class RoomStore {
public:
  using Wrong = std::function<std::optional<SettingError>(const Settings&)>;
  RoomStore(std::string_view topic, Services& services, Wrong wrong)
      : topic_(topic), services_(services), wrong_(std::move(wrong)), timer_(services) {}
  RoomStore(const RoomStore&) = delete;
  RoomStore& operator=(const RoomStore&) = delete;

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
    path_ = folder + "/" + std::string(file_name);
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
    std::map<PublicId, Settings> all = read_;
    for (const auto& [id, settings] : configured_)
      if (!saved_.contains(id)) all.emplace(id, settings);
    return all;
  }

  // The configuration has it; the file has it, or soon will.
  bool configured(const PublicId& id) const { return configured_.contains(id); }
  bool saved(const PublicId& id) const {
    auto found = saved_.find(id);
    return found != saved_.end() && !found->second.empty();
  }
  size_t bytes() const { return bytes_; }

  // Keep or forget a room over restarts. False: the last attempt to write the file failed. It is tried again.
  bool save(const PublicId& id, const Settings& settings) {
    Json room = write(settings, fields);
    room.set("room", id.json());
    return keep(id, room.text());
  }
  bool forget(const PublicId& id) {
    // It would come back with the configuration: what has to be remembered is that it was destroyed.
    if (configured_.contains(id)) return keep(id, "");
    auto found = saved_.find(id);
    if (found == saved_.end()) return usable();
    bytes_ -= found->second.size();
    saved_.erase(found);
    return changed();
  }
  // Writes what has not been written yet, before the plugin stops.
  void flush() {
    if (timer_.running()) write_file();
    timer_.cancel();
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
      saved_[room->room] = room->destroyed ? "" : one.text();
      bytes_ += saved_[room->room].size();
      if (!room->destroyed) read_.insert_or_assign(room->room, std::move(*room));
    });
  }
  bool keep(const PublicId& id, std::string room) {
    std::string& text = saved_[id];
    bytes_ += room.size() - text.size();
    text = std::move(room);
    return changed();
  }
  bool changed() {
    if (!usable()) return false;
    if (!timer_.running() && !writing_) timer_.start(failing_ ? after_failure : pause, [this] { write_file(); });
    changed_ = true;
    return !failing_;
  }
  void write_file() {
    std::string content = "{\"rooms\": [";
    content.reserve(bytes_ + 64 * saved_.size());
    const char* before = "\n";
    for (const auto& [id, room] : saved_) {
      content += std::exchange(before, ",\n");
      content += room.empty() ? Json::object("destroyed", true, "room", id.json()).text() : room;
    }
    content += "\n]}\n";
    changed_ = false;
    writing_ = true;
    services_.save(std::string(file_name), std::move(content), [this](const Status& written) {
      writing_ = false;
      if (!written && !failing_) log::error(topic_, "cannot save permanent rooms: ", written.error().reason);
      failing_ = !written;
      if (changed_ || failing_) (void)changed();
    });
  }

  static constexpr std::string_view file_name = "rooms.json";
  static constexpr Duration pause = 1s, after_failure = 10s;

  // given
  std::string_view topic_;
  Services& services_;
  Wrong wrong_;
  // state
  std::string path_;
  std::map<PublicId, Settings> configured_, read_;
  std::map<PublicId, std::string> saved_;  // as JSON; empty: destroyed, whatever the configuration has
  size_t bytes_ = 0;                       // of all those
  bool changed_ = false, writing_ = false, failing_ = false;
  Timer timer_;
};

}  // namespace cardea
