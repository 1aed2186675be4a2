// Requests of those who take part (protocol notes: textroom.md section 3; docs/textroom.md for presence).
#include <algorithm>

#include "seat.hpp"
#include "verbs.hpp"

namespace cardea::textroom {
namespace {

constexpr size_t max_name = 256;      // bytes of a username
constexpr size_t max_display = 1024;  // bytes
constexpr size_t max_addressees = 1000;

// 415: the admin API is in no room. 429. On a channel every request takes its turn before it is read.
Result<Seat*> who_asks(const Asker& asker) {
  if (asker.seat == nullptr) return Error{code::invalid_request, "This is for clients in a room"};
  if (asker.via == Via::api)
    if (Status turn = asker.seat->take_turn(); !turn) return turn.error();
  return asker.seat;
}

struct Here {
  Room& room;
  Member& member;
};
// 417, 422
Result<Here> find_member(const Asker& asker, const PublicId& id) {
  auto room = asker.rooms.open(id);
  if (!room) return room.error();
  Member* member = asker.seat->in(**room);
  if (member == nullptr) return Error{code::not_in_room, "Not in room " + id.text()};
  return Here{**room, *member};
}

Status may_join(const Asker& asker, Room& room, const Join& wanted) {
  const Seat& seat = *asker.seat;
  const RoomSettings& settings = room.settings();
  if (auto checked = asker.rooms.check_word("pin", settings.pin, wanted.pin, asker.client); !checked) return checked;
  if (seat.in(room) != nullptr) return Error{code::already_in_room, "Already in room " + room.id().text()};
  if (settings.allowed) {
    const auto& tokens = *settings.allowed;
    if (!wanted.token) return Error{code::unauthorized, "Unauthorized (not in the allowed list)"};
    const bool right = std::find(tokens.begin(), tokens.end(), *wanted.token) != tokens.end();
    if (auto checked = asker.rooms.check_guess("token", right, asker.client); !checked) return checked;
  }
  if (wanted.username.size() > max_name)
    return Error{code::invalid_element, text("Invalid element (username is longer than ", max_name, " bytes)")};
  if (wanted.display && wanted.display->size() > max_display)
    return Error{code::invalid_element, text("Invalid element (display is longer than ", max_display, " bytes)")};
  if (wanted.state)
    if (Status good = Presence::check(wanted.state); !good) return good;
  if (room.find(wanted.username) != nullptr)
    return Error{code::username_exists, "Username " + wanted.username + " already taken"};
  return {};
}

}  // namespace

Result<Json> join(Asker& asker, const Join& wanted, const Message&) {
  auto seat = who_asks(asker);
  if (!seat) return seat.error();
  auto found = asker.rooms.open(wanted.room);
  if (!found) return found.error();
  Room& room = **found;
  if (Status good = may_join(asker, room, wanted); !good) return good.error();
  const size_t told = wanted.username.size() + wanted.display.value_or("").size() + event_overhead;
  if (Status may = asker.rooms.may_tell(asker.client, told); !may) return may.error();
  if (wanted.history) room.replay(**seat, asker.via);
  Member& member = room.enter(**seat, asker.via, wanted.username, wanted.display);
  Json reply = Json::object("textroom", "success");
  room.participants({}, &member).move_to("participants", reply);
  if (!wanted.presence) return reply;
  reply.set("zones", room.presence().zones());
  room.presence().watch(member);
  if (wanted.state) (void)room.presence().update(member, wanted.state, std::nullopt);
  return reply;
}

Result<Json> leave(Asker& asker, const OneRoom& wanted, const Message&) {
  if (auto seat = who_asks(asker); !seat) return seat.error();
  auto here = find_member(asker, wanted.room);
  if (!here) return here.error();
  here->room.leave(here->member, true);
  return Json::object("textroom", "success");
}

Result<Json> message(Asker& asker, const Text& wanted, const Message&) {
  if (auto seat = who_asks(asker); !seat) return seat.error();
  if (wanted.to && wanted.tos) return Error{code::invalid_element, "Invalid element (either to or tos)"};
  if (wanted.tos && wanted.tos->size() > max_addressees)
    return Error{code::invalid_element, text("Invalid element (tos names more than ", max_addressees, ")")};
  auto here = find_member(asker, wanted.room);
  if (!here) return here.error();
  if (Status may = may_say(asker, wanted.text); !may) return may.error();
  Json reply = Json::object("textroom", "success");
  if (wanted.to)
    reply.set("sent", here->room.whisper(here->member, {*wanted.to}, wanted.text));
  else if (wanted.tos)
    reply.set("sent", here->room.whisper(here->member, *wanted.tos, wanted.text));
  else
    here->room.say(here->member, wanted.text);
  // The API answers every request.
  return wanted.ack || asker.via == Via::api ? std::move(reply) : Json();
}

Result<Json> presence(Asker& asker, const State& wanted, const Message&) {
  if (asker.seat == nullptr) return Error{code::invalid_request, "This is for clients in a room"};
  auto here = find_member(asker, wanted.room);
  if (!here) return here.error();
  here->room.presence().watch(here->member);
  if (Status taken = here->room.presence().update(here->member, wanted.state, wanted.seq); !taken) return taken.error();
  return Json::object("textroom", "success");
}

}  // namespace cardea::textroom
