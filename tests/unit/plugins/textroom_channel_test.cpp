// The text room over data channels (textroom.md sections 2, 3 and 4).
#include <cstdlib>
#include <ctime>

#include "text_world.hpp"

using namespace cardea;
using namespace cardea::test;

class TextChannelTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TextChannelTest);
  CPPUNIT_TEST(a_joiner_gets_history_then_itself_then_the_answer);
  CPPUNIT_TEST(the_others_learn_who_comes_and_goes);
  CPPUNIT_TEST(a_message_comes_back_to_its_sender);
  CPPUNIT_TEST(a_message_without_ack_is_not_answered);
  CPPUNIT_TEST(whispers_reach_those_named);
  CPPUNIT_TEST(an_announcement_is_from_nobody);
  CPPUNIT_TEST(history_is_bounded);
  CPPUNIT_TEST(everybody_sees_a_kick);
  CPPUNIT_TEST(a_room_goes_with_a_word_to_all);
  CPPUNIT_TEST(one_client_can_be_in_many_rooms);
  CPPUNIT_TEST(a_lost_connection_leaves_all_rooms);
  CPPUNIT_TEST(wrong_requests_have_their_codes);
  CPPUNIT_TEST(what_is_no_json_is_dropped_silently);
  CPPUNIT_TEST(guarded_rooms_open_to_the_right_words);
  CPPUNIT_TEST(json_is_written_as_configured);
  CPPUNIT_TEST_SUITE_END();

public:
  void setUp() override {
    ::setenv("TZ", "CET-1", 1);
    ::tzset();
  }
  void tearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }

private:
  using W = TextWorld;
  static constexpr const char* joining =
      R"({"textroom":"join","transaction":"j1","room":1,"username":"al","display":"Al"})";

  static std::string say(const char* text) {
    return cardea::text(R"({"textroom":"message","transaction":"m","room":1,"text":")", text, "\"}");
  }

  void a_joiner_gets_history_then_itself_then_the_answer() {
    TextWorld world(R"({"room-1": {"history": 5}})");
    Client& bob = world.connected();
    W::write(bob, R"({"textroom":"join","transaction":"j","room":1,"username":"bob","display":"Bob"})");
    W::write(bob, say("hi"));
    Client& al = world.connected();
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"textroom":"message","room":1,"from":"bob","date":"2026-01-02T03:04:05+0100","text":"hi","display":"Bob"})"
            "\n"
            R"({"textroom":"join","room":1,"username":"al","display":"Al"})"
            "\n"
            R"({"textroom":"success","participants":[{"username":"bob","display":"Bob"}],"transaction":"j1"})"
            "\n"),
        W::ask(al, joining));
    Client& eve = world.connected();
    const std::string told =
        W::ask(eve, R"({"textroom":"join","transaction":"j","room":1,"username":"eve","history":false})");
    CPPUNIT_ASSERT(told.find("hi") == std::string::npos);
  }
  void the_others_learn_who_comes_and_goes() {
    TextWorld world;
    Client& bob = world.joined("bob");
    Client& al = world.connected();
    W::write(al, joining);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"join","room":1,"username":"al","display":"Al"})") + "\n",
                         W::read(bob));
    const std::string left = R"({"textroom":"leave","room":1,"username":"al"})";
    CPPUNIT_ASSERT_EQUAL(left + "\n" + R"({"textroom":"success","transaction":"l"})" + "\n",
                         W::ask(al, R"({"textroom":"leave","transaction":"l","room":1})"));
    CPPUNIT_ASSERT_EQUAL(left + "\n", W::read(bob));
    CPPUNIT_ASSERT_EQUAL(int64_t{422}, error_of(W::ask(al, R"({"textroom":"leave","transaction":"l","room":1})")));
  }
  void a_message_comes_back_to_its_sender() {
    TextWorld world;
    Client& al = world.joined("al");
    Client& bob = world.joined("bob");
    world.forget();
    const std::string event =
        R"({"textroom":"message","room":1,"from":"al","date":"2026-01-02T03:04:05+0100","text":"hi"})";
    CPPUNIT_ASSERT_EQUAL(event + "\n" + R"({"textroom":"success","transaction":"m"})" + "\n", W::ask(al, say("hi")));
    CPPUNIT_ASSERT_EQUAL(event + "\n", W::read(bob));
  }
  void a_message_without_ack_is_not_answered() {
    TextWorld world;
    Client& al = world.joined("al");
    const std::string told = W::ask(al, R"({"textroom":"message","transaction":"m","room":1,"text":"x","ack":false})");
    CPPUNIT_ASSERT(told.find("success") == std::string::npos && told.find("\"x\"") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(
        int64_t{417},
        error_of(W::ask(al, R"({"textroom":"message","transaction":"m","room":9,"text":"x","ack":false})")));
  }
  void whispers_reach_those_named() {
    TextWorld world(R"({"room-1": {"history": 5}})");
    Client& al = world.joined("al");
    Client& bob = world.joined("bob");
    Client& eve = world.joined("eve");
    world.forget();
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"textroom":"success","sent":{"bob":true,"zoe":false},"transaction":"m"})") + "\n",
        W::ask(al, R"({"textroom":"message","transaction":"m","room":1,"text":"x","tos":["bob","zoe","bob"]})"));
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"textroom":"message","room":1,"from":"al","date":"2026-01-02T03:04:05+0100","text":"x","whisper":true})") +
            "\n",
        W::read(bob));
    CPPUNIT_ASSERT_EQUAL(std::string(), W::read(eve));
    CPPUNIT_ASSERT(W::ask(al, R"({"textroom":"message","transaction":"m","room":1,"text":"x","to":"eve"})")
                       .find(R"("sent":{"eve":true})") != std::string::npos);
    // No whisper is kept.
    CPPUNIT_ASSERT(W::ask(world.connected(), joining).find("whisper") == std::string::npos);
  }
  void an_announcement_is_from_nobody() {
    TextWorld world(R"({"room-1": {"history": 5, "secret": "s", "post": "http://127.0.0.1:1/"}})");
    Client& al = world.joined("al");
    Client& boss = world.connected();
    const std::string event = R"({"textroom":"announcement","room":1,"date":"2026-01-02T03:04:05+0100","text":"Fire"})";
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"textroom":"success","transaction":"a"})") + "\n",
        W::ask(boss, R"({"textroom":"announcement","transaction":"a","room":1,"secret":"s","text":"Fire"})"));
    CPPUNIT_ASSERT_EQUAL(event + "\n", W::read(al));
    CPPUNIT_ASSERT(
        W::ask(boss, R"({"textroom":"join","transaction":"j","room":1,"username":"boss"})").starts_with(event));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.backend.posts.size());
    CPPUNIT_ASSERT_EQUAL(event, world.backend.posts[0].second);
    W::write(al, say("hi"));
    W::write(al, R"({"textroom":"message","transaction":"m","room":1,"text":"psst","to":"boss"})");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.backend.posts.size());
    CPPUNIT_ASSERT(world.backend.posts[1].second.find("display") == std::string::npos);
  }
  void history_is_bounded() {
    TextWorld world(R"({"room-1": {"history": 2}, "room-2": {"history": 10000}})");
    Client& al = world.joined("al");
    for (const char* word : {"one", "two", "three"}) W::write(al, say(word));
    const std::string told =
        W::ask(world.connected(), R"({"textroom":"join","transaction":"j","room":1,"username":"b"})");
    CPPUNIT_ASSERT(told.find("one") == std::string::npos && told.find("two") < told.find("three"));
    textroom::Room& room = *world.rooms->find(PublicId(2));
    for (int i = 0; i < 100; ++i) room.announce(std::string(50'000, 'x'));
    const std::string long_tale =
        W::ask(world.connected(), R"({"textroom":"join","transaction":"j","room":2,"username":"b"})");
    CPPUNIT_ASSERT(long_tale.size() > 900'000 && long_tale.size() < 1'100'000);
  }
  void everybody_sees_a_kick() {
    TextWorld world(R"({"room-1": {"secret": "s"}})");
    Client& al = world.joined("al");
    Client& bob = world.joined("bob");
    world.forget();
    const std::string kicked = R"({"textroom":"kicked","room":1,"username":"bob"})";
    CPPUNIT_ASSERT_EQUAL(kicked + "\n" + R"({"textroom":"success","transaction":"k"})" + "\n",
                         W::ask(al, R"({"textroom":"kick","transaction":"k","room":1,"secret":"s","username":"bob"})"));
    CPPUNIT_ASSERT_EQUAL(kicked + "\n", W::read(bob));
    CPPUNIT_ASSERT_EQUAL(
        int64_t{423},
        error_of(W::ask(al, R"({"textroom":"kick","transaction":"k","room":1,"secret":"s","username":"bob"})")));
    CPPUNIT_ASSERT(W::ask(bob, R"({"textroom":"join","transaction":"j","room":1,"username":"bob"})").find("success") !=
                   std::string::npos);
  }
  void a_room_goes_with_a_word_to_all() {
    TextWorld world;
    Client& al = world.joined("al");
    Client& bob = world.joined("bob");
    Client& boss = world.connected();
    world.forget();
    const std::string destroyed = R"({"textroom":"destroyed","room":1})";
    const std::string answer = R"({"textroom":"success","room":1,"permanent":false,"transaction":"d"})";
    CPPUNIT_ASSERT_EQUAL(destroyed + "\n" + answer + "\n",
                         W::ask(boss, R"({"textroom":"destroy","transaction":"d","room":1})"));
    CPPUNIT_ASSERT_EQUAL(destroyed + "\n", W::read(bob));
    // In the room, one hears it twice.
    W::write(al, R"({"textroom":"create","transaction":"c","room":1})");
    W::write(al, R"({"textroom":"join","transaction":"j","room":1,"username":"al"})");
    CPPUNIT_ASSERT_EQUAL(destroyed + "\n" + destroyed + "\n" + answer + "\n",
                         W::ask(al, R"({"textroom":"destroy","transaction":"d","room":1})"));
    CPPUNIT_ASSERT_EQUAL(int64_t{417}, error_of(W::ask(al, say("hello?"))));
  }
  void one_client_can_be_in_many_rooms() {
    TextWorld world(R"({"room-1": {}, "room-2": {}})");
    Client& al = world.joined("al");
    Client& bob = world.joined("bob", 2);
    W::write(al, R"({"textroom":"join","transaction":"j","room":2,"username":"alice"})");
    W::read(bob);
    W::write(al, R"({"textroom":"message","transaction":"m","room":2,"text":"x"})");
    CPPUNIT_ASSERT(W::read(bob).find(R"("from":"alice")") != std::string::npos);
  }
  void a_lost_connection_leaves_all_rooms() {
    TextWorld world;
    Client& bob = world.joined("bob");
    Client& al = world.joined("al");
    world.forget();
    al.drop("ICE failed");
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"leave","room":1,"username":"al"})") + "\n", W::read(bob));
    Client& eve = world.joined("eve");
    world.forget();
    eve.detach();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"leave","room":1,"username":"eve"})") + "\n", W::read(bob));
  }
  void wrong_requests_have_their_codes() {
    TextWorld world(R"({"general": {"admin_key": "key"}, "room-1": {}, "room-2": {"secret": "s"}})");
    Client& al = world.joined("al");
    world.joined("bob");
    struct Row {
      const char* request;
      int code;
    };
    constexpr Row rows[] = {
        {R"({})", 413},
        {R"([])", 413},
        {R"({"textroom":"list"})", 413},
        {R"({"transaction":"t"})", 413},
        {R"({"textroom":1,"transaction":"t"})", 414},
        {R"({"textroom":"list","transaction":1})", 414},
        {R"({"textroom":"fly","transaction":"t"})", 415},
        {R"({"textroom":"setup","transaction":"t"})", 415},
        {R"({"textroom":"exists","transaction":"t"})", 413},
        {R"({"textroom":"exists","transaction":"t","room":"1"})", 414},
        {R"({"textroom":"exists","transaction":"t","room":-1})", 414},
        {R"({"textroom":"listparticipants","transaction":"t","room":9})", 417},
        {R"({"textroom":"join","transaction":"t","room":1})", 413},
        {R"({"textroom":"join","transaction":"t","room":9,"username":"x"})", 417},
        {R"({"textroom":"join","transaction":"t","room":1,"username":5})", 414},
        {R"({"textroom":"join","transaction":"t","room":1,"username":"bob"})", 421},
        {R"({"textroom":"join","transaction":"t","room":2,"username":"x","history":1})", 414},
        {R"({"textroom":"leave","transaction":"t","room":2})", 422},
        {R"({"textroom":"leave","transaction":"t","room":9})", 417},
        {R"({"textroom":"message","transaction":"t","room":1})", 413},
        {R"({"textroom":"message","transaction":"t","room":1,"text":{}})", 414},
        {R"({"textroom":"message","transaction":"t","room":2,"text":"x"})", 422},
        {R"({"textroom":"message","transaction":"t","room":1,"text":"x","to":"a","tos":["b"]})", 414},
        {R"({"textroom":"message","transaction":"t","room":1,"text":"x","tos":[1]})", 414},
        {R"({"textroom":"create","transaction":"t","room":5})", 413},
        {R"({"textroom":"create","transaction":"t","room":5,"admin_key":"x"})", 419},
        {R"({"textroom":"create","transaction":"t","room":1,"admin_key":"key"})", 418},
        {R"({"textroom":"create","transaction":"t","room":5,"admin_key":"key","history":10001})", 414},
        {R"({"textroom":"create","transaction":"t","room":5,"admin_key":"key","post":"file:///etc/passwd"})", 419},
        {R"({"textroom":"create","transaction":"t","room":5,"admin_key":"key","permanent":true})", 499},
        {R"({"textroom":"list","transaction":"t","admin_key":"x"})", 419},
        {R"({"textroom":"edit","transaction":"t","room":2})", 413},
        {R"({"textroom":"edit","transaction":"t","room":2,"secret":"x"})", 419},
        {R"({"textroom":"edit","transaction":"t","room":1,"new_zones":[{"name":"a","x":0,"y":0}]})", 414},
        {R"({"textroom":"destroy","transaction":"t","room":2,"secret":"x"})", 419},
        {R"({"textroom":"allowed","transaction":"t","room":1,"action":"add"})", 413},
        {R"({"textroom":"allowed","transaction":"t","room":1,"action":"fly"})", 414},
        {R"({"textroom":"kick","transaction":"t","room":1,"username":"zoe"})", 423},
        {R"({"textroom":"announcement","transaction":"t","room":2,"text":"x"})", 413},
    };
    for (const Row& row : rows) {
      const std::string told = W::ask(al, row.request);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(row.request) + " -> " + told, int64_t{row.code}, error_of(told));
      CPPUNIT_ASSERT(told.starts_with(R"({"textroom":"error")"));
      // Only what has both mandatory members has its transaction in the answer.
      const auto sent = *Json::parse(row.request);
      const bool proper = sent["textroom"].is_string() && sent["transaction"].is_string();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(row.request, proper, told.find(R"("transaction":"t")") != std::string::npos);
    }
    CPPUNIT_ASSERT_EQUAL(
        int64_t{420},
        error_of(W::ask(world.connected(), R"({"textroom":"join","transaction":"t","room":1,"username":"bob"})")));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.rooms->all().size());
  }
  void what_is_no_json_is_dropped_silently() {
    TextWorld world;
    Client& al = world.joined("al");
    for (const char* junk : {"", "{", "hello", "42", "\"x\"", "{\"a\":1}}", "\xff\xfe"})
      CPPUNIT_ASSERT_EQUAL(std::string(), W::ask(al, junk));
    al.attachment->on_data({.binary = true, .payload = joining});
    CPPUNIT_ASSERT_EQUAL(std::string(), W::read(al));
    CPPUNIT_ASSERT_EQUAL(int64_t{7}, al.attachment->describe()["malformed"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, al.attachment->describe()["binary"].integer());
  }
  void guarded_rooms_open_to_the_right_words() {
    TextWorld world(R"({"room-1": {"pin": "p", "allowed": ["gold"]}})");
    Client& al = world.connected();
    auto join = [&](const char* more) {
      const std::string told =
          W::ask(al, text(R"({"textroom":"join","transaction":"j","room":1,"username":"al")", more, "}"));
      return error_of(told);
    };
    CPPUNIT_ASSERT_EQUAL(int64_t{413}, join(""));
    CPPUNIT_ASSERT_EQUAL(int64_t{419}, join(R"(,"pin":"x")"));
    CPPUNIT_ASSERT_EQUAL(int64_t{419}, join(R"(,"pin":"p")"));
    CPPUNIT_ASSERT_EQUAL(int64_t{419}, join(R"(,"pin":"p","token":"x")"));
    auto allowed = [&](const char* more) {
      return W::ask(al, text(R"({"textroom":"allowed","transaction":"a","room":1,"action":)", more, "}"));
    };
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success","room":1,"allowed":["gold","x"],"transaction":"a"})") +
                             "\n",
                         allowed(R"("add","allowed":["x"])"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success","room":1,"allowed":["x"],"transaction":"a"})") + "\n",
                         allowed(R"("remove","allowed":["gold"])"));
    CPPUNIT_ASSERT_EQUAL(int64_t{-1}, join(R"(,"pin":"p","token":"x")"));  // two lines: an event and the answer
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success","room":1,"transaction":"a"})") + "\n",
                         allowed(R"("disable")"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success","room":1,"allowed":["x"],"transaction":"a"})") + "\n",
                         allowed(R"("enable")"));
  }
  void json_is_written_as_configured() {
    const auto leave = [](const char* style) {
      TextWorld world(
          text(R"({"general": {"json": ")", style, R"("}, "room-1": {"post": "http://127.0.0.1:1/"}})").c_str());
      Client& al = world.joined("al");
      W::write(al, R"({"textroom":"announcement","transaction":"a","room":1,"text":"x"})");
      CPPUNIT_ASSERT(
          world.backend.posts.at(0).second.starts_with(std::string_view(style) == "indented" ? "{\n   " : "{\""));
      W::read(al);
      return W::ask(al, R"({"textroom":"leave","transaction":"l","room":1})");
    };
    CPPUNIT_ASSERT(leave("compact").ends_with(R"({"textroom":"success","transaction":"l"})"
                                              "\n"));
    CPPUNIT_ASSERT(leave("plain").ends_with(R"({"textroom": "success", "transaction": "l"})"
                                            "\n"));
    CPPUNIT_ASSERT(leave("indented").ends_with("{\n   \"textroom\": \"success\",\n   \"transaction\": \"l\"\n}\n"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextChannelTest);
