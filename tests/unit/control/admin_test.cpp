#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "unit/control/world.hpp"

namespace cardea::control {
namespace {

class AdminTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AdminTest);
  CPPUNIT_TEST(sessions_and_handles_are_listed_without_keeping_them_alive);
  CPPUNIT_TEST(an_operator_ends_handles_and_sessions);
  CPPUNIT_TEST(an_operator_hangs_up_and_the_client_hears_who_did);
  CPPUNIT_TEST(a_handle_is_described_with_its_data_channels);
  CPPUNIT_TEST(workers_tell_what_they_counted);
  CPPUNIT_TEST(a_verb_of_another_level_is_not_handled);
  CPPUNIT_TEST_SUITE_END();

  static Json admin(World& world, const char* verb, uint64_t session = 0, uint64_t handle = 0) {
    Json request = Json::object("janus", verb, "transaction", "t");
    if (session != 0) request.set("session_id", session);
    if (handle != 0) request.set("handle_id", handle);
    return world.ask(std::move(request), {9}, Api::admin);
  }

public:
  void sessions_and_handles_are_listed_without_keeping_them_alive() {
    Settings settings;
    settings.general.session_timeout = 60;
    World world(std::move(settings));
    const uint64_t session = world.create();
    const uint64_t handle = world.attach(session);
    world.pass(std::chrono::seconds(40));
    CPPUNIT_ASSERT_EQUAL(text("[", session, "]"), admin(world, "list_sessions")["sessions"].text());
    Json handles = admin(world, "list_handles", session);
    CPPUNIT_ASSERT_EQUAL(text("[", handle, "]"), handles["handles"].text());
    CPPUNIT_ASSERT_EQUAL(session, static_cast<uint64_t>(handles["session_id"].integer()));
    world.pass(std::chrono::seconds(21));
    CPPUNIT_ASSERT_EQUAL(std::string("[]"), admin(world, "list_sessions")["sessions"].text());
  }

  void an_operator_ends_handles_and_sessions() {
    World world;
    const uint64_t session = world.create();
    const uint64_t handle = world.attach(session);
    world.heard();
    CPPUNIT_ASSERT_EQUAL(std::string("success"),
                         std::string(admin(world, "detach_handle", session, handle)["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("detached"), world.heard());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->handle_count());
    admin(world, "destroy_session", session);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());
    CPPUNIT_ASSERT_EQUAL(std::string(), world.heard());
  }

  void an_operator_hangs_up_and_the_client_hears_who_did() {
    World world;
    const uint64_t session = world.create();
    const uint64_t handle = world.attach(session);
    world.does(session, handle, "accept", offer());
    world.transport->sent.clear();
    admin(world, "hangup_webrtc", session, handle);
    std::string reason;
    for (auto& one : world.transport->sent)
      if (one.message["janus"].string() == "hangup") reason = one.message["reason"].string();
    CPPUNIT_ASSERT_EQUAL(std::string("Admin API"), reason);
  }

  void a_handle_is_described_with_its_data_channels() {
    World world;
    const uint64_t session = world.create();
    const uint64_t handle = world.attach(session, "mine");
    Json info = admin(world, "handle_info", session, handle);
    CPPUNIT_ASSERT_EQUAL(handle, static_cast<uint64_t>(info["handle_id"].integer()));
    CPPUNIT_ASSERT_EQUAL(std::string("mine"), std::string(info["info"]["opaque_id"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("janus.plugin.fake"), std::string(info["info"]["plugin"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("cardea.transport.fake"), std::string(info["info"]["session_transport"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"fake\":true}"), info["info"]["plugin_specific"].text());
    CPPUNIT_ASSERT(!info["info"]["webrtc"]);
    CPPUNIT_ASSERT(!info["info"]["flags"]["negotiated"].boolean());

    world.does(session, handle, "accept", offer("abcd", true));
    data::PeerDataStats stats;
    stats.peer = world.peer_of_last_create();
    stats.drops.count(data::DataDrop::expired, 2);
    data::ChannelStats channel;
    channel.channel.label = "chat";
    channel.count_in(5);
    stats.channels.push_back(channel);
    world.gateway->worker_events().post(std::vector{stats});
    world.gateway->turn(world.now);
    info = admin(world, "handle_info", session, handle);
    CPPUNIT_ASSERT(info["info"]["flags"]["negotiated"].boolean());
    JsonView data = info["info"]["webrtc"]["data"];
    CPPUNIT_ASSERT_EQUAL(std::string("{\"expired\":2}"), data["drops"].text());
    CPPUNIT_ASSERT_EQUAL(std::string("chat"), std::string(data["channels"][size_t{0}]["label"].string()));
    CPPUNIT_ASSERT_EQUAL(int64_t{5}, data["channels"][size_t{0}]["bytes_in"].integer());
  }

  void workers_tell_what_they_counted() {
    World world({}, 2);
    worker::WorkerStats stats;
    stats.worker = 1;
    stats.peers = 3;
    stats.packets_out = 30;
    stats.runs_out = 10;
    stats.tick_occupancy = 0.5;
    stats.cipher_engine = "evp";
    stats.drops.count(Drop::bad_auth, 7);
    world.gateway->worker_events().post(stats);
    data::DataStats data;
    data.messages_in = 4;
    data.drops.count(data::DataDrop::bad_dcep, 2);
    world.gateway->worker_events().post(data);
    world.gateway->turn(world.now);
    Json reply = admin(world, "loops_info");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, reply["loops"].size());
    JsonView loop = reply["loops"][1];
    CPPUNIT_ASSERT_EQUAL(int64_t{3}, loop["handles"].integer());
    CPPUNIT_ASSERT_EQUAL(3.0, loop["run_length"].number());
    CPPUNIT_ASSERT_EQUAL(0.5, loop["occupancy"].number());
    CPPUNIT_ASSERT_EQUAL(std::string("evp"), std::string(loop["cipher_engine"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"bad_auth\":7}"), loop["drops"].text());
    CPPUNIT_ASSERT_EQUAL(int64_t{4}, reply["data"]["messages_in"].integer());
    CPPUNIT_ASSERT_EQUAL(std::string("{\"bad_dcep\":2}"), reply["data"]["drops"].text());
  }

  void a_verb_of_another_level_is_not_handled() {
    World world;
    const uint64_t session = world.create();
    const uint64_t handle = world.attach(session);
    CPPUNIT_ASSERT_EQUAL(457, World::code(admin(world, "list_handles")));
    CPPUNIT_ASSERT_EQUAL(457, World::code(admin(world, "list_sessions", session)));
    CPPUNIT_ASSERT_EQUAL(457, World::code(admin(world, "list_handles", session, handle)));
    CPPUNIT_ASSERT_EQUAL(457, World::code(admin(world, "create")));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AdminTest);

}  // namespace
}  // namespace cardea::control
