// Settings that the transports share, and reading a module's file section by section.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "cardea/schema.hpp"
#include "common/access.hpp"
#include "common/certificate.hpp"
#include "common/server.hpp"

namespace cardea::transports {

inline constexpr auto json_styles = one_of("compact", "plain", "indented");

inline JsonStyle style_of(const std::string& word) {
  if (word == "plain") return JsonStyle::plain;
  return word == "indented" ? JsonStyle::indented : JsonStyle::compact;
}

inline constexpr auto cors_fields =
    std::tuple{setting("allow_origin", &Cors::allow_origin, "the one origin whose pages may use the API; empty: any"),
               setting("enforce_cors", &Cors::enforce, "refuse requests of other origins than allow_origin")};

inline constexpr auto certificate_fields = std::tuple{
    setting("cert_pem", &CertificateSettings::cert_pem,
            "file of the certificate and its chain; empty: a self-signed one is made and kept"),
    setting("cert_key", &CertificateSettings::cert_key, "file of its key; empty: the key is in cert_pem"),
    setting("cert_pwd", &CertificateSettings::cert_pwd, "password of the key"),
    setting("ciphers", &CertificateSettings::ciphers, "OpenSSL cipher list of TLS 1.2; empty: OpenSSL's own")};

// Bounds that every connection has.
struct Limits {
  uint64_t max_message_size = 1024 * 1024;
  uint64_t max_queue = 4 * 1024 * 1024;
  uint32_t max_connections = 10000;
};

inline constexpr Rule port_range = range(0, 65535);
inline constexpr Rule message_range = range(1024, 1024 * 1024 * 1024);
inline constexpr Rule queue_range = range(4096, 1024LL * 1024 * 1024);
inline constexpr Rule connections_range = range(1, 1000000);
inline constexpr Rule seconds_range = range(0, 86400);

// Reads one section after the other until something is wrong; sections that nobody reads are wrong too.
class Sections {
public:
  explicit Sections(JsonView values) : values_(values) {}

  template <class T, class Fields>
  Sections& read(const char* name, T& to, const Fields& fields) {
    known_.emplace_back(name);
    if (!wrong_) wrong_ = read_section(values_[name], name, to, fields);
    return *this;
  }
  std::optional<SettingError> wrong() {
    if (wrong_) return wrong_;
    values_.each_member([&](std::string_view name, JsonView) {
      bool known = false;
      for (const auto& one : known_) known = known || one == name;
      if (!known && !wrong_) wrong_ = SettingError{std::string(name), "no such section"};
    });
    return wrong_;
  }

private:
  const JsonView values_;
  std::vector<std::string> known_;
  std::optional<SettingError> wrong_;
};

}  // namespace cardea::transports
