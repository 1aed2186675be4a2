// All rooms: from the configuration, from the saved file, made by clients; and the settings of the plugin.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cardea/plugin.hpp"
#include "poster.hpp"
#include "room.hpp"
#include "settings.hpp"

namespace cardea::textroom {

class Rooms {
public:
  Rooms(Services& services, Backend& backend);
  ~Rooms();
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  Configured configure(JsonView values);
  static void list_settings(std::vector<SettingInfo>& to);
  // Makes the configured and saved rooms.
  void start();

  Services& services() { return services_; }
  Backend& backend() const { return backend_; }
  const General& general() const { return general_; }

  Room* find(const PublicId& id) const;
  std::vector<Room*> all() const;
  // The id is chosen if empty. 418: taken.
  Result<Room*> create(PublicId id, RoomSettings settings);
  void destroy(Room& room);

  // Keep or forget a room over restarts; whether that worked.
  bool can_save() const { return store_.usable(); }
  bool save(const Room& room) { return store_.save(room.id(), room.settings()); }
  bool forget(const PublicId& id) { return store_.forget(id); }

private:
  // given
  Services& services_;
  Backend& backend_;
  General general_;
  // owned
  TextRoomStore store_;
  std::map<PublicId, std::unique_ptr<Room>> rooms_;
};

}  // namespace cardea::textroom
