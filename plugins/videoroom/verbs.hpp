// What can be asked of the video room. Requests about rooms are answered at once, to any client and to the admin API;
// those of a seat change what its client publishes or watches, and are answered by an event.
#pragma once

#include "cardea/requests.hpp"
#include "errors.hpp"
#include "requests.hpp"
#include "rooms.hpp"
#include "seat.hpp"

namespace cardea::videoroom {

struct AllVerbs {
  Verbs<Rooms> of_rooms;
  Verbs<Seat> of_seats;
};
// One of two, made at their first use: for numeric ids and for strings.
const AllVerbs& all_verbs(bool string_ids);

inline constexpr int missing_code = 429, invalid_code = 430;

// room_requests.cpp
Result<Json> create(Rooms&, const Create&, const Message&);
Result<Json> edit(Rooms&, const Edit&, const Message&);
Result<Json> destroy(Rooms&, const DestroyRoom&, const Message&);
Result<Json> exists(Rooms&, const OneRoom&, const Message&);
Result<Json> list(Rooms&, const ListRooms&, const Message&);
Result<Json> allowed(Rooms&, const ChangeAllowed&, const Message&);
Result<Json> kick(Rooms&, const Kick&, const Message&);
Result<Json> moderate(Rooms&, const Moderate&, const Message&);
Result<Json> list_participants(Rooms&, const OneRoom&, const Message&);
Result<Json> enable_recording(Rooms&, const EnableRecording&, const Message&);
Result<Json> no_forwarders(Rooms&, const Nothing&, const Message&);
Result<Json> no_remote_publishers(Rooms&, const Nothing&, const Message&);

// publisher_requests.cpp
Result<Event> join(Seat&, const Join&, const Message&);
Result<Event> join_and_configure(Seat&, const Join&, const Message&);
Result<Event> publish(Seat&, const Publish&, const Message&);
Result<Event> unpublish(Seat&, const Nothing&, const Message&);

// Requests that either role may send are told apart by it.
Result<Event> configure(Seat&, const Nothing&, const Message&);
Result<Event> leave(Seat&, const Nothing&, const Message&);
Result<Event> configure_publisher(Seat&, const Publish&, const Message&);

// subscriber_requests.cpp
Result<Event> join_as_subscriber(Seat&, Room&, const SubscriberJoin&, const Message&);
Result<Event> configure_subscriber(Seat&, const ConfigureLines&, const Message&);
Result<Event> start(Seat&, const Nothing&, const Message&);
Result<Event> pause(Seat&, const Nothing&, const Message&);
Result<Event> subscribe(Seat&, const Subscribe&, const Message&);
Result<Event> unsubscribe(Seat&, const Unsubscribe&, const Message&);
Result<Event> update(Seat&, const Update&, const Message&);
Result<Event> switch_streams(Seat&, const Switch&, const Message&);

// Reading that depends on more than the verb.
inline ReadOptions reading(const Rooms& rooms) {
  return {.missing = missing_code, .invalid = invalid_code, .string_ids = rooms.general().string_ids};
}

// What a room asks of those who come: 426, 429, 433.
Result<Room*> open_room(const Rooms& rooms, const PublicId& id);
inline Status check_word(const char* name, const std::string& needed, const std::optional<std::string>& given) {
  return cardea::check_word(name, needed, given, {missing_code, code::unauthorized});
}

}  // namespace cardea::videoroom
