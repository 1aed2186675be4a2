// Presence and zones (docs/textroom.md).
#include "text_world.hpp"

using namespace cardea;
using namespace cardea::test;

class TextPresenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TextPresenceTest);
  CPPUNIT_TEST(who_does_not_use_it_hears_nothing_of_it);
  CPPUNIT_TEST(the_last_state_of_a_tick_wins);
  CPPUNIT_TEST(members_of_a_state_are_replaced_one_by_one);
  CPPUNIT_TEST(late_updates_are_left_out);
  CPPUNIT_TEST(a_newcomer_gets_all_states);
  CPPUNIT_TEST(a_state_that_rests_is_told_again_reliably);
  CPPUNIT_TEST(a_full_channel_gets_all_states_later);
  CPPUNIT_TEST(states_are_small_and_well_formed);
  CPPUNIT_TEST(states_have_a_rate_of_their_own);
  CPPUNIT_TEST(batches_fit_a_packet);
  CPPUNIT_TEST(zones_tell_who_comes_and_goes);
  CPPUNIT_TEST(zones_can_be_edited);
  CPPUNIT_TEST(a_tick_ends_when_nothing_moves);
  CPPUNIT_TEST(a_room_may_end_between_ticks);
  CPPUNIT_TEST_SUITE_END();

  using W = TextWorld;
  static constexpr const char* zoned = R"({"room-1": {"zones": [
      {"name": "stage", "x": 0, "y": 0, "width": 10, "height": 5}, {"name": "bar", "x": 20, "y": 20, "radius": 5}]}})";

  static void move(Client& who, const std::string& state, const char* more = "") {
    who.attachment->on_data(
        {.label = "presence", .payload = text(R"({"textroom":"presence","room":1)", more, R"(,"state":)", state, "}")});
  }
  static std::string states(int tick, const std::string& states) {
    return text(R"({"textroom":"presence","room":1,"tick":)", tick, R"(,"states":{)", states, "}}\n");
  }
  static Client& watching(TextWorld& world, const char* name, bool lossy) {
    Client& one = world.connected();
    if (lossy) one.attachment->on_data_open({.label = "presence", .ordered = false, .max_retransmits = 0});
    W::write(one, text(R"({"textroom":"join","transaction":"j","room":1,"presence":true,"username":")", name, "\"}"));
    world.services.advance(1s);
    world.forget();
    return one;
  }

  void who_does_not_use_it_hears_nothing_of_it() {
    TextWorld world(zoned);
    Client& bob = world.joined("bob");
    Client& eve = world.joined_by_api("eve");
    Client& al = watching(world, "al", false);
    world.forget();
    move(al, R"({"x":1,"y":1})");
    world.services.advance(1s);
    CPPUNIT_ASSERT_EQUAL(std::string(), W::read(bob));
    CPPUNIT_ASSERT_EQUAL(std::string(), W::news(eve));
    CPPUNIT_ASSERT(!W::read(al).empty());
  }
  void the_last_state_of_a_tick_wins() {
    TextWorld world;
    Client& al = watching(world, "al", true);
    Client& bob = watching(world, "bob", true);
    Client& eve = world.joined_by_api("eve");
    eve.ask(R"({"request":"presence","room":1,"state":{"x":9}})");
    world.services.advance(2s);
    world.forget();
    for (int x = 0; x < 5; ++x) move(al, text(R"({"x":)", x, "}"));
    world.services.advance(40ms);
    CPPUNIT_ASSERT_EQUAL(std::string(), W::read(bob));
    world.services.advance(10ms);
    const std::string told = W::read(bob);
    CPPUNIT_ASSERT_MESSAGE(told, told.starts_with("presence: ") && told.ends_with(R"("states":{"al":{"x":4}}})"
                                                                                  "\n"));
    CPPUNIT_ASSERT_EQUAL(told.substr(10), W::news(eve));
    CPPUNIT_ASSERT_EQUAL(told, W::read(al));
  }
  void members_of_a_state_are_replaced_one_by_one() {
    TextWorld world;
    Client& al = watching(world, "al", false);
    move(al, R"({"nickname":"Al","avatar":"cat.png","x":1,"y":2,"hat":{"red":true}})");
    move(al, R"({"x":3,"avatar":null})");
    world.services.advance(50ms);
    CPPUNIT_ASSERT(W::read(al).find(R"("al":{"nickname":"Al","x":3,"y":2,"hat":{"red":true}})") != std::string::npos);
  }
  void late_updates_are_left_out() {
    TextWorld world;
    Client& al = watching(world, "al", false);
    move(al, R"({"x":2})", R"(,"seq":2)");
    move(al, R"({"x":1})", R"(,"seq":1)");
    world.services.advance(50ms);
    CPPUNIT_ASSERT(W::read(al).find(R"({"x":2})") != std::string::npos);
    move(al, R"({"nickname":"Al"})");  // without a number it always counts
    world.services.advance(50ms);
    CPPUNIT_ASSERT(W::read(al).find(R"("nickname":"Al")") != std::string::npos);
  }
  void a_newcomer_gets_all_states() {
    TextWorld world(zoned);
    Client& al = watching(world, "al", true);
    move(al, R"({"x":1,"y":1})");
    world.services.advance(1s);
    Client& bob = world.client();
    const Json joined =
        bob.ask(R"({"request":"join","room":1,"username":"bob","presence":true,"state":{"x":21,"y":21}})");
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"([{"name":"stage","x":0.0,"y":0.0,"width":10.0,"height":5.0,"present":["al"],"count":1},{"name":"bar","x":20.0,"y":20.0,"radius":5.0,"present":[],"count":0}])"),
        joined["zones"].text());
    bob.forget_news();
    world.services.advance(50ms);
    const std::string news = W::news(bob);
    CPPUNIT_ASSERT(news.find(R"("states":{"al":{"x":1,"y":1},"bob":{"x":21,"y":21}})") != std::string::npos);
    CPPUNIT_ASSERT(
        news.find(
            R"({"textroom":"zone-entered","room":1,"zone":"bar","username":"bob","present":["bob"],"count":1})") !=
        std::string::npos);
  }
  void a_state_that_rests_is_told_again_reliably() {
    TextWorld world;
    Client& al = watching(world, "al", true);
    Client& bob = watching(world, "bob", false);
    move(al, R"({"x":1})");
    world.services.advance(50ms);
    CPPUNIT_ASSERT(W::read(al).starts_with("presence: "));
    W::read(bob);
    world.services.advance(1s);
    CPPUNIT_ASSERT(W::read(al).starts_with(R"({"textroom":"presence")"));
    CPPUNIT_ASSERT_EQUAL(std::string(), W::read(bob));  // lost nothing
  }
  void a_full_channel_gets_all_states_later() {
    TextWorld world;
    Client& al = watching(world, "al", false);
    Client& bob = watching(world, "bob", false);
    bob.handle.data_full = true;
    for (int x = 0; x < 100; ++x) {
      move(al, text(R"({"x":)", x, "}"));
      world.services.advance(50ms);
    }
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, bob.attachment->describe()["waiting"].integer());
    bob.handle.data_full = false;
    bob.attachment->on_data_ready();
    world.services.advance(50ms);
    const std::string told = W::read(bob);
    CPPUNIT_ASSERT_MESSAGE(told, told.find(R"({"x":99})") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(told.find("presence"), told.rfind("presence"));  // once
  }
  void states_are_small_and_well_formed() {
    TextWorld world;
    Client& al = watching(world, "al", false);
    auto answer = [&](const std::string& state) {
      return error_of(W::ask(al, text(R"({"textroom":"presence","transaction":"t","room":1,"state":)", state, "}")));
    };
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, answer(R"({"x":1.5})"));
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, answer(R"("here")"));
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, answer(R"({"x":"1"})"));
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, answer(R"({"y":1e300})"));
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, answer(R"({"nickname":7})"));
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, answer(R"({"avatar":")" + std::string(2000, 'x') + "\"}"));
    CPPUNIT_ASSERT_EQUAL(int64_t{417},
                         error_of(W::ask(al, R"({"textroom":"presence","transaction":"t","room":9,"state":{}})")));
    world.services.advance(1s);
    W::read(al);
    move(al, R"("here")");  // nobody waits for an answer
    CPPUNIT_ASSERT_EQUAL(std::string(), W::read(al));
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, al.attachment->describe()["refused_states"].integer());
  }
  void states_have_a_rate_of_their_own() {
    TextWorld world(R"({"general": {"message_burst": 5, "message_rate": 1}, "room-1": {}})");
    Client& al = watching(world, "al", false);
    for (int x = 0; x < 40; ++x) move(al, text(R"({"x":)", x, "}"));
    CPPUNIT_ASSERT_EQUAL(int64_t{10}, al.attachment->describe()["refused_states"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{429},
                         error_of(W::ask(al, R"({"textroom":"presence","transaction":"t","room":1,"state":{}})")));
    CPPUNIT_ASSERT(W::ask(al, R"({"textroom":"list","transaction":"t"})").find("success") != std::string::npos);
  }
  void batches_fit_a_packet() {
    TextWorld world;
    Client& watcher = watching(world, "watcher", true);
    Client& slow = watching(world, "slow", false);
    for (int i = 0; i < 100; ++i) {
      Client& one = world.joined_by_api(text("p", i).c_str());
      one.ask(R"({"request":"presence","room":1,"state":{"nickname":"somebody here","x":100.25,"y":200.5}})");
    }
    world.services.advance(50ms);
    const auto small = watcher.handle.data;
    const auto large = slow.handle.data;
    CPPUNIT_ASSERT(small.size() > large.size());
    size_t seen = 0;
    for (const DataMessage& message : small) {
      if (message.label != "presence") continue;
      // 1120 bytes of SCTP packet without its header (12) and the chunk's (16).
      CPPUNIT_ASSERT(message.payload.size() <= 1092);
      CPPUNIT_ASSERT(message.payload.size() > 950 || &message == &small.back());
      seen += (*Json::parse(message.payload.text()))["states"].size();
    }
    CPPUNIT_ASSERT_EQUAL(size_t{100}, seen);
  }
  void zones_tell_who_comes_and_goes() {
    TextWorld world(zoned);
    Client& al = watching(world, "al", false);
    Client& bob = watching(world, "bob", false);
    Client& eve = watching(world, "eve", false);
    move(al, R"({"x":1,"y":1})");
    move(bob, R"({"x":9.5,"y":4.5})");
    world.services.advance(1s);
    W::read(eve);
    move(al, R"({"x":10,"y":1})");  // the right edge is outside
    world.services.advance(50ms);
    CPPUNIT_ASSERT(W::read(eve).ends_with(
        R"({"textroom":"zone-left","room":1,"zone":"stage","username":"al","present":["bob"],"count":1})"
        "\n"));
    move(al, R"({"x":20,"y":25})");
    world.services.advance(50ms);
    CPPUNIT_ASSERT(W::read(eve).ends_with(
        R"({"textroom":"zone-entered","room":1,"zone":"bar","username":"al","present":["al"],"count":1})"
        "\n"));
    al.detach();
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"textroom":"zone-left","room":1,"zone":"bar","username":"al","present":[],"count":0})") + "\n" +
            R"({"textroom":"leave","room":1,"username":"al"})" + "\n",
        W::read(eve));
  }
  void zones_can_be_edited() {
    TextWorld world(zoned);
    Client& al = watching(world, "al", false);
    move(al, R"({"x":1,"y":1})");
    world.services.advance(1s);
    W::read(al);
    world.client().ask(R"({"request":"edit","room":1,"new_zones":[{"name":"all","x":0,"y":0,"radius":1000}]})");
    const std::string told = W::read(al);
    CPPUNIT_ASSERT(told.find(R"("zone-left","room":1,"zone":"stage")") <
                   told.find(R"("zone-entered","room":1,"zone":"all")"));
    CPPUNIT_ASSERT(told.ends_with(
        R"({"textroom":"zones","room":1,"zones":[{"name":"all","x":0.0,"y":0.0,"radius":1000.0,"present":["al"],"count":1}]})"
        "\n"));
  }
  void a_tick_ends_when_nothing_moves() {
    TextWorld world;
    Client& al = watching(world, "al", true);
    move(al, R"({"x":1})");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.timers.size());
    world.services.advance(1s);
    CPPUNIT_ASSERT(world.services.timers.empty());
  }
  void a_room_may_end_between_ticks() {
    TextWorld world(zoned);
    Client& al = watching(world, "al", true);
    move(al, R"({"x":1,"y":1})");
    W::write(al, R"({"textroom":"destroy","transaction":"t","room":1})");
    world.services.advance(1s);
    CPPUNIT_ASSERT(world.rooms->all().empty() && world.services.timers.empty());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextPresenceTest);
