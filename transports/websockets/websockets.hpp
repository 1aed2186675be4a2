// The WebSocket transport: JSON requests, replies and events on ports of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cardea/transport.hpp"
#include "common/server.hpp"
#include "websockets/settings.hpp"

namespace cardea::transports {

class WebSockets final : public Transport, private HttpFace {
public:
  // Times that tests make shorter than the settings can say.
  struct Times {
    std::optional<Duration> ping_after{}, pong_within{};
  };

  explicit WebSockets(TransportHost& host) : WebSockets(host, {}) {}
  WebSockets(TransportHost& host, Times times) : host_(host), times_(times) {}

  Configured configure(JsonView values) override;
  void list_settings(std::vector<SettingInfo>& to) const override;
  Status start() override;
  void stop() override;
  std::vector<std::string> addresses() const override;
  void send(ConnectionId to, RequestTag tag, Json message) override;
  void flush() override;
  void session_owned(ConnectionId by, SessionId session) override;
  void session_over(ConnectionId owner, SessionId session, bool claimed) override;

  // How often something was refused. Only while the transport is stopped.
  uint64_t refusals(Refusal what) const { return server_ ? server_->tally().of(what) : 0; }

private:
  void on_request(Exchange& exchange) override;
  void on_wake(Exchange&) override {}
  void on_abandoned(Exchange&) override {}
  void on_core(CoreMessage) override {}
  std::vector<Door> doors() const;

  // given
  TransportHost& host_;
  const Times times_;
  // owned
  std::unique_ptr<Stock> stock_;
  std::unique_ptr<Server> server_;
  // state
  WebSocketsGeneral general_;
  WebSocketsAdmin admin_;
  Cors cors_;
  CertificateSettings certificates_;
};

}  // namespace cardea::transports
