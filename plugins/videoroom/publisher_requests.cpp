// Requests of those who join and publish (protocol notes: videoroom.md section 3).
#include <utility>

#include "errors.hpp"
#include "verbs.hpp"

namespace cardea::videoroom {
namespace {

// Is the room there, and does this client know what it takes to come in?
Result<Room*> room_for(Seat& seat, const Join& wanted) {
  auto room = seat.rooms().open(wanted.room);
  if (!room) return room;
  if (auto checked = seat.rooms().check_word("pin", (*room)->settings().pin, wanted.pin, &seat.client()); !checked)
    return checked.error();
  if (wanted.ptype != "publisher" && wanted.ptype != "subscriber")
    return Error{code::invalid_element, "Invalid element (ptype should be publisher or subscriber)"};
  const bool welcome = (*room)->welcomes(wanted.token, wanted.ptype == "publisher", seat.client().plugin_name());
  if (!welcome && !wanted.token) return Error{code::unauthorized, "Unauthorized (not in the allowed list)"};
  if (wanted.token)
    if (auto checked = seat.rooms().check_guess("token", welcome, &seat.client()); !checked) return checked.error();
  return room;
}

Result<Person> person_for(Seat& seat, const Room& room, const Join& wanted) {
  if (!wanted.id.value_or(PublicId()).empty() && room.find(*wanted.id) != nullptr)
    return Error{code::id_exists, "User ID " + wanted.id->text() + " already exists"};
  Person person;
  person.id = wanted.id.value_or(PublicId());
  if (person.id.empty()) person.id = seat.rooms().new_id([&](const PublicId& id) { return room.find(id) != nullptr; });
  do person.private_id = seat.rooms().random_32();
  while (room.find(person.private_id) != nullptr);
  person.display = wanted.display;
  if (wanted.metadata) person.metadata = wanted.metadata.copy();
  person.talk_detection.active_packets = wanted.audio_active_packets.value_or(room.settings().audio_active_packets);
  person.talk_detection.level_average = wanted.audio_level_average.value_or(room.settings().audio_level_average);
  return person;
}

Json joined(const Room& room, const Publisher& self) {
  Page publishers, attendees;  // who does not fit is in "listparticipants"
  for (const auto& [id, who] : room.people()) {
    if (who == &self) continue;
    if (who->active())
      publishers.add(id, who->shown(true));
    else
      attendees.add(id, who->person().json());
  }
  Json json = Json::object("videoroom", "joined", "room", room.id().json(), "description", room.settings().description,
                           "id", self.person().id.json(), "private_id", self.person().private_id);
  publishers.move_to("publishers", json);
  if (room.settings().notify_joining) attendees.move_to("attendees", json);
  return json;
}

Status control_streams(Publisher& self, const Publish& wanted) {
  if (!wanted.streams.empty()) {
    for (const StreamControl& one : wanted.streams) {
      if (!one.mid && wanted.streams.size() > 1)
        return Error{code::invalid_element, "Invalid element (mid can't be missing in more than one stream)"};
      if (one.mid && self.stream(*one.mid) == nullptr)
        return Error{code::no_such_feed, "No such mid (" + *one.mid + ")"};
    }
    for (const StreamControl& one : wanted.streams)
      if (auto done = self.control(one); !done) return done;
    return {};
  }
  if (auto done = self.control(wanted); !done) return done;
  if (wanted.mid) return {};
  for (auto [kind, send] : {std::pair(MediaKind::audio, wanted.audio), std::pair(MediaKind::video, wanted.video),
                            std::pair(MediaKind::data, wanted.data)})
    if (send) self.switch_all(kind, *send);
  return {};
}

// For what the others are told of who joins, publishes or is called something else.
Status may_tell(Seat& seat, const Message& message, const std::optional<std::string>& display, JsonView metadata,
                const std::vector<Description>& descriptions = {}) {
  const size_t lines = message.offer ? message.offer->sections.size() : 0;
  if (lines == 0 && !display && !metadata && descriptions.empty()) return {};
  size_t bytes = event_overhead * (1 + lines) + display.value_or("").size() + metadata.text().size();
  for (const Description& one : descriptions) bytes += one.description.size();
  return seat.rooms().may_tell(&seat.client(), bytes);
}

Result<Event> join_as_publisher(Seat& seat, Room& room, const Join& wanted, const Message& message,
                                const Publish* publishing) {
  auto person = person_for(seat, room, wanted);
  if (!person) return person.error();
  if (auto may = may_tell(seat, message, wanted.display, wanted.metadata); !may) return may.error();
  auto self = std::make_unique<Publisher>(seat.rooms(), room, &seat.client(), std::move(*person));
  Event event;
  if (publishing != nullptr && message.offer) {
    auto plan = self->answer(*message.offer, *publishing);
    if (!plan) return plan.error();
    event.jsep = std::move(*plan);
  }
  self->enter();
  event.data = joined(room, *self);
  if (publishing != nullptr && message.offer) {
    (void)control_streams(*self, *publishing);  // of what is not there nothing can be wanted
    self->describe_streams(publishing->descriptions);
    if (publishing->bitrate) self->set_bitrate(usable_bitrate(*publishing->bitrate));
    self->show_result(event.data);
  }
  seat.become(std::move(self));
  return event;
}

// Display name and metadata, and that the others learn of it where there were such before.
void rename(Publisher& self, const Publish& wanted) {
  const bool named = wanted.display && self.person().display, described = wanted.metadata && self.person().metadata;
  if (wanted.display) self.person().display = wanted.display;
  if (wanted.metadata) self.person().metadata = wanted.metadata.copy();
  if (!named && !described) return;
  Json event = Json::object("videoroom", "event", "id", self.person().id.json());
  if (named) event.set("display", self.person().display);
  if (self.person().metadata) event.set("metadata", self.person().metadata.copy());
  self.room()->tell_all(event, &self);
}

}  // namespace

Result<Event> join(Seat& seat, const Join& wanted, const Message& message) {
  auto room = room_for(seat, wanted);
  if (!room) return room.error();
  if (wanted.ptype == "publisher") return join_as_publisher(seat, **room, wanted, message, nullptr);
  auto how = read<SubscriberJoin>(message.body, subscriber_join_fields, reading(seat.rooms()));
  if (!how) return how.error();
  return join_as_subscriber(seat, **room, *how, message);
}

Result<Event> join_and_configure(Seat& seat, const Join& wanted, const Message& message) {
  if (wanted.ptype != "publisher") return join(seat, wanted, message);
  auto room = room_for(seat, wanted);
  if (!room) return room.error();
  if (message.answer) return Error{code::invalid_sdp_type, "Unexpected answer: an offer is needed to publish"};
  auto how = read<Publish>(message.body, publish_fields, reading(seat.rooms()));
  if (!how) return how.error();
  if (how->record) return Error{code::unknown_error, "Recording is not available"};
  return join_as_publisher(seat, **room, wanted, message, &*how);
}

Result<Event> publish(Seat& seat, const Publish& wanted, const Message& message) {
  if (seat.as_publisher().active()) return Error{code::already_published, "Can't publish, already published"};
  return configure_publisher(seat, wanted, message);
}

Result<Event> configure_publisher(Seat& seat, const Publish& wanted, const Message& message) {
  Publisher& self = seat.as_publisher();
  if (message.answer) return Error{code::invalid_sdp_type, "Unexpected answer: an offer is needed to publish"};
  if (wanted.record) return Error{code::unknown_error, "Recording is not available"};
  if (auto may = may_tell(seat, message, wanted.display, wanted.metadata, wanted.descriptions); !may)
    return may.error();
  Event event{Json::object("videoroom", "event", "room", self.room_id().json(), "configured", "ok")};
  if (message.offer) {
    auto plan = self.answer(*message.offer, wanted);
    if (!plan) return plan.error();
    event.jsep = std::move(*plan);
  }
  if (auto done = control_streams(self, wanted); !done && !message.offer) return done.error();
  self.describe_streams(wanted.descriptions);
  if (wanted.bitrate) self.set_bitrate(usable_bitrate(*wanted.bitrate));
  TalkDetection& talking = self.person().talk_detection;
  talking.active_packets = wanted.audio_active_packets.value_or(talking.active_packets);
  talking.level_average = wanted.audio_level_average.value_or(talking.level_average);
  if (wanted.audio_active_packets || wanted.audio_level_average) self.detect_talking();
  rename(self, wanted);
  if (message.offer)
    self.show_result(event.data);
  else if (!wanted.descriptions.empty() && self.active())
    self.room()->published(self);
  return event;
}

Result<Event> unpublish(Seat& seat, const Nothing&, const Message&) {
  Publisher& self = seat.as_publisher();
  if (!self.active()) return Error{code::not_published, "Can't unpublish, not published"};
  self.unpublish();
  seat.client().hang_up();
  return Event{Json::object("videoroom", "event", "room", self.room_id().json(), "unpublished", "ok")};
}

Result<Event> configure(Seat& seat, const Nothing&, const Message& message) {
  const ReadOptions options = reading(seat.rooms());
  if (seat.publishes()) {
    auto wanted = read<Publish>(message.body, publish_fields, options);
    return wanted ? configure_publisher(seat, *wanted, message) : Result<Event>(wanted.error());
  }
  auto wanted = read<ConfigureLines>(message.body, configure_lines_fields, options);
  return wanted ? configure_subscriber(seat, *wanted, message) : Result<Event>(wanted.error());
}

Result<Event> leave(Seat& seat, const Nothing&, const Message&) {
  if (seat.publishes()) {
    Publisher& self = seat.as_publisher();
    self.leave();
    return Event{Json::object("videoroom", "event", "room", self.room_id().json(), "leaving", "ok")};
  }
  Subscription& self = seat.as_subscriber();
  self.leave();
  seat.client().hang_up();
  return Event{Json::object("videoroom", "event", "room", self.room_id().json(), "left", "ok")};
}

}  // namespace cardea::videoroom
