#include "verbs.hpp"

#include "seat.hpp"

namespace cardea::textroom {
namespace {

Verbs<Asker> make(bool string_ids) {
  return room_verbs::table<Asker, RoomSettings, Edit>(RoomKind::words, string_ids, room_fields, edit_fields)
      .answer("listparticipants", list_members_fields, list_participants)
      .answer("kick", kick_fields, kick)
      .answer("announcement", announcement_fields, announcement)
      .answer("join", join_fields, join)
      .answer("leave", one_room_fields, leave)
      .answer("message", text_fields, message)
      .answer("presence", state_fields, presence);
}

}  // namespace

void Asker::on_destroy(const Room& room) const {
  if (seat != nullptr && seat->has_channel()) seat->tell(Via::channel, {room.destroyed(), rooms.general().style()});
}

Status may_say(const Asker& asker, const std::string& text) {
  if (const size_t most = asker.rooms.general().max_message; text.size() > most)
    return Error{code::invalid_element, cardea::text("Invalid element (text should have at most ", most, " bytes)")};
  return asker.rooms.may_tell(asker.client, text.size() + event_overhead);
}

const Verbs<Asker>& verbs(bool string_ids) {
  static const Verbs<Asker> with_numbers = make(false), with_strings = make(true);
  return string_ids ? with_strings : with_numbers;
}

Json run(std::string_view verb, Asker asker, const Message& message) {
  Json data = verbs(asker.rooms.general().string_ids).run(verb, asker, message).data;
  if (!data["error_code"]) return data;
  // With the API, what is no verb is an "event".
  if (asker.via == Via::channel || data["error_code"].integer() != code::invalid_request) data.set("textroom", "error");
  return data;
}

}  // namespace cardea::textroom
