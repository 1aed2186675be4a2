// An IP address and UDP port as a value: what a datagram comes from and goes to. Knows no system types.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
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
  // In a few loads: whoever looks up addresses compares as many as packets.
  bool operator==(const Address& other) const {
    const auto half = [](const Address& of, size_t at) {
      uint64_t bytes;
      std::memcpy(&bytes, of.ip.data() + at, sizeof bytes);
      return bytes;
    };
    return half(*this, 0) == half(other, 0) && half(*this, 8) == half(other, 8) && port == other.port &&
           v6 == other.v6 && socket == other.socket;
  }

  std::string ip_text() const;  // "192.0.2.1", "2001:db8::1"
  std::string text() const;     // "192.0.2.1:1", "[2001:db8::1]:1"
  bool unspecified() const { return Address{ip, 0, false, 0} == Address{}; }
  bool loopback() const;
  bool link_local() const;

  // An address without names or brackets; none if it is not one.
  static std::optional<Address> parse(std::string_view ip, uint16_t port);
};

}  // namespace cardea

template <>
struct std::hash<cardea::Address> {
  size_t operator()(const cardea::Address& address) const {
    constexpr uint64_t odd = 0x9e3779b97f4a7c15u;  // 2^64 by the golden ratio: spreads what differs in few bits
    uint64_t low, high;
    std::memcpy(&low, address.ip.data(), sizeof low);
    std::memcpy(&high, address.ip.data() + sizeof low, sizeof high);
    uint64_t x = (low ^ (uint64_t{address.port} << 40) ^ (uint64_t{address.socket} << 32)) * odd;
    x = (x ^ (x >> 29) ^ high) * odd;
    return static_cast<size_t>(x ^ (x >> 32));
  }
};
