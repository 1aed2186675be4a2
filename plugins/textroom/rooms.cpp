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

std::optional<SettingError> Rooms::wrong_general(General& general) {
  for (const std::string& prefix : general.post_allow)
    if (auto wrong = PostRules::wrong_prefix(prefix)) return SettingError{"general.post_allow", *wrong};
  rules_ = {.by_clients = general.client_post, .prefixes = general.post_allow};
  for (const std::string& one : general.post_allow_addresses) {
    auto network = Network::parse(one);
    if (!network)
      return SettingError{"general.post_allow_addresses", text("should be networks (\"10.1.2.0/24\"), not ", one)};
    rules_.networks.push_back(*network);
  }
  return std::nullopt;
}

Configured Rooms::configure(JsonView values) {
  if (auto wrong = RoomRegistry::configure(values)) return wrong;
  values.each_member([this](std::string_view, JsonView section) {
    if (const JsonView post = section["post"]; post.is_string()) rules_.own.emplace(post.string());
  });
  backend_.obey(rules_);
  return std::nullopt;
}

Status Rooms::check_settings(const RoomSettings& wanted, const RoomSettings* before) const {
  const bool new_post = wanted.post != (before == nullptr ? std::string() : before->post);
  if (new_post && !wanted.post.empty() && !rules_.may_name(wanted.post))
    return Error{code::unauthorized, general().client_post
                                         ? "Unauthorized (post_allow does not allow this HTTP backend)"
                                         : "Unauthorized (HTTP backends are named in the configuration only)"};
  if (new_post && !backend_.available()) return Error{code::unknown_error, "HTTP backends are not available here"};
  return RoomRegistry::check_settings(wanted, before);
}

}  // namespace cardea::textroom
