// The file of permanent rooms: what clients made, changed or destroyed "permanent" outlives the gateway in it. It is
// replaced as a whole, so that a crash leaves the old one or the new one.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cardea/public_id.hpp"
#include "settings.hpp"

namespace cardea::videoroom {

class SavedRooms {
public:
  // Reads what is there; "" leaves this unusable. Rooms that cannot be understood are reported and left out.
  void open(const std::string& folder, bool string_ids);
  bool usable() const { return !path_.empty(); }
  bool empty() const { return rooms_.empty(); }
  bool knows(const PublicId& id) const { return rooms_.contains(id); }
  // No settings: the room was destroyed for good, even if the configuration has it.
  const std::map<PublicId, std::optional<RoomSettings>>& rooms() const { return rooms_; }

  // Whether it is in the file now.
  bool save(const PublicId& id, const RoomSettings& settings);
  // `configured`: it would come back with the configuration, so that is what has to be remembered.
  bool forget(const PublicId& id, bool configured);

private:
  void load(JsonView rooms, bool string_ids);
  bool write_file() const;
  bool replace(const PublicId& id, std::optional<RoomSettings> settings);

  std::string path_;
  std::map<PublicId, std::optional<RoomSettings>> rooms_;
};

}  // namespace cardea::videoroom
