// The error codes of the text room (protocol notes: textroom.md section 4). 429 and 430 are ours.
#pragma once

namespace cardea::textroom::code {

inline constexpr int missing_element = 413;
inline constexpr int invalid_element = 414;
inline constexpr int invalid_request = 415;
inline constexpr int already_setup = 416;
inline constexpr int no_such_room = 417;
inline constexpr int room_exists = 418;
inline constexpr int unauthorized = 419;
inline constexpr int username_exists = 420;
inline constexpr int already_in_room = 421;
inline constexpr int not_in_room = 422;
inline constexpr int no_such_user = 423;
inline constexpr int too_fast = 429;  // too many requests, or too much told to others, in a short time
inline constexpr int too_many_rooms = 430;
inline constexpr int unknown_error = 499;

}  // namespace cardea::textroom::code
