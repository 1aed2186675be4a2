#include "control/meaningless.hpp"

#include <algorithm>
#include <array>

namespace cardea::control {
namespace {

struct Row {
  std::string_view section;
  std::string_view key;  // "": the whole section
};

// What restricts whom the gateway talks to, or on which addresses, is not among these: it must not go unheard.
constexpr std::array core{
    Row{"events", ""},
    Row{"loggers", ""},
    Row{"general", "configs_folder"},
    Row{"general", "events_folder"},
    Row{"general", "loggers_folder"},
    Row{"general", "log_rotate_sig"},
    Row{"general", "log_prefix"},
    Row{"general", "debug_timestamps"},
    Row{"general", "debug_colors"},
    Row{"general", "debug_locks"},
    Row{"general", "daemonize"},
    Row{"general", "pid_file"},
    Row{"general", "check_openfiles_limit"},
    Row{"general", "candidates_timeout"},
    Row{"general", "recordings_tmp_ext"},
    Row{"general", "event_loops"},
    Row{"general", "allow_loop_indication"},
    Row{"general", "task_pool_size"},
    Row{"general", "no_webrtc_encryption"},
    Row{"general", "protected_folders"},
    Row{"certificates", "dtls_accept_selfsigned"},
    Row{"certificates", "dtls_ciphers"},
    Row{"certificates", "rsa_private_key"},
    Row{"media", "ipv6_linklocal"},
    Row{"media", "rtp_port_range"},
    Row{"media", "dtls_timeout"},
    Row{"media", "nack_optimizations"},
    Row{"nat", "stun_server"},
    Row{"nat", "stun_port"},
    Row{"nat", "full_trickle"},
    Row{"nat", "ice_nomination"},
    Row{"nat", "ice_consent_freshness"},
    Row{"nat", "ice_keepalive_conncheck"},
    Row{"nat", "ice_lite"},
    Row{"nat", "ice_tcp"},
    Row{"nat", "ignore_mdns"},
    Row{"nat", "turn_server"},
    Row{"nat", "turn_port"},
    Row{"nat", "turn_type"},
    Row{"nat", "turn_user"},
    Row{"nat", "turn_pwd"},
    Row{"nat", "turn_rest_api"},
    Row{"nat", "turn_rest_api_key"},
    Row{"nat", "turn_rest_api_method"},
    Row{"nat", "turn_rest_api_timeout"},
    Row{"nat", "allow_force_relay"},
    Row{"nat", "ignore_unreachable_ice_server"},
};
// Of every module; "room-" stands for each room.
constexpr std::array module{
    Row{"general", "events"},      Row{"general", "mhd_connection_limit"},
    Row{"general", "mhd_debug"},   Row{"general", "ws_logging"},
    Row{"room-", "threads"},       Row{"room-", "dummy_publisher"},
    Row{"room-", "dummy_streams"}, Row{"room-", "dummy_e2ee"},
};

}  // namespace

bool is_meaningless(std::string_view file, std::string_view section, std::string_view key) {
  const auto is = [&](const Row& row) { return row.section == section && row.key == key; };
  if (file == "cardea") return std::any_of(core.begin(), core.end(), is);
  if (section.starts_with("room-")) section = "room-";
  return std::any_of(module.begin(), module.end(), is);
}

}  // namespace cardea::control
