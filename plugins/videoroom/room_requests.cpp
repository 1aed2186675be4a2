// Requests about rooms (protocol notes: videoroom.md section 2).
#include "errors.hpp"
#include "verbs.hpp"

namespace cardea::videoroom {
namespace {

Result<Room*> own_room(const Rooms& rooms, const PublicId& id, const std::optional<std::string>& secret) {
  auto room = open_room(rooms, id);
  if (!room) return room;
  if (auto checked = check_word("secret", (*room)->settings().secret, secret); !checked) return checked.error();
  return room;
}

Error no_such_user(const PublicId& id) { return {code::no_such_feed, "No such user (" + id.text() + ")"}; }

}  // namespace

Result<Room*> open_room(const Rooms& rooms, const PublicId& id) {
  Room* room = rooms.find(id);
  if (room == nullptr) return no_such_room(id);
  return room;
}

Result<Json> create(Rooms& rooms, const Create& wanted, const Message&) {
  if (auto checked = check_word("admin_key", rooms.general().admin_key, wanted.admin_key); !checked)
    return checked.error();
  if (auto wrong = wrong_setting(wanted))
    return Error{wrong->path == "record" ? code::unknown_error : code::invalid_element,
                 text("Invalid element (", wrong->path, "): ", wrong->reason)};
  if (wanted.permanent && !rooms.can_save()) return Error{code::unknown_error, "Permanent rooms cannot be saved here"};
  auto room = rooms.create(wanted.room, wanted);
  if (!room) return room.error();
  const bool saved = wanted.permanent && rooms.save(**room);
  return Json::object("videoroom", "created", "room", (*room)->id().json(), "permanent", saved);
}

Result<Json> edit(Rooms& rooms, const Edit& wanted, const Message&) {
  auto room = own_room(rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  if (wanted.permanent && !rooms.can_save()) return Error{code::unknown_error, "Permanent rooms cannot be saved here"};
  RoomSettings settings = (*room)->settings();
  // Empty words are no wish: a secret or pin cannot be taken away.
  auto change_word = [](const std::optional<std::string>& to, std::string& word) {
    if (to && !to->empty()) word = *to;
  };
  auto change = [](const auto& to, auto& value) {
    if (to) value = *to;
  };
  change_word(wanted.new_description, settings.description);
  change_word(wanted.new_secret, settings.secret);
  change_word(wanted.new_pin, settings.pin);
  change(wanted.new_is_private, settings.is_private);
  change(wanted.new_require_pvtid, settings.require_pvtid);
  change(wanted.new_bitrate, settings.bitrate);
  change(wanted.new_fir_freq, settings.fir_freq);
  change(wanted.new_publishers, settings.publishers);
  change(wanted.new_lock_record, settings.lock_record);
  change(wanted.new_rec_dir, settings.rec_dir);
  (*room)->change(std::move(settings));
  const bool saved = wanted.permanent && rooms.save(**room);
  return Json::object("videoroom", "edited", "room", wanted.room.json(), "permanent", saved);
}

Result<Json> destroy(Rooms& rooms, const DestroyRoom& wanted, const Message&) {
  auto room = own_room(rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  if (wanted.permanent && !rooms.can_save())
    return Error{code::unknown_error, "Permanent rooms cannot be changed here"};
  rooms.destroy(**room);
  const bool forgotten = wanted.permanent && rooms.forget(wanted.room);
  return Json::object("videoroom", "destroyed", "room", wanted.room.json(), "permanent", forgotten);
}

Result<Json> exists(Rooms& rooms, const OneRoom& wanted, const Message&) {
  return Json::object("videoroom", "success", "room", wanted.room.json(), "exists", rooms.find(wanted.room) != nullptr);
}

Result<Json> list(Rooms& rooms, const ListRooms& wanted, const Message&) {
  const bool as_admin = wanted.admin_key && !rooms.general().admin_key.empty();
  if (as_admin)
    if (auto checked = check_word("admin_key", rooms.general().admin_key, wanted.admin_key); !checked)
      return checked.error();
  Json all = Json::array();
  for (const Room* room : rooms.all())
    if (as_admin || !room->settings().is_private) all.append(room->listed());
  return Json::object("videoroom", "success", "list", std::move(all));
}

Result<Json> allowed(Rooms& rooms, const ChangeAllowed& wanted, const Message&) {
  auto room = own_room(rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  RoomSettings settings = (*room)->settings();
  auto left =
      change_tokens(settings.allowed, settings.unused_tokens, wanted.action, wanted.allowed, code::missing_element);
  if (!left) return left.error();
  (*room)->change(std::move(settings));
  return Json::object("videoroom", "success", "room", wanted.room.json(), "allowed", std::move(*left));
}

Result<Json> kick(Rooms& rooms, const Kick& wanted, const Message&) {
  auto room = own_room(rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  Publisher* who = (*room)->find(wanted.id);
  if (who == nullptr || who->person().dummy) return no_such_user(wanted.id);
  who->kick();
  return Json::object("videoroom", "success");
}

Result<Json> moderate(Rooms& rooms, const Moderate& wanted, const Message&) {
  auto room = own_room(rooms, wanted.room, wanted.secret);
  if (!room) return room.error();
  Publisher* who = (*room)->find(wanted.id);
  if (who == nullptr || who->person().dummy) return no_such_user(wanted.id);
  if (auto done = who->moderate(wanted.mid, wanted.mute); !done) return done.error();
  return Json::object("videoroom", "success");
}

Result<Json> list_participants(Rooms& rooms, const OneRoom& wanted, const Message&) {
  auto room = open_room(rooms, wanted.room);
  if (!room) return room.error();
  Json all = Json::array();
  for (const auto& [id, who] : (*room)->people()) {
    Json one = who->person().json();
    if (who->person().dummy) one.set("dummy", true);
    one.set("publisher", who->active());
    std::optional<bool> talking;
    if (who->active())
      for (const Stream& stream : who->streams())
        if (stream.has_levels()) talking = talking.value_or(false) || stream.talking;
    all.append(std::move(one.set("talking", talking)));
  }
  return Json::object("videoroom", "participants", "room", wanted.room.json(), "participants", std::move(all));
}

Result<Json> enable_recording(Rooms& rooms, const EnableRecording& wanted, const Message&) {
  if (auto room = own_room(rooms, wanted.room, wanted.secret); !room) return room.error();
  if (wanted.record) return Error{code::unknown_error, "Recording is not available"};
  return Json::object("videoroom", "success", "record", false);
}

Result<Json> no_forwarders(Rooms&, const Nothing&, const Message&) {
  return Error{code::unknown_error, "RTP forwarders are not available"};
}
Result<Json> no_remote_publishers(Rooms&, const Nothing&, const Message&) {
  return Error{code::unknown_error, "Remote publishers are not available"};
}

}  // namespace cardea::videoroom
