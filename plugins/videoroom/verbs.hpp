// What can be asked of the video room. Requests about rooms are answered at once, to any client and to the admin API;
// those of a seat change what its client publishes or watches, and are answered by an event.
#pragma once

#include "cardea/requests.hpp"
#include "cardea/room_verbs.hpp"
#include "errors.hpp"
#include "requests.hpp"
#include "rooms.hpp"
#include "seat.hpp"

namespace cardea::videoroom {

// Who asks about rooms.
struct Asker {
  Rooms& rooms;
  Handle* client = nullptr;  // none: the admin API

  Json said(const char* word) const { return Json::object("videoroom", word); }
  Sizes sizes() const { return rooms.general().sizes(); }
};

struct AllVerbs {
  Verbs<Asker> of_rooms;
  Verbs<Seat> of_seats;
};
// One of two, made at their first use: for numeric ids and for strings.
const AllVerbs& all_verbs(bool string_ids);

// room_requests.cpp
Result<Json> kick(Asker&, const Kick&, const Message&);
Result<Json> moderate(Asker&, const Moderate&, const Message&);
Result<Json> list_participants(Asker&, const ListPeople&, const Message&);
Result<Json> enable_recording(Asker&, const EnableRecording&, const Message&);
Result<Json> no_forwarders(Asker&, const Nothing&, const Message&);
Result<Json> no_remote_publishers(Asker&, const Nothing&, const Message&);

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

// Bytes of an event beside what a client wrote.
inline constexpr size_t event_overhead = 256;

// Reading that depends on more than the verb.
inline ReadOptions reading(const Rooms& rooms) {
  const General& general = rooms.general();
  return {.missing = code::missing_element,
          .invalid = code::invalid_element,
          .string_ids = general.string_ids,
          .sizes = general.sizes()};
}

}  // namespace cardea::videoroom
