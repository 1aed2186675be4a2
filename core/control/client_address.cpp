#include "control/client_address.hpp"

#include <algorithm>

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

}  // namespace cardea::control
