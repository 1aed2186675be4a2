// Who may come in: prefix lists of addresses, and origins of web pages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cardea::transports {

// Addresses are compared as text with the beginnings in the list: "127.", "192.168.0.". An empty list lets everyone in.
struct Acl {
  std::vector<std::string> prefixes{};
  bool forwarded = false;  // the client that a trusted proxy names must match, too

  bool admits(std::string_view address) const {
    if (prefixes.empty()) return true;
    for (const auto& prefix : prefixes)
      if (!prefix.empty() && address.starts_with(prefix)) return true;
    return false;
  }
  bool admits_client(std::string_view client) const { return !forwarded || admits(client); }
};

// Cross-origin rules as they are set: https://fetch.spec.whatwg.org/#http-cors-protocol
struct Cors {
  std::string allow_origin{};        // "": any
  bool enforce = false;              // needs allow_origin: other origins are refused
  std::string admin_allow_origin{};  // "": no web page may use the admin API
};

// "https://example.org" of "https://example.org/a/page".
inline std::string_view origin_of(std::string_view url) {
  const size_t host = url.find("://");
  return host == std::string_view::npos ? std::string_view() : url.substr(0, url.find('/', host + 3));
}

// The same for one listener.
struct Origins {
  std::string allowed = "*";  // "*": any; "": none
  bool enforced = false;      // requests of others, and those that name no origin, are refused
  bool pages_only = false;    // a request that names no origin comes from no page, and is served

  static Origins for_clients(const Cors& cors) {
    const bool any = cors.allow_origin.empty() || cors.allow_origin == "*";
    return {any ? "*" : cors.allow_origin, cors.enforce && !any, false};
  }
  static Origins for_admins(const Cors& cors) {
    return {cors.admin_allow_origin, cors.admin_allow_origin != "*", true};
  }

  // The origin is compared whole. Without one it is that of the referring page: RFC 6454 section 4.
  bool admits(std::string_view origin, std::string_view referer) const {
    if (!enforced) return true;
    if (origin.empty() && pages_only) return true;
    return !allowed.empty() && (origin.empty() ? origin_of(referer) : origin) == allowed;
  }
  // Lines of an answer's head, each with its \r\n.
  std::string headers() const {
    if (allowed.empty()) return {};
    std::string lines = "Access-Control-Allow-Origin: " + allowed + "\r\nAccess-Control-Max-Age: 86400\r\n";
    if (allowed != "*") lines += "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n";
    return lines;
  }
};

}  // namespace cardea::transports
