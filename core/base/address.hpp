// An IP address and UDP port as a value: what a datagram comes from and goes to. Knows no system types.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cardea {

struct Address {
  std::array<uint8_t, 16> ip{};  // network order; IPv4 in the first four bytes
  uint16_t port = 0;
  bool v6 = false;
  // Which of the worker's sockets (one per local address) it came in by or goes out by: with it a remote address names
  // a whole path, in ICE's words a pair. 0 where that does not matter.
  uint8_t socket = 0;

  auto operator<=>(const Address&) const = default;

  std::string ip_text() const;  // "192.0.2.1", "2001:db8::1"
  std::string text() const;     // "192.0.2.1:1", "[2001:db8::1]:1"
  bool unspecified() const { return ip == std::array<uint8_t, 16>{}; }
  bool loopback() const;
  bool link_local() const;

  // An address without names or brackets; none if it is not one.
  static std::optional<Address> parse(std::string_view ip, uint16_t port);
};

}  // namespace cardea

template <>
struct std::hash<cardea::Address> {
  size_t operator()(const cardea::Address& address) const {
    uint64_t x = 0xcbf29ce484222325u;  // FNV-1a
    for (uint8_t byte : address.ip) x = (x ^ byte) * 0x100000001b3u;
    x = (x ^ address.port ^ (uint64_t{address.socket} << 16)) * 0x100000001b3u;
    return static_cast<size_t>(x ^ (x >> 29));
  }
};
