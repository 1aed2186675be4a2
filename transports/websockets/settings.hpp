// The settings of the WebSocket transport: conf/websockets.cfg.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "common/settings.hpp"

namespace cardea::transports {

struct WebSocketsGeneral : Limits {
  std::string json = "compact";
  bool ws = true;
  uint16_t ws_port = 8188;
  std::string ws_ip{}, ws_interface{}, ws_unix{};
  bool wss = false;
  uint16_t wss_port = 8989;
  std::string wss_ip{}, wss_interface{}, wss_unix{};
  std::vector<std::string> ws_acl{};
  bool ws_acl_forwarded = false;
};

struct WebSocketsAdmin {
  bool admin_ws = false;
  uint16_t admin_ws_port = 7188;
  std::string admin_ws_ip{}, admin_ws_interface{}, admin_ws_unix{};
  bool admin_wss = false;
  uint16_t admin_wss_port = 7989;
  std::string admin_wss_ip{}, admin_wss_interface{}, admin_wss_unix{};
  std::vector<std::string> admin_ws_acl{};
  bool admin_ws_acl_forwarded = false;
};

namespace websockets_settings {

using G = WebSocketsGeneral;
using A = WebSocketsAdmin;

inline constexpr auto own_fields =
    std::tuple{setting("json", &G::json, "how JSON is written", "", json_styles),
               setting("ws", &G::ws, "serve WebSockets"),
               setting("ws_port", &G::ws_port, "port; 0: any free one", "", port_range),
               setting("ws_ip", &G::ws_ip, "address to listen on; empty: all, IPv4 and IPv6"),
               setting("ws_interface", &G::ws_interface, "interface to listen on, unless ws_ip is set"),
               setting("ws_unix", &G::ws_unix, "path of a UNIX socket to listen on instead"),
               setting("wss", &G::wss, "serve WebSockets over TLS"),
               setting("wss_port", &G::wss_port, "port", "", port_range),
               setting("wss_ip", &G::wss_ip, "as ws_ip"),
               setting("wss_interface", &G::wss_interface, "as ws_interface"),
               setting("wss_unix", &G::wss_unix, "as ws_unix"),
               setting("ws_acl", &G::ws_acl, "beginnings of the addresses that may connect; empty: all"),
               setting("ws_acl_forwarded", &G::ws_acl_forwarded,
                       "what a trusted proxy says in X-Forwarded-For must match ws_acl too")};

inline constexpr auto general_fields = std::tuple_cat(own_fields, limits_fields);

inline constexpr auto admin_fields = std::tuple{
    setting("admin_ws", &A::admin_ws, "serve the admin API"),
    setting("admin_ws_port", &A::admin_ws_port, "port", "", port_range),
    setting("admin_ws_ip", &A::admin_ws_ip, "address to listen on; empty: all"),
    setting("admin_ws_interface", &A::admin_ws_interface, "interface to listen on, unless admin_ws_ip is set"),
    setting("admin_ws_unix", &A::admin_ws_unix, "path of a UNIX socket to listen on instead"),
    setting("admin_wss", &A::admin_wss, "serve the admin API over TLS"),
    setting("admin_wss_port", &A::admin_wss_port, "port", "", port_range),
    setting("admin_wss_ip", &A::admin_wss_ip, "as admin_ws_ip"),
    setting("admin_wss_interface", &A::admin_wss_interface, "as admin_ws_interface"),
    setting("admin_wss_unix", &A::admin_wss_unix, "as admin_ws_unix"),
    setting("admin_ws_acl", &A::admin_ws_acl, "beginnings of the addresses that may connect; empty: all"),
    setting("admin_ws_acl_forwarded", &A::admin_ws_acl_forwarded, "the same for admin_ws_acl")};

}  // namespace websockets_settings

}  // namespace cardea::transports
