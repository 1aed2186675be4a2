#include "rooms.hpp"

namespace cardea::textroom {

std::unique_ptr<Room> Rooms::make(RoomKey, const PublicId& id, RoomSettings settings) {
  return std::make_unique<Room>(id, std::move(settings), general(), services(), backend_);
}

RoomSettings Rooms::demo() const {
  RoomSettings demo;
  demo.description = "Demo Room";
  return demo;
}

std::optional<SettingError> Rooms::wrong_setting(const RoomSettings& settings) const {
  auto wrong = textroom::wrong_setting(settings);
  if (!wrong && !settings.post.empty() && !backend_.available())
    wrong = SettingError{"post", "this gateway was built without libcurl"};
  return wrong;
}

Status Rooms::check_settings(const RoomSettings& wanted, const RoomSettings* before) const {
  const bool new_post = wanted.post != (before == nullptr ? std::string() : before->post);
  if (new_post && !general().client_post)
    return Error{code::unauthorized, "Unauthorized (HTTP backends are named in the configuration only)"};
  if (new_post && !backend_.available()) return Error{code::unknown_error, "HTTP backends are not available here"};
  return RoomRegistry::check_settings(wanted, before);
}

}  // namespace cardea::textroom
