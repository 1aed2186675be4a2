#include "verbs.hpp"

#include "errors.hpp"

namespace cardea::videoroom {
namespace {

Verbs<Asker> verbs_of_rooms(bool string_ids) {
  return room_verbs::table<Asker, RoomSettings, Edit>(RoomKind::words, string_ids, room_fields, edit_fields)
      .answer("kick", kick_fields, kick)
      .answer("moderate", moderate_fields, moderate)
      .answer("listparticipants", list_people_fields, list_participants)
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

Verbs<Seat> verbs_of_seats(bool string_ids) {
  return Verbs<Seat>({code::unknown_request, code::missing_element, code::invalid_element, string_ids}, "videoroom")
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

AllVerbs make(bool string_ids) { return {verbs_of_rooms(string_ids), verbs_of_seats(string_ids)}; }

}  // namespace

const AllVerbs& all_verbs(bool string_ids) {
  static const AllVerbs with_numbers = make(false), with_strings = make(true);
  return string_ids ? with_strings : with_numbers;
}

}  // namespace cardea::videoroom
