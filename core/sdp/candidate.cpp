#include "sdp/candidate.hpp"

#include <array>

#include "cardea/text.hpp"
#include "sdp/scan.hpp"

namespace cardea::sdp {
namespace {
constexpr std::array<std::string_view, 4> type_names{"host", "srflx", "prflx", "relay"};
constexpr size_t max_line = 1024;
constexpr size_t max_foundation = 32;  // RFC 8839 section 5.1
}  // namespace

std::optional<Candidate> parse_candidate(std::string_view line) {
  line = trim(line);
  if (line.starts_with("a=")) line.remove_prefix(2);
  if (line.starts_with("candidate:")) line.remove_prefix(10);
  if (line.size() > max_line) return std::nullopt;
  Candidate candidate;
  std::string_view foundation = take_word(line);
  auto component = number<uint8_t>(take_word(line));
  std::string_view protocol = take_word(line);
  auto priority = number<uint32_t>(take_word(line));
  std::string_view ip = take_word(line);
  auto port = number<uint16_t>(take_word(line));
  if (!is_token(foundation) || foundation.size() > max_foundation || !component || *component == 0 || !priority ||
      !port)
    return std::nullopt;
  if (same_word(protocol, "tcp"))
    candidate.tcp = true;
  else if (!same_word(protocol, "udp"))
    return std::nullopt;
  auto address = Address::parse(ip, *port);
  if (!address || !same_word(take_word(line), "typ")) return std::nullopt;
  std::string_view type = take_word(line);
  for (size_t i = 0; i < type_names.size(); ++i) {
    if (!same_word(type, type_names[i])) continue;
    candidate.foundation = foundation;
    candidate.component = *component;
    candidate.priority = *priority;
    candidate.address = *address;
    candidate.type = static_cast<CandidateType>(i);
    return candidate;
  }
  return std::nullopt;
}

std::string write_candidate(const Candidate& c) {
  return text(c.foundation, " ", std::to_string(c.component), c.tcp ? " tcp " : " udp ", c.priority, " ",
              c.address.ip_text(), " ", c.address.port, " typ ", type_names[static_cast<size_t>(c.type)]);
}

}  // namespace cardea::sdp
