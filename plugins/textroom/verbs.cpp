#include "verbs.hpp"

namespace cardea::textroom {
namespace {

Verbs<Asker> make(bool string_ids) {
  const VerbCodes codes{code::invalid_request, code::missing_element, code::invalid_element, string_ids};
  return Verbs<Asker>(codes, "textroom")
      .answer("list", list_rooms_fields, list)
      .answer("listparticipants", one_room_fields, list_participants)
      .answer("exists", one_room_fields, exists)
      .answer("create", create_fields, create)
      .answer("edit", edit_fields, edit)
      .answer("destroy", destroy_room_fields, destroy)
      .answer("allowed", change_allowed_fields, allowed)
      .answer("kick", kick_fields, kick)
      .answer("announcement", announcement_fields, announcement)
      .answer("join", join_fields, join)
      .answer("leave", one_room_fields, leave)
      .answer("message", text_fields, message)
      .answer("presence", state_fields, presence);
}

}  // namespace

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
