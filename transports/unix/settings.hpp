// The settings of the Unix socket transport: conf/unix.cfg.
#pragma once

#include <string>
#include <tuple>

#include "cardea/schema.hpp"
#include "common/json_style.hpp"

namespace cardea::transports {

struct UnixGeneral {
  bool enabled = false;
  std::string json = "compact";
  std::string path{};
  std::string type = "SOCK_SEQPACKET";
  uint64_t max_message_size = 2 * 1024 * 1024;
  uint64_t max_queue = 4 * 1024 * 1024;
  uint32_t max_connections = 1000;
};

struct UnixAdmin {
  bool admin_enabled = false;
  std::string admin_path{};
  std::string admin_type = "SOCK_SEQPACKET";
};

namespace unix_settings {

using G = UnixGeneral;
using A = UnixAdmin;

inline constexpr auto socket_types = one_of("SOCK_SEQPACKET", "SOCK_DGRAM");

inline constexpr auto general_fields = std::tuple{
    setting("enabled", &G::enabled, "serve the API on a Unix socket"),
    setting("json", &G::json, "how JSON is written", "", json_styles),
    setting("path", &G::path, "the socket's path"),
    setting("type", &G::type, "connections, or datagrams of clients that have bound a path of their own", "",
            socket_types),
    setting("max_message_size", &G::max_message_size, "largest request taken", "bytes", range(1024, 64 * 1024 * 1024)),
    setting("max_queue", &G::max_queue, "unsent messages before a client is cut off", "bytes",
            range(4096, 1024LL * 1024 * 1024)),
    setting("max_connections", &G::max_connections, "clients at a time", "", range(1, 100000))};

inline constexpr auto admin_fields = std::tuple{setting("admin_enabled", &A::admin_enabled, "serve the admin API"),
                                                setting("admin_path", &A::admin_path, "the socket's path"),
                                                setting("admin_type", &A::admin_type, "as type", "", socket_types)};

}  // namespace unix_settings

}  // namespace cardea::transports
