// Requests about rooms (protocol notes: textroom.md section 3).
#include "cardea/rooms.hpp"
#include "seat.hpp"
#include "verbs.hpp"

namespace cardea::textroom {
namespace {

Result<Room*> own_room(const Rooms& rooms, const PublicId& id, const std::optional<std::string>& secret) {
  auto room = open_room(rooms, id);
  if (!room) return room;
  if (auto checked = check_word("secret", (*room)->settings().secret, secret); !checked) return checked.error();
  return room;
}

// What a client may not make of a room, whatever the room is.
Status check_settings(const Rooms& rooms, const RoomSettings& wanted, bool new_post, bool permanent) {
  if (auto wrong = wrong_setting(wanted))
    return Error{code::invalid_element, text("Invalid element (", wrong->path, "): ", wrong->reason)};
  if (new_post && !rooms.general().client_post)
    return Error{code::unauthorized, "Unauthorized (HTTP backends are named in the configuration only)"};
  if (new_post && !rooms.backend().available())
    return Error{code::unknown_error, "HTTP backends are not available here"};
  if (permanent && !rooms.can_save()) return Error{code::unknown_error, "Permanent rooms cannot be saved here"};
  return {};
}

}  // namespace

Result<Room*> open_room(const Rooms& rooms, const PublicId& id) {
  Room* room = rooms.find(id);
  if (room == nullptr) return Error{code::no_such_room, "No such room (" + id.text() + ")"};
  return room;
}

Result<Json> list(Asker& asker, const ListRooms& wanted, const Message&) {
  const std::string& key = asker.rooms.general().admin_key;
  const bool as_admin = wanted.admin_key && !key.empty();
  if (as_admin)
    if (auto checked = check_word("admin_key", key, wanted.admin_key); !checked) return checked.error();
  Json all = Json::array();
  for (const Room* room : asker.rooms.all())
    if (as_admin || !room->settings().is_private) all.append(room->listed());
  return Json::object("textroom", "success", "list", std::move(all));
}

Result<Json> list_participants(Asker& asker, const OneRoom& wanted, const Message&) {
  auto room = open_room(asker.rooms, wanted.room);
  if (!room) return room.error();
  return Json::object("textroom", "success", "room", wanted.room.json(), "participants", (*room)->participants());
}

Result<Json> exists(Asker& asker, const OneRoom& wanted, const Message&) {
  return Json::object("textroom", "success", "room", wanted.room.json(), "exists",
                      asker.rooms.find(wanted.room) != nullptr);
}

Result<Json> create(Asker& asker, const Create& wanted, const Message&) {
  Rooms& rooms = asker.rooms;
  if (auto checked = check_word("admin_key", rooms.general().admin_key, wanted.admin_key); !checked)
    return checked.error();
  if (auto good = check_settings(rooms, wanted, !wanted.post.empty(), wanted.permanent); !good) return good.error();
  auto room = rooms.create(wanted.room, wanted);
  if (!room) return room.error();
  const bool saved = wanted.permanent && rooms.save(**room);
  return Json::object("textroom", asker.word("created"), "room", (*room)->id().json(), "permanent", saved);
}

Result<Json> edit(Asker& asker, const Edit& wanted, const Message&) {
  auto room = own_room(asker.rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  RoomSettings settings = (*room)->settings();
  // Empty words are no wish: a secret or pin cannot be taken away.
  auto change_word = [](const std::optional<std::string>& to, std::string& word) {
    if (to && !to->empty()) word = *to;
  };
  change_word(wanted.new_description, settings.description);
  change_word(wanted.new_secret, settings.secret);
  change_word(wanted.new_pin, settings.pin);
  change_word(wanted.new_post, settings.post);
  if (wanted.new_is_private) settings.is_private = *wanted.new_is_private;
  if (wanted.new_zones) settings.zones = *wanted.new_zones;
  const bool new_post = settings.post != (*room)->settings().post;
  if (auto good = check_settings(asker.rooms, settings, new_post, wanted.permanent); !good) return good.error();
  (*room)->change(std::move(settings));
  if (wanted.new_zones) (*room)->presence().zones_changed();
  const bool saved = wanted.permanent && asker.rooms.save(**room);
  return Json::object("textroom", asker.word("edited"), "room", wanted.room.json(), "permanent", saved);
}

Result<Json> destroy(Asker& asker, const DestroyRoom& wanted, const Message&) {
  auto room = own_room(asker.rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  if (wanted.permanent && !asker.rooms.can_save())
    return Error{code::unknown_error, "Permanent rooms cannot be changed here"};
  // Who asks is told on its channel, even if it is not in the room; and as a member once more.
  if (asker.seat != nullptr && asker.seat->has_channel())
    asker.seat->tell(Via::channel, {(*room)->destroyed(), asker.rooms.general().style()});
  asker.rooms.destroy(**room);
  const bool forgotten = wanted.permanent && asker.rooms.forget(wanted.room);
  return Json::object("textroom", asker.word("destroyed"), "room", wanted.room.json(), "permanent", forgotten);
}

Result<Json> allowed(Asker& asker, const ChangeAllowed& wanted, const Message&) {
  auto room = own_room(asker.rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  RoomSettings settings = (*room)->settings();
  auto left =
      change_tokens(settings.allowed, settings.unused_tokens, wanted.action, wanted.allowed, code::missing_element);
  if (!left) return left.error();
  (*room)->change(std::move(settings));
  return Json::object("textroom", "success", "room", wanted.room.json(), "allowed", std::move(*left));
}

Result<Json> kick(Asker& asker, const Kick& wanted, const Message&) {
  auto room = own_room(asker.rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  Member* who = (*room)->find(wanted.username);
  if (who == nullptr) return Error{code::no_such_user, "No such user (" + wanted.username + ")"};
  (*room)->kick(*who);
  return Json::object("textroom", "success");
}

Result<Json> announcement(Asker& asker, const Announcement& wanted, const Message&) {
  auto room = own_room(asker.rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  (*room)->announce(wanted.text);
  return Json::object("textroom", "success");
}

}  // namespace cardea::textroom
