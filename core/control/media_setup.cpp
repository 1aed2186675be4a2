#include "control/media_setup.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "cardea/text.hpp"

namespace cardea::control {
namespace {

// "203.0.113.5", "203.0.113.5:40000", "2001:db8::1", "[2001:db8::1]:40000"; port 0 if there is none.
std::optional<Address> parse_mapping(std::string_view mapping) {
  std::string_view ip = mapping, port_text;
  if (mapping.starts_with('[')) {
    size_t close = mapping.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    ip = mapping.substr(1, close - 1);
    port_text = mapping.substr(close + 1);
    if (!port_text.empty() && port_text.front() != ':') return std::nullopt;
  } else if (std::count(mapping.begin(), mapping.end(), ':') == 1) {
    ip = mapping.substr(0, mapping.find(':'));
    port_text = mapping.substr(ip.size());
  }
  uint16_t port = 0;
  if (!port_text.empty()) {
    port_text.remove_prefix(1);
    auto [end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    if (error != std::errc() || end != port_text.data() + port_text.size() || port == 0) return std::nullopt;
  }
  return Address::parse(ip, port);
}

}  // namespace

Result<std::vector<Address>> addresses_to_bind(const MediaSettings& media, std::vector<Address> host) {
  std::vector<Address> all;
  if (media.address.empty()) {
    all = std::move(host);
    all.push_back(*Address::parse("127.0.0.1", 0));
  }
  for (const std::string& one : media.address) {
    auto address = Address::parse(one, 0);
    if (!address) return Error{0, text(one, " is no IP address")};
    if (address->unspecified()) return Error{0, text(one, " is every address: leave the setting empty for that")};
    if (std::find(all.begin(), all.end(), *address) == all.end()) all.push_back(*address);
  }
  return all;
}

Result<std::vector<Address>> advertised(const std::vector<Address>& bound, const NatSettings& nat, uint16_t worker,
                                        uint16_t port) {
  std::vector<Address> all;
  bool mapped_v4 = false, mapped_v6 = false;
  for (const std::string& mapping : nat.nat_1_1_mapping) {
    auto address = parse_mapping(mapping);
    if (!address || address->unspecified()) return Error{0, text(mapping, " is neither ADDRESS nor ADDRESS:PORT")};
    if (address->port + worker > 65535) return Error{0, text(mapping, " leaves no port for worker ", worker)};
    address->port = address->port == 0 ? port : static_cast<uint16_t>(address->port + worker);
    (address->v6 ? mapped_v6 : mapped_v4) = true;
    all.push_back(*address);
  }
  bool only_loopback =
      all.empty() && std::all_of(bound.begin(), bound.end(), [](const Address& one) { return one.loopback(); });
  for (Address address : bound) {
    if ((address.v6 ? mapped_v6 : mapped_v4) && !nat.keep_private_host) continue;
    if (address.loopback() && !only_loopback) continue;
    address.port = port;
    all.push_back(address);
  }
  return all;
}

uint16_t worker_count(uint16_t wanted, size_t processors) {
  if (wanted > 0) return wanted;
  return static_cast<uint16_t>(std::clamp<size_t>(processors, 2, 257) - 1);
}

worker::WorkerSettings worker_settings(const Settings& settings, const std::vector<Address>& bind, uint16_t worker,
                                       const std::vector<int>& processors) {
  using std::chrono::microseconds, std::chrono::milliseconds, std::chrono::seconds;
  const MediaSettings& media = settings.media;
  worker::WorkerSettings out;
  out.addresses = bind;
  for (Address& address : out.addresses)
    address.port = media.port == 0 ? uint16_t{0} : static_cast<uint16_t>(media.port + worker);
  // The first processor is left to the control thread and the transports.
  if (media.pin_workers && worker + 1u < processors.size()) out.cpu = processors[worker + 1u];
  out.tick = microseconds(media.tick);
  out.tick_above_pps = media.tick_above_pps;
  out.receive_buffer = media.receive_buffer;
  out.send_buffer = media.send_buffer;
  out.gso = media.gso;
  out.gro = media.gro;
  out.frames = media.frames;
  out.padding_waste = media.padding_waste;
  out.cipher_engine = media.cipher_engine;
  out.ice_timeout = seconds(settings.nat.ice_timeout);
  out.ice_grace = settings.nat.hangup_on_failed ? Duration::zero() : Duration(seconds(settings.nat.ice_grace));
  out.connect_timeout = seconds(media.connect_timeout);
  out.no_media_timer = seconds(media.no_media_timer);
  out.slowlink_threshold = media.slowlink_threshold;
  out.twcc_period = milliseconds(media.twcc_period);
  out.min_nack_queue = milliseconds(media.min_nack_queue);
  out.dtls_mtu = media.dtls_mtu;
  out.dscp = media.dscp;
  return out;
}

data::SctpSettings sctp_settings(const Settings& settings) {
  constexpr uint16_t dtls_overhead = 13 + 8 + 16;  // header, nonce and tag of an AES-GCM record (RFC 5288)
  data::SctpSettings out;
  out.max_packet = static_cast<uint16_t>((settings.media.dtls_mtu - dtls_overhead) & ~3);
  return out;
}

}  // namespace cardea::control
