// The error codes of the video room (protocol notes: videoroom.md section 8). 440 and 441 are ours.
#pragma once

namespace cardea::videoroom::code {

inline constexpr int unknown_request = 423;  // no such verb, or not for this role
inline constexpr int join_first = 424;
inline constexpr int already_joined = 425;
inline constexpr int no_such_room = 426;
inline constexpr int room_exists = 427;
inline constexpr int no_such_feed = 428;  // feed, user, mid
inline constexpr int missing_element = 429;
inline constexpr int invalid_element = 430;
inline constexpr int invalid_sdp_type = 431;
inline constexpr int publishers_full = 432;
inline constexpr int unauthorized = 433;
inline constexpr int already_published = 434;
inline constexpr int not_published = 435;
inline constexpr int id_exists = 436;
inline constexpr int invalid_sdp = 437;
inline constexpr int invalid_feed = 438;  // encrypted and plain feeds mixed
inline constexpr int too_many_rooms = 440;
inline constexpr int too_fast = 441;  // others were told too much in a short time
inline constexpr int unknown_error = 499;

}  // namespace cardea::videoroom::code
