#include "common/endpoint.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cardea/text.hpp"
#include "common/unix_listener.hpp"

namespace cardea::transports {

namespace {

constexpr int backlog = 1024;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address ipv4(in_addr ip, uint16_t port) {
  Address address;
  auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
  in->sin_family = AF_INET;
  in->sin_addr = ip;
  in->sin_port = htons(port);
  address.size = sizeof *in;
  return address;
}

Address ipv6(in6_addr ip, uint32_t scope, uint16_t port) {
  Address address;
  auto* in = reinterpret_cast<sockaddr_in6*>(&address.storage);
  in->sin6_family = AF_INET6;
  in->sin6_addr = ip;
  in->sin6_scope_id = scope;
  in->sin6_port = htons(port);
  address.size = sizeof *in;
  return address;
}

std::string text_of(const sockaddr* address) {
  char out[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, out, sizeof out);
  } else if (address->sa_family == AF_INET6) {
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&ip))
      inet_ntop(AF_INET, &ip.s6_addr[12], out, sizeof out);
    else
      inet_ntop(AF_INET6, &ip, out, sizeof out);
  }
  return out;
}

uint16_t port_of(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (getsockname(fd, address.raw(), &address.size) != 0) return 0;
  if (address.storage.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
  return ntohs(reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port);
}

Error cannot_listen(uint16_t port, const std::string& where, int why) {
  if (why == EADDRINUSE) return Error{0, text("port ", port, " on ", where, " is in use")};
  return Error{0, text("cannot listen on port ", port, " of ", where, ": ", strerror(why))};
}

// A listening socket, or none and the errno in `why`.
Fd open_listener(const Address& address, bool both_families, int& why) {
  Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  why = errno;
  if (!socket) return {};
  const int on = 1;
  const int v6_only = both_families ? 0 : 1;
  // Connections of an earlier run in TIME_WAIT must not keep the port; a second listener is still refused.
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6)
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  if (bind(socket.get(), address.raw(), address.size) != 0 || listen(socket.get(), backlog) != 0) {
    why = errno;
    return {};
  }
  return socket;
}

Result<Listener> listen_on_all(uint16_t port) {
  int why = 0;
  Fd socket = open_listener(ipv6(in6addr_any, 0, port), true, why);
  if (!socket && why != EADDRINUSE && why != EACCES)
    socket = open_listener(ipv4({htonl(INADDR_ANY)}, port), false, why);
  if (!socket) return cannot_listen(port, "0.0.0.0", why);
  const uint16_t bound = port_of(socket.get());
  return Listener{std::move(socket), "", bound, ""};
}

std::vector<Address> addresses_of(const std::string& name, uint16_t port) {
  std::vector<Address> found;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return found;
  for (ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || name != at->ifa_name) continue;
    if (at->ifa_addr->sa_family == AF_INET) {
      found.push_back(ipv4(reinterpret_cast<sockaddr_in*>(at->ifa_addr)->sin_addr, port));
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      const auto* in = reinterpret_cast<sockaddr_in6*>(at->ifa_addr);
      found.push_back(ipv6(in->sin6_addr, in->sin6_scope_id, port));
    }
  }
  freeifaddrs(all);
  return found;
}

}  // namespace

Result<std::vector<Listener>> listen_at(const Endpoint& endpoint) {
  std::vector<Listener> listeners;
  const std::string& where = endpoint.ip.empty() ? endpoint.interface : endpoint.ip;
  if (!endpoint.unix_path.empty() || where.empty()) {
    if (!endpoint.unix_path.empty()) {
      auto socket = listen_on_unix(endpoint.unix_path, SOCK_STREAM);
      if (!socket) return socket.error();
      listeners.push_back({std::move(*socket), "", 0, endpoint.unix_path});
      return listeners;
    }
    auto one = listen_on_all(endpoint.port);
    if (!one) return one.error();
    listeners.push_back(std::move(*one));
    return listeners;
  }
  std::vector<Address> addresses;
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, where.c_str(), &v4) == 1)
    addresses.push_back(ipv4(v4, endpoint.port));
  else if (inet_pton(AF_INET6, where.c_str(), &v6) == 1)
    addresses.push_back(ipv6(v6, 0, endpoint.port));
  else
    addresses = addresses_of(where, endpoint.port);
  if (addresses.empty()) return Error{0, text("there is no address or interface ", where, " to listen on")};
  for (const Address& address : addresses) {
    int why = 0;
    // The IPv6 address :: means both families, as without any address.
    const bool both = address.storage.ss_family == AF_INET6 &&
                      IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr);
    Fd socket = open_listener(address, both, why);
    if (!socket) return cannot_listen(endpoint.port, text_of(address.raw()), why);
    const uint16_t bound = port_of(socket.get());
    listeners.push_back({std::move(socket), text_of(address.raw()), bound, ""});
  }
  return listeners;
}

std::string peer_address(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (getpeername(fd, address.raw(), &address.size) != 0) return {};
  return text_of(address.raw());
}

std::vector<std::string> host_addresses() {
  std::vector<std::string> v4, v6;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return v4;
  for (ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_LOOPBACK) != 0 || (at->ifa_flags & IFF_UP) == 0) continue;
    if (at->ifa_addr->sa_family == AF_INET) v4.push_back(text_of(at->ifa_addr));
    if (at->ifa_addr->sa_family == AF_INET6 &&
        !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<sockaddr_in6*>(at->ifa_addr)->sin6_addr))
      v6.push_back(text_of(at->ifa_addr));
  }
  freeifaddrs(all);
  v4.insert(v4.end(), v6.begin(), v6.end());
  return v4;
}

std::vector<std::string> urls_of(const Listener& listener, const std::string& scheme) {
  if (!listener.unix_path.empty()) return {text(scheme, "+unix:", listener.unix_path)};
  auto url = [&](const std::string& host) {
    const bool v6 = host.find(':') != std::string::npos;
    return text(scheme, "://", v6 ? "[" : "", host, v6 ? "]" : "", ":", listener.port, "/");
  };
  const bool all = listener.ip.empty() || listener.ip == "0.0.0.0" || listener.ip == "::";
  if (!all) return {url(listener.ip)};
  std::vector<std::string> urls = {url("localhost")};
  if (auto others = host_addresses(); !others.empty()) urls.push_back(url(others.front()));
  return urls;
}

}  // namespace cardea::transports
