// Who may use the Janus API: whoever has a shared secret, or a token. Tokens are either stored here, by the admin API,
// or signed with HMAC-SHA1 (EXPIRY,REALM[,DESCRIPTOR...]:SIGNATURE). Times are those of the real clock.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "cardea/json.hpp"
#include "cardea/time.hpp"

namespace cardea::control {

// Takes the same time wherever the two differ.
bool same_secret(std::string_view given, std::string_view expected);

class Auth {
public:
  // Stored tokens with the plugins that each may use.
  using Tokens = std::map<std::string, std::set<std::string>, std::less<>>;

  Auth() = default;
  // An empty api_secret: that way is off. An empty token_secret: tokens are stored ones.
  Auth(std::string api_secret, bool tokens, std::string token_secret)
      : api_secret_(std::move(api_secret)), token_secret_(std::move(token_secret)), tokens_(tokens) {}

  bool uses_secret() const { return !api_secret_.empty(); }
  bool uses_tokens() const { return tokens_; }
  bool signs_tokens() const { return tokens_ && !token_secret_.empty(); }
  bool stores_tokens() const { return tokens_ && token_secret_.empty(); }
  bool asks() const { return uses_secret() || uses_tokens(); }

  // Is one of the credentials in the request good? Always, if none is asked for.
  bool admits(JsonView request, Time now) const;
  // Is it a good token for the plugin?
  bool may_use(std::string_view token, const std::string& plugin, Time now) const;
  Tokens& stored() { return stored_; }
  // A signature of ours, not expired, of this realm, and with this descriptor unless it is "".
  bool grants(std::string_view token, std::string_view realm, std::string_view descriptor, Time now) const;

private:
  std::string api_secret_, token_secret_;
  bool tokens_ = false;
  Tokens stored_;
};

}  // namespace cardea::control
