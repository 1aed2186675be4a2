// What clients may ask of the text room: one struct and one table of fields for each verb.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cardea/schema.hpp"
#include "settings.hpp"

namespace cardea::textroom {

struct Nothing {};
inline constexpr std::tuple<> no_fields{};

// What every request on a data channel has.
struct Envelope {
  std::string textroom;
  std::string transaction;
};
inline constexpr auto envelope_fields =
    std::tuple{required("textroom", &Envelope::textroom), required("transaction", &Envelope::transaction)};

struct Edit : EditRoom {
  std::optional<std::string> new_post;
  std::optional<std::vector<Zone>> new_zones;

  void apply(RoomSettings& to) const {
    change(new_post, to.post);
    change(new_zones, to.zones);
  }
};
inline constexpr auto edit_fields =
    std::tuple_cat(edit_room_fields, std::tuple{optional("new_post", &Edit::new_post),
                                                optional_array("new_zones", &Edit::new_zones, zone_fields)});

struct ListMembers {
  PublicId room;
  std::optional<std::string> after;  // a page's "next"
};
inline constexpr auto list_members_fields =
    std::tuple{required("room", &ListMembers::room), optional("after", &ListMembers::after)};

struct Kick {
  PublicId room;
  std::optional<std::string> secret;
  std::string username;
};
inline constexpr auto kick_fields =
    std::tuple{required("room", &Kick::room), optional("secret", &Kick::secret), required("username", &Kick::username)};

struct Announcement {
  PublicId room;
  std::optional<std::string> secret;
  std::string text;
};
inline constexpr auto announcement_fields =
    std::tuple{required("room", &Announcement::room), optional("secret", &Announcement::secret),
               required("text", &Announcement::text, at_most_bytes(any_size))};

struct Join {
  PublicId room;
  std::string username;
  std::optional<std::string> display, pin, token;
  bool history = true;
  bool presence = false;
  Json state;
};
inline constexpr auto join_fields = std::tuple{
    required("room", &Join::room),         required("username", &Join::username), optional("display", &Join::display),
    optional("pin", &Join::pin),           optional("token", &Join::token),       optional("history", &Join::history),
    optional("presence", &Join::presence), optional("state", &Join::state)};

struct Text {
  PublicId room;
  std::string text;
  std::optional<std::string> to;
  std::optional<std::vector<std::string>> tos;
  bool ack = true;
};
inline constexpr auto text_fields =
    std::tuple{required("room", &Text::room), required("text", &Text::text, at_most_bytes(any_size)),
               optional("to", &Text::to), optional("tos", &Text::tos), optional("ack", &Text::ack)};

struct State {
  PublicId room;
  Json state;
  std::optional<int64_t> seq;
};
inline constexpr auto state_fields =
    std::tuple{required("room", &State::room), required("state", &State::state), optional("seq", &State::seq)};

}  // namespace cardea::textroom
