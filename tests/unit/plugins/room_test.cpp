// Rooms: making, changing, listing, ending, saving (videoroom.md section 2).
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cardea/module.hpp"
#include "room_world.hpp"
#include "unit/temporary_folder.hpp"

using namespace cardea;
using namespace cardea::test;

class RoomTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RoomTest);
  CPPUNIT_TEST(a_room_can_be_made_found_and_destroyed);
  CPPUNIT_TEST(an_id_is_chosen_where_none_is_given);
  CPPUNIT_TEST(wrong_settings_are_refused);
  CPPUNIT_TEST(small_bitrates_are_raised);
  CPPUNIT_TEST(the_list_shows_what_rooms_are_like);
  CPPUNIT_TEST(private_rooms_are_for_the_admin_key);
  CPPUNIT_TEST(the_admin_key_guards_creation);
  CPPUNIT_TEST(the_secret_guards_a_room);
  CPPUNIT_TEST(editing_changes_what_is_named);
  CPPUNIT_TEST(ids_can_be_strings);
  CPPUNIT_TEST(the_allowed_list_decides_who_publishes);
  CPPUNIT_TEST(signed_tokens_decide_who_comes);
  CPPUNIT_TEST(a_gateway_without_configuration_has_the_demo_room);
  CPPUNIT_TEST(settings_that_are_wrong_are_named_by_their_path);
  CPPUNIT_TEST(permanent_rooms_survive);
  CPPUNIT_TEST(without_a_folder_nothing_is_permanent);
  CPPUNIT_TEST(a_damaged_file_is_left_alone);
  CPPUNIT_TEST(keyframes_are_asked_for_regularly);
  CPPUNIT_TEST(a_dummy_publishes_nothing_to_everyone);
  CPPUNIT_TEST(what_is_not_there_yet_is_refused_by_name);
  CPPUNIT_TEST_SUITE_END();

  void a_room_can_be_made_found_and_destroyed() {
    World world;
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"created","room":5,"permanent":false})"),
                         one.ask(R"({"request":"create","room":5})").text());
    CPPUNIT_ASSERT(!one.asynchronous);
    CPPUNIT_ASSERT_EQUAL(int64_t{427}, error_of(one.ask(R"({"request":"create","room":5})")));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"success","room":5,"exists":true})"),
                         one.ask(R"({"request":"exists","room":5})").text());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"destroyed","room":5,"permanent":false})"),
                         one.ask(R"({"request":"destroy","room":5})").text());
    CPPUNIT_ASSERT_EQUAL(false, one.ask(R"({"request":"exists","room":5})")["exists"].boolean());
    CPPUNIT_ASSERT_EQUAL(int64_t{426}, error_of(one.ask(R"({"request":"destroy","room":5})")));
  }
  void an_id_is_chosen_where_none_is_given() {
    World world;
    Client& one = world.client();
    for (const char* body : {R"({"request":"create"})", R"({"request":"create","room":0})"}) {
      Json made = one.ask(body);
      CPPUNIT_ASSERT(made["room"].integer() > 0 && made["room"].integer() < (int64_t{1} << 53));
    }
  }
  void wrong_settings_are_refused() {
    World world;
    Client& one = world.client();
    for (const char* wrong :
         {R"("room":"five")", R"("room":-1)", R"("publishers":-3)", R"("audiocodec":"mp3")", R"("videocodec":"opus")",
          R"("videocodec":"")", R"("videocodec":"vp8,vp9,h264,av1,h265,vp8x")", R"("allowed":"all")",
          R"("allowed":[1])", R"("is_private":"yes")", R"("audio_level_average":200)", R"("dummy_streams":[1])",
          R"("dummy_streams":[{"codec":"x"}])", R"("description":1)"})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wrong, int64_t{430},
                                   error_of(one.ask((std::string(R"({"request":"create",)") + wrong + "}").c_str())));
    CPPUNIT_ASSERT_EQUAL(int64_t{499}, error_of(one.ask(R"({"request":"create","record":true})")));
  }
  void small_bitrates_are_raised() {
    World world;
    Client& one = world.client();
    one.ask(R"({"request":"create","room":5,"bitrate":1000})");
    CPPUNIT_ASSERT_EQUAL(64000u, world.rooms->find(PublicId(5))->settings().bitrate);
  }
  void the_list_shows_what_rooms_are_like() {
    World world;
    world.publishing(7);
    Json list = world.client().ask(R"({"request":"list"})");
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"videoroom":"success","list":[{"room":1,"description":"Room 1","pin_required":false,"is_private":false,)"
            R"("max_publishers":3,"bitrate":0,"fir_freq":0,"require_pvtid":false,"require_e2ee":false,)"
            R"("dummy_publisher":false,"notify_joining":false,"audiocodec":"opus","videocodec":"vp8,vp9,h264",)"
            R"("opus_fec":true,"record":false,"lock_record":false,"num_participants":1,"audiolevel_ext":true,)"
            R"("audiolevel_event":false,"videoorient_ext":true,"playoutdelay_ext":true,"transport_wide_cc_ext":true}]})"),
        list.text());
  }
  void private_rooms_are_for_the_admin_key() {
    World world(R"({"general": {"admin_key": "key"}, "room-1": {"is_private": true}})");
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(size_t{0}, one.ask(R"({"request":"list"})")["list"].size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, one.ask(R"({"request":"list","admin_key":"key"})")["list"].size());
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(one.ask(R"({"request":"list","admin_key":"no"})")));
  }
  void the_admin_key_guards_creation() {
    World world(R"({"general": {"admin_key": "key"}})");
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(one.ask(R"({"request":"create"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(one.ask(R"({"request":"create","admin_key":"kex"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(one.ask(R"({"request":"create","admin_key":1})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(R"({"request":"create","admin_key":"key"})")));
  }
  void the_secret_guards_a_room() {
    World world(R"({"room-1": {"secret": "s"}})");
    Client& one = world.client();
    for (const char* request : {R"("edit")", R"("destroy")", R"("kick","id":1)",
                                R"("moderate","id":1,"mid":"0","mute":true)", R"("allowed","action":"enable")"}) {
      const std::string body = std::string(R"({"room":1,"request":)") + request;
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{429}, error_of(one.ask((body + "}").c_str())));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{433}, error_of(one.ask((body + R"(,"secret":"x"})").c_str())));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{433}, error_of(one.ask((body + R"(,"secret":""})").c_str())));
    }
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(R"({"request":"destroy","room":1,"secret":"s"})")));
  }
  void editing_changes_what_is_named() {
    World world(R"({"room-1": {"description": "Old", "pin": "p", "publishers": 4}})");
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"videoroom":"edited","room":1,"permanent":false})"),
        one.ask(
               R"({"request":"edit","room":1,"new_description":"New","new_pin":"","new_secret":"s","new_bitrate":5,"new_is_private":true})")
            .text());
    const auto& settings = world.rooms->find(PublicId(1))->settings();
    CPPUNIT_ASSERT_EQUAL(std::string("New"), settings.description);
    CPPUNIT_ASSERT_EQUAL(std::string("p"), settings.pin);
    CPPUNIT_ASSERT_EQUAL(std::string("s"), settings.secret);
    CPPUNIT_ASSERT_EQUAL(64000u, settings.bitrate);
    CPPUNIT_ASSERT(settings.is_private);
    CPPUNIT_ASSERT_EQUAL(4u, settings.publishers);
  }
  void ids_can_be_strings() {
    World world(R"({"general": {"string_ids": true}, "room-hall": {}})");
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(true, one.ask(R"({"request":"exists","room":"hall"})")["exists"].boolean());
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(one.ask(R"({"request":"exists","room":1})")));
    CPPUNIT_ASSERT_EQUAL(size_t{36}, one.ask(R"({"request":"create"})")["room"].string().size());
    Json joined = one.ask(R"({"request":"join","room":"hall","ptype":"publisher"})");
    CPPUNIT_ASSERT_EQUAL(size_t{36}, joined["id"].string().size());
    CPPUNIT_ASSERT(joined["private_id"].is_integer());
  }
  void the_allowed_list_decides_who_publishes() {
    World world;
    Client& one = world.client();
    auto allowed = [&](const char* how) {
      return one.ask(text(R"({"request":"allowed","room":1,"action":)", how, "}").c_str())["allowed"].text();
    };
    // The list stands ready before it counts.
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["a","b"])"), allowed(R"("add","allowed":["a","b"])"));
    CPPUNIT_ASSERT_EQUAL(int64_t{0},
                         error_of(world.client().ask(R"({"request":"join","room":1,"ptype":"publisher"})")));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["a","b"])"), allowed(R"("enable")"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["a"])"), allowed(R"("remove","allowed":["b"])"));
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(one.ask(R"({"request":"allowed","room":1,"action":"more"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(one.ask(R"({"request":"allowed","room":1,"action":"add"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(one.ask(R"({"request":"join","room":1,"ptype":"publisher"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{433},
                         error_of(one.ask(R"({"request":"join","room":1,"ptype":"publisher","token":"b"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{0},
                         error_of(one.ask(R"({"request":"join","room":1,"ptype":"publisher","token":"a"})")));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"success","room":1})"),
                         one.ask(R"({"request":"allowed","room":1,"action":"disable"})").text());
    CPPUNIT_ASSERT_EQUAL(int64_t{0},
                         error_of(world.client().ask(R"({"request":"join","room":1,"ptype":"publisher"})")));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["a","c"])"), allowed(R"("add","allowed":["c"])"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"(["a","c"])"), allowed(R"("enable")"));
  }
  void signed_tokens_decide_who_comes() {
    World world(R"({"room-1": {"signed_tokens": true}})");
    world.services.signed_tokens = true;
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(one.ask(R"({"request":"join","room":1,"ptype":"publisher"})")));
    CPPUNIT_ASSERT_EQUAL(
        int64_t{0}, error_of(one.ask(
                        R"({"request":"join","room":1,"ptype":"publisher","token":"janus.plugin.videoroom/room=1"})")));
  }
  void a_gateway_without_configuration_has_the_demo_room() {
    World world("{}");
    CPPUNIT_ASSERT(world.rooms->find(PublicId(1234)) != nullptr);
    World without(R"({"general": {"demo_room": false}})");
    CPPUNIT_ASSERT(without.rooms->all().empty());
    World configured(R"({"room-7": {}})");
    CPPUNIT_ASSERT(configured.rooms->find(PublicId(1234)) == nullptr);
  }
  void settings_that_are_wrong_are_named_by_their_path() {
    for (auto [config, path] : {std::pair(R"({"general": {"adminkey": "x"}})", "general.adminkey"),
                                std::pair(R"({"room-1": {"publishers": "many"}})", "room-1.publishers"),
                                std::pair(R"({"room-1": {"videocodec": "mjpeg"}})", "room-1.videocodec"),
                                std::pair(R"({"room-1": {"record": true}})", "room-1.record"),
                                std::pair(R"({"room-1": 5})", "room-1"), std::pair(R"({"rooms": {}})", "rooms")}) {
      World world(config);
      CPPUNIT_ASSERT_MESSAGE(config, world.wrong.has_value());
      CPPUNIT_ASSERT_EQUAL(std::string(path), world.wrong->path);
    }
    World text(R"({"room-1": {"publishers": "6", "is_private": "yes", "pin": 1234, "allowed": "a, b"}})");
    CPPUNIT_ASSERT(!text.wrong);
    const auto& settings = text.rooms->find(PublicId(1))->settings();
    CPPUNIT_ASSERT(settings.publishers == 6 && settings.is_private && settings.pin == "1234");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, settings.allowed->size());
  }
  void permanent_rooms_survive() {
    const TemporaryFolder folder;
    const char* config = R"({"general": {"permanent_without_key": true}, "room-1": {"pin": "old"}, "room-2": {}})";
    {
      World world(config, folder.path());
      Client& one = world.client();
      CPPUNIT_ASSERT_EQUAL(
          std::string(R"({"videoroom":"created","room":9,"permanent":true})"),
          one.ask(
                 R"({"request":"create","room":9,"permanent":true,"description":"Kept","allowed":["t"],"dummy_streams":[{"codec":"vp8"}]})")
              .text());
      one.ask(R"({"request":"create","room":10})");
      one.ask(R"({"request":"create","room":11,"permanent":true})");
      one.ask(R"({"request":"destroy","room":11,"permanent":true})");
      CPPUNIT_ASSERT_EQUAL(
          true, one.ask(R"({"request":"edit","room":1,"new_pin":"new","permanent":true})")["permanent"].boolean());
      CPPUNIT_ASSERT_EQUAL(true, one.ask(R"({"request":"destroy","room":2,"permanent":true})")["permanent"].boolean());
    }
    {
      World world(config, folder.path());
      CPPUNIT_ASSERT_EQUAL(size_t{2}, world.rooms->all().size());
      const auto& kept = world.rooms->find(PublicId(9))->settings();
      CPPUNIT_ASSERT_EQUAL(std::string("Kept"), kept.description);
      CPPUNIT_ASSERT_EQUAL(std::string("t"), kept.allowed->at(0));
      CPPUNIT_ASSERT_EQUAL(std::string("vp8"), kept.dummy_streams.at(0).codec);
      CPPUNIT_ASSERT_EQUAL(std::string("new"), world.rooms->find(PublicId(1))->settings().pin);
    }
    const std::filesystem::directory_iterator files(folder.path());
    CPPUNIT_ASSERT_EQUAL(ptrdiff_t{1}, std::distance(begin(files), end(files)));
  }
  void without_a_folder_nothing_is_permanent() {
    World world;
    CPPUNIT_ASSERT_EQUAL(int64_t{499},
                         error_of(world.client().ask(R"({"request":"create","room":9,"permanent":true})")));
    CPPUNIT_ASSERT(world.rooms->find(PublicId(9)) == nullptr);
  }
  void a_damaged_file_is_left_alone() {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/rooms.json";
    std::ofstream(path) << "{ not json";
    {
      World world("{}", folder.path());
      CPPUNIT_ASSERT_EQUAL(int64_t{499},
                           error_of(world.client().ask(R"({"request":"create","room":9,"permanent":true})")));
    }
    std::string content;
    std::getline(std::ifstream(path) >> std::ws, content);
    CPPUNIT_ASSERT_EQUAL(std::string("{ not json"), content);
  }
  void keyframes_are_asked_for_regularly() {
    World world(R"({"room-1": {"fir_freq": 10}})");
    world.publishing(7);
    world.services.advance(9s);
    CPPUNIT_ASSERT(world.services.keyframes.empty());
    world.services.advance(22s);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, world.services.keyframes.size());
    world.client().ask(R"({"request":"destroy","room":1})");
    world.services.advance(60s);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, world.services.keyframes.size());
  }
  void a_dummy_publishes_nothing_to_everyone() {
    World world(R"({"room-1": {"dummy_publisher": true, "dummy_streams": [{"codec": "opus"}, {"codec": "vp8"}]}})");
    Json joined = world.client().ask(R"({"request":"join","room":1,"ptype":"publisher"})");
    JsonView dummy = joined["publishers"][size_t{0}];
    CPPUNIT_ASSERT_EQUAL(true, dummy["dummy"].boolean());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, dummy["streams"].size());
    const int64_t id = dummy["id"].integer();
    CPPUNIT_ASSERT_EQUAL(int64_t{428},
                         error_of(world.client().ask(Json::object("request", "kick", "room", 1, "id", id))));
    world.watching(text("[{\"feed\":", id, "}]").c_str());
    CPPUNIT_ASSERT(world.services.routes.empty());
  }
  void what_is_not_there_yet_is_refused_by_name() {
    World world;
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"success","record":false})"),
                         one.ask(R"({"request":"enable_recording","room":1,"record":false})").text());
    for (const char* verb :
         {"rtp_forward", "stop_rtp_forward", "listforwarders", "publish_remotely", "unpublish_remotely", "listremotes",
          "add_remote_publisher", "update_remote_publisher", "remove_remote_publisher"}) {
      Json reply = one.ask(Json::object("request", verb, "room", 1));
      CPPUNIT_ASSERT_EQUAL(int64_t{499}, error_of(reply));
      CPPUNIT_ASSERT(reply["error"].string().find("not available") != std::string_view::npos);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RoomTest);
