// The text room with the API: the peer connection, requests about rooms, members without a peer connection, what lasts.
#include "text_world.hpp"
#include "unit/temporary_folder.hpp"
#include "verbs.hpp"

using namespace cardea;
using namespace cardea::test;

class TextApiTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TextApiTest);
  CPPUNIT_TEST(setup_offers_a_data_channel);
  CPPUNIT_TEST(a_second_setup_is_refused_until_the_first_is_over);
  CPPUNIT_TEST(a_restart_offers_again);
  CPPUNIT_TEST(requests_about_rooms_are_answered_at_once);
  CPPUNIT_TEST(errors_are_worded_for_the_api);
  CPPUNIT_TEST(a_textroom_member_is_the_verb);
  CPPUNIT_TEST(a_member_needs_no_peer_connection);
  CPPUNIT_TEST(channel_and_api_members_meet);
  CPPUNIT_TEST(a_member_by_api_stays_when_its_connection_goes);
  CPPUNIT_TEST(private_rooms_are_listed_for_the_admin_key);
  CPPUNIT_TEST(rooms_are_edited);
  CPPUNIT_TEST(string_ids_are_strings);
  CPPUNIT_TEST(permanent_rooms_come_back);
  CPPUNIT_TEST(a_demo_room_is_there_when_none_is);
  CPPUNIT_TEST(wrong_settings_are_named);
  CPPUNIT_TEST(the_admin_api_manages_rooms);
  CPPUNIT_TEST(backends_can_be_left_to_the_configuration);
  CPPUNIT_TEST_SUITE_END();

  using W = TextWorld;

  void setup_offers_a_data_channel() {
    TextWorld world;
    Client& al = world.client();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"event","result":"ok"})"), al.ask(R"({"request":"setup"})").text());
    CPPUNIT_ASSERT(al.asynchronous && al.offered());
    CPPUNIT_ASSERT_EQUAL(std::string("Janus TextRoom plugin"), al.offer().name);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, al.offer().sections.size());
    CPPUNIT_ASSERT(al.offer().sections[0].kind == MediaKind::data && !al.offer().sections[0].codec);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"event","result":"ok"})"),
                         al.ask(R"({"request":"ack"})", {}, al.answer()).text());
    CPPUNIT_ASSERT(al.handle.channels.empty());  // the client opens it
  }
  void a_second_setup_is_refused_until_the_first_is_over() {
    TextWorld world;
    Client& al = world.connected();
    const Json refused = al.ask(R"({"request":"setup"})");
    CPPUNIT_ASSERT_EQUAL(int64_t{416}, error_of(refused));
    CPPUNIT_ASSERT(al.asynchronous && refused["textroom"].string() == "error");
    al.drop("gone");
    al.jsep = {};
    al.ask(R"({"request":"setup"})");
    CPPUNIT_ASSERT(al.offered());
  }
  void a_restart_offers_again() {
    TextWorld world;
    Client& al = world.connected();
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), std::string(al.ask(R"({"request":"restart"})")["result"].string()));
    CPPUNIT_ASSERT(al.offer().ice_restart);
    Client& bob = world.client();
    bob.ask(R"({"request":"restart"})");
    CPPUNIT_ASSERT(bob.offered() && !bob.offer().ice_restart);
  }
  void requests_about_rooms_are_answered_at_once() {
    TextWorld world;
    Client& al = world.client();
    world.joined("bob");
    auto check = [&](const char* answer, const char* request) {
      CPPUNIT_ASSERT_EQUAL(std::string(answer), al.ask(request).text());
      CPPUNIT_ASSERT(!al.asynchronous);
    };
    check(
        R"({"textroom":"success","list":[{"room":1,"description":"One","pin_required":false,"num_participants":1,"history":0}]})",
        R"({"request":"list"})");
    check(R"({"textroom":"success","room":1,"exists":true})", R"({"request":"exists","room":1})");
    check(R"({"textroom":"success","room":1,"participants":[{"username":"bob"}]})",
          R"({"request":"listparticipants","room":1})");
    check(R"({"textroom":"created","room":5,"permanent":false})", R"({"request":"create","room":5,"pin":"p"})");
    check(R"({"textroom":"edited","room":5,"permanent":false})", R"({"request":"edit","room":5})");
    check(R"({"textroom":"destroyed","room":5,"permanent":false})", R"({"request":"destroy","room":5})");
    check(R"({"textroom":"success"})", R"({"request":"announcement","room":1,"text":"x"})");
    check(R"({"textroom":"success"})", R"({"request":"KICK","room":1,"username":"bob"})");
    const Json made = al.ask(R"({"request":"create"})");
    CPPUNIT_ASSERT(made["room"].integer() > 0 && made["room"].integer() < int64_t{1} << 53);
  }
  void errors_are_worded_for_the_api() {
    TextWorld world;
    Client& al = world.client();
    for (auto [body, code, word] :
         {std::tuple(R"({"request":"fly"})", 415, "event"), std::tuple(R"({})", 413, "event"),
          std::tuple(R"({"request":7})", 414, "event"), std::tuple(R"({"request":"exists"})", 413, "error"),
          std::tuple(R"({"request":"kick","room":9,"username":"x"})", 417, "error")}) {
      const Json told = al.ask(body);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{code}, error_of(told));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, std::string(word), std::string(told["textroom"].string()));
      CPPUNIT_ASSERT(!al.asynchronous);
    }
  }
  void a_textroom_member_is_the_verb() {
    TextWorld world;
    CPPUNIT_ASSERT_EQUAL(true,
                         world.client().ask(R"({"request":"list","textroom":"exists","room":1})")["exists"].boolean());
  }
  void a_member_needs_no_peer_connection() {
    TextWorld world(R"({"room-1": {"history": 5}})");
    world.rooms->find(PublicId(1))->announce("early");
    Client& al = world.client();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success","participants":[]})"),
                         al.ask(R"({"request":"join","room":1,"username":"al"})").text());
    std::string news = W::news(al);
    CPPUNIT_ASSERT(news.find("early") < news.find(R"({"textroom":"join","room":1,"username":"al"})"));
    Client& bob = world.joined_by_api("bob");
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success"})"),
                         bob.ask(R"({"request":"message","room":1,"text":"hi","ack":false})").text());
    CPPUNIT_ASSERT(W::news(al).find(R"("from":"bob")") != std::string::npos);
    CPPUNIT_ASSERT(W::news(bob).find(R"("text":"hi")") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success","sent":{"al":true}})"),
                         bob.ask(R"({"request":"message","room":1,"text":"psst","to":"al"})").text());
    CPPUNIT_ASSERT(W::news(al).find(R"("whisper":true)") != std::string::npos);
    bob.ask(R"({"request":"leave","room":1})");
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"leave","room":1,"username":"bob"})") + "\n", W::news(al));
    CPPUNIT_ASSERT(al.handle.data.empty() && bob.handle.data.empty());
  }
  void channel_and_api_members_meet() {
    TextWorld world;
    Client& al = world.joined("al");
    Client& bob = world.joined_by_api("bob");
    W::write(al, R"({"textroom":"message","transaction":"m","room":1,"text":"to bob"})");
    CPPUNIT_ASSERT(W::news(bob).find("to bob") != std::string::npos);
    W::read(al);
    bob.ask(R"({"request":"message","room":1,"text":"to al"})");
    CPPUNIT_ASSERT(W::read(al).find("to al") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(), W::news(al));
    bob.detach();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"leave","room":1,"username":"bob"})") + "\n", W::read(al));
  }
  void a_member_by_api_stays_when_its_connection_goes() {
    TextWorld world(R"({"room-1": {}, "room-2": {}})");
    Client& al = world.joined("al", 2);
    al.ask(R"({"request":"join","room":1,"username":"al"})");
    al.drop("gone");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.rooms->find(PublicId(1))->members().size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.rooms->find(PublicId(2))->members().size());
  }
  void private_rooms_are_listed_for_the_admin_key() {
    TextWorld world(R"({"general": {"admin_key": "k"}, "room-1": {"is_private": true}})");
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.client().ask(R"({"request":"list"})")["list"].size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.client().ask(R"({"request":"list","admin_key":"k"})")["list"].size());
  }
  void rooms_are_edited() {
    TextWorld world;
    Client& al = world.client();
    al.ask(
        R"({"request":"edit","room":1,"new_description":"Two","new_secret":"s","new_pin":"p","new_is_private":true})");
    const auto& settings = world.rooms->find(PublicId(1))->settings();
    CPPUNIT_ASSERT(settings.description == "Two" && settings.pin == "p" && settings.is_private);
    CPPUNIT_ASSERT_EQUAL(int64_t{413}, error_of(al.ask(R"({"request":"edit","room":1})")));
    al.ask(R"({"request":"edit","room":1,"secret":"s","new_description":"","new_secret":""})");
    CPPUNIT_ASSERT(settings.description == "Two" && settings.secret == "s");
  }
  void string_ids_are_strings() {
    TextWorld world(R"({"general": {"string_ids": true}, "room-lobby": {}})");
    Client& al = world.client();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"textroom":"success","room":"lobby","exists":true})"),
                         al.ask(R"({"request":"exists","room":"lobby"})").text());
    CPPUNIT_ASSERT_EQUAL(int64_t{414}, error_of(al.ask(R"({"request":"exists","room":1})")));
    CPPUNIT_ASSERT_EQUAL(size_t{36}, al.ask(R"({"request":"create"})")["room"].string().size());
  }
  void permanent_rooms_come_back() {
    const TemporaryFolder folder;
    {
      TextWorld world(R"({"general": {"permanent_without_key": true}, "room-1": {}})", folder.path());
      Client& al = world.client();
      CPPUNIT_ASSERT(al.ask(R"({"request":"create","room":7,"secret":"s","permanent":true,"history":3,
                              "zones":[{"name":"stage","x":0,"y":0,"radius":2}]})")["permanent"]
                         .boolean());
      CPPUNIT_ASSERT(al.ask(R"({"request":"destroy","room":1,"permanent":true})")["permanent"].boolean());
    }
    {
      TextWorld world(R"({"general": {"permanent_without_key": true}, "room-1": {}})", folder.path());
      CPPUNIT_ASSERT(world.rooms->find(PublicId(1)) == nullptr);
      const auto& settings = world.rooms->find(PublicId(7))->settings();
      CPPUNIT_ASSERT(settings.secret == "s" && settings.history == 3 && settings.zones.size() == 1);
      CPPUNIT_ASSERT(settings.zones[0].radius == 2.0 && !settings.zones[0].width);
    }
  }
  void a_demo_room_is_there_when_none_is() {
    TextWorld world("{}");
    CPPUNIT_ASSERT(world.rooms->find(PublicId(1234)) != nullptr);
    TextWorld without(R"({"general": {"demo_room": false}})");
    CPPUNIT_ASSERT(without.rooms->all().empty());
  }
  void wrong_settings_are_named() {
    for (auto [config, path] :
         {std::pair(R"({"room-1": {"history": -7}})", "room-1.history"),
          std::pair(R"({"room-1": {"fly": 7}})", "room-1.fly"), std::pair(R"({"rooms": {}})", "rooms"),
          std::pair(R"({"room-1": {"post": "ftp://x"}})", "room-1.post"),
          std::pair(R"({"general": {"json": "tiny"}})", "general.json"),
          std::pair(R"({"room-1": {"zones": [{"name": "a", "x": 0, "y": 0, "radius": 1, "width": 1}]}})",
                    "room-1.zones")}) {
      TextWorld world(config);
      CPPUNIT_ASSERT_MESSAGE(config, world.wrong.has_value());
      CPPUNIT_ASSERT_EQUAL(std::string(path), world.wrong->path);
    }
    TextWorld odd(R"({"room-x": {}, "room-2": {}})");  // not an id: left out
    CPPUNIT_ASSERT(!odd.wrong && odd.rooms->all().size() == 1);
  }
  void the_admin_api_manages_rooms() {
    TextWorld world;
    auto ask = [&](std::string_view verb, const char* body) {
      return textroom::run(verb, {*world.rooms}, {*Json::parse(body), "", {}, {}});
    };
    CPPUNIT_ASSERT_EQUAL(std::string("created"), std::string(ask("create", R"({"room":3})")["textroom"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("destroyed"), std::string(ask("destroy", R"({"room":3})")["textroom"].string()));
    for (const char* verb : {"join", "leave", "message", "presence"})
      CPPUNIT_ASSERT_EQUAL(int64_t{415}, error_of(ask(verb, R"({"room":1,"username":"x","text":"x","state":{}})")));
  }
  void backends_can_be_left_to_the_configuration() {
    TextWorld world(R"({"room-1": {"post": "http://127.0.0.1:1/"}})");
    Client& al = world.client();
    CPPUNIT_ASSERT_EQUAL(int64_t{419}, error_of(al.ask(R"({"request":"create","post":"http://127.0.0.1:1/"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{419},
                         error_of(al.ask(R"({"request":"edit","room":1,"new_post":"http://127.0.0.1/"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(al.ask(R"({"request":"edit","room":1,"new_description":"x"})")));
    world.backend.built_in = false;
    TextWorld without(R"({"general": {"client_post": true, "post_allow": ["http://127.0.0.1:1/"]}})");
    without.backend.built_in = false;
    CPPUNIT_ASSERT_EQUAL(int64_t{499},
                         error_of(without.client().ask(R"({"request":"create","post":"http://127.0.0.1:1/"})")));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextApiTest);
