// All rooms: from the configuration, from the saved file, made by clients; and the settings of the plugin.
#pragma once

#include <memory>
#include <optional>

#include "cardea/plugin.hpp"
#include "cardea/room_registry.hpp"
#include "poster.hpp"
#include "room.hpp"
#include "settings.hpp"

namespace cardea::textroom {

class Rooms final : public RoomRegistry<RoomKind> {
public:
  Rooms(Services& services, Backend& backend) : RoomRegistry(services), backend_(backend) {}
  ~Rooms() { clear(); }

  Configured configure(JsonView values);

private:
  std::unique_ptr<Room> make(RoomKey key, const PublicId& id, RoomSettings settings) override;
  RoomSettings demo() const override;
  std::optional<SettingError> wrong_setting(const RoomSettings& settings) const override;
  std::optional<SettingError> wrong_general(General& general) override;
  Status check_settings(const RoomSettings& wanted, const RoomSettings* before) const override;

  // given
  Backend& backend_;
  PostRules rules_;
};

}  // namespace cardea::textroom
