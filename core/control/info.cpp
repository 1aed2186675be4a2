// The answer to "info": what this gateway is and how it is set.
#include <jansson.h>
#include <libconfig.h>
#include <openssl/crypto.h>

#include "config.h"
#include "control/api_context.hpp"
#include "control/envelope.hpp"

namespace cardea::control {
namespace {

constexpr const char* author = "The Cardea authors";

// "1.4.2" -> 1402, as clients know it.
int version_number(std::string_view version) {
  int parts[3] = {0, 0, 0};
  size_t part = 0;
  for (char c : version) {
    if (c == '.' && ++part == 3) break;
    if (c >= '0' && c <= '9') parts[part] = 10 * parts[part] + (c - '0');
  }
  return 1000 * parts[0] + 100 * parts[1] + parts[2];
}

Json describe(const CardeaModule& door) {
  return Json::object("name", door.description, "author", author, "description", door.description, "version_string",
                      door.version, "version", version_number(door.version));
}

template <class Modules>
Json describe_all(const Modules& modules) {
  Json all = Json::object();
  for (const auto& loaded : modules) all.set(loaded.door->package, describe(*loaded.door));
  return all;
}

void add_addresses(const LocalMedia& local, Json& to) {
  if (local.candidates.empty() || local.candidates.front().empty()) return;
  to.set("local-ip", local.candidates.front().front().ip_text());
}

void add_public_addresses(const NatSettings& nat, Json& to) {
  if (nat.nat_1_1_mapping.empty()) return;
  Json all = Json::array();
  for (const std::string& mapped : nat.nat_1_1_mapping) all.append(mapped);
  to.set("public-ip", nat.nat_1_1_mapping.front());
  if (all.size() > 1) to.set("public-ips", std::move(all));
}

}  // namespace

Json server_info(const ApiContext& context, std::string_view transaction) {
  const Settings& settings = context.settings;
  const Peers* peers = context.peers.get();
  const GeneralSettings& general = settings.general;
  Json info = envelope("server_info", {}, transaction);
  info.set("name", "Cardea").set("version", version_number(PACKAGE_VERSION));
  info.set("version_string", PACKAGE_VERSION).set("author", author);
  info.set("commit-hash", "release").set("compile-time", __DATE__ " " __TIME__);
  info.set("log-to-stdout", general.log_to_stdout).set("log-to-file", !general.log_to_file.empty());
  if (!general.log_to_file.empty()) info.set("log-path", general.log_to_file);
  info.set("data_channels", peers != nullptr && peers->has_data());
  info.set("accepting-new-sessions", context.accepts_sessions);
  info.set("session-timeout", general.session_timeout);
  info.set("reclaim-session-timeout", general.reclaim_session_timeout);
  info.set("candidates-timeout", candidates_timeout_s);
  info.set("server-name", general.server_name);
  if (peers != nullptr) add_addresses(peers->local(), info);
  add_public_addresses(settings.nat, info);
  info.set("ipv6", settings.media.ipv6);
  if (settings.media.ipv6) info.set("ipv6-link-local", false);
  info.set("ice-lite", true).set("ice-tcp", false).set("ice-nomination", "aggressive");
  info.set("ice-consent-freshness", false).set("ice-keepalive-conncheck", false);
  info.set("hangup-on-failed", settings.nat.hangup_on_failed);
  info.set("full-trickle", false).set("mdns-enabled", false);
  info.set("min-nack-queue", settings.media.min_nack_queue).set("nack-optimizations", false);
  info.set("twcc-period", settings.media.twcc_period);
  if (settings.media.dscp > 0) info.set("dscp", settings.media.dscp);
  info.set("dtls-mtu", settings.media.dtls_mtu);
  if (peers != nullptr) info.set("static-event-loops", peers->media_workers());
  info.set("api_secret", context.auth.uses_secret()).set("auth_token", context.auth.uses_tokens());
  info.set("event_handlers", false).set("opaqueid_in_api", general.opaqueid_in_api);
  if (!general.hide_dependencies) {
    std::string config = text(LIBCONFIG_VER_MAJOR, ".", LIBCONFIG_VER_MINOR, ".", LIBCONFIG_VER_REVISION);
    info.set("dependencies", Json::object("jansson", jansson_version_str(), "libconfig", config, "openssl",
                                          OpenSSL_version(OPENSSL_VERSION)));
  }
  info.set("transports", describe_all(context.transports)).set("events", Json::object());
  info.set("loggers", Json::object()).set("plugins", describe_all(context.plugins));
  return info;
}

}  // namespace cardea::control
