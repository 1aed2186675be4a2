// The settings of the HTTP transport: conf/http.cfg.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "common/settings.hpp"

namespace cardea::transports {

struct HttpGeneral : Limits {
  std::string json = "compact";
  std::string base_path = "/janus";
  bool http = true;
  uint16_t port = 8088;
  std::string ip{}, interface {};
  bool https = true;
  uint16_t secure_port = 8089;
  std::string secure_ip{}, secure_interface{};
  std::vector<std::string> acl{};
  bool acl_forwarded = false;
};

struct HttpAdmin {
  std::string admin_base_path = "/admin";
  bool admin_http = false;
  uint16_t admin_port = 7088;
  std::string admin_ip{}, admin_interface{};
  bool admin_https = false;
  uint16_t admin_secure_port = 7889;
  std::string admin_secure_ip{}, admin_secure_interface{};
  std::vector<std::string> admin_acl{};
  bool admin_acl_forwarded = false;
};

namespace http_settings {

using G = HttpGeneral;
using A = HttpAdmin;

inline constexpr auto own_fields = std::tuple{
    setting("json", &G::json, "how JSON is written", "", json_styles),
    setting("base_path", &G::base_path, "where the API is; the pages are at /", "", non_empty()),
    setting("http", &G::http, "serve HTTP"),
    setting("port", &G::port, "port of HTTP; 0: any free one", "", port_range),
    setting("ip", &G::ip, "address to listen on; empty: all, IPv4 and IPv6"),
    setting("interface", &G::interface, "interface to listen on, unless ip is set"),
    setting("https", &G::https, "serve HTTPS"),
    setting("secure_port", &G::secure_port, "port of HTTPS", "", port_range),
    setting("secure_ip", &G::secure_ip, "as ip"),
    setting("secure_interface", &G::secure_interface, "as interface"),
    setting("acl", &G::acl, "beginnings of the addresses that may connect; empty: all"),
    setting("acl_forwarded", &G::acl_forwarded, "what a trusted proxy says in X-Forwarded-For must match acl too")};

inline constexpr auto general_fields = std::tuple_cat(own_fields, limits_fields);

inline constexpr auto admin_fields =
    std::tuple{setting("admin_base_path", &A::admin_base_path, "where the admin API is", "", non_empty()),
               setting("admin_http", &A::admin_http, "serve the admin API"),
               setting("admin_port", &A::admin_port, "port", "", port_range),
               setting("admin_ip", &A::admin_ip, "address to listen on; empty: all"),
               setting("admin_interface", &A::admin_interface, "interface to listen on, unless admin_ip is set"),
               setting("admin_https", &A::admin_https, "serve the admin API over TLS"),
               setting("admin_secure_port", &A::admin_secure_port, "port", "", port_range),
               setting("admin_secure_ip", &A::admin_secure_ip, "as admin_ip"),
               setting("admin_secure_interface", &A::admin_secure_interface, "as admin_interface"),
               setting("admin_acl", &A::admin_acl, "beginnings of the addresses that may connect; empty: all"),
               setting("admin_acl_forwarded", &A::admin_acl_forwarded, "the same for admin_acl")};

}  // namespace http_settings

}  // namespace cardea::transports
