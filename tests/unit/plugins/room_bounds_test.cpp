// What clients may not do to a video room and to each other: bounds, guarded rooms, guesses, saving.
#include "room_world.hpp"
#include "unit/temporary_folder.hpp"

using namespace cardea;
using namespace cardea::test;

class RoomBoundsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RoomBoundsTest);
  CPPUNIT_TEST(rooms_are_bounded_in_all_and_by_session);
  CPPUNIT_TEST(permanent_rooms_need_the_key);
  CPPUNIT_TEST(rooms_of_the_configuration_need_a_secret);
  CPPUNIT_TEST(saving_is_batched);
  CPPUNIT_TEST(a_failed_save_is_told_and_repeated);
  CPPUNIT_TEST(texts_and_objects_are_bounded);
  CPPUNIT_TEST(lists_come_in_pages);
  CPPUNIT_TEST(a_class_of_two_hundred_fits_an_answer);
  CPPUNIT_TEST(one_session_cannot_flood_the_others);
  CPPUNIT_TEST(talking_is_told_at_a_bounded_rate);
  CPPUNIT_TEST(guessing_is_reported_and_stopped);
  CPPUNIT_TEST(a_second_kick_is_a_success);
  CPPUNIT_TEST(subscribers_are_offered_the_publishers_extensions);
  CPPUNIT_TEST_SUITE_END();

  static std::string create(int room, const std::string& more = "") {
    return text(R"({"request":"create","room":)", room, more, "}");
  }

  void rooms_are_bounded_in_all_and_by_session() {
    World world(R"({"general": {"demo_room": false, "max_rooms": 5, "max_session_rooms": 3}})");
    Client& one = world.client();
    Client& other = world.client();
    other.handle.session = 2;
    for (int i = 1; i <= 3; ++i) CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(create(i).c_str())));
    CPPUNIT_ASSERT_EQUAL(int64_t{440}, error_of(one.ask(create(4).c_str())));
    one.ask(R"({"request":"destroy","room":1})");
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(create(4).c_str())));
    for (int i = 5; i <= 6; ++i) CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(other.ask(create(i).c_str())));
    CPPUNIT_ASSERT_EQUAL(int64_t{440}, error_of(other.ask(create(7).c_str())));
    CPPUNIT_ASSERT_EQUAL(int64_t{2}, world.rooms->describe()["too_many_rooms"].integer());
  }
  void permanent_rooms_need_the_key() {
    const TemporaryFolder folder;
    World open("{}", folder.path());
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(open.client().ask(create(9, R"(,"permanent":true)").c_str())));
    CPPUNIT_ASSERT(open.rooms->find(PublicId(9)) == nullptr);
    World world(R"({"general": {"admin_key": "key"}})", folder.path());
    Client& one = world.client();
    one.ask(create(8, R"(,"admin_key":"key","secret":"s")").c_str());
    auto edit = [&](const char* more) {
      return error_of(one.ask(text(R"({"request":"edit","room":8,"secret":"s","permanent":true)", more, "}").c_str()));
    };
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, edit(""));
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, edit(R"(,"admin_key":"no")"));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, edit(R"(,"admin_key":"key")"));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, edit(""));  // it is kept already, and the secret was known
  }
  void rooms_of_the_configuration_need_a_secret() {
    World world(R"({"room-1": {}, "room-2": {"secret": "s"}})", {}, true);
    Client& one = world.client();
    for (const char* request : {R"("edit","new_pin":"p")", R"("destroy")", R"("allowed","action":"enable")"}) {
      auto ask = [&](const char* more) { return error_of(one.ask(text("{\"request\":", request, more, "}").c_str())); };
      CPPUNIT_ASSERT_EQUAL_MESSAGE(request, int64_t{433}, ask(R"(,"room":1)"));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(request, int64_t{433}, ask(R"(,"room":1,"secret":"")"));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(request, int64_t{429}, ask(R"(,"room":2)"));
    }
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(R"({"request":"destroy","room":2,"secret":"s"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(R"({"request":"join","room":1,"ptype":"publisher"})")));
    // One that a client makes under that id is its own.
    one.ask(create(2).c_str());
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(R"({"request":"destroy","room":2})")));
  }
  void saving_is_batched() {
    const TemporaryFolder folder;
    World world(R"({"general": {"permanent_without_key": true}})", folder.path());
    Client& one = world.client();
    for (int i = 1; i <= 100; ++i)
      CPPUNIT_ASSERT(one.ask(create(i, R"(,"permanent":true)").c_str())["permanent"].boolean());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.services.saves);  // nothing in the turns of the requests
    world.services.advance(1s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.saves);
    CPPUNIT_ASSERT_EQUAL(size_t{100}, (*Json::parse(world.services.files["rooms.json"]))["rooms"].size());
    world.services.advance(60s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.saves);
    one.ask(R"({"request":"destroy","room":1,"permanent":true})");
    world.rooms->stop();  // what waits is written
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.saves);
  }
  void a_failed_save_is_told_and_repeated() {
    const TemporaryFolder folder;
    World world(R"({"general": {"permanent_without_key": true}})", folder.path());
    Client& one = world.client();
    world.services.save_fails = true;
    CPPUNIT_ASSERT(one.ask(create(5, R"(,"permanent":true)").c_str())["permanent"].boolean());
    world.services.advance(2s);
    CPPUNIT_ASSERT(!one.ask(create(6, R"(,"permanent":true)").c_str())["permanent"].boolean());
    world.services.save_fails = false;
    world.services.advance(15s);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, (*Json::parse(world.services.files["rooms.json"]))["rooms"].size());
    CPPUNIT_ASSERT(one.ask(create(7, R"(,"permanent":true)").c_str())["permanent"].boolean());
  }
  void texts_and_objects_are_bounded() {
    World world;
    Client& one = world.client();
    const std::string large(3000, 'x');
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(one.ask(create(5, R"(,"description":")" + large + "\"").c_str())));
    auto join = [&](Json more) {
      Json body = Json::object("request", "join", "room", 1, "ptype", "publisher");
      more.each_member(
          [&](std::string_view key, JsonView value) { body.set(std::string(key).c_str(), Json::copy(value)); });
      return one.ask(std::move(body));
    };
    const Json refused = join(Json::object("display", large));
    CPPUNIT_ASSERT_EQUAL(std::string("Invalid element (display should have at most 2048 bytes)"),
                         std::string(refused["error"].string()));
    CPPUNIT_ASSERT_EQUAL(int64_t{430},
                         error_of(join(Json::object("metadata", Json::object("a", std::string(17000, 'x'))))));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(join(Json::object("display", std::string(2000, 'x')))));
    Offer offer = camera();
    offer.sections[0].mid = std::string(65, 'm');
    CPPUNIT_ASSERT_EQUAL(int64_t{437}, error_of(one.ask(R"({"request":"publish"})", offer)));
    std::string tokens;
    for (int i = 0; i < 50; ++i) tokens += text(i == 0 ? "" : ",", "\"", std::string(2000, 'a'), i, "\"");
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(one.ask(create(6, R"(,"allowed":[)" + tokens + "]").c_str())));
    tokens = "\"x\"";
    for (int i = 0; i < 1000; ++i) tokens += ",\"x\"";
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(one.ask(create(6, R"(,"allowed":[)" + tokens + "]").c_str())));
  }
  void lists_come_in_pages() {
    World world(R"({"general": {"demo_room": false}})");
    for (int i = 1; i <= 600; ++i) {
      videoroom::RoomSettings settings;
      settings.description = std::string(2000, 'd');
      CPPUNIT_ASSERT(world.rooms->create(PublicId(static_cast<uint64_t>(i)), settings, nullptr));
    }
    size_t seen = 0, pages = 0;
    Json body = Json::object("request", "list");
    for (;;) {
      const Json page = world.client().ask(body.copy());
      CPPUNIT_ASSERT(page.text().size() < 600'000);
      seen += page["list"].size();
      ++pages;
      if (!page["next"]) break;
      body.set("after", Json::copy(page["next"]));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{600}, seen);
    CPPUNIT_ASSERT(pages > 1 && pages < 10);
  }
  void a_class_of_two_hundred_fits_an_answer() {
    World world(R"({"room-1": {"notify_joining": true}})");
    for (int i = 1; i <= 200; ++i) world.joined(i);
    Client& one = world.client();
    const Json all = one.ask(R"({"request":"listparticipants","room":1})");
    CPPUNIT_ASSERT(all["participants"].size() == 200 && !all["next"]);
    const Json joined = one.ask(R"({"request":"join","room":1,"ptype":"publisher"})");
    CPPUNIT_ASSERT_EQUAL(size_t{200}, joined["attendees"].size());
  }
  void one_session_cannot_flood_the_others() {
    World world;
    Client& one = world.joined(1);
    world.joined(2);
    int refused = 0;
    Json body = Json::object("request", "configure", "metadata", Json::object("a", std::string(16000, 'x')));
    for (int i = 0; i < 200; ++i) refused += error_of(one.ask(body.copy())) == 441;
    CPPUNIT_ASSERT(refused > 100);
    world.services.advance(1s);
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(body.copy())));
    Client& other = world.client();  // another session is not held up
    other.handle.session = 2;
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(other.ask(R"({"request":"join","room":1,"ptype":"publisher"})")));
  }
  void talking_is_told_at_a_bounded_rate() {
    World world(R"({"room-1": {"audiolevel_event": true, "audio_active_packets": 1}})");
    Client& one = world.publishing(1);
    Client& other = world.joined(2);
    world.forget_news();
    const ReceiverId voice = *one.handle.receiver("0");
    for (int i = 0; i < 100; ++i) {
      one.attachment->on_talking(voice, i % 2 == 0, 20);
      world.services.advance(10ms);
    }
    world.services.advance(1s);
    world.settle();
    const size_t told = other.news.size();
    CPPUNIT_ASSERT_MESSAGE(std::to_string(told), told >= 1 && told <= 6);
    // The last thing told is how it is.
    CPPUNIT_ASSERT_EQUAL(std::string("stopped-talking"), std::string(other.news.back()["videoroom"].string()));
  }
  void guessing_is_reported_and_stopped() {
    World world(R"({"room-1": {"pin": "p", "secret": "s", "allowed": ["t"]}})");
    Client& one = world.client();
    one.handle.guesses_left = 3;
    auto join = [&](const char* pin, const char* token) {
      return error_of(
          one.ask(Json::object("request", "join", "room", 1, "ptype", "publisher", "pin", pin, "token", token)));
    };
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, join("x", "t"));
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, join("p", "x"));
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(one.ask(R"({"request":"destroy","room":1,"secret":"x"})")));
    CPPUNIT_ASSERT_EQUAL(0, one.handle.guesses_left);
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, join("p", "t"));  // right, but not heard any more
    one.handle.guesses_left = 1;
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, join("p", "t"));
  }
  void a_second_kick_is_a_success() {
    World world;
    world.joined(7);
    Client& boss = world.client();
    const char* kick = R"({"request":"kick","room":1,"id":7})";
    for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"success"})"), boss.ask(kick).text());
    CPPUNIT_ASSERT_EQUAL(int64_t{428}, error_of(boss.ask(R"({"request":"kick","room":1,"id":8})")));
  }
  void subscribers_are_offered_the_publishers_extensions() {
    World world;
    Offer offer = camera();
    offer.sections[1].extensions.add(Extension::abs_capture_time);
    offer.sections[0].extensions.remove(Extension::abs_send_time);
    world.publishing(7, offer);
    Client& one = world.watching(R"([{"feed":7}])");
    const auto& sections = one.offer().sections;
    for (Extension extension : {Extension::transport_cc, Extension::abs_send_time, Extension::abs_capture_time})
      CPPUNIT_ASSERT(sections[1].extensions.has(extension));
    CPPUNIT_ASSERT(sections[0].extensions.has(Extension::transport_cc));
    CPPUNIT_ASSERT(!sections[0].extensions.has(Extension::abs_send_time));
    CPPUNIT_ASSERT(!sections[0].extensions.has(Extension::abs_capture_time));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RoomBoundsTest);
