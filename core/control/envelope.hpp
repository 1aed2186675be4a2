// The outside of every request and reply of the Janus API: who is meant, which transaction, which error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cardea/ids.hpp"
#include "cardea/json.hpp"
#include "cardea/result.hpp"

namespace cardea::control {

// Error codes of the core.
namespace code {
inline constexpr int unauthorized = 403;
inline constexpr int unauthorized_plugin = 405;
inline constexpr int unknown_request = 453;
inline constexpr int invalid_json = 454;
inline constexpr int invalid_json_object = 455;
inline constexpr int missing_element = 456;
inline constexpr int invalid_path = 457;
inline constexpr int no_session = 458;
inline constexpr int no_handle = 459;
inline constexpr int no_plugin = 460;
inline constexpr int plugin_attach = 461;
inline constexpr int plugin_message = 462;
inline constexpr int jsep_type = 464;
inline constexpr int jsep_sdp = 465;
inline constexpr int invalid_element = 467;
inline constexpr int session_in_use = 468;
inline constexpr int draining = 472;
inline constexpr int unknown_error = 490;
inline constexpr int too_many = 490;  // of what a client has or does; the text says of what
inline constexpr int token_not_found = 470;
}  // namespace code

struct Envelope {
  std::string verb;  // in lower case
  std::string transaction;
  SessionId session;          // 0: none
  HandleId handle;            // 0: none
  bool handle_named = false;  // there is a handle_id, be it one or not
  uint64_t id = 0;            // of a create
};

// The session that a request names, whatever else is wrong with it.
SessionId named_session(JsonView request);

// An error is answered without the transaction.
Result<Envelope> open_envelope(JsonView request);

// The longest texts that a request may carry, in bytes.
inline constexpr size_t max_verb = 64, max_transaction = 256, max_credential = 4096, max_plugin_name = 128,
                        max_opaque_id = 1024, max_mid = 64;
// 467 if it is longer.
Status fits(std::string_view field, std::string_view value, size_t max);

// A verb at a level where it means nothing; an id that names nothing.
Error wrong_path(std::string_view verb);
Error no_session(SessionId session);

// {"janus": kind, "session_id"?, "transaction"?}
Json envelope(const char* kind, SessionId session, std::optional<std::string_view> transaction);
Json error_reply(const Error& error, SessionId session, std::optional<std::string_view> transaction);

}  // namespace cardea::control
