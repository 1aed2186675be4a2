// Requests about rooms (protocol notes: textroom.md section 3).
#include "seat.hpp"
#include "verbs.hpp"

namespace cardea::textroom {
Result<Json> list_participants(Asker& asker, const ListMembers& wanted, const Message&) {
  auto room = asker.rooms.open(wanted.room);
  if (!room) return room.error();
  Json answer = Json::object("textroom", "success", "room", wanted.room.json());
  (*room)->participants(wanted.after).move_to("participants", answer);
  return answer;
}

Result<Json> kick(Asker& asker, const Kick& wanted, const Message&) {
  auto room = asker.rooms.own(wanted.room, wanted.secret, asker.client);
  if (!room) return room.error();
  Member* who = (*room)->find(wanted.username);
  if (who == nullptr) return Error{code::no_such_user, "No such user (" + wanted.username + ")"};
  (*room)->kick(*who);
  return Json::object("textroom", "success");
}

Result<Json> announcement(Asker& asker, const Announcement& wanted, const Message&) {
  auto room = asker.rooms.own(wanted.room, wanted.secret, asker.client);
  if (!room) return room.error();
  if (Status may = may_say(asker, wanted.text); !may) return may.error();
  (*room)->announce(wanted.text);
  return Json::object("textroom", "success");
}

}  // namespace cardea::textroom
