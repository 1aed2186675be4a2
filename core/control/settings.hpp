// What an operator can set for the core (cardea.cfg), with its defaults. Names and meanings are those of the Janus
// configuration where the meaning is the same.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "cardea/schema.hpp"

namespace cardea::control {

struct GeneralSettings {
  std::vector<std::string> plugins_folder{PLUGIN_FOLDER};
  std::vector<std::string> transports_folder{TRANSPORT_FOLDER};
  std::string pages_folder{PAGES_FOLDER};
  std::string state_folder{STATE_FOLDER};
  bool exit_on_dl_error = false;
  bool log_to_stdout = true;
  std::string log_to_file;
  uint32_t debug_level = 4;
  std::string api_secret;
  bool token_auth = false;
  std::string token_auth_secret;
  std::string admin_secret;
  std::string server_name = "MyCardeaInstance";
  uint32_t session_timeout = 60;
  uint32_t reclaim_session_timeout = 0;
  bool opaqueid_in_api = false;
  bool hide_dependencies = false;
};

inline constexpr auto general_fields = std::tuple{
    setting("plugins_folder", &GeneralSettings::plugins_folder, "folders with plugin modules"),
    setting("transports_folder", &GeneralSettings::transports_folder, "folders with transport modules"),
    setting("pages_folder", &GeneralSettings::pages_folder, "web pages that the HTTP transport serves; empty: none"),
    setting("state_folder", &GeneralSettings::state_folder, "where modules keep files between runs; empty: nowhere"),
    setting("exit_on_dl_error", &GeneralSettings::exit_on_dl_error, "do not start if a module cannot be loaded"),
    setting("log_to_stdout", &GeneralSettings::log_to_stdout, "write log lines to the standard output"),
    setting("log_to_file", &GeneralSettings::log_to_file, "append log lines to this file; empty: none"),
    setting("debug_level", &GeneralSettings::debug_level, "0 no log, 1-2 errors, 3 warnings, 4 information, 5-7 all",
            "", range(0, 7)),
    setting("api_secret", &GeneralSettings::api_secret, "clients must send it as \"apisecret\"; empty: none"),
    setting("token_auth", &GeneralSettings::token_auth, "clients must send a valid \"token\" (or the api_secret)"),
    setting("token_auth_secret", &GeneralSettings::token_auth_secret,
            "the key that signs the tokens; empty: tokens are those that the admin API adds"),
    setting("admin_secret", &GeneralSettings::admin_secret,
            "admin requests must carry it; empty: none, and no admin listener starts"),
    setting("server_name", &GeneralSettings::server_name, "shown in the answer to info"),
    setting("session_timeout", &GeneralSettings::session_timeout,
            "a session ends after this long without a request; 0: never", "s", range(0, 1'000'000)),
    setting("reclaim_session_timeout", &GeneralSettings::reclaim_session_timeout,
            "a session whose connection closed waits this long for a claim, from its last request; 0: it ends at once",
            "s", range(0, 1'000'000)),
    setting("opaqueid_in_api", &GeneralSettings::opaqueid_in_api, "repeat a handle's opaque_id in replies and events"),
    setting("hide_dependencies", &GeneralSettings::hide_dependencies, "leave the libraries out of the answer to info")};

struct CertificateSettings {
  std::string cert_pem, cert_key, cert_pwd;
};

inline constexpr auto certificate_fields = std::tuple{
    setting("cert_pem", &CertificateSettings::cert_pem, "certificate file for DTLS; empty: a fresh one at each start"),
    setting("cert_key", &CertificateSettings::cert_key, "its private key; empty: in cert_pem"),
    setting("cert_pwd", &CertificateSettings::cert_pwd, "password of the key")};

struct MediaSettings {
  std::vector<std::string> address;
  uint16_t port = 10000;
  uint16_t workers = 0;
  uint16_t processors = 0;
  bool pin_workers = false;
  bool ipv6 = true;
  uint32_t min_nack_queue = 200;
  uint16_t dtls_mtu = 1200;
  uint32_t no_media_timer = 1;
  uint32_t slowlink_threshold = 0;
  uint32_t twcc_period = 200;
  uint8_t dscp = 0;
  std::string cipher_engine = "auto";
  bool gso = true, gro = true;
  bool frames = false;
  uint32_t tick = 1500;
  uint32_t tick_above_pps = 30000;
  double padding_waste = 0.03;
  uint32_t receive_buffer = 4 << 20, send_buffer = 4 << 20;
  uint32_t connect_timeout = 30;
};

inline constexpr auto media_fields = std::tuple{
    setting("address", &MediaSettings::address,
            "IP addresses to bind and to advertise; empty: every address of the host, without link-local ones"),
    setting("port", &MediaSettings::port, "UDP port of the first media worker, the others follow; 0: any"),
    setting("workers", &MediaSettings::workers, "media threads; 0: one less than there are processors, at least one",
            "", range(0, 256)),
    setting("processors", &MediaSettings::processors,
            "threads for media that plugins make, such as mixes; 0: one less than there are processors, at least one",
            "", range(0, 256)),
    setting("pin_workers", &MediaSettings::pin_workers,
            "give each media thread a processor of its own, if there are enough"),
    setting("ipv6", &MediaSettings::ipv6, "use the host's IPv6 addresses"),
    setting("min_nack_queue", &MediaSettings::min_nack_queue,
            "sent packets are kept at least this long for retransmission", "ms", range(0, 10'000)),
    setting("dtls_mtu", &MediaSettings::dtls_mtu, "largest DTLS datagram", "bytes", range(256, 1500)),
    setting("no_media_timer", &MediaSettings::no_media_timer, "silence before a \"media\" event; 0: no such events",
            "s", range(0, 86'400)),
    setting("slowlink_threshold", &MediaSettings::slowlink_threshold,
            "lost packets per second for a \"slowlink\" event; 0: no such events"),
    setting("twcc_period", &MediaSettings::twcc_period, "interval of transport-wide congestion feedback", "ms",
            range(20, 5'000)),
    setting("dscp", &MediaSettings::dscp, "DSCP of media packets", "", range(0, 63)),
    setting("cipher_engine", &MediaSettings::cipher_engine, "library for SRTP ciphers", "",
            one_of("auto", "ipsec-mb", "ipsec-mb-avx512", "ipsec-mb-avx2", "ipsec-mb-sse", "evp")),
    setting("gso", &MediaSettings::gso, "send runs of packets in one call (UDP GSO), where the kernel can"),
    setting("gro", &MediaSettings::gro, "take trains of packets in one call (UDP GRO), where the kernel can"),
    setting("frames", &MediaSettings::frames,
            "send media as Ethernet frames past the IP layer, where a link is known; needs CAP_NET_RAW and Linux 6.2"),
    setting("tick", &MediaSettings::tick, "how long packets are collected under load", "us", range(0, 20'000)),
    setting("tick_above_pps", &MediaSettings::tick_above_pps, "packets per second above which they are collected"),
    setting("padding_waste", &MediaSettings::padding_waste,
            "share of bytes that padding may add to make the packets of a run equally long", "", range(0, 1)),
    setting("receive_buffer", &MediaSettings::receive_buffer, "of each UDP socket", "bytes", range(65'536, 1 << 30)),
    setting("send_buffer", &MediaSettings::send_buffer, "of each UDP socket", "bytes", range(65'536, 1 << 30)),
    setting("connect_timeout", &MediaSettings::connect_timeout, "a peer that is not connected by then is given up", "s",
            range(1, 3600))};

struct NatSettings {
  std::vector<std::string> nat_1_1_mapping;
  bool keep_private_host = false;
  bool hangup_on_failed = false;
  uint32_t ice_timeout = 15;
  uint32_t ice_grace = 5;
};

inline constexpr auto nat_fields = std::tuple{
    setting(
        "nat_1_1_mapping", &NatSettings::nat_1_1_mapping,
        "public addresses to advertise instead of the host's own; ADDRESS or ADDRESS:PORT, [IPV6]:PORT where the port "
        "of the first worker is another outside"),
    setting("keep_private_host", &NatSettings::keep_private_host, "advertise the host's own addresses as well"),
    setting("hangup_on_failed", &NatSettings::hangup_on_failed, "close a failed peer at once, without ice_grace"),
    setting("ice_timeout", &NatSettings::ice_timeout, "silence of a connected peer before \"ice-failed\"", "s",
            range(2, 3600)),
    setting("ice_grace", &NatSettings::ice_grace, "time from \"ice-failed\" to the \"hangup\"", "s", range(0, 3600))};

// 0 of any: no bound. What "address" counts is an IPv4 address or the /64 of an IPv6 address.
struct LimitSettings {
  uint32_t sessions = 20'000, sessions_per_address = 1'000;
  uint32_t handles = 100'000, handles_per_address = 10'000, handles_per_session = 500;
  uint32_t peers = 20'000, peers_per_address = 6'000, peers_per_session = 500;
  uint32_t mlines = 400'000, mlines_per_address = 100'000, mlines_per_session = 4'000;
  uint32_t requests_per_address = 2'000, requests_per_session = 200;
  uint32_t guesses_per_minute = 30;
  std::vector<std::string> exempt;
};

inline constexpr auto limit_fields = std::tuple{
    setting("sessions", &LimitSettings::sessions, "sessions in all; 0: no bound, as of all limits"),
    setting("sessions_per_address", &LimitSettings::sessions_per_address,
            "sessions of one IPv4 address, or of the /64 of an IPv6 address"),
    setting("handles", &LimitSettings::handles, "handles in all"),
    setting("handles_per_address", &LimitSettings::handles_per_address, "handles of one address"),
    setting("handles_per_session", &LimitSettings::handles_per_session, "handles of one session"),
    setting("peers", &LimitSettings::peers, "peer connections in all"),
    setting("peers_per_address", &LimitSettings::peers_per_address, "peer connections of one address"),
    setting("peers_per_session", &LimitSettings::peers_per_session, "peer connections of one session"),
    setting("mlines", &LimitSettings::mlines, "m-lines of peer connections in all"),
    setting("mlines_per_address", &LimitSettings::mlines_per_address, "m-lines of one address"),
    setting("mlines_per_session", &LimitSettings::mlines_per_session, "m-lines of one session"),
    setting("requests_per_address", &LimitSettings::requests_per_address,
            "requests of one address; those of five seconds may come at once", "1/s"),
    setting("requests_per_session", &LimitSettings::requests_per_session,
            "requests of one session; those of five seconds may come at once", "1/s"),
    setting("guesses_per_minute", &LimitSettings::guesses_per_minute,
            "wrong secrets, pins and tokens of one address; beyond it none is looked at until some time has passed",
            "1/min"),
    setting("exempt", &LimitSettings::exempt,
            "addresses and networks whose clients only have the bounds in all, and guesses_per_minute")};

struct ModuleSettings {
  std::vector<std::string> disable;
};

inline constexpr auto module_fields = std::tuple{
    setting("disable", &ModuleSettings::disable, "modules not to load: file names, packages or their last parts")};

struct Settings {
  GeneralSettings general;
  CertificateSettings certificates;
  MediaSettings media;
  NatSettings nat;
  LimitSettings limits;
  ModuleSettings plugins, transports;
};

// The sections of cardea.cfg. Returns the first thing wrong.
std::optional<SettingError> read_settings(JsonView sections, Settings& to);
void list_settings(std::vector<SettingInfo>& to);

}  // namespace cardea::control
