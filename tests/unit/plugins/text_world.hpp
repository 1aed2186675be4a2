// A text room plugin with clients around it: some on data channels, some with the API alone.
#pragma once

#include <cppunit/extensions/HelperMacros.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes.hpp"
#include "rooms.hpp"
#include "seat.hpp"

namespace cardea::test {

struct FakeBackend final : textroom::Backend {
  void obey(const textroom::PostRules&) override {}
  void post(const std::string& url, const Payload& json) override { posts.emplace_back(url, json.text()); }
  bool available() const override { return built_in; }
  Json describe() const override { return Json::object(); }
  std::vector<std::pair<std::string, std::string>> posts;
  bool built_in = true;
};

struct TextWorld {
  explicit TextWorld(const char* config = R"({"room-1": {"description": "One"}})", std::string folder = {},
                     bool guarded = false) {
    services.folder = std::move(folder);
    services.time = Time(std::chrono::seconds(1'767'319'445));  // 2026-01-02T02:04:05 UTC
    rooms = std::make_unique<textroom::Rooms>(services, backend);
    wrong = rooms->configure(*Json::parse(config));
    if (!wrong) rooms->start();
    if (!wrong && !guarded) loosen();
  }
  ~TextWorld() {
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
      return std::make_unique<textroom::Seat>(handle, *rooms);
    }));
    return *clients.back();
  }
  // With a data channel.
  Client& connected() {
    Client& one = client();
    one.ask(R"({"request":"setup"})");
    one.ask(R"({"request":"ack"})", {}, one.answer());
    one.come_up();
    one.attachment->on_data_open({});
    one.forget_news();
    return one;
  }
  Client& joined(const char* name, int room = 1) {
    Client& one = connected();
    write(one, text(R"({"textroom":"join","transaction":"j","room":)", room, R"(,"username":")", name, "\"}"));
    forget();
    return one;
  }
  Client& joined_by_api(const char* name) {
    Client& one = client();
    one.ask(Json::object("request", "join", "room", 1, "username", name));
    forget();
    return one;
  }
  static void write(Client& from, const std::string& text) { from.attachment->on_data({.payload = text}); }
  // What came on the data channels since last asked, a line each.
  static std::string read(Client& by) {
    std::string all;
    for (const DataMessage& message : std::exchange(by.handle.data, {}))
      all += (message.label.empty() ? "" : message.label + ": ") + message.payload.text() + "\n";
    return all;
  }
  static std::string ask(Client& by, const std::string& text) {
    read(by);
    write(by, text);
    return read(by);
  }
  static std::string news(Client& of) {
    of.end_turn();
    return of.told();
  }
  void forget() {
    for (auto& one : clients) {
      one->handle.data.clear();
      one->end_turn();
      one->forget_news();
    }
  }

  FakeServices services;
  FakeBackend backend;
  std::unique_ptr<textroom::Rooms> rooms;
  std::vector<std::unique_ptr<Client>> clients;
  Configured wrong;
};

inline int64_t error_of(JsonView reply) { return reply["error_code"].integer(); }
inline int64_t error_of(const std::string& reply) {
  auto json = Json::parse(reply);
  return json ? error_of(*json) : -1;
}

}  // namespace cardea::test
