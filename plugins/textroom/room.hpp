// A room: who is here, what was said, and whom to tell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cardea/plugin.hpp"
#include "history.hpp"
#include "member.hpp"
#include "poster.hpp"
#include "presence.hpp"
#include "settings.hpp"

namespace cardea::textroom {

class Room {
public:
  // `settings` are right (wrong_setting).
  Room(PublicId id, RoomSettings settings, const General& general, Services& services, Backend& backend);
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  const PublicId& id() const { return id_; }
  const RoomSettings& settings() const { return settings_; }
  void change(RoomSettings settings);
  const std::string& description() const { return settings_.description; }

  Member* find(std::string_view username);
  const Members& members() const { return members_; }
  Presence& presence() { return presence_; }

  // The username is free. Everybody learns of it, the member itself too.
  Member& enter(Seat& seat, Via via, std::string username, std::optional<std::string> display);
  // Everybody learns of it; the member itself only if it can be told.
  void leave(Member& member, bool tell_itself);
  void kick(Member& member);
  // What was said before, to one who comes.
  void replay(Seat& to, Via via) const;

  void say(const Member& from, const std::string& text);
  void announce(const std::string& text);
  // To those of the names that are here. The result says which: {"bob": true, "eve": false}.
  Json whisper(const Member& from, const std::vector<std::string>& to, const std::string& text);

  // The room goes: everybody is told.
  void close();
  Json destroyed() const { return Json::object("textroom", "destroyed", "room", id_.json()); }

  Json listed() const;  // an entry of "list"
  // Those whose names come after this one, as many as fit an answer.
  Page participants(const std::optional<std::string>& after = {}, const Member* but = nullptr) const;

private:
  void remove(Member& member);
  void tell_all(const Outgoing& event) const;
  void publish(Json event, const std::optional<std::string>& display);
  Outgoing outgoing(Json event) const { return {std::move(event), general_.style()}; }
  std::string date() const;

  // given
  const PublicId id_;
  const General& general_;
  Services& services_;
  Backend& backend_;
  // state
  RoomSettings settings_;
  Members members_;
  History history_;
  Presence presence_;
};

}  // namespace cardea::textroom
