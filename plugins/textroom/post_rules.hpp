// Where HTTP backends may be: clients that name URLs must not reach what only the gateway's own network does.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cardea::textroom {

// Addresses that share their first bits: "10.0.0.0/8", "fd00::/8", "192.0.2.7".
struct Network {
  sa_family_t family = AF_INET;
  std::array<uint8_t, 16> base{};
  unsigned bits = 0;

  static std::optional<Network> parse(std::string_view text);
  static std::optional<Network> of(const sockaddr& address);  // this one address
  bool contains(const Network& other) const;
};

// A host that anybody on the internet may be asked to post to: no loopback, private, link-local (with the metadata
// services of clouds), shared, multicast or otherwise special address (RFC 6890), and no IPv6 address that stands for
// an IPv4 one.
bool is_public(const Network& address);

struct PostRules {
  bool by_clients = false;
  std::vector<std::string> prefixes{};  // of URLs that clients may name
  std::vector<Network> networks{};      // not public, but allowed for those URLs
  std::set<std::string> own{};          // the operator's URLs: they may go anywhere

  // What is wrong with a prefix: it has to fix the host.
  static std::optional<std::string> wrong_prefix(std::string_view prefix);
  bool may_name(std::string_view url) const;
  bool is_own(const std::string& url) const { return own.contains(url); }
  bool may_post(const std::string& url) const { return is_own(url) || may_name(url); }
  bool may_connect(const Network& address) const;
};

}  // namespace cardea::textroom
