#include "control/client_address.hpp"

#include <algorithm>
#include <charconv>

#include "base/address.hpp"
#include "cardea/text.hpp"

namespace cardea::control {

ClientAddress ClientAddress::of(std::string_view ip) {
  constexpr std::array<uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291 section 2.5.5.2
  ClientAddress out;
  const auto address = Address::parse(ip.substr(0, ip.find('%')), 0);  // without a zone
  if (!address) return out;
  const bool v4_in_v6 = address->v6 && std::equal(mapped.begin(), mapped.end(), address->ip.begin());
  if (address->v6 && !v4_in_v6) {
    out.family = Family::v6;
    std::copy_n(address->ip.begin(), 8, out.bytes.begin());
  } else {
    out.family = Family::v4;
    std::copy_n(address->ip.begin() + (v4_in_v6 ? 12 : 0), 4, out.bytes.begin());
  }
  return out;
}

std::string ClientAddress::text() const {
  if (family == Family::none) return "a local socket";
  Address address;
  std::copy(bytes.begin(), bytes.end(), address.ip.begin());
  address.v6 = family == Family::v6;
  return cardea::text(address.ip_text(), address.v6 ? "/64" : "");
}

Result<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  Network out;
  out.address = ClientAddress::of(ip);
  if (out.address.family == ClientAddress::Family::none || !Address::parse(ip, 0))
    return Error{0, cardea::text(text, " is no IP address or network")};
  const uint8_t most = out.address.family == ClientAddress::Family::v4 ? 32 : 64;
  out.prefix = most;
  if (slash == std::string_view::npos) return out;
  const std::string_view digits = text.substr(slash + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.prefix);
  if (error != std::errc() || end != digits.data() + digits.size() || out.prefix > most)
    return Error{0, cardea::text(text, ": the network's length should be a number from 0 to ", int{most})};
  return out;
}

bool Network::contains(const ClientAddress& one) const {
  if (one.family != address.family) return false;
  for (size_t i = 0; i < address.bytes.size() && 8 * i < prefix; ++i) {
    const size_t bits = std::min<size_t>(8, prefix - 8 * i);
    if (((address.bytes[i] ^ one.bytes[i]) >> (8 - bits)) != 0) return false;
  }
  return true;
}

}  // namespace cardea::control
