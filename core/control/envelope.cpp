#include "control/envelope.hpp"

#include <tuple>

#include "cardea/schema.hpp"

namespace cardea::control {
namespace {

struct Common {
  std::string transaction, janus;
  std::optional<uint64_t> id;
};

// In the order in which they are checked.
constexpr auto common_fields = std::tuple{required("transaction", &Common::transaction),
                                          required("janus", &Common::janus), optional("id", &Common::id)};

// Ids are JSON integers; anything else counts as not there.
uint64_t id_of(JsonView value) { return value.is_integer() ? static_cast<uint64_t>(value.integer()) : 0; }

}  // namespace

SessionId named_session(JsonView request) { return SessionId{id_of(request["session_id"])}; }

Status fits(std::string_view field, std::string_view value, size_t max) {
  if (value.size() <= max) return {};
  return Error{code::invalid_element, text("Invalid element (", field, " is longer than ", max, " bytes)")};
}

Result<Envelope> open_envelope(JsonView request) {
  // What is no object and no list has no place for a transaction, and is no JSON to those who expect one.
  if (!request.is_object() && !request.is_array()) return Error{code::invalid_json, "This is no JSON object"};
  auto common = read<Common>(request, common_fields, {});
  if (!common) return common.error();
  if (Status status = fits("transaction", common->transaction, max_transaction); !status) return status.error();
  if (Status status = fits("janus", common->janus, max_verb); !status) return status.error();
  for (const char* credential : {"apisecret", "token", "admin_secret"})
    if (Status status = fits(credential, request[credential].string(), max_credential); !status) return status.error();
  Envelope envelope{.verb = std::move(common->janus),
                    .transaction = std::move(common->transaction),
                    .session = named_session(request),
                    .handle = HandleId{id_of(request["handle_id"])},
                    .handle_named = request["handle_id"] && !request["handle_id"].is_null(),
                    .id = common->id.value_or(0)};
  for (char& c : envelope.verb)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return envelope;
}

Error wrong_path(std::string_view verb) {
  return {code::invalid_path, text("Unhandled request '", verb, "' at this path")};
}
Error no_session(SessionId session) { return {code::no_session, text("No such session ", session.value)}; }

Json envelope(const char* kind, SessionId session, std::optional<std::string_view> transaction) {
  Json out = Json::object("janus", kind);
  if (session) out.set("session_id", session.value);
  if (transaction) out.set("transaction", *transaction);
  return out;
}

Json error_reply(const Error& error, SessionId session, std::optional<std::string_view> transaction) {
  Json out = envelope("error", session, transaction);
  out.set("error", Json::object("code", error.code, "reason", error.reason));
  return out;
}

}  // namespace cardea::control
