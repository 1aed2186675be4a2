#include "seat.hpp"

#include "errors.hpp"
#include "rooms.hpp"
#include "verbs.hpp"

namespace cardea::videoroom {

Reply Seat::handle(Message message) {
  const AllVerbs& verbs = all_verbs(rooms_.general().string_ids);
  Asker asker{rooms_, &client_};
  if (verbs.of_rooms.knows(message.body)) return verbs.of_rooms.run(asker, message);
  return verbs.of_seats.run(*this, message);
}

Sizes Seat::sizes() const { return rooms_.general().sizes(); }

Status Seat::admit(const std::string& verb, unsigned roles) const {
  const unsigned role = publisher_ ? publisher : subscription_ ? subscriber : nobody;
  const bool joining = (roles & nobody) != 0;
  if (role == nobody) {
    if (joining) return {};
    return Error{code::join_first, "Join a room first"};
  }
  const Room* room = publisher_ ? publisher_->room() : subscription_->room();
  if (joining) {
    if (role == publisher && room == nullptr) return Error{code::already_joined, "Not in a room (create a new handle)"};
    return Error{code::already_joined,
                 text("Already in as a ", role == publisher ? "publisher" : "subscriber", " on this handle")};
  }
  if (role == publisher && room == nullptr) return Rooms::no_such_room(publisher_->room_id());
  if ((roles & role) == 0)
    return Error{code::unknown_request,
                 text("Invalid request '", verb, "' for a ", role == publisher ? "publisher" : "subscriber")};
  if (room == nullptr) return Rooms::no_such_room(subscription_->room_id());
  return {};
}

void Seat::on_negotiated() {
  if (publisher_) publisher_->on_negotiated();
  if (subscription_) subscription_->on_negotiated();
}

void Seat::on_media_up() {
  if (publisher_) publisher_->on_media_up();
  if (subscription_) subscription_->on_media_up();
}

void Seat::on_media_down(std::string_view) {
  if (publisher_) publisher_->on_media_down();
  if (subscription_) subscription_->on_media_down();
}

void Seat::on_data(DataMessage message) {
  if (!publisher_ || !publisher_->active()) return;
  for (const Stream& stream : publisher_->streams())
    if (stream.kind == MediaKind::data && !stream.muted())
      if (const Room* room = publisher_->room()) return room->relay(*publisher_, message);
}

void Seat::on_slow_link(const SlowLink& link) {
  if (publisher_ && !link.uplink)
    client_.push({Json::object("videoroom", "slow_link", "current-bitrate", publisher_->bitrate_bps())});
  if (subscription_ && link.uplink) client_.push({Json::object("videoroom", "slow_link")});
}

void Seat::on_layers(SenderId sender, const CurrentLayers& now) {
  if (subscription_) subscription_->on_layers(sender, now);
}

void Seat::on_talking(ReceiverId receiver, bool talking, double level) {
  if (publisher_) publisher_->on_talking(receiver, talking, level);
}

Json Seat::describe() const {
  Json about = publisher_ ? describe_publisher() : subscription_ ? describe_subscriber() : Json::object("type", "none");
  // A seat goes in one step: nobody can see it half gone.
  return std::move(about.set("hangingup", 0).set("destroyed", 0));
}

Json Seat::describe_publisher() const {
  const Person& person = publisher_->person();
  Json about = Json::object("type", "publisher", "room", publisher_->room_id().json(), "id", person.id.json(),
                            "private_id", person.private_id, "display", person.display);
  if (person.metadata) about.set("metadata", person.metadata.copy());
  about.set("bitrate", publisher_->bitrate_bps()).set("e2ee", publisher_->e2ee());
  Json streams = Json::array();
  const Room* room = publisher_->room();
  for (const Stream& stream : publisher_->streams())
    streams.append(stream.described(room == nullptr ? 0 : room->watchers(person.id, stream.mid)));
  about.set("streams", std::move(streams));
  return about;
}

Json Seat::describe_subscriber() const {
  Json about = Json::object("type", "subscriber", "room", subscription_->room_id().json(), "private_id",
                            subscription_->private_id());
  subscription_->describe(about);
  about.set("streams", subscription_->streams());
  return about;
}

}  // namespace cardea::videoroom
