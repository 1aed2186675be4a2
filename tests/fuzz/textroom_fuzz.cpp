// Text rooms under whatever clients write: each line is a message, of one member on a data channel or of one with the
// API.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fakes.hpp"
#include "rooms.hpp"
#include "seat.hpp"

namespace {

struct NoBackend final : cardea::textroom::Backend {
  void obey(const cardea::textroom::PostRules&) override {}
  void post(const std::string&, const cardea::Payload&) override {}
  bool available() const override { return true; }
  cardea::Json describe() const override { return cardea::Json::object(); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cardea;
  test::FakeServices services;
  NoBackend backend;
  textroom::Rooms rooms(services, backend);
  (void)rooms.configure(
      *Json::parse(R"({"room-1": {"history": 9, "zones": [{"name": "a", "x": 0, "y": 0, "radius": 9}]}})"));
  rooms.start();
  auto attach = [&](Handle& handle) { return std::make_unique<textroom::Seat>(handle, rooms); };
  test::Client written(services, 1, attach), spoken(services, 2, attach);
  written.attachment->on_data({.payload = R"({"textroom":"join","transaction":"j","room":1,"username":"al"})"});
  spoken.ask(R"({"request":"join","room":1,"username":"bob","presence":true})");
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string line(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    written.attachment->on_data({.payload = line});
    if (auto body = Json::parse(line); body && body->is_object()) spoken.ask(std::move(*body));
    services.advance(std::chrono::milliseconds(20));
  }
  // Whatever is told can be read.
  for (const DataMessage& message : written.handle.data)
    if (!Json::parse(message.payload.text())) std::abort();
  return 0;
}
