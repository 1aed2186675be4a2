// The requests about rooms that every plugin with rooms takes: create, edit, destroy, exists, list, allowed. A plugin
// adds its own to the table.
//
// Asker: who asks.
//   Rooms& rooms              its RoomRegistry
//   Handle* client            none: the admin API
//   Json said(const char*)    how a good answer begins: {"videoroom": "created"}
#pragma once

#include <optional>
#include <utility>

#include "cardea/requests.hpp"
#include "cardea/room_registry.hpp"

namespace cardea {
namespace room_verbs {

// `permanent`: it was asked for and is done.
inline Json done(Json answer, const PublicId& room, bool permanent) {
  return std::move(answer.set("room", room.json()).set("permanent", permanent));
}

template <class Asker, class Create>
Result<Json> create(Asker& asker, const Create& wanted, const Message&) {
  auto& rooms = asker.rooms;
  if (auto checked = rooms.check_word("admin_key", rooms.general().admin_key, wanted.admin_key, asker.client); !checked)
    return checked.error();
  if (auto good = rooms.check(wanted, nullptr); !good) return good.error();
  if (wanted.permanent)
    if (auto may = rooms.check_permanent(nullptr, wanted.admin_key, asker.client); !may) return may.error();
  auto room = rooms.create(wanted.room, wanted, asker.client);
  if (!room) return room.error();
  return done(asker.said("created"), (*room)->id(), wanted.permanent && rooms.save(**room));
}

template <class Asker, class Edit>
Result<Json> edit(Asker& asker, const Edit& wanted, const Message&) {
  auto& rooms = asker.rooms;
  auto room = rooms.own_to_change(wanted.room, wanted.secret, asker.client);
  if (!room) return room.error();
  auto settings = (*room)->settings();
  wanted.apply_basics(settings);
  wanted.apply(settings);
  if (auto good = rooms.check(settings, &(*room)->settings()); !good) return good.error();
  if (wanted.permanent)
    if (auto may = rooms.check_permanent(*room, wanted.admin_key, asker.client); !may) return may.error();
  (*room)->change(std::move(settings));
  return done(asker.said("edited"), wanted.room, wanted.permanent && rooms.save(**room));
}

template <class Asker>
Result<Json> destroy(Asker& asker, const DestroyRoom& wanted, const Message&) {
  auto& rooms = asker.rooms;
  auto room = rooms.own_to_change(wanted.room, wanted.secret, asker.client);
  if (!room) return room.error();
  if (wanted.permanent)
    if (auto may = rooms.check_permanent(*room, wanted.admin_key, asker.client); !may) return may.error();
  if constexpr (requires { asker.on_destroy(**room); }) asker.on_destroy(**room);
  rooms.destroy(**room);
  return done(asker.said("destroyed"), wanted.room, wanted.permanent && rooms.forget(wanted.room));
}

template <class Asker>
Result<Json> exists(Asker& asker, const OneRoom& wanted, const Message&) {
  return std::move(
      asker.said("success").set("room", wanted.room.json()).set("exists", asker.rooms.find(wanted.room) != nullptr));
}

template <class Asker>
Result<Json> list(Asker& asker, const ListRooms& wanted, const Message&) {
  const auto as_admin = asker.rooms.is_admin(wanted.admin_key, asker.client);
  if (!as_admin) return as_admin.error();
  Page page;
  asker.rooms.each_after(wanted.after, [&](const auto& room) {
    return (room.settings().is_private && !*as_admin) || page.add(room.id(), room.listed());
  });
  Json answer = asker.said("success");
  page.move_to("list", answer);
  return answer;
}

template <class Asker>
Result<Json> allowed(Asker& asker, const ChangeAllowed& wanted, const Message&) {
  auto& rooms = asker.rooms;
  auto room = rooms.own_to_change(wanted.room, wanted.secret, asker.client);
  if (!room) return room.error();
  auto settings = (*room)->settings();
  auto left = change_tokens(settings.allowed, settings.unused_tokens, wanted.action, wanted.allowed, rooms.words);
  if (!left) return left.error();
  if (auto good = rooms.check(settings, &(*room)->settings()); !good) return good.error();
  (*room)->change(std::move(settings));
  return std::move(asker.said("success").set("room", wanted.room.json()).set("allowed", std::move(*left)));
}

// A plugin's table with these requests in it. Edit: its EditRoom, with the table of its fields.
template <class Asker, class Settings, class Edit>
Verbs<Asker> table(const RoomWords& words, bool string_ids, const auto& settings_fields, const auto& edit_fields) {
  using Create = CreateRoom<Settings>;
  return Verbs<Asker>({words.unknown_request, words.missing, words.invalid, string_ids}, words.key)
      .answer("create", create_room_fields<Settings>(settings_fields), &create<Asker, Create>)
      .answer("edit", edit_fields, &edit<Asker, Edit>)
      .answer("destroy", destroy_room_fields, &destroy<Asker>)
      .answer("exists", one_room_fields, &exists<Asker>)
      .answer("list", list_rooms_fields, &list<Asker>)
      .answer("allowed", change_allowed_fields, &allowed<Asker>);
}

}  // namespace room_verbs
}  // namespace cardea
