// All rooms: from the configuration, from the saved file, made by clients; and the settings of the plugin.
#pragma once

#include <memory>
#include <optional>

#include "cardea/plugin.hpp"
#include "cardea/room_registry.hpp"
#include "room.hpp"
#include "settings.hpp"

namespace cardea::videoroom {

class Rooms final : public RoomRegistry<RoomKind> {
public:
  using RoomRegistry::RoomRegistry;
  ~Rooms() { clear(); }

  uint32_t random_32() { return static_cast<uint32_t>(services().random()) | 1; }

private:
  std::unique_ptr<Room> make(RoomKey key, const PublicId& id, RoomSettings settings) override;
  void made(Room& room) override;
  RoomSettings demo() const override;
  std::optional<SettingError> wrong_setting(const RoomSettings& settings) const override;
  Status check_settings(const RoomSettings& wanted, const RoomSettings* before) const override;
};

}  // namespace cardea::videoroom
