// The whole of the API as clients write it: each line is a message of a client, or of an operator if it begins with
// '!'. A line that begins with '@' and a digit is a message of another client, from one of three addresses; '@' and '-'
// closes its connection. There is a session 1; the handle ids 1 and 2 mean its two handles. Each value gets one reply.
// If the first line is "secrets", the gateway asks for them: "a" of clients, or a token, and "s" of operators.
// Bounds are low, so that sequences meet them; whatever happened, all that is counted is given back in the end.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/message.hpp"
#include "control/world.hpp"

using namespace cardea;
using namespace cardea::control;

namespace {

Settings settings(bool secrets) {
  Settings all;
  if (secrets) {
    all.general.admin_secret = "s";
    all.general.token_auth = true;
    all.general.api_secret = "a";
  }
  LimitSettings& l = all.limits;
  l.sessions = 4;
  l.sessions_per_address = 3;
  l.handles = 6;
  l.handles_per_address = 5;
  l.handles_per_session = 4;
  l.peers = 3;
  l.peers_per_session = 2;
  l.mlines = 8;
  l.mlines_per_session = 5;
  l.requests_per_session = 2;
  l.requests_per_address = 4;
  l.guesses_per_minute = 3;
  return all;
}

// A name lookup is answered later, and asks the world outside.
bool asks_the_network(JsonView request) {
  std::string verb(request["janus"].string());
  for (char& c : verb)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return verb == "resolve_address";
}

void ask(World& world, Json request, Api api, ConnectionId from, const uint64_t (&handles)[2]) {
  if (api == Api::admin && asks_the_network(request)) return;
  const int64_t named = request["handle_id"].integer();
  if (named == 1 || named == 2) request.set("handle_id", handles[named - 1]);
  const Json reply = world.ask(std::move(request), from, api);
  if (!reply.is_object() || !reply["janus"].is_string()) std::abort();
  if (reply["janus"].string() == "error" &&
      (reply["error"]["code"].integer() <= 0 || !reply["error"]["reason"].is_string()))
    std::abort();
  if (!Json::parse(reply.text())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view secrets = "secrets\n";
  const bool with_secrets = rest.starts_with(secrets);
  if (with_secrets) rest.remove_prefix(secrets.size());
  World world(settings(with_secrets));
  world.open({1}, "192.0.2.1");
  world.verb("create", "id", 1, "apisecret", "a");
  const auto attach = [&] {
    return World::id_in(world.verb("attach", "session_id", 1, "plugin", "janus.plugin.fake", "apisecret", "a"));
  };
  const uint64_t handles[] = {attach(), attach()};
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    Api api = Api::client;
    if (line.starts_with('!')) {
      api = Api::admin;
      line.remove_prefix(1);
    }
    ConnectionId from{1};
    if (line.starts_with('@') && line.size() > 1) {
      const char which = line[1];
      from = {2 + static_cast<uint64_t>(which % 3)};
      constexpr const char* addresses[] = {"192.0.2.1", "2001:db8::1", ""};
      which == '-' ? world.transport->host.gone(from) : world.open(from, addresses[which % 3]);
      line.remove_prefix(2);
    }
    auto values = transports::parse_values(line);
    if (!values && values.error().code != 454) std::abort();
    if (values)
      for (Json& value : *values) ask(world, std::move(value), api, from, handles);
    world.pass(std::chrono::milliseconds(500));
  }
  for (const auto& one : world.transport->sent)
    if (!one.message["janus"].is_string() || !Json::parse(one.message.text())) std::abort();
  world.gateway->stop();
  const Json limits = world.gateway->limits().describe();
  limits["used"].each_member([](std::string_view, JsonView count) {
    if (count.integer() != 0) std::abort();
  });
  return 0;
}
