#include "verbs.hpp"

#include "errors.hpp"

namespace cardea::videoroom {
namespace {

Verbs<Rooms> room_verbs(const VerbCodes& codes) {
  return Verbs<Rooms>(codes, "videoroom")
      .answer("create", create_fields, create)
      .answer("edit", edit_fields, edit)
      .answer("destroy", destroy_room_fields, destroy)
      .answer("exists", one_room_fields, exists)
      .answer("list", list_rooms_fields, list)
      .answer("allowed", change_allowed_fields, allowed)
      .answer("kick", kick_fields, kick)
      .answer("moderate", moderate_fields, moderate)
      .answer("listparticipants", one_room_fields, list_participants)
      .answer("enable_recording", enable_recording_fields, enable_recording)
      .answer("rtp_forward", no_fields, no_forwarders)
      .answer("stop_rtp_forward", no_fields, no_forwarders)
      .answer("listforwarders", no_fields, no_forwarders)
      .answer("publish_remotely", no_fields, no_remote_publishers)
      .answer("unpublish_remotely", no_fields, no_remote_publishers)
      .answer("listremotes", no_fields, no_remote_publishers)
      .answer("add_remote_publisher", no_fields, no_remote_publishers)
      .answer("update_remote_publisher", no_fields, no_remote_publishers)
      .answer("remove_remote_publisher", no_fields, no_remote_publishers);
}

Verbs<Seat> seat_verbs(const VerbCodes& codes) {
  return Verbs<Seat>(codes, "videoroom")
      .event("join", join_fields, join, Role::nobody)
      .event("joinandconfigure", join_fields, join_and_configure, Role::nobody)
      .event("publish", publish_fields, publish, Role::publisher)
      .event("unpublish", no_fields, unpublish, Role::publisher)
      .event("configure", no_fields, configure, Role::publisher, Role::subscriber)
      .event("leave", no_fields, leave, Role::publisher, Role::subscriber)
      .event("start", no_fields, start, Role::subscriber)
      .event("pause", no_fields, pause, Role::subscriber)
      .event("subscribe", subscribe_fields, subscribe, Role::subscriber)
      .event("unsubscribe", unsubscribe_fields, unsubscribe, Role::subscriber)
      .event("update", update_fields, update, Role::subscriber)
      .event("switch", switch_fields, switch_streams, Role::subscriber);
}

AllVerbs make(bool string_ids) {
  const VerbCodes codes{code::unknown_request, missing_code, invalid_code, string_ids};
  return {room_verbs(codes), seat_verbs(codes)};
}

}  // namespace

const AllVerbs& all_verbs(bool string_ids) {
  static const AllVerbs with_numbers = make(false), with_strings = make(true);
  return string_ids ? with_strings : with_numbers;
}

}  // namespace cardea::videoroom
