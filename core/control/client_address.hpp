// Where a client comes from, as bounds count it: an IPv4 address, or the /64 of an IPv6 address, since whoever has one
// address of a /64 has them all.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "cardea/result.hpp"

namespace cardea::control {

struct ClientAddress {
  enum class Family : uint8_t { none, v4, v6 };  // none: a local socket
  Family family = Family::none;
  std::array<uint8_t, 8> bytes{};  // of IPv4 the first four

  // Of an address as transports tell it. What is no IP address counts as a local socket.
  static ClientAddress of(std::string_view ip);
  std::string text() const;  // "192.0.2.1", "2001:db8:0:1::/64", "a local socket"
  auto operator<=>(const ClientAddress&) const = default;
};

// "192.0.2.0/24", "2001:db8::/32", or one address.
struct Network {
  ClientAddress address;
  uint8_t prefix = 0;

  // An IPv6 network is at most a /64: addresses of one /64 are one client.
  static Result<Network> parse(std::string_view text);
  bool contains(const ClientAddress& one) const;
};

}  // namespace cardea::control

template <>
struct std::hash<cardea::control::ClientAddress> {
  size_t operator()(const cardea::control::ClientAddress& address) const {
    uint64_t bytes;
    std::memcpy(&bytes, address.bytes.data(), sizeof bytes);
    return std::hash<uint64_t>()(bytes * 31 + static_cast<uint64_t>(address.family));
  }
};
