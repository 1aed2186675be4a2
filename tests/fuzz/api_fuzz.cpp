// The whole of the API as clients write it: each line is a message of a client, or of an operator if it begins with
// '!'. There is a session 1; the handle ids 1 and 2 mean its two handles. Each value gets one reply.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/message.hpp"
#include "control/world.hpp"

using namespace cardea;
using namespace cardea::control;

namespace {

void ask(World& world, Json request, Api api, const uint64_t (&handles)[2]) {
  const int64_t named = request["handle_id"].integer();
  if (named == 1 || named == 2) request.set("handle_id", handles[named - 1]);
  const Json reply = world.ask(std::move(request), {1}, api);
  if (!reply.is_object() || !reply["janus"].is_string()) std::abort();
  if (reply["janus"].string() == "error" &&
      (reply["error"]["code"].integer() <= 0 || !reply["error"]["reason"].is_string()))
    std::abort();
  if (!Json::parse(reply.text())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  World world;
  world.verb("create", "id", 1);
  const uint64_t handles[] = {world.attach(1), world.attach(1)};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    Api api = Api::client;
    if (line.starts_with('!')) {
      api = Api::admin;
      line.remove_prefix(1);
    }
    auto values = transports::parse_values(line);
    if (!values && values.error().code != 454) std::abort();
    if (values)
      for (Json& value : *values) ask(world, std::move(value), api, handles);
    world.pass(std::chrono::milliseconds(500));
  }
  for (const auto& one : world.transport->sent)
    if (!one.message["janus"].is_string() || !Json::parse(one.message.text())) std::abort();
  world.gateway->stop();
  return 0;
}
