#include "control/settings.hpp"

#include <algorithm>
#include <array>

#include "control/client_address.hpp"
#include "control/media_setup.hpp"

namespace cardea::control {
namespace {

// What the field tables cannot say.
std::optional<SettingError> contradictions(const Settings& settings) {
  if (!settings.certificates.cert_key.empty() && settings.certificates.cert_pem.empty())
    return SettingError{"certificates.cert_key", "needs certificates.cert_pem"};
  if (settings.media.port + settings.media.workers > 65536)
    return SettingError{"media.port", "leaves no ports for all workers"};
  if (auto bind = addresses_to_bind(settings.media, {}); !bind)
    return SettingError{"media.address", bind.error().reason};
  if (auto outside = advertised({}, settings.nat, settings.media.workers, 1); !outside)
    return SettingError{"nat.nat_1_1_mapping", outside.error().reason};
  for (const std::string& network : settings.limits.exempt)
    if (auto parsed = Network::parse(network); !parsed) return SettingError{"limits.exempt", parsed.error().reason};
  return std::nullopt;
}

}  // namespace

std::optional<SettingError> read_settings(JsonView sections, Settings& to) {
  constexpr std::array<std::string_view, 7> known{"general", "certificates", "media",     "nat",
                                                  "limits",  "plugins",      "transports"};
  std::optional<SettingError> wrong;
  sections.each_member([&](std::string_view section, JsonView) {
    if (!wrong && std::find(known.begin(), known.end(), section) == known.end())
      wrong = SettingError{std::string(section), "no such section"};
  });
  if (!wrong) wrong = read_section(sections["general"], "general", to.general, general_fields);
  if (!wrong) wrong = read_section(sections["certificates"], "certificates", to.certificates, certificate_fields);
  if (!wrong) wrong = read_section(sections["media"], "media", to.media, media_fields);
  if (!wrong) wrong = read_section(sections["nat"], "nat", to.nat, nat_fields);
  if (!wrong) wrong = read_section(sections["limits"], "limits", to.limits, limit_fields);
  if (!wrong) wrong = read_section(sections["plugins"], "plugins", to.plugins, module_fields);
  if (!wrong) wrong = read_section(sections["transports"], "transports", to.transports, module_fields);
  return wrong ? wrong : contradictions(to);
}

void list_settings(std::vector<SettingInfo>& to) {
  list_section<GeneralSettings>("general", general_fields, to);
  list_section<CertificateSettings>("certificates", certificate_fields, to);
  list_section<MediaSettings>("media", media_fields, to);
  list_section<NatSettings>("nat", nat_fields, to);
  list_section<LimitSettings>("limits", limit_fields, to);
  list_section<ModuleSettings>("plugins", module_fields, to);
  list_section<ModuleSettings>("transports", module_fields, to);
}

}  // namespace cardea::control
