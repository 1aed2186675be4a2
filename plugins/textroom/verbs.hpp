// What can be asked of the text room, on a data channel, with the API or by the admin API.
#pragma once

#include "cardea/requests.hpp"
#include "cardea/room_verbs.hpp"
#include "errors.hpp"
#include "requests.hpp"
#include "room.hpp"
#include "rooms.hpp"

namespace cardea::textroom {

// Who asks, and how. No seat: the admin API.
struct Asker {
  Rooms& rooms;
  Handle* client = nullptr;
  Seat* seat = nullptr;
  Via via = Via::api;

  // The word of a good answer differs: "success" on a channel, "created" and the like elsewhere.
  Json said(const char* by_api) const { return Json::object("textroom", via == Via::channel ? "success" : by_api); }
  Sizes sizes() const { return rooms.general().sizes(); }
  // Who asks is told on its channel, even if it is not in the room; and as a member once more.
  void on_destroy(const Room& room) const;
};

// One of two, made at their first use: for numeric ids and for strings.
const Verbs<Asker>& verbs(bool string_ids);
// The answer to a verb, good or bad, as the protocol words it. Nothing: no answer is wanted.
Json run(std::string_view verb, Asker asker, const Message& message);

// room_requests.cpp
Result<Json> list_participants(Asker&, const ListMembers&, const Message&);
Result<Json> kick(Asker&, const Kick&, const Message&);
Result<Json> announcement(Asker&, const Announcement&, const Message&);

// member_requests.cpp
Result<Json> join(Asker&, const Join&, const Message&);
Result<Json> leave(Asker&, const OneRoom&, const Message&);
Result<Json> message(Asker&, const Text&, const Message&);
Result<Json> presence(Asker&, const State&, const Message&);

// May this be said to a room? 414: too large, 429: too much in a short time.
inline constexpr size_t event_overhead = 128;  // bytes of an event beside what a client wrote
Status may_say(const Asker& asker, const std::string& text);

}  // namespace cardea::textroom
