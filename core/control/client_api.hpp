// The Janus API as clients speak it: every verb, checked in the order of the protocol notes.
#pragma once

#include "control/api_context.hpp"
#include "control/envelope.hpp"

namespace cardea::control {

class ClientApi {
public:
  explicit ClientApi(ApiContext& context) : context_(context) {}
  ClientApi(const ClientApi&) = delete;
  ClientApi& operator=(const ClientApi&) = delete;

  Result<Json> answer(const Incoming& in, const Envelope& envelope);

private:
  Status check_credentials(const Incoming& in, const Envelope& envelope);
  Result<Json> create(const Incoming& in, const Envelope& envelope);
  Result<Json> session_request(const Incoming& in, const Envelope& envelope, Session& session);
  Result<Json> handle_request(const Incoming& in, const Envelope& envelope, ClientHandle& handle);
  Result<Json> attach(JsonView request, const Envelope& envelope, Session& session);
  Result<Json> message(JsonView request, const Envelope& envelope, ClientHandle& handle);
  Status may_attach(JsonView token, const LoadedPlugin& plugin, const std::string& name) const;

  ApiContext& context_;
};

}  // namespace cardea::control
