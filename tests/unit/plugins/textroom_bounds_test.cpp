// Clients that do not read, that ask too much, and whatever else they may do: nobody else is harmed, nothing is left.
#include "text_world.hpp"

using namespace cardea;
using namespace cardea::test;

class TextBoundsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TextBoundsTest);
  CPPUNIT_TEST(what_the_channel_cannot_take_waits_in_order);
  CPPUNIT_TEST(who_does_not_read_is_dropped_alone);
  CPPUNIT_TEST(who_asks_too_much_is_told_so);
  CPPUNIT_TEST(large_texts_count_for_more);
  CPPUNIT_TEST(one_session_cannot_fill_the_queues_of_others);
  CPPUNIT_TEST(rooms_are_bounded_and_guarded);
  CPPUNIT_TEST(urls_of_clients_need_a_prefix);
  CPPUNIT_TEST(participants_come_in_pages);
  CPPUNIT_TEST(members_by_api_have_a_rate_too);
  CPPUNIT_TEST(names_are_bounded);
  CPPUNIT_TEST(random_acts_leave_no_ghosts);
  CPPUNIT_TEST_SUITE_END();

  using W = TextWorld;
  static std::string message(const std::string& words) {
    return text(R"({"textroom":"message","transaction":"m","room":1,"text":")", words, "\"}");
  }

  void what_the_channel_cannot_take_waits_in_order() {
    TextWorld world;
    Client& al = world.joined("al");
    Client& bob = world.joined("bob");
    world.forget();
    bob.handle.data_full = true;
    for (const char* word : {"one", "two"}) W::write(al, message(word));
    bob.handle.data_full = false;
    W::write(al, message("three"));  // does not overtake
    CPPUNIT_ASSERT_EQUAL(std::string(), W::read(bob));
    CPPUNIT_ASSERT_EQUAL(int64_t{3}, bob.attachment->describe()["waiting"].integer());
    bob.attachment->on_data_ready();
    const std::string told = W::read(bob);
    CPPUNIT_ASSERT(told.find("one") < told.find("two") && told.find("two") < told.find("three"));
    W::write(al, message("four"));
    CPPUNIT_ASSERT(W::read(bob).find("four") != std::string::npos);
  }
  void who_does_not_read_is_dropped_alone() {
    TextWorld world(R"({"general": {"max_backlog": 65536, "message_rate": 0}, "room-1": {}})");
    Client& al = world.joined("al");
    Client& bob = world.joined("bob");
    Client& eve = world.joined("eve");
    world.forget();
    bob.handle.data_full = true;
    for (int i = 0; i < 100; ++i) W::write(al, message(std::string(2000, 'x')));
    CPPUNIT_ASSERT(bob.handle.hang_up_asked && !al.handle.hang_up_asked && !eve.handle.hang_up_asked);
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, bob.attachment->describe()["waiting"].integer());
    CPPUNIT_ASSERT_EQUAL(size_t{100}, eve.handle.data.size());
    world.forget();
    bob.end_turn();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.rooms->find(PublicId(1))->members().size());
    // It may come again.
    bob.handle.data_full = false;
    bob.ask(R"({"request":"setup"})");
    bob.ask(R"({"request":"ack"})", {}, bob.answer());
    bob.come_up();
    CPPUNIT_ASSERT(W::ask(bob, R"({"textroom":"join","transaction":"j","room":1,"username":"bob"})").find("success") !=
                   std::string::npos);
  }
  void who_asks_too_much_is_told_so() {
    TextWorld world(R"({"general": {"message_rate": 10, "message_burst": 20}, "room-1": {}})");
    Client& al = world.joined("al");  // one of the twenty
    Client& bob = world.joined("bob");
    world.forget();
    for (int i = 0; i < 19; ++i) W::write(al, message("x"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"x({"textroom":"error","error_code":429,)x"
                                     R"x("error":"Too many requests (at most 10 a second)","transaction":"m"})x") +
                             "\n",
                         W::ask(al, message("y")));
    CPPUNIT_ASSERT_EQUAL(size_t{19}, bob.handle.data.size());
    CPPUNIT_ASSERT(W::ask(bob, message("z")).find("success") != std::string::npos);
    world.services.advance(100ms);
    CPPUNIT_ASSERT(W::ask(al, message("x")).find("success") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(W::ask(al, message("x"))));
    CPPUNIT_ASSERT_EQUAL(int64_t{2}, al.attachment->describe()["too_fast"].integer());
  }
  void large_texts_count_for_more() {
    TextWorld world(R"({"general": {"message_rate": 10, "message_burst": 40}, "room-1": {}})");
    Client& al = world.joined("al");
    world.forget();
    const std::string most(262'000, 'x');  // counts as 16
    for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT(W::ask(al, message(most)).find("success") != std::string::npos);
    // It is not even read: there is no transaction to repeat.
    const std::string refused =
        R"x({"textroom":"error","error_code":429,"error":"Too many requests (at most 10 a second)"})x";
    CPPUNIT_ASSERT_EQUAL(refused + "\n", W::ask(al, message(most)));
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(W::ask(al, most)));  // nor if it is no JSON
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, al.attachment->describe()["malformed"].integer());
    CPPUNIT_ASSERT(W::ask(al, message("short")).find("success") != std::string::npos);
    world.services.advance(2s);
    CPPUNIT_ASSERT(W::ask(al, message(most)).find("success") != std::string::npos);
  }
  void one_session_cannot_fill_the_queues_of_others() {
    TextWorld world(R"({"general": {"message_rate": 0}, "room-1": {}})");
    Client& al = world.joined("al");
    Client& bob = world.joined("bob");
    world.forget();
    bob.handle.data_full = true;  // reads nothing for 10 s
    const std::string large(60'000, 'x');
    for (int i = 0; i < 1000; ++i) {
      W::write(al, message(large));
      al.ask(Json::object("request", "announcement", "room", 1, "text", large));
      world.services.advance(10ms);
    }
    CPPUNIT_ASSERT(!bob.handle.hang_up_asked);
    CPPUNIT_ASSERT(world.rooms->describe()["too_fast"].integer() > 1900);
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(W::ask(al, message(large))));
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, error_of(W::ask(al, message(std::string(262'145, 'x')))));
  }
  void rooms_are_bounded_and_guarded() {
    TextWorld world(R"({"general": {"max_session_rooms": 2}, "room-1": {}})", {}, true);
    Client& al = world.client();
    for (int i = 2; i <= 4; ++i)
      CPPUNIT_ASSERT_EQUAL(int64_t{i < 4 ? 0 : 430}, error_of(al.ask(Json::object("request", "create", "room", i))));
    for (const char* verb : {"edit", "destroy"})
      CPPUNIT_ASSERT_EQUAL(int64_t{419}, error_of(al.ask(Json::object("request", verb, "room", 1))));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(al.ask(R"({"request":"join","room":1,"username":"al"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{414},
                         error_of(al.ask(Json::object("request", "create", "description", std::string(100'000, 'd')))));
  }
  void urls_of_clients_need_a_prefix() {
    TextWorld world(R"({"general": {"client_post": true, "post_allow": ["https://example.org/hooks/"]}})");
    Client& al = world.client();
    auto create = [&](const char* url) { return error_of(al.ask(Json::object("request", "create", "post", url))); };
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, create("https://example.org/hooks/a"));
    CPPUNIT_ASSERT_EQUAL(int64_t{419}, create("https://example.org/other"));
    CPPUNIT_ASSERT_EQUAL(int64_t{419}, create("http://169.254.169.254/"));
    TextWorld unchanged("{}");
    CPPUNIT_ASSERT_EQUAL(
        int64_t{419}, error_of(unchanged.client().ask(R"({"request":"create","post":"https://example.org/hooks/a"})")));
    for (const char* wrong : {R"({"general": {"post_allow": ["https://example.org"]}})",
                              R"({"general": {"post_allow_addresses": ["10.0.0.0/40"]}})"})
      CPPUNIT_ASSERT(TextWorld(wrong).wrong.has_value());
  }
  void participants_come_in_pages() {
    TextWorld world;
    textroom::Room& room = *world.rooms->find(PublicId(1));
    Client& crowd = world.connected();
    crowd.handle.data_full = true;
    auto& seat = static_cast<textroom::Seat&>(*crowd.attachment);
    for (int i = 0; i < 700; ++i) room.enter(seat, textroom::Via::channel, text("n", i), std::string(1000, 'd'));
    Client& al = world.client();
    const Json page = al.ask(R"({"request":"listparticipants","room":1})");
    CPPUNIT_ASSERT(page.text().size() < 600'000 && page["next"]);
    const Json rest = al.ask(Json::object("request", "listparticipants", "room", 1, "after", page["next"].string()));
    CPPUNIT_ASSERT_EQUAL(size_t{700}, page["participants"].size() + rest["participants"].size());
    CPPUNIT_ASSERT(!rest["next"]);
    world.rooms->destroy(room);
  }
  void members_by_api_have_a_rate_too() {
    TextWorld world(R"({"general": {"message_rate": 1, "message_burst": 2}, "room-1": {}})");
    Client& al = world.joined_by_api("al");
    const char* words = R"({"request":"message","room":1,"text":"x"})";
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(al.ask(words)));
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(al.ask(words)));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(al.ask(R"({"request":"list"})")));
  }
  void names_are_bounded() {
    TextWorld world;
    Client& al = world.client();
    CPPUNIT_ASSERT_EQUAL(
        int64_t{414}, error_of(al.ask(Json::object("request", "join", "room", 1, "username", std::string(257, 'x')))));
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, error_of(al.ask(Json::object("request", "join", "room", 1, "username", "x",
                                                                    "display", std::string(1025, 'x')))));
  }
  void random_acts_leave_no_ghosts() {
    TextWorld world(R"({"general": {"message_rate": 0, "max_backlog": 65536}, "room-1": {"history": 3,
        "zones": [{"name": "z", "x": 0, "y": 0, "radius": 3}]}, "room-2": {}})");
    uint64_t state = 42;
    auto below = [&](uint64_t n) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return (state >> 33) % n;
    };
    for (int i = 0; i < 8; ++i) i % 2 == 0 ? world.connected() : world.client();
    for (int i = 0; i < 4000; ++i) {
      Client& one = *world.clients[below(8)];
      const uint64_t room = 1 + below(3), name = below(6);
      Json body = Json::object("room", room, "username", text("n", name), "text", "x", "presence", below(2) == 0, "to",
                               below(4) == 0 ? std::optional(text("n", below(6))) : std::nullopt);
      body.set("state", Json::object("x", below(6), "y", 0));
      const char* verbs[] = {"join",     "join",  "join", "message", "message", "presence",
                             "presence", "leave", "kick", "destroy", "create",  "announcement"};
      const char* verb = verbs[below(12)];
      if (below(200) == 0) one.handle.data_full = !one.handle.data_full;
      if (below(300) == 0) {
        one.drop("gone");
      } else if (one.handle.up) {
        one.attachment->on_data({.payload = body.set("textroom", verb).set("transaction", "t").text()});
      } else if (below(10) == 0) {
        one.ask(R"({"request":"setup"})");
        one.ask(R"({"request":"ack"})", {}, one.answer());
        one.come_up();
      } else {
        body.set("request", verb);
        one.ask(std::move(body));
      }
      one.end_turn();
      if (one.handle.data_full == false) one.attachment->on_data_ready();
      world.services.advance(std::chrono::milliseconds(below(40)));
      one.handle.data.clear();
      one.forget_news();
    }
    world.clients.clear();
    for (const textroom::Room* room : world.rooms->all()) CPPUNIT_ASSERT(room->members().empty());
    world.services.advance(2s);
    CPPUNIT_ASSERT(world.services.timers.empty());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextBoundsTest);
