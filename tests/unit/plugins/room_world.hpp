// A video room plugin with clients around it.
#pragma once

#include <cppunit/extensions/HelperMacros.h>

#include <memory>
#include <string>
#include <vector>

#include "fakes.hpp"
#include "rooms.hpp"
#include "seat.hpp"

namespace cardea::test {

struct World {
  explicit World(const char* config = R"({"room-1": {"publishers": 3, "videocodec": "vp8,vp9,h264"}})",
                 std::string folder = {}, bool guarded = false) {
    services.folder = std::move(folder);
    rooms = std::make_unique<videoroom::Rooms>(services);
    wrong = rooms->configure(*Json::parse(config));
    if (!wrong) rooms->start();
    if (!wrong && !guarded) loosen();
  }
  ~World() {
    clients.clear();
    rooms->stop();
  }

  // The rooms as if clients had made them, so that they can be changed without a secret.
  void loosen() {
    for (const auto* room : rooms->all()) {
      const PublicId id = room->id();
      auto settings = room->settings();
      rooms->destroy(*rooms->find(id));
      (void)rooms->create(id, std::move(settings), nullptr);
    }
  }

  Client& client() {
    clients.push_back(std::make_unique<Client>(services, clients.size() + 1, [this](Handle& handle) {
      return std::make_unique<videoroom::Seat>(handle, *rooms);
    }));
    return *clients.back();
  }
  // In room 1, under this id.
  Client& joined(int id) {
    Client& one = client();
    one.ask(Json::object("request", "join", "room", 1, "ptype", "publisher", "id", id, "display", text("P", id)));
    return one;
  }
  Client& publishing(int id, const Offer& offer = camera()) {
    Client& one = joined(id);
    one.ask(Json::object("request", "publish"), offer);
    one.come_up();
    settle();
    return one;
  }
  // Watches these feeds, agreed and up.
  Client& watching(const char* streams) {
    Client& one = client();
    Json body = Json::object("request", "join", "room", 1, "ptype", "subscriber");
    body.set("streams", std::move(*Json::parse(streams)));
    one.ask(std::move(body));
    one.ask("{\"request\": \"start\"}", {}, one.answer());
    one.come_up();
    return one;
  }
  // The turn ends for everybody.
  void settle() {
    for (auto& one : clients)
      if (one->attachment) one->end_turn();
  }
  void forget_news() {
    settle();
    for (auto& one : clients) one->forget_news();
  }

  FakeServices services;
  std::unique_ptr<videoroom::Rooms> rooms;
  std::vector<std::unique_ptr<Client>> clients;
  Configured wrong;
};

inline int64_t error_of(const Json& reply) { return reply["error_code"].integer(); }

}  // namespace cardea::test
