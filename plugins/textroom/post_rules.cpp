#include "post_rules.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace cardea::textroom {
namespace {

// The path with "%2e" as ".": whether it goes up or names the folder it is in.
bool has_dots(std::string_view path) {
  std::string plain;
  for (size_t i = 0; i < path.size(); ++i) {
    const bool dot = path[i] == '%' && i + 2 < path.size() && path[i + 1] == '2' && (path[i + 2] | 0x20) == 'e';
    plain += dot ? '.' : path[i];
    if (dot) i += 2;
  }
  for (std::string_view part : {"/../", "/./"})
    if ((plain + "/").find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Network network;
  network.bits = 32;
  if (inet_pton(AF_INET, address.c_str(), network.base.data()) != 1) {
    network.family = AF_INET6;
    network.bits = 128;
    if (inet_pton(AF_INET6, address.c_str(), network.base.data()) != 1) return std::nullopt;
  }
  if (slash == std::string_view::npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc() || end != digits.data() + digits.size() || bits > network.bits) return std::nullopt;
  network.bits = bits;
  return network;
}

std::optional<Network> Network::of(const sockaddr& address) {
  Network network;
  network.family = address.sa_family;
  if (address.sa_family == AF_INET) {
    network.bits = 32;
    std::memcpy(network.base.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else if (address.sa_family == AF_INET6) {
    network.bits = 128;
    std::memcpy(network.base.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  } else {
    return std::nullopt;
  }
  return network;
}

bool Network::contains(const Network& other) const {
  if (family != other.family || bits > other.bits) return false;
  for (unsigned bit = 0; bit < bits; bit += 8) {
    const unsigned kept = std::min(8u, bits - bit);
    const auto mask = static_cast<uint8_t>(0xff << (8 - kept));
    if (((base[bit / 8] ^ other.base[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool is_public(const Network& address) {
  auto networks = [](std::initializer_list<const char*> texts) {
    std::vector<Network> all;
    for (const char* text : texts) all.push_back(*Network::parse(text));
    return all;
  };
  auto in = [&](const std::vector<Network>& all) {
    return std::any_of(all.begin(), all.end(), [&](const Network& one) { return one.contains(address); });
  };
  if (address.family == AF_INET) {
    static const auto special = networks(
        {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
         "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
         "224.0.0.0/3", "168.63.129.16"});  // the last: a cloud's service for its own machines
    return !in(special);
  }
  // Only what is given out for hosts; not Teredo, benchmarks, ORCHID, documentation and 6to4.
  static const auto hosts = networks({"2000::/3"});
  static const auto special = networks({"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"});
  return in(hosts) && !in(special);
}

std::optional<std::string> PostRules::wrong_prefix(std::string_view prefix) {
  const size_t scheme = prefix.starts_with("http://") ? 7 : prefix.starts_with("https://") ? 8 : 0;
  if (scheme == 0) return "should begin with http:// or https://";
  const size_t path = prefix.find('/', scheme);
  if (path == std::string_view::npos || path == scheme) return "should name a host with a / behind it";
  if (prefix.substr(scheme, path - scheme).find('@') != std::string_view::npos) return "should have no user";
  return std::nullopt;
}

bool PostRules::may_name(std::string_view url) const {
  // What libraries read in more than one way is nobody's.
  for (char c : url)
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == '\\') return false;
  if (has_dots(url.substr(0, url.find_first_of("?#")))) return false;
  return by_clients && std::any_of(prefixes.begin(), prefixes.end(),
                                   [&](const std::string& prefix) { return url.starts_with(prefix); });
}

bool PostRules::may_connect(const Network& address) const {
  return is_public(address) ||
         std::any_of(networks.begin(), networks.end(), [&](const Network& one) { return one.contains(address); });
}

}  // namespace cardea::textroom
