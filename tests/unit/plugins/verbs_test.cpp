// Who may ask what, and what wrong requests are answered (videoroom.md sections 1 and 8).
#include "room_world.hpp"

using namespace cardea;
using namespace cardea::test;

class VerbsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VerbsTest);
  CPPUNIT_TEST(every_role_has_its_verbs);
  CPPUNIT_TEST(wrong_fields_have_their_codes);
  CPPUNIT_TEST(unknown_requests_are_answered_at_once);
  CPPUNIT_TEST(requests_about_rooms_are_for_every_role);
  CPPUNIT_TEST(verbs_are_read_in_any_case);
  CPPUNIT_TEST(handles_describe_themselves);
  CPPUNIT_TEST(slow_links_are_told);
  CPPUNIT_TEST_SUITE_END();

  static std::string request(const char* verb, const char* more = "") {
    return std::string(R"({"request":")") + verb + "\"" + (*more != 0 ? "," : "") + more + "}";
  }

  void every_role_has_its_verbs() {
    struct Row {
      const char* verb;
      int nobody, publisher, gone, subscriber;
    };
    // 0: admitted (whatever comes of it)
    constexpr Row table[] = {
        {"join", 0, 425, 425, 425},      {"joinandconfigure", 0, 425, 425, 425},
        {"publish", 424, 0, 426, 423},   {"unpublish", 424, 0, 426, 423},
        {"configure", 424, 0, 426, 0},   {"leave", 424, 0, 426, 0},
        {"start", 424, 423, 426, 0},     {"pause", 424, 423, 426, 0},
        {"subscribe", 424, 423, 426, 0}, {"unsubscribe", 424, 423, 426, 0},
        {"update", 424, 423, 426, 0},    {"switch", 424, 423, 426, 0},
    };
    for (const Row& row : table) {
      World world;
      world.publishing(7);
      Client& nobody = world.client();
      Client& publisher = world.publishing(8);
      Client& gone = world.joined(9);
      gone.ask(R"({"request":"leave"})");
      Client& subscriber = world.watching(R"([{"feed":7}])");
      auto check = [&](const char* role, Client& who, int wanted) {
        Json reply = who.ask(request(row.verb).c_str());
        const int64_t code = error_of(reply);
        const std::string what = std::string(role) + " " + row.verb + ": " + reply.text();
        CPPUNIT_ASSERT_MESSAGE(what, who.asynchronous);
        if (wanted != 0)
          CPPUNIT_ASSERT_EQUAL_MESSAGE(what, int64_t{wanted}, code);
        else
          CPPUNIT_ASSERT_MESSAGE(what, code < 423 || code > 426);
      };
      check("nobody", nobody, row.nobody);
      check("publisher", publisher, row.publisher);
      check("gone", gone, row.gone);
      check("subscriber", subscriber, row.subscriber);
    }
  }

  void wrong_fields_have_their_codes() {
    struct Row {
      const char* verb;
      const char* fields;
      int code;
    };
    constexpr Row rooms[] = {
        {"create", R"("room":"a")", 430},
        {"create", R"("permanent":1)", 430},
        {"create", R"("pin":7)", 430},
        {"edit", "", 429},
        {"edit", R"("room":9)", 426},
        {"edit", R"("room":1,"new_publishers":"3")", 430},
        {"edit", R"("room":1,"new_bitrate":-1)", 430},
        {"destroy", "", 429},
        {"destroy", R"("room":[])", 430},
        {"exists", "", 429},
        {"exists", R"("room":null)", 429},
        {"exists", R"("room":1.5)", 430},
        {"list", R"("admin_key":1)", 430},
        {"allowed", R"("room":1)", 429},
        {"allowed", R"("room":1,"action":1)", 430},
        {"allowed", R"("room":1,"action":"add","allowed":[1])", 430},
        {"allowed", R"("room":1,"action":"add","allowed":"a")", 430},
        {"allowed", R"("room":9,"action":"enable")", 426},
        {"kick", R"("room":1)", 429},
        {"kick", R"("room":1,"id":"x")", 430},
        {"kick", R"("room":9,"id":1)", 426},
        {"kick", R"("room":1,"id":99)", 428},
        {"moderate", R"("room":1,"id":7,"mid":"0")", 429},
        {"moderate", R"("room":1,"id":7,"mute":true)", 429},
        {"moderate", R"("room":1,"id":7,"mid":0,"mute":true)", 430},
        {"moderate", R"("room":1,"id":7,"mid":"0","mute":1)", 430},
        {"enable_recording", R"("room":1)", 429},
        {"enable_recording", R"("record":true)", 426},
        {"enable_recording", R"("room":1,"record":1)", 430},
        {"enable_recording", R"("room":1,"record":true)", 499},
        {"listparticipants", "", 429},
        {"listparticipants", R"("room":9)", 426},
    };
    constexpr Row nobody[] = {
        {"join", "", 429},
        {"join", R"("room":1)", 429},
        {"join", R"("room":"1","ptype":"publisher")", 430},
        {"join", R"("room":1,"ptype":"listener")", 430},
        {"join", R"("room":1,"ptype":1)", 430},
        {"join", R"("room":9,"ptype":"publisher")", 426},
        {"join", R"("room":1,"ptype":"publisher","id":"me")", 430},
        {"join", R"("room":1,"ptype":"publisher","id":7)", 436},
        {"join", R"("room":1,"ptype":"publisher","display":1)", 430},
        {"join", R"("room":1,"ptype":"publisher","metadata":"x")", 430},
        {"join", R"("room":1,"ptype":"publisher","audio_level_average":500)", 430},
        {"join", R"("room":1,"ptype":"subscriber")", 429},
        {"join", R"("room":1,"ptype":"subscriber","feed":99)", 428},
        {"join", R"("room":1,"ptype":"subscriber","feed":7,"private_id":"x")", 430},
        {"join", R"("room":1,"ptype":"subscriber","feed":7,"autoupdate":1)", 430},
        {"joinandconfigure", R"("room":1,"ptype":"publisher","bitrate":"x")", 430},
        {"joinandconfigure", R"("room":1,"ptype":"publisher","record":true)", 499},
    };
    constexpr Row publisher[] = {
        {"configure", R"("bitrate":-5)", 430},
        {"configure", R"("bitrate":"x")", 430},
        {"configure", R"("audio":1)", 430},
        {"configure", R"("display":false)", 430},
        {"configure", R"("metadata":[])", 430},
        {"configure", R"("streams":{})", 430},
        {"configure", R"("streams":[{"mid":1}])", 430},
        {"configure", R"("streams":[{"mid":"9","send":true}])", 428},
        {"configure", R"("mid":"9","send":true)", 428},
        {"configure", R"("descriptions":[{"mid":"0"}])", 429},
        {"configure", R"("max_delay":5000)", 430},
        {"configure", R"("record":true)", 499},
        {"publish", R"("audiocodec":1)", 430},
        {"publish", "", 434},
    };
    constexpr Row subscriber[] = {
        {"configure", R"("substream":-1)", 430},
        {"configure", R"("temporal":3)", 430},
        {"configure", R"("spatial_layer":3)", 430},
        {"configure", R"("mid":"77")", 428},
        {"configure", R"("restart":1)", 430},
        {"configure", R"("streams":[{"mid":"0","temporal_layer":9}])", 430},
        {"subscribe", "", 429},
        {"subscribe", R"("streams":[])", 430},
        {"subscribe", R"("streams":[{"feed":99}])", 428},
        {"subscribe", R"("streams":[{"feed":7,"mid":"99"}])", 428},
        {"subscribe", R"("streams":[{}])", 429},
        {"unsubscribe", "", 429},
        {"unsubscribe", R"("streams":[])", 430},
        {"unsubscribe", R"("streams":[{"sub_mid":1}])", 430},
        {"update", "", 429},
        {"update", R"("subscribe":1)", 430},
        {"switch", "", 429},
        {"switch", R"("streams":[{"feed":7,"mid":"0"}])", 429},
        {"switch", R"("streams":[{"feed":99,"mid":"0","sub_mid":"0"}])", 428},
        {"switch", R"("feed":99)", 428},
    };
    World world;
    Client& seven = world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    auto check = [](Client& who, const Row& row) {
      Json reply = who.ask(request(row.verb, row.fields).c_str());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(request(row.verb, row.fields) + " -> " + reply.text(), int64_t{row.code},
                                   error_of(reply));
      CPPUNIT_ASSERT_EQUAL(std::string("event"), std::string(reply["videoroom"].string()));
      CPPUNIT_ASSERT(!reply["error"].string().empty());
    };
    for (const Row& row : rooms) check(world.client(), row);
    for (const Row& row : nobody) check(world.client(), row);
    for (const Row& row : publisher) check(seven, row);
    for (const Row& row : subscriber) check(watcher, row);
    // Nothing of it did anything.
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.routes.size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.rooms->find(PublicId(1))->people().size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.rooms->all().size());
  }

  void unknown_requests_are_answered_at_once() {
    World world;
    Client& one = world.client();
    for (auto [body, code] : {std::pair(R"({"request":"fly"})", 423), std::pair(R"({"request":"list_remotes"})", 423),
                              std::pair(R"({})", 429), std::pair(R"({"request":null})", 429),
                              std::pair(R"({"request":5})", 430), std::pair(R"({"request":""})", 423)}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{code}, error_of(one.ask(body)));
      CPPUNIT_ASSERT(!one.asynchronous);
    }
  }
  void requests_about_rooms_are_for_every_role() {
    World world;
    Client& seven = world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    for (Client* who : {&seven, &watcher}) {
      CPPUNIT_ASSERT_EQUAL(true, who->ask(R"({"request":"exists","room":1})")["exists"].boolean());
      CPPUNIT_ASSERT(!who->asynchronous);
    }
  }
  void verbs_are_read_in_any_case() {
    World world;
    CPPUNIT_ASSERT_EQUAL(true, world.client().ask(R"({"request":"ExIsTs","room":1})")["exists"].boolean());
  }
  void handles_describe_themselves() {
    World world;
    Client& seven = world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    Json about = seven.attachment->describe();
    CPPUNIT_ASSERT_EQUAL(std::string("publisher"), std::string(about["type"].string()));
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, about["streams"][size_t{1}]["subscribers"].integer());
    about = watcher.attachment->describe();
    CPPUNIT_ASSERT_EQUAL(true, about["answered"].boolean());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, about["streams"].size());
    CPPUNIT_ASSERT(about["hangingup"] && about["destroyed"]);
    CPPUNIT_ASSERT_EQUAL(std::string("none"), std::string(world.client().attachment->describe()["type"].string()));
  }
  void slow_links_are_told() {
    World world(R"({"room-1": {"bitrate": 128000}})");
    Client& seven = world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    seven.attachment->on_slow_link({.mid = "1", .kind = MediaKind::video, .uplink = false});
    watcher.attachment->on_slow_link({.mid = "1", .kind = MediaKind::video, .uplink = true});
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"slow_link","current-bitrate":128000})") + "\n", seven.told());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"slow_link"})") + "\n", watcher.told());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VerbsTest);
