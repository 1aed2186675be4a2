#include "control/auth.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

namespace cardea::control {
namespace {

std::string signature(std::string_view data, std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
           data.size(), digest.data(), &size) == nullptr)
    return {};
  std::array<unsigned char, 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1> base64{};
  int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(base64.data()), static_cast<size_t>(length)};
}

std::string_view next_part(std::string_view& rest) {
  size_t comma = rest.find(',');
  std::string_view part = rest.substr(0, comma);
  rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  return part;
}

}  // namespace

bool same_secret(std::string_view given, std::string_view expected) {
  // The loop runs over what was given, so its time tells nothing of the secret, not even its length.
  unsigned char difference = given.size() == expected.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i] ^ (expected.empty() ? 0 : expected[i % expected.size()]));
  return difference == 0;
}

bool Auth::admits(JsonView request, Time now) const {
  if (!asks()) return true;
  if (uses_secret() && request["apisecret"].is_string() && same_secret(request["apisecret"].string(), api_secret_))
    return true;
  if (!uses_tokens() || !request["token"].is_string()) return false;
  const std::string_view token = request["token"].string();
  return signs_tokens() ? grants(token, "janus", "", now) : stored_.find(token) != stored_.end();
}

bool Auth::may_use(std::string_view token, const std::string& plugin, Time now) const {
  if (signs_tokens()) return grants(token, "janus", plugin, now);
  auto found = stored_.find(token);
  return found != stored_.end() && found->second.contains(plugin);
}

bool Auth::grants(std::string_view token, std::string_view realm, std::string_view descriptor, Time now) const {
  size_t colon = token.find(':');
  if (!signs_tokens() || colon == std::string_view::npos) return false;
  std::string_view data = token.substr(0, colon);
  std::string expected = signature(data, token_secret_);
  if (expected.empty() || !same_secret(token.substr(colon + 1), expected)) return false;

  std::string_view rest = data;
  std::string_view expiry_text = next_part(rest);
  int64_t expiry = -1;
  auto [end, error] = std::from_chars(expiry_text.data(), expiry_text.data() + expiry_text.size(), expiry);
  if (error != std::errc() || end != expiry_text.data() + expiry_text.size() || expiry < 0) return false;
  if (std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() > expiry) return false;
  if (next_part(rest) != realm) return false;
  if (descriptor.empty()) return true;
  while (!rest.empty())
    if (next_part(rest) == descriptor) return true;
  return false;
}

}  // namespace cardea::control
