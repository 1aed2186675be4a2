// IP addresses as text: which networks they belong to, and who counts as one client.
#pragma once

#include <netinet/in.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cardea::transports {

// "192.0.2.0/24", "2001:db8::/32", or one address.
class Network {
public:
  static std::optional<Network> parse(std::string_view text);
  bool contains(std::string_view address) const;

private:
  in6_addr base_{};  // IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2)
  unsigned bits_ = 128;
};

// What bounds per client count by: an IPv4 address, or the /64 of an IPv6 address, which one subscriber is given whole
// (RFC 6177). "" stays "".
std::string client_key(std::string_view address);

// Reverse proxies that are believed when they tell for whom they ask.
class Proxies {
public:
  // Networks, and "unix:" for whoever comes by a Unix socket. None if one of them is neither.
  static std::optional<Proxies> parse(const std::vector<std::string>& networks);

  bool empty() const { return networks_.empty() && !unix_sockets_; }
  // `peer` "": it came by a Unix socket.
  bool trusts(std::string_view peer) const;
  // The client of a request that `peer` brings: the last hop in X-Forwarded-For that is no trusted proxy. Hops further
  // left are whatever that client wrote.
  std::string client_of(std::string_view peer, std::string_view forwarded_for) const;

private:
  std::vector<Network> networks_;
  bool unix_sockets_ = false;
};

}  // namespace cardea::transports
