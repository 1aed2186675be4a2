// Requests of those who watch (protocol notes: videoroom.md section 4).
#include <algorithm>
#include <set>

#include "errors.hpp"
#include "verbs.hpp"

namespace cardea::videoroom {
namespace {

Json event_of(const Subscription& self, const char* what) {
  return Json::object("videoroom", "event", "room", self.room_id().json(), what, "ok");
}

// The older form of joining names one publisher, and which kinds of its streams are wanted.
Result<std::vector<StreamChoice>> choices_of_feed(const Room& room, const SubscriberJoin& wanted) {
  if (!wanted.feed) return Error{code::missing_element, "Missing mandatory element (feed)"};
  std::vector<StreamChoice> choices;
  const Publisher* from = room.find(*wanted.feed);
  if (from == nullptr || !from->active())
    return Error{code::no_such_feed, "No such feed (" + wanted.feed->text() + ")"};
  for (const Stream& stream : from->streams()) {
    const bool offered = stream.kind == MediaKind::audio   ? wanted.offer_audio
                         : stream.kind == MediaKind::video ? wanted.offer_video
                                                           : wanted.offer_data;
    if (!offered) continue;
    StreamChoice& choice = choices.emplace_back();
    static_cast<Wishes&>(choice) = wanted;
    choice.feed = *wanted.feed;
    choice.mid = stream.mid;
    const auto& relayed = stream.kind == MediaKind::audio   ? wanted.audio
                          : stream.kind == MediaKind::video ? wanted.video
                                                            : wanted.data;
    if (relayed) choice.send = relayed;
  }
  return choices;
}

Status check_no_offer(const Message& message) {
  if (message.offer) return Error{code::invalid_sdp_type, "Subscribers are offered to: an answer is needed"};
  return {};
}

bool add_all(Subscription& self, const std::vector<StreamChoice>& choices) {
  bool changed = false;
  for (const StreamChoice& choice : choices) changed = self.add(choice) || changed;
  return changed;
}

bool drop_all(Subscription& self, const std::vector<StreamDrop>& drops) {
  bool changed = false;
  for (const StreamDrop& drop : drops) changed = self.drop(drop) || changed;
  return changed;
}

// The older form of switching names a publisher only: each m-line gets its next stream of the same kind and codec.
std::vector<StreamSwitch> switches_to_feed(const Subscription& self, const Publisher& to) {
  std::vector<StreamSwitch> switches;
  std::set<std::string> used;
  for (const Line& line : self.lines()) {
    if (!line.source) continue;
    for (const Stream& stream : to.streams()) {
      if (stream.disabled || stream.kind != line.kind || stream.codec->type != line.codec->type) continue;
      if (!used.insert(stream.mid).second) continue;
      StreamSwitch& one = switches.emplace_back();
      one.feed = to.person().id;
      one.mid = stream.mid;
      one.sub_mid = line.mid;
      break;
    }
  }
  return switches;
}

}  // namespace

Result<Event> join_as_subscriber(Seat& seat, Room& room, const SubscriberJoin& wanted, const Message& message) {
  if (message.offer || message.answer) return Error{code::unknown_request, "A subscriber can't send an offer"};
  if (room.settings().require_pvtid && (!wanted.private_id || room.find(*wanted.private_id) == nullptr))
    return Error{code::unauthorized, "Unauthorized (this room requires a valid private_id)"};
  const bool legacy = wanted.streams.empty();
  auto choices = legacy ? choices_of_feed(room, wanted) : wanted.streams;
  if (!choices) return choices.error();
  auto self = std::make_unique<Subscription>(seat.rooms(), room, seat.client(), wanted);
  if (auto there = self->check(*choices); !there) return there.error();
  add_all(*self, *choices);
  if (self->lines().empty()) return Error{code::invalid_sdp, "Can't offer anything: no stream to subscribe to"};

  Event event{Json::object("videoroom", "attached", "room", room.id().json(), "streams", self->streams())};
  if (legacy) {
    const Person& feed = room.find(*wanted.feed)->person();
    event.data.set("id", feed.id.json()).set("display", feed.display);
    if (feed.metadata) event.data.set("metadata", feed.metadata.copy());
    event.data.set("warning", "deprecated_api");
  }
  self->offer_in(event);
  seat.become(std::move(self));
  return event;
}

Result<Event> start(Seat& seat, const Nothing&, const Message& message) {
  if (auto checked = check_no_offer(message); !checked) return checked.error();
  Subscription& self = seat.as_subscriber();
  if (message.answer) self.on_answer(*message.answer);
  self.resume();
  return Event{event_of(self, "started")};
}

Result<Event> pause(Seat& seat, const Nothing&, const Message& message) {
  if (auto checked = check_no_offer(message); !checked) return checked.error();
  seat.as_subscriber().pause();
  return Event{event_of(seat.as_subscriber(), "paused")};
}

Result<Event> subscribe(Seat& seat, const Subscribe& wanted, const Message& message) {
  if (auto checked = check_no_offer(message); !checked) return checked.error();
  Subscription& self = seat.as_subscriber();
  if (wanted.streams.empty()) return Error{code::invalid_element, "Invalid element (streams should not be empty)"};
  if (self.kicked()) return Error{code::unauthorized, "Unauthorized, you have been kicked"};
  if (auto there = self.check(wanted.streams); !there) return there.error();
  return self.changed(add_all(self, wanted.streams));
}

Result<Event> unsubscribe(Seat& seat, const Unsubscribe& wanted, const Message& message) {
  if (auto checked = check_no_offer(message); !checked) return checked.error();
  if (wanted.streams.empty()) return Error{code::invalid_element, "Invalid element (streams should not be empty)"};
  Subscription& self = seat.as_subscriber();
  return self.changed(drop_all(self, wanted.streams));
}

Result<Event> update(Seat& seat, const Update& wanted, const Message& message) {
  if (auto checked = check_no_offer(message); !checked) return checked.error();
  Subscription& self = seat.as_subscriber();
  if (!wanted.subscribe && !wanted.unsubscribe)
    return Error{code::missing_element, "Missing mandatory element (subscribe or unsubscribe)"};
  if (self.kicked()) return Error{code::unauthorized, "Unauthorized, you have been kicked"};
  if (wanted.subscribe)
    if (auto there = self.check(*wanted.subscribe); !there) return there.error();
  const bool dropped = wanted.unsubscribe && drop_all(self, *wanted.unsubscribe);
  const bool added = wanted.subscribe && add_all(self, *wanted.subscribe);
  return self.changed(dropped || added);
}

Result<Event> configure_subscriber(Seat& seat, const ConfigureLines& wanted, const Message& message) {
  if (auto checked = check_no_offer(message); !checked) return checked.error();
  Subscription& self = seat.as_subscriber();
  if (self.kicked()) return Error{code::unauthorized, "Unauthorized, you have been kicked"};
  for (const LineControl& one : wanted.streams)
    if (one.mid &&
        std::none_of(self.lines().begin(), self.lines().end(), [&](auto& line) { return line.mid == *one.mid; }))
      return Error{code::no_such_feed, "No such mid (" + *one.mid + ")"};
  for (const LineControl& one : wanted.streams)
    if (auto done = self.control(one); !done) return done.error();
  if (wanted.streams.empty()) {
    if (auto done = self.control(wanted); !done) return done.error();
    if (!wanted.mid) {
      if (wanted.audio) self.switch_all(MediaKind::audio, *wanted.audio);
      if (wanted.video) self.switch_all(MediaKind::video, *wanted.video);
      if (wanted.data) self.switch_all(MediaKind::data, *wanted.data);
    }
  }
  Event event{event_of(self, "configured")};
  if (!wanted.restart && !wanted.update) return event;
  if (self.offers().pending()) {
    self.offers().want(wanted.restart);
    return Event{};  // the offer that follows the next answer is the reply
  }
  self.offer_in(event, wanted.restart);
  return event;
}

Result<Event> switch_streams(Seat& seat, const Switch& wanted, const Message& message) {
  if (auto checked = check_no_offer(message); !checked) return checked.error();
  Subscription& self = seat.as_subscriber();
  if (self.kicked()) return Error{code::unauthorized, "Unauthorized, you have been kicked"};
  std::vector<StreamSwitch> switches = wanted.streams;
  if (switches.empty()) {
    if (!wanted.feed) return Error{code::missing_element, "Missing mandatory element (streams)"};
    const Publisher* to = self.room()->find(*wanted.feed);
    if (to == nullptr || !to->active()) return Error{code::no_such_feed, "No such feed (" + wanted.feed->text() + ")"};
    switches = switches_to_feed(self, *to);
  }
  std::vector<StreamChoice> sources;
  for (const StreamSwitch& one : switches) {
    StreamChoice& source = sources.emplace_back();
    source.feed = one.feed;
    source.mid = one.mid;
  }
  if (auto there = self.check(sources); !there) return there.error();

  size_t changes = 0;
  bool description_changes = false;
  for (const StreamSwitch& one : switches)
    if (auto was_inactive = self.switch_to(one)) {
      ++changes;
      description_changes = description_changes || *was_inactive;
    }
  if (description_changes) {
    if (Event offer = self.changed(true); offer.jsep.index() != 0) {
      offer.transaction = message.transaction;
      seat.client().push(std::move(offer));
    }
  }
  return Event{Json::object("videoroom", "event", "switched", "ok", "room", self.room_id().json(), "changes", changes,
                            "streams", self.streams())};
}

}  // namespace cardea::videoroom
