// Those who join and publish (videoroom.md section 3).
#include "room_world.hpp"

using namespace cardea;
using namespace cardea::test;

class PublisherTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PublisherTest);
  CPPUNIT_TEST(who_joins_hears_who_publishes);
  CPPUNIT_TEST(the_pin_guards_the_door);
  CPPUNIT_TEST(an_id_is_used_once);
  CPPUNIT_TEST(a_publisher_is_shown_once_its_media_is_up);
  CPPUNIT_TEST(the_numbers_of_the_extensions_are_told_to_the_publisher);
  CPPUNIT_TEST(joining_and_publishing_can_be_one_request);
  CPPUNIT_TEST(a_failed_joining_with_media_leaves_nobody);
  CPPUNIT_TEST(who_joins_is_told_where_the_room_says_so);
  CPPUNIT_TEST(the_limit_counts_those_who_publish);
  CPPUNIT_TEST(codecs_follow_the_rooms_order_unless_forced);
  CPPUNIT_TEST(lines_without_a_common_codec_are_inactive);
  CPPUNIT_TEST(the_preferred_profile_wins);
  CPPUNIT_TEST(a_renegotiation_is_shown_to_the_others);
  CPPUNIT_TEST(unpublishing_closes_the_connection_and_tells_once);
  CPPUNIT_TEST(leaving_tells_the_others);
  CPPUNIT_TEST(detaching_leaves);
  CPPUNIT_TEST(the_bitrate_is_told_to_the_peer);
  CPPUNIT_TEST(a_hard_cap_holds);
  CPPUNIT_TEST(streams_can_be_switched_off);
  CPPUNIT_TEST(a_new_name_is_told);
  CPPUNIT_TEST(a_kicked_user_is_out);
  CPPUNIT_TEST(moderation_mutes_and_tells_everyone);
  CPPUNIT_TEST(talking_is_told_to_everyone);
  CPPUNIT_TEST(a_destroyed_room_ends_everything);
  CPPUNIT_TEST(encryption_can_be_required);
  CPPUNIT_TEST(participants_are_listed);
  CPPUNIT_TEST(data_goes_to_those_who_watch_it);
  CPPUNIT_TEST_SUITE_END();

  void who_joins_hears_who_publishes() {
    World world;
    world.joined(5);
    world.publishing(7);
    Client& one = world.client();
    Json joined =
        one.ask(R"({"request":"join","room":1,"ptype":"publisher","id":8,"display":"me","metadata":{"a":1}})");
    CPPUNIT_ASSERT(one.asynchronous);
    CPPUNIT_ASSERT(joined["private_id"].integer() > 0);
    joined.erase("private_id");
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"videoroom":"joined","room":1,"description":"Room 1","id":8,"publishers":[)"
                    R"({"id":7,"display":"P7","audio_codec":"opus","video_codec":"vp8","streams":[)"
                    R"({"type":"audio","mindex":0,"mid":"0","codec":"opus","fec":true,"talking":false},)"
                    R"({"type":"video","mindex":1,"mid":"1","codec":"vp8"}],"talking":false}]})"),
        joined.text());
  }
  void the_pin_guards_the_door() {
    World world(R"({"room-1": {"pin": "1"}})");
    for (const char* ptype : {"publisher", "subscriber"}) {
      Client& one = world.client();
      Json body = Json::object("request", "join", "room", 1, "ptype", ptype, "feed", 1);
      CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(one.ask(body.copy())));
      body.set("pin", "2");
      CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(one.ask(body.copy())));
    }
    CPPUNIT_ASSERT_EQUAL(int64_t{0},
                         error_of(world.client().ask(R"({"request":"join","room":1,"ptype":"publisher","pin":"1"})")));
  }
  void an_id_is_used_once() {
    World world;
    world.joined(7);
    Client& other = world.client();
    CPPUNIT_ASSERT_EQUAL(int64_t{436},
                         error_of(other.ask(R"({"request":"join","room":1,"ptype":"publisher","id":7})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(other.ask(R"({"request":"join","room":1,"ptype":"publisher","id":0})")));
  }
  void a_publisher_is_shown_once_its_media_is_up() {
    World world;
    Client& watcher = world.joined(5);
    Client& one = world.joined(7);
    Json configured = one.ask(R"({"request":"configure","audio":true,"video":true})", camera(true));
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"videoroom":"event","room":1,"configured":"ok","audio_codec":"opus","video_codec":"vp8","streams":[)"
            R"({"type":"audio","mindex":0,"mid":"0","codec":"opus","fec":true,"audiolevel_ext_id":1},)"
            R"({"type":"video","mindex":1,"mid":"1","codec":"vp8","simulcast":true}]})"),
        configured.text());
    CPPUNIT_ASSERT_EQUAL(std::string("VideoRoom 1"), one.plan().name);
    CPPUNIT_ASSERT(one.plan().sections[1].direction == Direction::recvonly && one.plan().sections[1].simulcast);
    CPPUNIT_ASSERT(one.plan().sections[0].extensions.has(Extension::audio_level));
    CPPUNIT_ASSERT(!one.plan().sections[1].extensions.has(Extension::abs_send_time));
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(), watcher.told());
    one.come_up();
    world.settle();
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"videoroom":"event","room":1,"publishers":[{"id":7,"display":"P7","audio_codec":"opus","video_codec":"vp8","streams":[)"
            R"({"type":"audio","mindex":0,"mid":"0","codec":"opus","fec":true},)"
            R"({"type":"video","mindex":1,"mid":"1","codec":"vp8","simulcast":true}]}]})") +
            "\n",
        watcher.told());
    CPPUNIT_ASSERT_EQUAL(std::string(), one.told());
    CPPUNIT_ASSERT_EQUAL(int64_t{434}, error_of(one.ask(R"({"request":"publish"})", camera())));
  }
  void the_numbers_of_the_extensions_are_told_to_the_publisher() {
    World world(R"({"room-1": {"playoutdelay_ext": false}})");
    Offer offer = camera();
    Section& video = offer.sections[1];
    video.extensions.add(Extension::video_orientation);
    video.extension_ids[static_cast<size_t>(Extension::video_orientation)] = 13;
    video.extensions.add(Extension::playout_delay);
    video.extension_ids[static_cast<size_t>(Extension::playout_delay)] = 5;
    Json streams = Json::copy(world.joined(7).ask(R"({"request":"publish"})", offer)["streams"]);
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, streams[size_t{0}]["audiolevel_ext_id"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{13}, streams[size_t{1}]["videoorient_ext_id"].integer());
    CPPUNIT_ASSERT(!streams[size_t{1}]["audiolevel_ext_id"] && !streams[size_t{1}]["playoutdelay_ext_id"]);
  }
  void joining_and_publishing_can_be_one_request() {
    World world;
    Client& one = world.client();
    Json joined =
        one.ask(R"({"request":"joinandconfigure","room":1,"ptype":"publisher","id":7,"bitrate":200000})", camera());
    CPPUNIT_ASSERT_EQUAL(std::string("joined"), std::string(joined["videoroom"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("vp8"), std::string(joined["video_codec"].string()));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, joined["streams"].size());
    CPPUNIT_ASSERT(one.answered());
    one.come_up();
    CPPUNIT_ASSERT_EQUAL(200000u, world.services.caps[one.handle.peer]);
    Json plain = world.client().ask(R"({"request":"joinandconfigure","room":1,"ptype":"publisher"})");
    CPPUNIT_ASSERT(plain["publishers"].size() == 1 && !plain["streams"]);
  }
  void a_failed_joining_with_media_leaves_nobody() {
    World world(R"({"room-1": {"require_e2ee": true, "notify_joining": true}})");
    Client& other = world.joined(5);
    Client& one = world.client();
    CPPUNIT_ASSERT_EQUAL(
        int64_t{433},
        error_of(one.ask(R"({"request":"joinandconfigure","room":1,"ptype":"publisher","id":7})", camera())));
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(), other.told());
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(R"({"request":"join","room":1,"ptype":"publisher","id":7})")));
  }
  void who_joins_is_told_where_the_room_says_so() {
    World world(R"({"room-1": {"notify_joining": true}})");
    Client& first = world.joined(5);
    Client& second = world.client();
    Json joined =
        second.ask(R"({"request":"join","room":1,"ptype":"publisher","id":7,"display":"B","metadata":{"x":1}})");
    CPPUNIT_ASSERT_EQUAL(std::string(R"([{"id":5,"display":"P5"}])"), joined["attendees"].text());
    world.settle();
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"videoroom":"event","room":1,"joining":{"id":7,"display":"B","metadata":{"x":1}}})") + "\n",
        first.told());
    CPPUNIT_ASSERT_EQUAL(std::string(), second.told());
  }
  void the_limit_counts_those_who_publish() {
    World world(R"({"room-1": {"publishers": 1}})");
    Client& first = world.publishing(7);
    Client& second = world.joined(8);
    CPPUNIT_ASSERT_EQUAL(int64_t{432}, error_of(second.ask(R"({"request":"publish"})", camera())));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(first.ask(R"({"request":"configure"})", camera())));
    first.ask(R"({"request":"unpublish"})");
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(second.ask(R"({"request":"publish"})", camera())));
  }
  void codecs_follow_the_rooms_order_unless_forced() {
    World world(R"({"room-1": {"videocodec": "h264,vp8"}})");
    Client& one = world.joined(7);
    one.ask(R"({"request":"publish"})", camera());
    CPPUNIT_ASSERT(one.plan().sections[1].codec->type == CodecType::h264);
    one.ask(R"({"request":"publish","videocodec":"vp8"})", camera());
    CPPUNIT_ASSERT(one.plan().sections[1].codec->type == CodecType::vp8);
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(one.ask(R"({"request":"publish","videocodec":"vp9"})", camera())));
  }
  void lines_without_a_common_codec_are_inactive() {
    World world(R"({"room-1": {"videocodec": "av1"}})");
    Client& one = world.joined(7);
    Json configured = one.ask(R"({"request":"publish"})", camera());
    CPPUNIT_ASSERT(!one.plan().sections[1].codec && !one.plan().sections[1].reject);
    CPPUNIT_ASSERT(one.plan().sections[1].direction == Direction::inactive);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"type":"video","mindex":1,"mid":"1","disabled":true})"),
                         configured["streams"][size_t{1}].text());
    CPPUNIT_ASSERT(!configured["video_codec"]);
  }
  void the_preferred_profile_wins() {
    World world(R"({"room-1": {"videocodec": "h264", "h264_profile": "640c1f"}})");
    Client& one = world.joined(7);
    Offer offer = camera();
    offer.sections[1].codecs.push_back({CodecType::h264, "packetization-mode=1; profile-level-id=640C1F"});
    Json configured = one.ask(R"({"request":"publish"})", offer);
    CPPUNIT_ASSERT_EQUAL(std::string("packetization-mode=1; profile-level-id=640C1F"),
                         one.plan().sections[1].codec->fmtp);
    CPPUNIT_ASSERT_EQUAL(std::string("640C1F"), std::string(configured["streams"][size_t{1}]["h264_profile"].string()));
  }
  void a_renegotiation_is_shown_to_the_others() {
    World world;
    Client& other = world.joined(5);
    Client& one = world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    world.forget_news();
    Offer more = camera();
    more.update = true;
    more.sections[0].direction = Direction::inactive;
    more.sections.push_back(section("2", MediaKind::video, {{CodecType::vp8, ""}}));
    one.ask(R"({"request":"configure","descriptions":[{"mid":"2","description":"screen"}]})", more);
    world.settle();
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"videoroom":"event","room":1,"publishers":[{"id":7,"display":"P7","video_codec":"vp8","streams":[)"
            R"({"type":"audio","mindex":0,"mid":"0","disabled":true},{"type":"video","mindex":1,"mid":"1","codec":"vp8"},)"
            R"({"type":"video","mindex":2,"mid":"2","description":"screen","codec":"vp8"}]}]})") +
            "\n",
        other.told());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, watcher.news.size());
    CPPUNIT_ASSERT_EQUAL(std::string("updated"), std::string(watcher.news[0]["videoroom"].string()));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.routes.size());
  }
  void unpublishing_closes_the_connection_and_tells_once() {
    World world;
    Client& other = world.joined(5);
    Client& one = world.publishing(7);
    world.forget_news();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"unpublished":"ok"})"),
                         one.ask(R"({"request":"unpublish"})").text());
    CPPUNIT_ASSERT(!one.handle.up);
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"unpublished":7,"display":"P7"})") + "\n",
                         other.told());
    CPPUNIT_ASSERT_EQUAL(int64_t{435}, error_of(one.ask(R"({"request":"unpublish"})")));
    one.ask(R"({"request":"publish"})", camera());
    one.come_up();
    world.settle();
    CPPUNIT_ASSERT(other.told().find("publishers") != std::string::npos);
    one.drop("ICE failed");
    world.settle();
    CPPUNIT_ASSERT(other.told().find("\"unpublished\":7") != std::string::npos);
  }
  void leaving_tells_the_others() {
    World world;
    Client& other = world.joined(5);
    Client& one = world.publishing(7);
    world.forget_news();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"leaving":"ok"})"),
                         one.ask(R"({"request":"leave"})").text());
    CPPUNIT_ASSERT(one.handle.up);
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"unpublished":7,"display":"P7"})"
                                     "\n"
                                     R"({"videoroom":"event","room":1,"leaving":7,"display":"P7"})") +
                             "\n",
                         other.told());
    one.drop("Close PC");
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(), other.told());
    CPPUNIT_ASSERT_EQUAL(int64_t{426}, error_of(one.ask(R"({"request":"publish"})", camera())));
    CPPUNIT_ASSERT_EQUAL(int64_t{425}, error_of(one.ask(R"({"request":"join","room":1,"ptype":"publisher"})")));
    world.joined(7);
  }
  void detaching_leaves() {
    World world;
    Client& other = world.joined(5);
    Client& one = world.publishing(7);
    world.forget_news();
    one.detach();
    world.settle();
    const std::string told = other.told();
    CPPUNIT_ASSERT(told.find("unpublished") < told.find("leaving") && told.find("leaving") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.rooms->find(PublicId(1))->people().size());
  }
  void the_bitrate_is_told_to_the_peer() {
    World world(R"({"room-1": {"bitrate": 300000}})");
    Client& one = world.publishing(7);
    CPPUNIT_ASSERT_EQUAL(300000u, world.services.caps[one.handle.peer]);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"configured":"ok"})"),
                         one.ask(R"({"request":"configure","bitrate":900000})").text());
    CPPUNIT_ASSERT_EQUAL(900000u, world.services.caps[one.handle.peer]);
    one.ask(R"({"request":"configure","bitrate":1})");
    CPPUNIT_ASSERT_EQUAL(64000u, world.services.caps[one.handle.peer]);
    one.ask(R"({"request":"configure","bitrate":0})");
    CPPUNIT_ASSERT_EQUAL(0u, world.services.caps[one.handle.peer]);
  }
  void a_hard_cap_holds() {
    World world(R"({"room-1": {"bitrate": 300000, "bitrate_cap": true}})");
    Client& one = world.publishing(7);
    CPPUNIT_ASSERT_EQUAL(300000u, *one.plan().sections[1].bandwidth_bps);
    one.ask(R"({"request":"configure","bitrate":900000})");
    CPPUNIT_ASSERT_EQUAL(300000u, world.services.caps[one.handle.peer]);
    one.ask(R"({"request":"configure","bitrate":100000})");
    CPPUNIT_ASSERT_EQUAL(100000u, world.services.caps[one.handle.peer]);
  }
  void streams_can_be_switched_off() {
    World world;
    Client& one = world.publishing(7);
    one.ask(R"({"request":"configure","streams":[{"mid":"1","send":false}]})");
    CPPUNIT_ASSERT(world.services.muted.contains(*one.handle.receiver("1")));
    one.ask(R"({"request":"configure","mid":"1","send":true})");
    CPPUNIT_ASSERT(world.services.muted.empty());
    one.ask(R"({"request":"configure","audio":false})");
    CPPUNIT_ASSERT(world.services.muted.contains(*one.handle.receiver("0")));
    one.ask(R"({"request":"configure","keyframe":true})");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.keyframes.size());
    CPPUNIT_ASSERT_EQUAL(int64_t{428},
                         error_of(one.ask(R"({"request":"configure","streams":[{"mid":"9","send":false}]})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{430},
                         error_of(one.ask(R"({"request":"configure","streams":[{"send":false},{"mid":"1"}]})")));
  }
  void a_new_name_is_told() {
    World world;
    Client& other = world.joined(5);
    Client& one = world.joined(7);
    world.forget_news();
    one.ask(R"({"request":"configure","display":"New","metadata":{"a":1}})");
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","id":7,"display":"New","metadata":{"a":1}})") + "\n",
                         other.told());
    one.ask(R"({"request":"configure","metadata":{"a":2}})");
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","id":7,"metadata":{"a":2}})") + "\n", other.told());
  }
  void a_kicked_user_is_out() {
    World world(R"({"room-1": {"require_pvtid": true}})");
    Client& other = world.joined(5);
    Client& one = world.client();
    const int64_t secret = one.ask(R"({"request":"join","room":1,"ptype":"publisher","id":7})")["private_id"].integer();
    one.ask(R"({"request":"publish"})", camera());
    one.come_up();
    Client& second = world.publishing(8);
    Client& mine = world.client();
    mine.ask(Json::object("request", "join", "room", 1, "ptype", "subscriber", "feed", 8, "private_id", secret));
    mine.ask(R"({"request":"start"})", {}, mine.answer());
    mine.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.routes.size());
    world.forget_news();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"success"})"),
                         other.ask(R"({"request":"kick","room":1,"id":7})").text());
    CPPUNIT_ASSERT(world.services.routes.empty());
    world.settle();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"leaving":"ok","reason":"kicked"})") + "\n",
                         one.told());
    CPPUNIT_ASSERT(!one.handle.up);
    CPPUNIT_ASSERT(second.told().find(R"({"videoroom":"event","room":1,"kicked":7})") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(int64_t{426}, error_of(one.ask(R"({"request":"publish"})", camera())));
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(mine.ask(R"({"request":"configure"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(other.ask(R"({"request":"kick","room":1,"id":7})")));
  }
  void moderation_mutes_and_tells_everyone() {
    World world;
    Client& other = world.joined(5);
    Client& one = world.publishing(7);
    world.forget_news();
    other.ask(R"({"request":"moderate","room":1,"id":7,"mid":"0","mute":true})");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.muted.size());
    world.settle();
    const std::string event =
        std::string(R"({"videoroom":"event","room":1,"id":7,"mid":"0","moderation":"muted"})") + "\n";
    CPPUNIT_ASSERT_EQUAL(event, other.told());
    CPPUNIT_ASSERT_EQUAL(event, one.told());
    other.ask(R"({"request":"moderate","room":1,"id":7,"mid":"0","mute":true})");
    world.settle();
    CPPUNIT_ASSERT_EQUAL(event, one.told());  // again, though nothing changed
    one.ask(R"({"request":"configure","streams":[{"mid":"0","send":true}]})");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.muted.size());
    other.ask(R"({"request":"moderate","room":1,"id":7,"mid":"0","mute":false})");
    CPPUNIT_ASSERT(world.services.muted.empty());
    for (const char* wrong : {R"("id":5,"mid":"0")", R"("id":9,"mid":"0")", R"("id":7,"mid":"4")"})
      CPPUNIT_ASSERT_EQUAL(
          int64_t{428},
          error_of(other.ask((std::string(R"({"request":"moderate","room":1,"mute":true,)") + wrong + "}").c_str())));
  }
  void talking_is_told_to_everyone() {
    World world(R"({"room-1": {"audiolevel_event": true, "audio_active_packets": 50}})");
    Client& other = world.joined(5);
    Client& one = world.publishing(7);
    const ReceiverId voice = *one.handle.receiver("0");
    CPPUNIT_ASSERT_EQUAL(50u, world.services.talk.at(voice)->active_packets);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.talk.size());
    world.forget_news();
    one.attachment->on_talking(voice, true, 21.5);
    one.attachment->on_talking(voice, true, 20.5);
    world.settle();
    const std::string event =
        std::string(R"({"videoroom":"talking","room":1,"id":7,"mindex":0,"mid":"0","audio-level-dBov-avg":21.5})") +
        "\n";
    CPPUNIT_ASSERT_EQUAL(event, other.told());
    CPPUNIT_ASSERT_EQUAL(event, one.told());
    JsonView people = other.ask(R"({"request":"listparticipants","room":1})")["participants"];
    (void)people;
    world.services.advance(1s);
    one.attachment->on_talking(voice, false, 60);
    world.settle();
    CPPUNIT_ASSERT(other.told().find("stopped-talking") != std::string::npos);
  }
  void a_destroyed_room_ends_everything() {
    World world;
    Client& one = world.publishing(7);
    Client& idle = world.joined(8);
    Client& watcher = world.watching(R"([{"feed":7}])");
    world.forget_news();
    world.client().ask(R"({"request":"destroy","room":1})");
    world.settle();
    const std::string event = std::string(R"({"videoroom":"destroyed","room":1})") + "\n";
    CPPUNIT_ASSERT_EQUAL(event, one.told());
    CPPUNIT_ASSERT_EQUAL(event, idle.told());
    CPPUNIT_ASSERT_EQUAL(std::string(), watcher.told());
    CPPUNIT_ASSERT(!one.handle.up && world.services.routes.empty());
    // A new room of that id is another one.
    world.client().ask(R"({"request":"create","room":1})");
    CPPUNIT_ASSERT_EQUAL(int64_t{426}, error_of(one.ask(R"({"request":"publish"})", camera())));
    CPPUNIT_ASSERT_EQUAL(int64_t{426}, error_of(watcher.ask(R"({"request":"pause"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{425}, error_of(watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber"})")));
  }
  void encryption_can_be_required() {
    World world(R"({"room-1": {"require_e2ee": true}})");
    Client& one = world.joined(7);
    Offer offer = camera();
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(one.ask(R"({"request":"publish"})", offer)));
    offer.e2ee = true;
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(one.ask(R"({"request":"publish"})", offer)));
    one.come_up();
    CPPUNIT_ASSERT(world.watching(R"([{"feed":7}])").offer().e2ee);
  }
  void participants_are_listed() {
    World world;
    world.joined(5);
    world.publishing(7);
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"videoroom":"participants","room":1,"participants":[{"id":5,"display":"P5","publisher":false},{"id":7,"display":"P7","publisher":true,"talking":false}]})"),
        world.client().ask(R"({"request":"listparticipants","room":1})").text());
  }
  void data_goes_to_those_who_watch_it() {
    World world;
    Offer offer = camera();
    offer.sections.push_back(section("2", MediaKind::data, {}, Direction::sendrecv));
    Client& one = world.publishing(7, offer);
    Client& two = world.publishing(8, offer);
    Client& watcher = world.watching(R"([{"feed":7,"mid":"2"},{"feed":8,"mid":"2"}])");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, watcher.offer().sections.size());
    Client& deaf = world.watching(R"([{"feed":7,"mid":"0"}])");
    one.attachment->on_data({.label = "x", .protocol = "y", .payload = "hello"});
    two.attachment->on_data({.label = "x", .binary = true, .payload = "raw"});
    CPPUNIT_ASSERT_EQUAL(size_t{2}, watcher.handle.data.size());
    CPPUNIT_ASSERT_EQUAL(std::string("7"), watcher.handle.data[0].label);
    CPPUNIT_ASSERT(!watcher.handle.data[0].binary && watcher.handle.data[1].binary);
    CPPUNIT_ASSERT(deaf.handle.data.empty());
    // Who cannot take more loses what comes, and that is counted.
    watcher.handle.data_full = true;
    one.attachment->on_data({.payload = "too much"});
    CPPUNIT_ASSERT_EQUAL(size_t{2}, watcher.handle.data.size());
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, watcher.attachment->describe()["lost-messages"].integer());
    CPPUNIT_ASSERT(!deaf.attachment->describe()["lost-messages"]);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PublisherTest);
