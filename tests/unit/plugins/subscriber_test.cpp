// Those who watch (videoroom.md section 4).
#include "room_world.hpp"

using namespace cardea;
using namespace cardea::test;

class SubscriberTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SubscriberTest);
  CPPUNIT_TEST(a_subscriber_gets_an_offer_and_media_flows_when_both_are_up);
  CPPUNIT_TEST(a_feed_without_a_mid_means_all_its_streams);
  CPPUNIT_TEST(the_older_form_names_one_publisher);
  CPPUNIT_TEST(the_older_form_says_how_to_relay);
  CPPUNIT_TEST(what_cannot_be_watched_is_refused);
  CPPUNIT_TEST(a_private_id_can_be_required);
  CPPUNIT_TEST(encrypted_and_plain_feeds_do_not_mix);
  CPPUNIT_TEST(offers_hold_what_the_publisher_agreed_on);
  CPPUNIT_TEST(stream_ids_can_be_told_in_the_description);
  CPPUNIT_TEST(subscribing_adds_lines_and_unsubscribing_keeps_them);
  CPPUNIT_TEST(free_lines_of_the_same_codec_are_used_again);
  CPPUNIT_TEST(update_drops_before_it_adds);
  CPPUNIT_TEST(changes_wait_for_the_answer_to_a_pending_offer);
  CPPUNIT_TEST(what_changes_nothing_needs_no_offer);
  CPPUNIT_TEST(lost_feeds_are_offered_away);
  CPPUNIT_TEST(without_autoupdate_lost_feeds_are_only_lost);
  CPPUNIT_TEST(switching_feeds_a_line_from_elsewhere);
  CPPUNIT_TEST(switching_a_free_line_needs_an_offer);
  CPPUNIT_TEST(the_older_switch_matches_kind_and_codec);
  CPPUNIT_TEST(pausing_and_starting);
  CPPUNIT_TEST(layers_are_chosen_and_told);
  CPPUNIT_TEST(svc_layers_have_names_of_their_own);
  CPPUNIT_TEST(lines_can_be_switched_off);
  CPPUNIT_TEST(an_ice_restart_is_an_offer);
  CPPUNIT_TEST(a_restart_while_an_offer_is_out_comes_later_and_says_nothing);
  CPPUNIT_TEST(refused_lines_are_not_fed);
  CPPUNIT_TEST(leaving_closes_the_connection);
  CPPUNIT_TEST(a_lost_connection_can_be_begun_anew);
  CPPUNIT_TEST(a_publisher_that_comes_back_is_another_source);
  CPPUNIT_TEST(peers_of_a_room_share_an_affinity);
  CPPUNIT_TEST(too_many_lines_are_refused);
  CPPUNIT_TEST_SUITE_END();

  static std::string kind(const Json& reply) { return std::string(reply["videoroom"].string()); }
  static Json start(Client& client) { return client.ask(R"({"request":"start"})", {}, client.answer()); }

  void a_subscriber_gets_an_offer_and_media_flows_when_both_are_up() {
    World world;
    world.publishing(7);
    Client& watcher = world.client();
    Json attached = watcher.ask(
        R"({"request":"join","room":1,"ptype":"subscriber","streams":[{"feed":7,"mid":"0","crossrefid":"x"},{"feed":7,"mid":"1"}]})");
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"videoroom":"attached","room":1,"streams":[)"
            R"({"type":"audio","active":true,"mindex":0,"mid":"0","crossrefid":"x","ready":false,"send":true,"feed_id":7,"feed_display":"P7","feed_mid":"0","codec":"opus"},)"
            R"({"type":"video","active":true,"mindex":1,"mid":"1","ready":false,"send":true,"feed_id":7,"feed_display":"P7","feed_mid":"1","codec":"vp8"}]})"),
        attached.text());
    CPPUNIT_ASSERT(watcher.asynchronous && watcher.offered());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, watcher.offer().sections.size());
    CPPUNIT_ASSERT(world.services.routes.empty());
    Json started = watcher.ask(R"({"request":"start","room":1})", {}, watcher.answer());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"started":"ok"})"), started.text());
    CPPUNIT_ASSERT(world.services.routes.empty());
    watcher.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.routes.size());
    Client& publisher = *world.clients[0];
    CPPUNIT_ASSERT(world.services.routes.at(*watcher.handle.sender("1")) == *publisher.handle.receiver("1"));
  }
  void a_feed_without_a_mid_means_all_its_streams() {
    World world(R"({"room-1": {"videocodec": "av1"}})");
    world.publishing(7);  // its video is disabled
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.watching(R"([{"feed":7}])").offer().sections.size());
  }
  void the_older_form_names_one_publisher() {
    World world;
    world.publishing(7);
    Client& watcher = world.client();
    Json attached = watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber","feed":7,"offer_audio":false})");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, attached["streams"].size());
    CPPUNIT_ASSERT_EQUAL(int64_t{7}, attached["id"].integer());
    CPPUNIT_ASSERT_EQUAL(std::string("P7"), std::string(attached["display"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("deprecated_api"), std::string(attached["warning"].string()));
  }
  void the_older_form_says_how_to_relay() {
    World world;
    world.publishing(7, camera(true));
    Client& watcher = world.client();
    Json attached = watcher.ask(
        R"({"request":"join","room":1,"ptype":"subscriber","feed":7,"audio":false,"substream":0,"temporal":1,"fallback":500000})");
    CPPUNIT_ASSERT_EQUAL(false, attached["streams"][size_t{0}]["send"].boolean());
    CPPUNIT_ASSERT_EQUAL(true, attached["streams"][size_t{1}]["send"].boolean());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"substream":-1,"substream-target":0,"temporal-layer":-1,)"
                                     R"("temporal-layer-target":1,"fallback":500000})"),
                         attached["streams"][size_t{1}]["simulcast"].text());
    CPPUNIT_ASSERT_EQUAL(
        int64_t{430},
        error_of(world.client().ask(R"({"request":"join","room":1,"ptype":"subscriber","feed":7,"substream":3})")));
  }
  void what_cannot_be_watched_is_refused() {
    World world;
    world.publishing(7);
    world.joined(8);
    for (auto [body, wanted] :
         {std::pair(R"("streams":[{"feed":9}])", 428), std::pair(R"("streams":[{"feed":8}])", 428),
          std::pair(R"("streams":[{"feed":7,"mid":"5"}])", 428), std::pair(R"("feed":9)", 428),
          std::pair(R"("streams":[])", 429), std::pair(R"("streams":[{"mid":"0"}])", 429),
          std::pair(R"("streams":[{"feed":7,"substream":3}])", 430),
          std::pair(R"("streams":[{"feed":7,"mid":0}])", 430), std::pair(R"("streams":7)", 430),
          std::pair(R"("streams":[7])", 430), std::pair(R"("feed":"7")", 430),
          std::pair(R"("feed":7,"offer_audio":false,"offer_video":false)", 437)}) {
      Client& one = world.client();
      Json reply = one.ask((std::string(R"({"request":"join","room":1,"ptype":"subscriber",)") + body + "}").c_str());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, int64_t{wanted}, error_of(reply));
      CPPUNIT_ASSERT_EQUAL(int64_t{424}, error_of(one.ask(R"({"request":"start"})")));
    }
    CPPUNIT_ASSERT_EQUAL(int64_t{423}, error_of(world.client().ask(
                                           R"({"request":"join","room":1,"ptype":"subscriber","feed":7})", camera())));
  }
  void a_private_id_can_be_required() {
    World world(R"({"room-1": {"require_pvtid": true}})");
    world.publishing(7);
    Client& me = world.client();
    const int64_t mine = me.ask(R"({"request":"join","room":1,"ptype":"publisher","id":8})")["private_id"].integer();
    Json body = Json::object("request", "join", "room", 1, "ptype", "subscriber", "feed", 7);
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(world.client().ask(body.copy())));
    body.set("private_id", mine ^ 2);
    CPPUNIT_ASSERT_EQUAL(int64_t{433}, error_of(world.client().ask(body.copy())));
    body.set("private_id", mine);
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, error_of(world.client().ask(body.copy())));
  }
  void encrypted_and_plain_feeds_do_not_mix() {
    World world;
    world.publishing(7);
    Offer secret = camera();
    secret.e2ee = true;
    world.publishing(8, secret);
    CPPUNIT_ASSERT_EQUAL(int64_t{438},
                         error_of(world.client().ask(
                             R"({"request":"join","room":1,"ptype":"subscriber","streams":[{"feed":7},{"feed":8}]})")));
    Client& watcher = world.watching(R"([{"feed":7}])");
    CPPUNIT_ASSERT(!watcher.offer().e2ee);
    CPPUNIT_ASSERT_EQUAL(int64_t{438}, error_of(watcher.ask(R"({"request":"subscribe","streams":[{"feed":8}]})")));
  }
  void offers_hold_what_the_publisher_agreed_on() {
    World world(R"({"room-1": {"videocodec": "h264"}})");
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    const auto& sections = watcher.offer().sections;
    CPPUNIT_ASSERT_EQUAL(std::string("useinbandfec=1"), sections[0].codec->fmtp);
    const Extensions both{Extension::mid, Extension::transport_cc, Extension::abs_send_time};
    Extensions of_audio = both;
    of_audio.add(Extension::audio_level);
    CPPUNIT_ASSERT(sections[0].extensions == of_audio);
    CPPUNIT_ASSERT_EQUAL(std::string("profile-level-id=42e01f;packetization-mode=1"), sections[1].codec->fmtp);
    CPPUNIT_ASSERT(sections[1].extensions == both);
    CPPUNIT_ASSERT(sections[1].direction == Direction::sendonly);
    CPPUNIT_ASSERT_EQUAL(std::string("VideoRoom 1"), watcher.offer().name);
  }
  void stream_ids_can_be_told_in_the_description() {
    World world;
    world.publishing(7);
    Client& watcher = world.client();
    watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber","use_msid":true,"feed":7})");
    CPPUNIT_ASSERT_EQUAL(std::string("7 1"), watcher.offer().sections[1].msid);
  }
  void subscribing_adds_lines_and_unsubscribing_keeps_them() {
    World world;
    world.publishing(7);
    world.publishing(8);
    Client& watcher = world.watching(R"([{"feed":7,"mid":"0"}])");
    Json updated = watcher.ask(R"({"request":"subscribe","streams":[{"feed":8,"mid":"1"}]})");
    CPPUNIT_ASSERT_EQUAL(std::string("updated"), kind(updated));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, updated["streams"].size());
    CPPUNIT_ASSERT_EQUAL(true, updated["streams"][size_t{0}]["ready"].boolean());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.routes.size());
    start(watcher);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.routes.size());
    updated = watcher.ask(R"({"request":"unsubscribe","streams":[{"sub_mid":"1"}]})");
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"type":"video","active":false,"mindex":1,"mid":"1","ready":false,"send":true})"),
        updated["streams"][size_t{1}].text());
    CPPUNIT_ASSERT(watcher.offer().sections[1].direction == Direction::inactive);
    CPPUNIT_ASSERT(watcher.offer().sections[1].codec->type == CodecType::vp8);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.routes.size());
  }
  void free_lines_of_the_same_codec_are_used_again() {
    World world(R"({"room-1": {"videocodec": "vp8,vp9"}})");
    world.publishing(7);
    world.publishing(8);
    Client& third = world.joined(9);
    third.ask(R"({"request":"publish","videocodec":"vp9"})", camera());
    third.come_up();
    Client& watcher = world.watching(R"([{"feed":7}])");
    watcher.ask(R"({"request":"unsubscribe","streams":[{"feed":7}]})");
    start(watcher);
    watcher.ask(R"({"request":"subscribe","streams":[{"feed":9}]})");
    start(watcher);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, watcher.offer().sections.size());  // the vp8 line waits
    watcher.ask(R"({"request":"subscribe","streams":[{"feed":8,"mid":"1"}]})");
    start(watcher);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, watcher.offer().sections.size());
    CPPUNIT_ASSERT_EQUAL(size_t{3}, world.services.routes.size());
    watcher.ask(R"({"request":"subscribe","streams":[{"feed":8,"mid":"1"}]})");
    CPPUNIT_ASSERT_EQUAL(size_t{4}, watcher.offer().sections.size());  // the same once more is one more line
  }
  void update_drops_before_it_adds() {
    World world;
    world.publishing(7);
    world.publishing(8);
    Client& watcher = world.watching(R"([{"feed":7}])");
    Json updated = watcher.ask(R"({"request":"update","unsubscribe":[{"feed":7}],"subscribe":[{"feed":8}]})");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, updated["streams"].size());
    CPPUNIT_ASSERT_EQUAL(int64_t{8}, updated["streams"][size_t{1}]["feed_id"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(watcher.ask(R"({"request":"update"})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{428}, error_of(watcher.ask(R"({"request":"update","subscribe":[{"feed":99}]})")));
  }
  void changes_wait_for_the_answer_to_a_pending_offer() {
    World world;
    world.publishing(7);
    world.publishing(8);
    Client& watcher = world.client();
    watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber","streams":[{"feed":7}]})");
    const Answer first = watcher.answer();
    watcher.jsep = {};
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"updating","room":1})"),
                         watcher.ask(R"({"request":"subscribe","streams":[{"feed":8}]})").text());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"updating","room":1})"),
                         watcher.ask(R"({"request":"unsubscribe","streams":[{"feed":7,"mid":"0"}]})").text());
    CPPUNIT_ASSERT(!watcher.offered());
    watcher.ask(R"({"request":"start"})", {}, first);
    watcher.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, watcher.news.size());
    CPPUNIT_ASSERT_EQUAL(std::string("updated"), kind(watcher.news[0]));
    CPPUNIT_ASSERT(!watcher.news_transactions[0]);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, watcher.offer().sections.size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.routes.size());
    start(watcher);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, world.services.routes.size());
  }
  void what_changes_nothing_needs_no_offer() {
    World world;
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    for (const char* body : {R"({"request":"unsubscribe","streams":[{"sub_mid":"9"}]})",
                             R"({"request":"unsubscribe","streams":[{"feed":99}]})",
                             R"({"request":"unsubscribe","streams":[{}]})", R"({"request":"update","unsubscribe":[]})"})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(body, std::string(R"({"videoroom":"updated","room":1})"), watcher.ask(body).text());
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(watcher.ask(R"({"request":"subscribe","streams":[]})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(watcher.ask(R"({"request":"subscribe"})")));
  }
  void lost_feeds_are_offered_away() {
    World world;
    Client& seven = world.publishing(7);
    Client& eight = world.publishing(8);
    Client& watcher = world.watching(R"([{"feed":7},{"feed":8}])");
    watcher.jsep = {};
    seven.detach();
    eight.detach();
    watcher.end_turn();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, watcher.news.size());  // the second waits for the answer
    CPPUNIT_ASSERT_EQUAL(std::string("updated"), kind(watcher.news[0]));
    CPPUNIT_ASSERT_EQUAL(size_t{4}, watcher.news[0]["streams"].size());
    CPPUNIT_ASSERT(world.services.routes.empty());
    start(watcher);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, watcher.news.size());
    for (const auto& section : watcher.offer().sections) CPPUNIT_ASSERT(section.direction == Direction::inactive);
  }
  void without_autoupdate_lost_feeds_are_only_lost() {
    World world;
    Client& seven = world.publishing(7);
    Client& watcher = world.client();
    watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber","autoupdate":false,"feed":7})");
    start(watcher);
    watcher.come_up();
    seven.ask(R"({"request":"unpublish"})");
    watcher.end_turn();
    CPPUNIT_ASSERT_EQUAL(std::string(), watcher.told());
    CPPUNIT_ASSERT(world.services.routes.empty());
  }
  void switching_feeds_a_line_from_elsewhere() {
    World world;
    world.publishing(7);
    Client& eight = world.publishing(8);
    Client& watcher = world.watching(R"([{"feed":7}])");
    watcher.jsep = {};
    Json switched = watcher.ask(
        R"({"request":"switch","streams":[{"feed":8,"mid":"1","sub_mid":"1"},{"feed":8,"mid":"0","sub_mid":"1"},{"feed":7,"mid":"0","sub_mid":"0"}]})");
    CPPUNIT_ASSERT_EQUAL(std::string("ok"), std::string(switched["switched"].string()));
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, switched["changes"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{8}, switched["streams"][size_t{1}]["feed_id"].integer());
    CPPUNIT_ASSERT(!watcher.offered());
    CPPUNIT_ASSERT(world.services.routes.at(*watcher.handle.sender("1")) == *eight.handle.receiver("1"));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.routes.size());
    for (auto [body, wanted] :
         {std::pair(R"([{"feed":8,"mid":"1"}])", 429), std::pair(R"([{"feed":9,"mid":"1","sub_mid":"0"}])", 428),
          std::pair(R"([{"feed":8,"mid":"7","sub_mid":"0"}])", 428)})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(
          body, int64_t{wanted},
          error_of(watcher.ask((std::string(R"({"request":"switch","streams":)") + body + "}").c_str())));
    CPPUNIT_ASSERT_EQUAL(int64_t{429}, error_of(watcher.ask(R"({"request":"switch"})")));
  }
  void switching_a_free_line_needs_an_offer() {
    World world;
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    watcher.ask(R"({"request":"unsubscribe","streams":[{"sub_mid":"1"}]})");
    start(watcher);
    watcher.forget_news();
    watcher.news_transactions.clear();
    Json switched = watcher.ask(R"({"request":"switch","streams":[{"feed":7,"mid":"1","sub_mid":"1"}]})");
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, switched["changes"].integer());
    CPPUNIT_ASSERT_EQUAL(std::string("updated"), kind(watcher.news.at(0)));
    CPPUNIT_ASSERT_EQUAL(std::string("t1"), watcher.news_transactions.at(0).value());
    start(watcher);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.routes.size());
  }
  void the_older_switch_matches_kind_and_codec() {
    World world;
    world.publishing(7);
    world.publishing(8);
    Client& watcher = world.watching(R"([{"feed":7}])");
    CPPUNIT_ASSERT_EQUAL(int64_t{2}, watcher.ask(R"({"request":"switch","feed":8})")["changes"].integer());
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, watcher.ask(R"({"request":"switch","feed":8})")["changes"].integer());
  }
  void pausing_and_starting() {
    World world;
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"paused":"ok"})"),
                         watcher.ask(R"({"request":"pause"})").text());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.paused.size());
    world.services.keyframes.clear();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"started":"ok"})"),
                         watcher.ask(R"({"request":"start"})").text());
    CPPUNIT_ASSERT(world.services.paused.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.keyframes.size());
    CPPUNIT_ASSERT_EQUAL(int64_t{431}, error_of(watcher.ask(R"({"request":"start"})", camera())));
  }
  void layers_are_chosen_and_told() {
    World world;
    world.publishing(7, camera(true));
    Client& watcher = world.client();
    Json attached = watcher.ask(
        R"({"request":"join","room":1,"ptype":"subscriber","streams":[{"feed":7,"mid":"1","substream":1,"fallback":500000}]})");
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"substream":-1,"substream-target":1,"temporal-layer":-1,"temporal-layer-target":2,"fallback":500000})"),
        attached["streams"][size_t{0}]["simulcast"].text());
    start(watcher);
    watcher.come_up();
    const SenderId to = *watcher.handle.sender("0");
    CPPUNIT_ASSERT_EQUAL(uint8_t{1}, world.services.layers.at(to).substream);
    watcher.attachment->on_layers(to, {.substream = 1, .temporal = 2});
    watcher.end_turn();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"mid":"0","substream":1})"
                                     "\n"
                                     R"({"videoroom":"event","room":1,"mid":"0","temporal":2})"
                                     "\n"),
                         watcher.told());
    watcher.ask(R"({"request":"configure","streams":[{"mid":"0","substream":1,"temporal":0}]})");
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"mid":"0","substream":1})"
                                     "\n"),
                         watcher.told());
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, world.services.layers.at(to).temporal);
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(watcher.ask(R"({"request":"configure","substream":3})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{428}, error_of(watcher.ask(R"({"request":"configure","mid":"5","substream":1})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{428},
                         error_of(watcher.ask(R"({"request":"configure","streams":[{"mid":"abc","substream":1}]})")));
    watcher.ask(R"({"request":"configure","substream":0})");
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, world.services.layers.at(to).substream);
  }
  void svc_layers_have_names_of_their_own() {
    World world(R"({"room-1": {"videocodec": "vp9"}})");
    Offer offer = camera();
    offer.sections[1].svc = true;
    world.publishing(7, offer);
    Client& watcher = world.watching(R"([{"feed":7,"mid":"1","spatial_layer":0}])");
    const SenderId to = *watcher.handle.sender("0");
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, world.services.layers.at(to).spatial);
    watcher.attachment->on_layers(to, {.temporal = 2, .spatial = 0});
    watcher.end_turn();
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"mid":"0","spatial_layer":0})"
                                     "\n"
                                     R"({"videoroom":"event","room":1,"mid":"0","temporal_layer":2})"
                                     "\n"),
                         watcher.told());
  }
  void lines_can_be_switched_off() {
    World world;
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7,"mid":"0"},{"feed":7,"mid":"1","send":false}])");
    CPPUNIT_ASSERT(world.services.paused.contains(*watcher.handle.sender("1")));
    watcher.ask(R"({"request":"configure","mid":"1","send":true,"max_delay":20})");
    CPPUNIT_ASSERT(world.services.paused.empty());
    CPPUNIT_ASSERT_EQUAL(uint16_t{20}, world.services.delays.at(*watcher.handle.sender("1"))->max_10ms);
    watcher.ask(R"({"request":"configure","audio":false})");
    CPPUNIT_ASSERT(world.services.paused.contains(*watcher.handle.sender("0")));
    watcher.ask(R"({"request":"configure","mid":"1","max_delay":-1})");
    CPPUNIT_ASSERT(!world.services.delays.at(*watcher.handle.sender("1")));
  }
  void an_ice_restart_is_an_offer() {
    World world;
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    watcher.jsep = {};
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"configured":"ok"})"),
                         watcher.ask(R"({"request":"configure","restart":true})").text());
    CPPUNIT_ASSERT(watcher.offer().ice_restart);
    start(watcher);
    watcher.ask(R"({"request":"configure","update":true})");
    CPPUNIT_ASSERT(!watcher.offer().ice_restart);
  }
  void a_restart_while_an_offer_is_out_comes_later_and_says_nothing() {
    World world;
    world.publishing(7);
    Client& watcher = world.client();
    watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber","feed":7})");
    CPPUNIT_ASSERT(!watcher.ask(R"({"request":"configure","restart":true})"));
    CPPUNIT_ASSERT(!watcher.offer().ice_restart);
    start(watcher);
    CPPUNIT_ASSERT(watcher.offer().ice_restart);
    CPPUNIT_ASSERT_EQUAL(std::string("updated"), kind(watcher.news.at(0)));
  }
  void refused_lines_are_not_fed() {
    World world;
    world.publishing(7);
    Client& watcher = world.client();
    watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber","feed":7})");
    Answer answer = watcher.answer();
    answer.sections[0].direction = Direction::inactive;
    watcher.ask(R"({"request":"start"})", {}, answer);
    watcher.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.routes.size());
  }
  void leaving_closes_the_connection() {
    World world;
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"left":"ok"})"),
                         watcher.ask(R"({"request":"leave"})").text());
    CPPUNIT_ASSERT(!watcher.handle.up && world.services.routes.empty());
    CPPUNIT_ASSERT_EQUAL(int64_t{425},
                         error_of(watcher.ask(R"({"request":"join","room":1,"ptype":"subscriber","feed":7})")));
    CPPUNIT_ASSERT_EQUAL(int64_t{426}, error_of(watcher.ask(R"({"request":"start"})")));
  }
  void a_lost_connection_can_be_begun_anew() {
    World world;
    world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    watcher.drop("ICE failed");
    CPPUNIT_ASSERT(world.services.routes.empty());
    Json updated = watcher.ask(R"({"request":"subscribe","streams":[{"feed":7,"mid":"1"}]})");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, updated["streams"].size());
    start(watcher);
    watcher.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.services.routes.size());
  }
  void a_publisher_that_comes_back_is_another_source() {
    World world;
    Client& seven = world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    seven.detach();
    world.publishing(7);
    world.settle();
    CPPUNIT_ASSERT(world.services.routes.empty());
    start(watcher);
    CPPUNIT_ASSERT(world.services.routes.empty());
  }
  void peers_of_a_room_share_an_affinity() {
    World world;
    Client& seven = world.publishing(7);
    Client& watcher = world.watching(R"([{"feed":7}])");
    CPPUNIT_ASSERT(seven.handle.affinity != 0 && seven.handle.affinity == watcher.handle.affinity);
  }
  void too_many_lines_are_refused() {
    World world;
    world.publishing(7);
    Json streams = Json::array();
    for (int i = 0; i < 257; ++i) streams.append(Json::object("feed", 7, "mid", "0"));
    Json body = Json::object("request", "join", "room", 1, "ptype", "subscriber", "streams", std::move(streams));
    CPPUNIT_ASSERT_EQUAL(int64_t{430}, error_of(world.client().ask(std::move(body))));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SubscriberTest);
