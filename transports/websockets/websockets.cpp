#include "websockets/websockets.hpp"

#include <algorithm>

namespace cardea::transports {

namespace {
constexpr const char* name = "websockets";
constexpr Duration idle = 20s;  // for a handshake to come
}  // namespace

Configured WebSockets::configure(JsonView values) {
  auto wrong = Sections(values)
                   .read("general", general_, websockets_settings::general_fields)
                   .read("admin", admin_, websockets_settings::admin_fields)
                   .read("cors", cors_, cors_fields)
                   .read("certificates", certificates_, certificate_fields)
                   .wrong();
  return wrong ? wrong : wrong_limits(general_, general_.ws_acl_forwarded || admin_.admin_ws_acl_forwarded);
}

void WebSockets::list_settings(std::vector<SettingInfo>& to) const {
  list_section<WebSocketsGeneral>("general", websockets_settings::general_fields, to);
  list_section<WebSocketsAdmin>("admin", websockets_settings::admin_fields, to);
  list_section<Cors>("cors", cors_fields, to);
  list_section<CertificateSettings>("certificates", certificate_fields, to);
}

std::vector<Door> WebSockets::doors() const {
  const auto& g = general_;
  const auto& a = admin_;
  const Acl clients{g.ws_acl, g.ws_acl_forwarded};
  const Acl admins{a.admin_ws_acl, a.admin_ws_acl_forwarded};
  const Origins pages = Origins::for_clients(cors_), admin_pages = Origins::for_admins(cors_);
  std::vector<Door> doors;
  if (g.ws)
    doors.push_back({{g.ws_port, g.ws_ip, g.ws_interface, g.ws_unix}, clients, Api::client, false, "ws", pages});
  if (g.wss)
    doors.push_back({{g.wss_port, g.wss_ip, g.wss_interface, g.wss_unix}, clients, Api::client, true, "wss", pages});
  if (a.admin_ws)
    doors.push_back({{a.admin_ws_port, a.admin_ws_ip, a.admin_ws_interface, a.admin_ws_unix},
                     admins,
                     Api::admin,
                     false,
                     "ws",
                     admin_pages});
  if (a.admin_wss)
    doors.push_back({{a.admin_wss_port, a.admin_wss_ip, a.admin_wss_interface, a.admin_wss_unix},
                     admins,
                     Api::admin,
                     true,
                     "wss",
                     admin_pages});
  return doors;
}

Status WebSockets::start() {
  const std::vector<Door> all = doors();
  if (auto allowed = admin_allowed(host_, all); !allowed) return std::move(allowed.error()).with_context(name);
  ServerRules rules;
  rules.name = name;
  apply(general_, rules);
  rules.web_socket.ping_after = times_.ping_after.value_or(rules.web_socket.ping_after);
  rules.web_socket.pong_within = times_.pong_within.value_or(rules.web_socket.pong_within);
  rules.web_socket.style = style_of(general_.json);
  rules.exchange.idle = idle;
  std::optional<Identity> identity;
  if (std::any_of(all.begin(), all.end(), [](const Door& door) { return door.tls; })) {
    auto made = make_identity(certificates_, host_.state_folder(), name);
    if (!made) return std::move(made.error()).with_context(name);
    identity = std::move(*made);
  }
  stock_ = std::make_unique<Stock>(general_.max_buffered);
  server_ = std::make_unique<Server>(std::move(rules), host_, static_cast<HttpFace&>(*this), *stock_);
  return server_->start(all, std::move(identity));
}

void WebSockets::stop() {
  if (server_) server_->stop();
}

std::vector<std::string> WebSockets::addresses() const {
  return server_ ? server_->addresses() : std::vector<std::string>();
}

void WebSockets::send(ConnectionId to, RequestTag tag, Json message) {
  if (server_) server_->post({.connection = to, .tag = tag, .message = std::move(message)});
}

void WebSockets::session_owned(ConnectionId by, SessionId session) {
  if (server_) server_->post({.kind = CoreMessage::Kind::session_owned, .connection = by, .session = session});
}

void WebSockets::session_over(ConnectionId owner, SessionId session, bool claimed) {
  if (server_)
    server_->post(
        {.kind = CoreMessage::Kind::session_over, .connection = owner, .session = session, .claimed = claimed});
}

void WebSockets::flush() {
  if (server_) server_->wake();
}

// There are no pages here, only upgrades.
void WebSockets::on_request(Exchange& exchange) {
  Response refusal;
  refusal.status = 403;
  refusal.close = true;
  exchange.answer(std::move(refusal));
}

}  // namespace cardea::transports
