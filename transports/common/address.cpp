#include "common/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace cardea::transports {

namespace {

constexpr unsigned mapped_bits = 96;  // before an IPv4 address in its IPv6 form

std::optional<in6_addr> parse_address(std::string_view text, bool& is_v4) {
  const std::string word(text);
  in6_addr v6{};
  in_addr v4{};
  is_v4 = inet_pton(AF_INET, word.c_str(), &v4) == 1;
  if (is_v4) {
    v6.s6_addr[10] = v6.s6_addr[11] = 0xff;
    std::memcpy(&v6.s6_addr[12], &v4, sizeof v4);
    return v6;
  }
  if (inet_pton(AF_INET6, word.c_str(), &v6) != 1) return std::nullopt;
  is_v4 = IN6_IS_ADDR_V4MAPPED(&v6);
  return v6;
}

void keep_bits(in6_addr& address, unsigned bits) {
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned kept = bits > i * 8 ? std::min(8U, bits - i * 8) : 0;
    address.s6_addr[i] = static_cast<uint8_t>(address.s6_addr[i] & (0xff00U >> kept));
  }
}

std::string_view trimmed(std::string_view word) {
  while (!word.empty() && (word.front() == ' ' || word.front() == '\t')) word.remove_prefix(1);
  while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) word.remove_suffix(1);
  return word;
}

// "192.0.2.1:4711" and "[2001:db8::1]:4711" are written, too.
std::string_view without_port(std::string_view hop) {
  if (hop.starts_with('[')) return hop.substr(1, std::min(hop.find(']'), hop.size()) - 1);
  const size_t colon = hop.find(':');
  return colon != std::string_view::npos && hop.find(':', colon + 1) == std::string_view::npos ? hop.substr(0, colon)
                                                                                               : hop;
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  bool is_v4 = false;
  auto base = parse_address(text.substr(0, slash), is_v4);
  if (!base) return std::nullopt;
  Network network;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.bits_);
    if (error != std::errc() || end != digits.data() + digits.size() || network.bits_ > (is_v4 ? 32 : 128))
      return std::nullopt;
    if (is_v4) network.bits_ += mapped_bits;
  }
  network.base_ = *base;
  keep_bits(network.base_, network.bits_);
  return network;
}

bool Network::contains(std::string_view address) const {
  bool is_v4 = false;
  auto parsed = parse_address(address, is_v4);
  if (!parsed) return false;
  keep_bits(*parsed, bits_);
  return std::memcmp(&*parsed, &base_, sizeof base_) == 0;
}

std::string client_key(std::string_view address) {
  bool is_v4 = false;
  auto parsed = parse_address(address, is_v4);
  if (!parsed || is_v4) return std::string(address);
  keep_bits(*parsed, 64);
  char out[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &*parsed, out, sizeof out);
  return out;
}

std::optional<Proxies> Proxies::parse(const std::vector<std::string>& networks) {
  Proxies proxies;
  for (const std::string& word : networks) {
    if (word == "unix:") {
      proxies.unix_sockets_ = true;
    } else {
      auto network = Network::parse(word);
      if (!network) return std::nullopt;
      proxies.networks_.push_back(*network);
    }
  }
  return proxies;
}

bool Proxies::trusts(std::string_view peer) const {
  if (peer.empty()) return unix_sockets_;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& one) { return one.contains(peer); });
}

std::string Proxies::client_of(std::string_view peer, std::string_view forwarded_for) const {
  std::string client(peer);
  while (trusts(client) && !forwarded_for.empty()) {
    const size_t comma = forwarded_for.rfind(',');
    const std::string_view last = comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1);
    const std::string_view hop = without_port(trimmed(last));
    bool is_v4 = false;
    if (!parse_address(hop, is_v4)) break;
    client = std::string(hop);
    forwarded_for = comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
  }
  return client;
}

}  // namespace cardea::transports
