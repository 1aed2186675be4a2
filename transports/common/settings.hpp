// Settings that the transports on TCP share.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "cardea/schema.hpp"
#include "common/access.hpp"
#include "common/certificate.hpp"
#include "common/json_style.hpp"
#include "common/message.hpp"
#include "common/sections.hpp"
#include "common/server.hpp"

namespace cardea::transports {

inline constexpr auto cors_fields =
    std::tuple{setting("allow_origin", &Cors::allow_origin, "the one origin whose pages may use the API; empty: any"),
               setting("enforce_cors", &Cors::enforce, "refuse requests of other origins than allow_origin"),
               setting("admin_allow_origin", &Cors::admin_allow_origin,
                       "the one origin whose pages may use the admin API; empty: none")};

inline constexpr auto certificate_fields =
    std::tuple{setting("cert_pem", &CertificateSettings::cert_pem,
                       "file of the certificate and its chain; empty: a self-signed one is made and kept"),
               setting("cert_key", &CertificateSettings::cert_key, "file of its key; empty: the key is in cert_pem"),
               setting("cert_pwd", &CertificateSettings::cert_pwd, "password of the key"),
               setting("ciphers", &CertificateSettings::ciphers,
                       "OpenSSL cipher list of TLS 1.2; empty: those with forward secrecy and AEAD")};

inline constexpr Rule port_range = range(0, 65535);
inline constexpr Rule message_range = range(1024, 1024 * 1024 * 1024);
inline constexpr Rule queue_range = range(4096, 1024LL * 1024 * 1024);
inline constexpr Rule connections_range = range(1, 1000000);
inline constexpr Rule seconds_range = range(0, 86400);

// What the transports on TCP have in common.
struct Limits {
  uint32_t pingpong_trigger = 30;
  uint32_t pingpong_timeout = 30;
  uint64_t max_message_size = 2 * 1024 * 1024;
  uint64_t max_queue = 4 * 1024 * 1024;
  uint64_t max_buffered = 256 * 1024 * 1024;
  uint32_t max_connections = 10000;
  uint32_t max_connections_per_address = 2000;  // a class of 200 behind one address, with a page's several each
  std::vector<std::string> trusted_proxies{};
};

inline constexpr auto limits_fields = std::tuple{
    setting("pingpong_trigger", &Limits::pingpong_trigger, "WebSockets: silence before a ping; 0: no pings", "s",
            seconds_range),
    setting("pingpong_timeout", &Limits::pingpong_timeout, "WebSockets: time to answer it; 0: no pings", "s",
            seconds_range),
    setting("max_message_size", &Limits::max_message_size, "largest request or message taken", "bytes", message_range),
    setting("max_queue", &Limits::max_queue,
            "events of a session that wait for a poll, or unsent WebSocket messages of a client", "bytes", queue_range),
    setting("max_buffered", &Limits::max_buffered,
            "the same of all, and incomplete requests; 64 KiB of each client are always kept", "bytes", queue_range),
    setting("max_connections", &Limits::max_connections, "connections at a time", "", connections_range),
    setting("max_connections_per_address", &Limits::max_connections_per_address,
            "the same of one IPv4 address or IPv6 /64", "", connections_range),
    setting("trusted_proxies", &Limits::trusted_proxies,
            "networks whose X-Forwarded-For is believed; unix: for Unix sockets")};

// The rules of a server that follow from them, and what is wrong with them.
inline std::optional<SettingError> wrong_limits(const Limits& limits, bool acl_forwarded) {
  auto proxies = Proxies::parse(limits.trusted_proxies);
  if (!proxies) return SettingError{"general.trusted_proxies", "should be networks, as 192.0.2.0/24, or unix:"};
  if (acl_forwarded && proxies->empty())
    return SettingError{"general.trusted_proxies", "should say whose X-Forwarded-For acl_forwarded believes"};
  return std::nullopt;
}
inline void apply(const Limits& limits, ServerRules& to) {
  to.max_connections = limits.max_connections;
  to.max_connections_per_address = limits.max_connections_per_address;
  to.proxies = Proxies::parse(limits.trusted_proxies).value_or(Proxies());
  to.web_socket.max_message = to.exchange.max_body = limits.max_message_size;
  to.web_socket.max_queue = limits.max_queue;
  to.web_socket.ping_after = std::chrono::seconds(limits.pingpong_trigger);
  to.web_socket.pong_within = std::chrono::seconds(limits.pingpong_timeout);
}

// An admin API without a secret would be everyone's.
inline Status admin_allowed(const TransportHost& host, const std::vector<Door>& doors) {
  for (const Door& door : doors)
    if (door.api == Api::admin && !host.admin_secret_set()) return admin_without_secret();
  return {};
}

}  // namespace cardea::transports
