// All rooms: from the configuration, from the saved file, made by clients; and the settings of the plugin.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cardea/plugin.hpp"
#include "cardea/room_store.hpp"
#include "cardea/rooms.hpp"
#include "room.hpp"
#include "settings.hpp"

namespace cardea::videoroom {

class Rooms {
public:
  explicit Rooms(Services& services);
  ~Rooms();

  Configured configure(JsonView values);
  static void list_settings(std::vector<SettingInfo>& to);
  // Makes the configured and saved rooms.
  void start();

  Services& services() { return services_; }
  const General& general() const { return general_; }

  Room* find(const PublicId& id) const;
  Room* find(RoomKey key) const;
  std::vector<Room*> all() const;
  // The id is chosen if empty. 427: taken.
  Result<Room*> create(PublicId id, RoomSettings settings);
  void destroy(Room& room);

  // Keep or forget a room over restarts; whether that worked.
  bool can_save() const { return store_.usable(); }
  bool save(const Room& room);
  bool forget(const PublicId& id);

  // A new id for a room or a person, as `string_ids` says, that `taken` does not know.
  template <class Taken>
  PublicId new_id(const Taken& taken) {
    for (;;)
      if (PublicId id = random_id(services_, general_.string_ids); !taken(id)) return id;
  }
  uint32_t random_32();

private:
  // given
  Services& services_;
  General general_;
  // owned
  RoomStore<RoomSettings, room_fields> store_;
  std::map<PublicId, std::unique_ptr<Room>> rooms_;
  std::map<RoomKey, Room*> by_key_;
  // state
  uint64_t last_key_ = 0;
};

// 426
Error no_such_room(const PublicId& id);

}  // namespace cardea::videoroom
