// Who may come in: prefix lists of addresses, and origins of web pages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cardea::transports {

// Addresses are compared as text with the beginnings in the list: "127.", "192.168.0.". An empty list lets everyone in.
struct Acl {
  std::vector<std::string> prefixes{};
  bool forwarded = false;  // what a proxy says in X-Forwarded-For must match too

  bool admits(std::string_view address) const {
    if (prefixes.empty()) return true;
    for (const auto& prefix : prefixes)
      if (!prefix.empty() && address.starts_with(prefix)) return true;
    return false;
  }
  // The header's first address is the client's own.
  bool admits_forwarded(std::string_view header) const {
    return !forwarded || header.empty() || admits(header.substr(0, header.find(',')));
  }
};

// Cross-origin rules: https://fetch.spec.whatwg.org/#http-cors-protocol
struct Cors {
  std::string allow_origin{};  // "": "*"
  bool enforce = false;        // needs allow_origin: other origins are refused

  bool admits(std::string_view origin, std::string_view referer) const {
    if (!enforce || allow_origin.empty() || allow_origin == "*") return true;
    return (origin.empty() ? referer : origin).starts_with(allow_origin);
  }
  std::string_view origin() const { return allow_origin.empty() ? std::string_view("*") : allow_origin; }
};

}  // namespace cardea::transports
