#include "http/http.hpp"

#include <algorithm>

namespace cardea::transports {

namespace {
constexpr const char* name = "http";

// "/janus" of "/janus/", "" of "/".
std::string without_slash(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}
}  // namespace

Configured Http::configure(JsonView values) {
  auto wrong = Sections(values)
                   .read("general", general_, http_settings::general_fields)
                   .read("admin", admin_, http_settings::admin_fields)
                   .read("cors", cors_, cors_fields)
                   .read("certificates", certificates_, certificate_fields)
                   .wrong();
  if (wrong) return wrong;
  if (!general_.base_path.starts_with('/')) return SettingError{"general.base_path", "should start with /"};
  if (!admin_.admin_base_path.starts_with('/')) return SettingError{"admin.admin_base_path", "should start with /"};
  return wrong_limits(general_, general_.acl_forwarded || admin_.admin_acl_forwarded);
}

void Http::list_settings(std::vector<SettingInfo>& to) const {
  list_section<HttpGeneral>("general", http_settings::general_fields, to);
  list_section<HttpAdmin>("admin", http_settings::admin_fields, to);
  list_section<Cors>("cors", cors_fields, to);
  list_section<CertificateSettings>("certificates", certificate_fields, to);
}

std::vector<Door> Http::doors() const {
  const auto& g = general_;
  const auto& a = admin_;
  const Acl clients{g.acl, g.acl_forwarded};
  const Acl admins{a.admin_acl, a.admin_acl_forwarded};
  const Origins pages = Origins::for_clients(cors_), admin_pages = Origins::for_admins(cors_);
  std::vector<Door> doors;
  if (g.http) doors.push_back({{g.port, g.ip, g.interface, ""}, clients, Api::client, false, "http", pages});
  if (g.https)
    doors.push_back({{g.secure_port, g.secure_ip, g.secure_interface, ""}, clients, Api::client, true, "https", pages});
  if (a.admin_http)
    doors.push_back(
        {{a.admin_port, a.admin_ip, a.admin_interface, ""}, admins, Api::admin, false, "http", admin_pages});
  if (a.admin_https)
    doors.push_back({{a.admin_secure_port, a.admin_secure_ip, a.admin_secure_interface, ""},
                     admins,
                     Api::admin,
                     true,
                     "https",
                     admin_pages});
  return doors;
}

Status Http::start() {
  const std::vector<Door> all = doors();
  if (auto allowed = admin_allowed(host_, all); !allowed) return std::move(allowed.error()).with_context(name);
  std::optional<Identity> identity;
  if (std::any_of(all.begin(), all.end(), [](const Door& door) { return door.tls; })) {
    auto made = make_identity(certificates_, host_.state_folder(), name);
    if (!made) return std::move(made.error()).with_context(name);
    identity = std::move(*made);
  }
  ServerRules rules;
  rules.name = name;
  apply(general_, rules);
  rules.web_socket.style = style_of(general_.json);
  rules.exchange.idle = times_.idle;
  stock_ = std::make_unique<Stock>(general_.max_buffered);
  rest_ = std::make_unique<Rest>(RestRules{.base_path = without_slash(general_.base_path),
                                           .admin_base_path = without_slash(admin_.admin_base_path),
                                           .origins = Origins::for_clients(cors_),
                                           .admin_origins = Origins::for_admins(cors_),
                                           .style = style_of(general_.json),
                                           .core_time = times_.core,
                                           .poll_time = times_.poll,
                                           .max_queue = general_.max_queue},
                                 host_, *stock_);
  server_ = std::make_unique<Server>(std::move(rules), host_, *rest_, *stock_);
  return server_->start(all, std::move(identity));
}

void Http::stop() {
  if (server_) server_->stop();
}

std::vector<std::string> Http::addresses() const { return server_ ? server_->addresses() : std::vector<std::string>(); }

void Http::send(ConnectionId to, RequestTag tag, Json message) {
  if (server_) server_->post({.connection = to, .tag = tag, .message = std::move(message)});
}

void Http::flush() {
  if (server_) server_->wake();
}

void Http::session_owned(ConnectionId by, SessionId session) {
  if (server_) server_->post({.kind = CoreMessage::Kind::session_owned, .connection = by, .session = session});
}

void Http::session_over(ConnectionId owner, SessionId session, bool claimed) {
  if (server_)
    server_->post(
        {.kind = CoreMessage::Kind::session_over, .connection = owner, .session = session, .claimed = claimed});
}

uint64_t Http::refusals(Refusal what) const {
  return (server_ ? server_->tally().of(what) : 0) + (rest_ ? rest_->tally().of(what) : 0);
}

}  // namespace cardea::transports
