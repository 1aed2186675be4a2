// Requests about rooms (protocol notes: videoroom.md section 2).
#include "errors.hpp"
#include "verbs.hpp"

namespace cardea::videoroom {
namespace {

Error no_such_user(const PublicId& id) { return {code::no_such_feed, "No such user (" + id.text() + ")"}; }

}  // namespace

Result<Json> kick(Asker& asker, const Kick& wanted, const Message&) {
  auto room = asker.rooms.own(wanted.room, wanted.secret, asker.client);
  if (!room) return room.error();
  Publisher* who = (*room)->find(wanted.id);
  if (who == nullptr && (*room)->kicked(wanted.id)) return asker.said("success");
  if (who == nullptr || who->person().dummy) return no_such_user(wanted.id);
  who->kick();
  return Json::object("videoroom", "success");
}

Result<Json> moderate(Asker& asker, const Moderate& wanted, const Message&) {
  auto room = asker.rooms.own(wanted.room, wanted.secret, asker.client);
  if (!room) return room.error();
  Publisher* who = (*room)->find(wanted.id);
  if (who == nullptr || who->person().dummy) return no_such_user(wanted.id);
  if (auto may = asker.rooms.may_tell(asker.client, event_overhead); !may) return may.error();
  if (auto done = who->moderate(wanted.mid, wanted.mute); !done) return done.error();
  return Json::object("videoroom", "success");
}

Result<Json> list_participants(Asker& asker, const ListPeople& wanted, const Message&) {
  auto room = asker.rooms.open(wanted.room);
  if (!room) return room.error();
  Page page;
  const auto& people = (*room)->people();
  for (auto it = wanted.after ? people.upper_bound(*wanted.after) : people.begin(); it != people.end(); ++it) {
    const Publisher& who = *it->second;
    Json one = who.person().json();
    if (who.person().dummy) one.set("dummy", true);
    one.set("publisher", who.active());
    std::optional<bool> talking;
    if (who.active())
      for (const Stream& stream : who.streams())
        if (stream.has_levels()) talking = talking.value_or(false) || stream.talking;
    if (!page.add(it->first, std::move(one.set("talking", talking)))) break;
  }
  Json answer = Json::object("videoroom", "participants", "room", wanted.room.json());
  page.move_to("participants", answer);
  return answer;
}

Result<Json> enable_recording(Asker& asker, const EnableRecording& wanted, const Message&) {
  if (auto room = asker.rooms.own(wanted.room, wanted.secret, asker.client); !room) return room.error();
  if (wanted.record) return Error{code::unknown_error, "Recording is not available"};
  return Json::object("videoroom", "success", "record", false);
}

Result<Json> no_forwarders(Asker&, const Nothing&, const Message&) {
  return Error{code::unknown_error, "RTP forwarders are not available"};
}
Result<Json> no_remote_publishers(Asker&, const Nothing&, const Message&) {
  return Error{code::unknown_error, "Remote publishers are not available"};
}

}  // namespace cardea::videoroom
