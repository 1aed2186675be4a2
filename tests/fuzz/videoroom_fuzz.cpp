// A video room under what several clients ask, in any order, with offers of many shapes. Each line is a
// request; its first character says whose, and one of these may follow: '+' with a camera's offer, '*' with a simulcast
// one, '=' with an answer to the last offer, '^' the peer connection comes up, '-' it goes. The declared routes fit
// what is there, whatever comes.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "fakes.hpp"
#include "rooms.hpp"
#include "seat.hpp"

namespace {

using namespace cardea;

void act(test::Client& one, char how, std::string_view line) {
  if (how == '^') {
    if (one.handle.peer && !one.handle.up) one.come_up();
    return;
  }
  if (how == '-') return one.drop("gone");
  auto body = Json::parse(line);
  if (!body || !body->is_object()) return;
  std::optional<Offer> offer;
  std::optional<Answer> answer;
  if (how == '+' || how == '*') offer = test::camera(how == '*');
  if (how == '=' && one.offered()) answer = one.answer();
  const Json data = one.ask(std::move(*body), std::move(offer), std::move(answer));
  if (data && !Json::parse(data.text())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  test::FakeServices services;
  videoroom::Rooms rooms(services);
  (void)rooms.configure(
      *Json::parse(R"({"general": {"max_rooms": 20}, "room-1": {"publishers": 3, "notify_joining": true,
      "audiolevel_event": true, "videocodec": "vp8,vp9,h264"}, "room-2": {"pin": "p", "require_pvtid": true}})"));
  rooms.start();
  std::vector<std::unique_ptr<test::Client>> clients;
  for (uint64_t i = 1; i <= 4; ++i)
    clients.push_back(std::make_unique<test::Client>(
        services, i, [&](Handle& handle) { return std::make_unique<videoroom::Seat>(handle, rooms); }));
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.size() < 2) continue;
    test::Client& one = *clients[static_cast<uint8_t>(line[0]) % clients.size()];
    line.remove_prefix(1);
    const char how = line[0];
    if (std::string_view("+*=^-").find(how) != std::string_view::npos) line.remove_prefix(1);
    act(one, how, line);
    services.advance(std::chrono::milliseconds(20));
    for (auto& other : clients) other->end_turn();
    for (auto [to, from] : services.routes) {
      bool there = false;
      for (auto& other : clients) there = there || (other->handle.up && other->handle.peer == to.peer);
      if (!there) std::abort();
    }
  }
  for (auto& one : clients) one->detach();
  if (!services.routes.empty()) std::abort();
  return 0;
}
