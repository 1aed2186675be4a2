// Where a transport listens. The sockets are made here and not by libwebsockets, so that a port in use is an error with
// a clear sentence and never shared by accident, and IPv4 and IPv6 come in by one door.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cardea/result.hpp"
#include "common/fd.hpp"

namespace cardea::transports {

struct Endpoint {
  uint16_t port = 0;         // 0: any free one
  std::string ip{};          // "": all addresses, IPv4 and IPv6
  std::string interface {};  // "eth0": all of its addresses; or an address. Used if `ip` is empty
  std::string unix_path{};   // "": TCP
};

struct Listener {
  Fd socket;
  std::string ip;  // "": all
  uint16_t port = 0;
  std::string unix_path;
};

// Listening sockets, one for each address of the endpoint. The error names the port and what is wrong with it.
Result<std::vector<Listener>> listen_at(const Endpoint& endpoint);

// The address that a connected socket's peer has, without a port; IPv4 as such, also on a socket for both; "" for UNIX
// sockets.
std::string peer_address(int fd);

// The host's own addresses, loopback left out, IPv4 first.
std::vector<std::string> host_addresses();

// "ws://192.0.2.1:8188/" for the person who started the gateway. A listener on all addresses gives two lines:
// localhost, and the first address that others can reach.
std::vector<std::string> urls_of(const Listener& listener, const std::string& scheme);

}  // namespace cardea::transports
