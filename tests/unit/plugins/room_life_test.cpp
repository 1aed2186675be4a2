// Rooms under whatever clients may do, in any order: what is declared to the core always fits what is there.
#include "room_world.hpp"

using namespace cardea;
using namespace cardea::test;

class RoomLifeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RoomLifeTest);
  CPPUNIT_TEST(nothing_is_left_of_thousands_of_random_acts);
  CPPUNIT_TEST(leaving_works_in_every_state);
  CPPUNIT_TEST_SUITE_END();

  // A seeded source of its own, so that the acts stay the same.
  struct Dice {
    uint64_t state;
    size_t below(size_t n) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return static_cast<size_t>((state >> 33) % n);
    }
  };

  static void check(const World& world) {
    for (auto [to, from] : world.services.routes) {
      auto has = [](PeerId peer) {
        return [peer](const auto& one) { return one->attachment && one->handle.up && one->handle.peer == peer; };
      };
      CPPUNIT_ASSERT(std::any_of(world.clients.begin(), world.clients.end(), has(to.peer)));
      CPPUNIT_ASSERT(std::any_of(world.clients.begin(), world.clients.end(), has(from.peer)));
    }
  }

  // What a client that wants to take part does next.
  static void go_on(Client& one, Dice& dice) {
    const size_t feed = 1 + dice.below(6);
    if (one.offered()) {
      one.ask(R"({"request":"start"})", {}, one.answer());
      one.jsep = {};
    } else if (one.handle.peer && !one.handle.up) {
      one.come_up();
    } else if (dice.below(2) == 0) {
      one.ask(Json::object("request", "joinandconfigure", "room", 1, "ptype", "publisher", "id", feed), camera());
    } else {
      one.ask(Json::object("request", "join", "room", 1, "ptype", "subscriber", "feed", feed));
    }
  }

  static void act(World& world, Client& one, Dice& dice) {
    if (dice.below(2) == 0) return go_on(one, dice);
    const size_t room = 1 + dice.below(8) / 7, feed = 1 + dice.below(6);
    auto join = [&](const char* ptype) {
      Json body = Json::object("request", "join", "room", room, "ptype", ptype);
      body.set("id", feed);
      return body;
    };
    auto streams = [&] {
      Json all = Json::array(Json::object("feed", feed));
      if (dice.below(2) == 0) all.append(Json::object("feed", 1 + dice.below(6), "mid", "1"));
      return all;
    };
    switch (dice.below(20)) {
    case 0:
    case 1: one.ask(join("publisher")); break;
    case 2:
    case 3: one.ask(std::move(join("subscriber").set("streams", streams()))); break;
    case 4:
    case 5: one.ask(Json::object("request", "configure"), camera(dice.below(2) == 0)); break;
    case 6:
    case 7:
    case 8:
      if (!one.handle.up && one.handle.peer) one.come_up();
      break;
    case 9:
    case 10:
    case 11:
      if (one.offered()) one.ask(R"({"request":"start"})", {}, one.answer()), one.jsep = {};
      break;
    case 12: one.ask(Json::object("request", "subscribe", "streams", streams())); break;
    case 13: one.ask(Json::object("request", "unsubscribe", "streams", streams())); break;
    case 14: one.ask(Json::object("request", "switch", "feed", feed)); break;
    case 15:
      if (dice.below(4) == 0) one.drop("test");
      break;
    case 16:
      if (dice.below(3) == 0) one.ask(dice.below(2) == 0 ? R"({"request":"leave"})" : R"({"request":"unpublish"})");
      break;
    case 17:
      one.ask(dice.below(2) == 0 ? R"({"request":"pause"})" : R"({"request":"configure","restart":true})");
      break;
    case 18:
      if (dice.below(3) == 0) one.ask(Json::object("request", "kick", "room", room, "id", feed));
      if (dice.below(8) == 0) {
        one.ask(Json::object("request", "destroy", "room", room));
        one.ask(Json::object("request", "create", "room", room, "publishers", 20));
      }
      break;
    default:
      // Those who left for good make place.
      if (dice.below(4) == 0 || one.ask(R"({"request":"start"})")["error_code"].integer() == 426) one.detach();
    }
    world.settle();
  }

  void nothing_is_left_of_thousands_of_random_acts() {
    size_t most_routes = 0;
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      World world(R"({"room-1": {"publishers": 20, "notify_joining": true}, "room-2": {"publishers": 2}})");
      Dice dice{seed};
      for (int i = 0; i < 1500; ++i) {
        size_t alive = 0;
        for (auto& one : world.clients) alive += one->attachment ? 1 : 0;
        while (alive < 12) world.client(), ++alive;
        Client* one = nullptr;
        while (one == nullptr || !one->attachment) one = world.clients[dice.below(world.clients.size())].get();
        act(world, *one, dice);
        check(world);
        most_routes = std::max(most_routes, world.services.routes.size());
      }
      for (auto& one : world.clients) one->detach();
      CPPUNIT_ASSERT(world.services.routes.empty());
      CPPUNIT_ASSERT(world.services.timers.empty());
      for (const auto* room : world.rooms->all()) CPPUNIT_ASSERT(room->people().empty());
    }
    CPPUNIT_ASSERT_MESSAGE(std::to_string(most_routes), most_routes > 5);  // the acts did lead somewhere
  }

  void leaving_works_in_every_state() {
    // How far a client gets before it ends, and how it ends.
    for (int role = 0; role < 2; ++role)
      for (int state = 0; state < 4; ++state)
        for (int end = 0; end < 4; ++end) {
          World world;
          Client& other = world.publishing(7);
          Client& one = world.client();
          if (state > 0)
            one.ask(role == 0 ? R"({"request":"join","room":1,"ptype":"publisher","id":8})"
                              : R"({"request":"join","room":1,"ptype":"subscriber","feed":7})");
          if (state > 1) {
            if (role == 0)
              one.ask(R"({"request":"publish"})", camera());
            else
              one.ask(R"({"request":"start"})", {}, one.answer());
          }
          if (state > 2) one.come_up();
          switch (end) {
          case 0: one.ask(R"({"request":"leave"})"); break;
          case 1: one.drop("test"); break;
          case 2: other.detach(); break;
          default: world.client().ask(R"({"request":"destroy","room":1})"); break;
          }
          world.settle();
          one.detach();
          other.detach();
          CPPUNIT_ASSERT(world.services.routes.empty());
          CPPUNIT_ASSERT(world.services.timers.empty());
        }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RoomLifeTest);
