#include "room.hpp"

#include <ctime>

#include "seat.hpp"

namespace cardea::textroom {

Room::Room(PublicId id, RoomSettings settings, const General& general, Services& services, Backend& backend)
    : id_(std::move(id)), general_(general), services_(services), backend_(backend), settings_(std::move(settings)),
      history_(settings_.history), presence_(id_, members_, settings_.zones, services, general) {
  if (settings_.description.empty()) settings_.description = "Room " + id_.text();
}

void Room::change(RoomSettings settings) {
  const bool other_zones = settings.zones != settings_.zones;
  settings_ = std::move(settings);
  if (other_zones) presence_.zones_changed();
}

Member* Room::find(std::string_view username) {
  auto found = members_.find(username);
  return found == members_.end() ? nullptr : &found->second;
}

Member& Room::enter(Seat& seat, Via via, std::string username, std::optional<std::string> display) {
  Member joining{username, std::move(display), &seat, via, Place(general_.presence_rate)};
  Json event = Json::object("textroom", "join", "room", id_.json(), "username", username, "display", joining.display);
  Member& member = members_.emplace(std::move(username), std::move(joining)).first->second;
  seat.entered(id_, member.username);
  tell_all(outgoing(std::move(event)));
  return member;
}

void Room::leave(Member& member, bool tell_itself) {
  const Outgoing event = outgoing(Json::object("textroom", "leave", "room", id_.json(), "username", member.username));
  if (tell_itself) member.seat->tell(member.via, event);
  remove(member);
  tell_all(event);
}

void Room::kick(Member& member) {
  tell_all(outgoing(Json::object("textroom", "kicked", "room", id_.json(), "username", member.username)));
  remove(member);
}

void Room::remove(Member& member) {
  member.watches = false;
  presence_.forget(member);
  member.seat->left(id_);
  members_.erase(members_.find(member.username));
}

void Room::replay(Seat& to, Via via) const {
  for (const Outgoing& message : history_.messages()) to.tell(via, message);
}

void Room::say(const Member& from, const std::string& text) {
  publish(Json::object("textroom", "message", "room", id_.json(), "from", from.username, "date", date(), "text", text),
          from.display);
}

void Room::announce(const std::string& text) {
  publish(Json::object("textroom", "announcement", "room", id_.json(), "date", date(), "text", text), std::nullopt);
}

// `display` is for the history alone: those who are here know it.
void Room::publish(Json event, const std::optional<std::string>& display) {
  const Outgoing message = outgoing(std::move(event));
  tell_all(message);
  if (!settings_.post.empty()) backend_.post(settings_.post, message.text());
  if (settings_.history == 0) return;
  Json kept = message.json();
  kept.set("display", display);
  history_.add(outgoing(std::move(kept)));
}

Json Room::whisper(const Member& from, const std::vector<std::string>& to, const std::string& text) {
  const Outgoing message = outgoing(Json::object("textroom", "message", "room", id_.json(), "from", from.username,
                                                 "date", date(), "text", text, "whisper", true));
  Json sent = Json::object();
  for (const std::string& name : to) {
    if (sent[name]) continue;
    const Member* there = find(name);
    if (there != nullptr) there->seat->tell(there->via, message);
    sent.set(name, there != nullptr);
  }
  return sent;
}

void Room::close() {
  tell_all(outgoing(destroyed()));
  for (const auto& [name, member] : members_) member.seat->left(id_);
  members_.clear();
}

Json Room::listed() const {
  return Json::object("room", id_.json(), "description", settings_.description, "pin_required", !settings_.pin.empty(),
                      "num_participants", members_.size(), "history", settings_.history);
}

Page Room::participants(const std::optional<std::string>& after, const Member* but) const {
  Page page;
  for (auto it = after ? members_.upper_bound(*after) : members_.begin(); it != members_.end(); ++it)
    if (&it->second != but && !page.add(PublicId(it->first), it->second.json())) break;
  return page;
}

void Room::tell_all(const Outgoing& event) const {
  for (const auto& [name, member] : members_) member.seat->tell(member.via, event);
}

// Local time: 2026-01-02T03:04:05+0100.
std::string Room::date() const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(services_.now().time_since_epoch());
  const std::time_t time = seconds.count();
  std::tm local{};
  localtime_r(&time, &local);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%FT%T%z", &local);
  return {text, size};
}

}  // namespace cardea::textroom
