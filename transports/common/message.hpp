// Texts of clients as JSON values, and the errors that a transport answers by itself.
#pragma once

#include <string_view>
#include <vector>

#include "cardea/json.hpp"

namespace cardea::transports {

// All values of a text, which may stand one after the other with space between. Fails as a whole if any part is
// malformed, if there is none, or if there are more than 1,000.
Result<std::vector<Json>> parse_values(std::string_view text);

// {"janus":"error","error":{"code":..,"reason":..}}
Json error_message(const Error& error);
Error message_too_big(size_t limit);
// Why an admin listener is not opened.
Error admin_without_secret();

}  // namespace cardea::transports
