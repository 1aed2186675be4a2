// What can be asked of the text room, on a data channel, with the API or by the admin API.
#pragma once

#include "cardea/requests.hpp"
#include "errors.hpp"
#include "requests.hpp"
#include "room.hpp"
#include "rooms.hpp"

namespace cardea::textroom {

// Who asks, and how. No seat: the admin API.
struct Asker {
  Rooms& rooms;
  Seat* seat = nullptr;
  Via via = Via::api;

  // The word of a good answer differs: "success" on a channel, "created" and the like elsewhere.
  const char* word(const char* by_api) const { return via == Via::channel ? "success" : by_api; }
};

// One of two, made at their first use: for numeric ids and for strings.
const Verbs<Asker>& verbs(bool string_ids);
// The answer to a verb, good or bad, as the protocol words it. Nothing: no answer is wanted.
Json run(std::string_view verb, Asker asker, const Message& message);

// room_requests.cpp
Result<Json> list(Asker&, const ListRooms&, const Message&);
Result<Json> list_participants(Asker&, const OneRoom&, const Message&);
Result<Json> exists(Asker&, const OneRoom&, const Message&);
Result<Json> create(Asker&, const Create&, const Message&);
Result<Json> edit(Asker&, const Edit&, const Message&);
Result<Json> destroy(Asker&, const DestroyRoom&, const Message&);
Result<Json> allowed(Asker&, const ChangeAllowed&, const Message&);
Result<Json> kick(Asker&, const Kick&, const Message&);
Result<Json> announcement(Asker&, const Announcement&, const Message&);

// member_requests.cpp
Result<Json> join(Asker&, const Join&, const Message&);
Result<Json> leave(Asker&, const OneRoom&, const Message&);
Result<Json> message(Asker&, const Text&, const Message&);
Result<Json> presence(Asker&, const State&, const Message&);

// What a room asks of those who come: 417; 413, 419.
Result<Room*> open_room(const Rooms& rooms, const PublicId& id);
inline Status check_word(const char* name, const std::string& needed, const std::optional<std::string>& given) {
  return cardea::check_word(name, needed, given, {code::missing_element, code::unauthorized});
}

}  // namespace cardea::textroom
