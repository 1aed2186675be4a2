// Those who watch (videoroom.md section 4).
#include "room_world.hpp"

using namespace cardea;
using namespace cardea::test;

class SubscriberTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SubscriberTest);
  CPPUNIT_TEST(a_subscriber_gets_an_offer_and_media_flows_when_both_are_up);
  CPPUNIT_TEST_SUITE_END();

  void a_subscriber_gets_an_offer_and_media_flows_when_both_are_up() {
    World world;
    world.publishing(7);
    Client& watcher = world.client();
    Json attached = watcher.ask(
        R"({"request":"join","room":1,"ptype":"subscriber","streams":[{"feed":7,"mid":"0"},{"feed":7,"mid":"1"}]})");
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"videoroom":"attached","room":1,"streams":[)"
            R"({"type":"audio","active":true,"mindex":0,"mid":"0","ready":false,"send":true,"feed_id":7,"feed_display":"P7","feed_mid":"0","codec":"opus"},)"
            R"({"type":"video","active":true,"mindex":1,"mid":"1","ready":false,"send":true,"feed_id":7,"feed_display":"P7","feed_mid":"1","codec":"vp8"}]})"),
        attached.text());
    CPPUNIT_ASSERT(watcher.offered());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, watcher.offer().sections.size());
    CPPUNIT_ASSERT(world.services.routes.empty());
    Json started = watcher.ask(R"({"request":"start","room":1})", {}, watcher.answer());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"videoroom":"event","room":1,"started":"ok"})"), started.text());
    CPPUNIT_ASSERT(world.services.routes.empty());
    watcher.come_up();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, world.services.routes.size());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SubscriberTest);
