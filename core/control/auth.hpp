// Who may use the Janus API: a shared secret, or tokens signed with HMAC-SHA1 (EXPIRY,REALM[,DESCRIPTOR...]:SIGNATURE).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cardea/json.hpp"
#include "cardea/time.hpp"

namespace cardea::control {

// Takes the same time wherever the two differ.
bool same_secret(std::string_view given, std::string_view expected);

class Auth {
public:
  Auth() = default;
  // Empty: that way is off.
  Auth(std::string api_secret, std::string token_secret)
      : api_secret_(std::move(api_secret)), token_secret_(std::move(token_secret)) {}

  bool uses_secret() const { return !api_secret_.empty(); }
  bool uses_tokens() const { return !token_secret_.empty(); }

  // Is one of the credentials in the request good? Always, if none is asked for.
  bool admits(JsonView request, Time now) const;
  // A signature of ours, not expired, of this realm, and with this descriptor unless it is "".
  bool grants(std::string_view token, std::string_view realm, std::string_view descriptor, Time now) const;

private:
  std::string api_secret_, token_secret_;
};

}  // namespace cardea::control
