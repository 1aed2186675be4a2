// The HTTP transport: the API by POST and long poll, the web pages, and WebSockets on the same ports, plain and over
// TLS.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cardea/transport.hpp"
#include "common/server.hpp"
#include "http/rest.hpp"
#include "http/settings.hpp"

namespace cardea::transports {

class Http final : public Transport {
public:
  // Times that tests make shorter than anyone would in use.
  struct Times {
    Duration core = 10s, poll = 30s;
    Duration idle = 60s;  // of a connection between requests, or that does not go on
  };

  explicit Http(TransportHost& host) : Http(host, Times{10s, 30s, 60s}) {}
  Http(TransportHost& host, Times times) : host_(host), times_(times) {}

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
  uint64_t refusals(Refusal what) const;

private:
  std::vector<Door> doors() const;

  // given
  TransportHost& host_;
  const Times times_;
  // owned
  std::unique_ptr<Stock> stock_;
  std::unique_ptr<Rest> rest_;
  std::unique_ptr<Server> server_;
  // state
  HttpGeneral general_;
  HttpAdmin admin_;
  Cors cors_;
  CertificateSettings certificates_;
};

}  // namespace cardea::transports
