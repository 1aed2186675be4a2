#include "base/address.hpp"

#include <charconv>

namespace cardea {
namespace {

std::optional<Address> parse_v4(std::string_view text) {
  Address address;
  for (size_t part = 0; part < 4; ++part) {
    unsigned value = 256;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    auto length = static_cast<size_t>(end - text.data());
    if (error != std::errc() || value > 255 || length > 3) return std::nullopt;
    address.ip[part] = static_cast<uint8_t>(value);
    text.remove_prefix(length);
    if (part < 3) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
  }
  if (!text.empty()) return std::nullopt;
  return address;
}

// RFC 4291 section 2.2, without zones and with a dotted tail.
std::optional<Address> parse_v6(std::string_view text) {
  std::array<uint16_t, 8> groups{};
  size_t count = 0, gap = 9;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (count == 8) return std::nullopt;
    if (size_t colon = text.find(':'); colon == std::string_view::npos && text.find('.') != std::string_view::npos) {
      auto tail = parse_v4(text);
      if (!tail || count > 6) return std::nullopt;
      groups[count++] = static_cast<uint16_t>((tail->ip[0] << 8) | tail->ip[1]);
      groups[count++] = static_cast<uint16_t>((tail->ip[2] << 8) | tail->ip[3]);
      text = {};
      break;
    }
    uint16_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    auto length = static_cast<size_t>(end - text.data());
    if (error != std::errc() || length > 4) return std::nullopt;
    groups[count++] = value;
    text.remove_prefix(length);
    if (text.empty()) break;
    if (text.front() != ':') return std::nullopt;
    text.remove_prefix(1);
    if (text.starts_with(":")) {
      if (gap != 9) return std::nullopt;
      gap = count;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return std::nullopt;
    }
  }
  if (gap == 9 ? count != 8 : count > 7) return std::nullopt;
  Address address;
  address.v6 = true;
  size_t tail = gap == 9 ? 0 : count - gap;
  for (size_t i = 0; i < count; ++i) {
    size_t at = gap == 9 || i < gap ? i : 8 - tail + (i - gap);
    address.ip[2 * at] = static_cast<uint8_t>(groups[i] >> 8);
    address.ip[2 * at + 1] = static_cast<uint8_t>(groups[i]);
  }
  return address;
}

}  // namespace

std::string Address::ip_text() const {
  std::string out;
  if (!v6) {
    for (size_t i = 0; i < 4; ++i) out += (i == 0 ? "" : ".") + std::to_string(ip[i]);
    return out;
  }
  // RFC 5952: the longest run of two or more zero groups becomes "::".
  std::array<uint16_t, 8> groups{};
  for (size_t i = 0; i < 8; ++i) groups[i] = static_cast<uint16_t>((ip[2 * i] << 8) | ip[2 * i + 1]);
  size_t best = 8, best_length = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) best = i, best_length = length;
  }
  for (size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    char digits[4];
    auto [end, error] = std::to_chars(digits, digits + sizeof digits, groups[i], 16);
    out.append(digits, end);
  }
  return out;
}

std::string Address::text() const { return (v6 ? "[" + ip_text() + "]" : ip_text()) + ":" + std::to_string(port); }

bool Address::loopback() const {
  if (!v6) return ip[0] == 127;
  std::array<uint8_t, 16> one{};
  one[15] = 1;
  return ip == one;
}

bool Address::link_local() const { return v6 ? ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80 : ip[0] == 169 && ip[1] == 254; }

std::optional<Address> Address::parse(std::string_view text, uint16_t port) {
  auto address = text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
  if (address) address->port = port;
  return address;
}

}  // namespace cardea
