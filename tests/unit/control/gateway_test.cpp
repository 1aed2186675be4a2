#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>

#include <algorithm>
#include <future>
#include <string>
#include <thread>

#include "unit/control/world.hpp"

namespace cardea::control {
namespace {

class GatewayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GatewayTest);
  CPPUNIT_TEST(the_ack_comes_first_then_what_was_pushed_then_the_event);
  CPPUNIT_TEST(a_synchronous_answer_is_a_success_with_sender);
  CPPUNIT_TEST(a_handler_may_end_its_own_handle);
  CPPUNIT_TEST(a_handler_may_end_all_handles_of_a_session);
  CPPUNIT_TEST(a_destroyed_session_is_silent);
  CPPUNIT_TEST(a_session_times_out_and_its_client_is_told);
  CPPUNIT_TEST(a_request_keeps_the_session_alive);
  CPPUNIT_TEST(a_closed_connection_ends_its_sessions);
  CPPUNIT_TEST(a_session_can_be_reclaimed_until_the_reclaim_timeout);
  CPPUNIT_TEST(events_go_to_the_owner_wherever_requests_come_from);
  CPPUNIT_TEST(a_claim_moves_the_events);
  CPPUNIT_TEST(timers_run_once_and_not_in_the_turn_that_set_them);
  CPPUNIT_TEST(a_timer_that_is_pending_when_its_session_ends_does_no_harm);
  CPPUNIT_TEST(credentials_are_asked_for_by_all_but_info_and_ping);
  CPPUNIT_TEST(a_signed_token_opens_only_its_plugins);
  CPPUNIT_TEST(opaque_ids_are_repeated_if_the_setting_says_so);
  CPPUNIT_TEST(requests_beyond_the_bound_are_dropped_and_closed_connections_are_not);
  CPPUNIT_TEST(a_connection_that_floods_does_not_push_others_out);
  CPPUNIT_TEST(what_throws_ends_itself_and_nothing_else);
  CPPUNIT_TEST(tokens_end_by_the_real_clock);
  CPPUNIT_TEST(who_brings_requests_together_takes_the_turn);
  CPPUNIT_TEST(requests_that_come_during_a_turn_wake_the_control_thread);
  CPPUNIT_TEST(a_timer_set_in_a_turn_of_others_runs_in_time);
  CPPUNIT_TEST(a_transport_that_cannot_start_stops_the_start);
  CPPUNIT_TEST(stopping_tells_every_client);
  CPPUNIT_TEST_SUITE_END();

  static void same(const std::string& expected, const std::string& got) { CPPUNIT_ASSERT_EQUAL(expected, got); }

  static Settings unbounded() {
    Settings settings;
    settings.limits.requests_per_address = settings.limits.requests_per_session = 0;
    return settings;
  }

  // The control thread of a world until `over` is called, or something has gone wrong.
  class Running {
  public:
    explicit Running(World& world) : thread_([this, &world] { world.gateway->run(over_.fd()); }) {}
    void over() { over_.alarm(); }
    bool ends() {
      pollfd entry{over_.fd(), POLLIN, 0};
      const bool in_time = poll(&entry, 1, 10'000) == 1;
      over_.alarm();
      thread_.join();
      return in_time;
    }

  private:
    Mailbox<int> over_;
    std::thread thread_;
  };
  static Json call(uint64_t session, uint64_t handle, Json body) {
    return Json::object("janus", "message", "transaction", "t", "session_id", session, "handle_id", handle, "body",
                        std::move(body));
  }

  void the_ack_comes_first_then_what_was_pushed_then_the_event() {
    World world;
    uint64_t session = world.create(), a = world.attach(session), other = world.create({2});
    uint64_t b = World::id_in(world.ask(
        Json::object("janus", "attach", "transaction", "t", "session_id", other, "plugin", "fake.alias"), {2}));
    (void)b;
    world.heard();
    world.heard({2});
    world.does(session, a, "push");
    same("reply:ack event:first event:second event:event", world.heard());
    same("event:for another", world.heard({2}));
    world.does(session, a, "nothing");
    same("wait", std::string(world.transport->sent.back().message["hint"].string()));
    same("reply:ack", world.heard());
  }

  void a_synchronous_answer_is_a_success_with_sender() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    Json reply = world.does(session, handle, "sync");
    same(text("{\"janus\":\"success\",\"session_id\":", session, ",\"transaction\":\"t\",\"sender\":", handle,
              ",\"plugindata\":{\"plugin\":\"janus.plugin.fake\",\"data\":{\"result\":\"sync\"}}}"),
         reply.text());
  }

  void a_handler_may_end_its_own_handle() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    world.heard();
    world.does(session, handle, "detach");
    same("reply:ack event:still here event:event detached", world.heard());
    CPPUNIT_ASSERT_EQUAL(459, World::code(world.does(session, handle, "sync")));
    CPPUNIT_ASSERT(world.plugin->attachments.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->handle_count());
  }

  void a_handler_may_end_all_handles_of_a_session() {
    World world;
    uint64_t session = world.create(), a = world.attach(session);
    world.attach(session);
    world.attach(session);
    world.heard();
    world.does(session, a, "detach all");
    std::string heard = world.heard();
    size_t detached = 0;
    for (size_t at = 0; (at = heard.find("detached", at)) != std::string::npos; ++at) ++detached;
    CPPUNIT_ASSERT_EQUAL(size_t{3}, detached);
    CPPUNIT_ASSERT(heard.starts_with("reply:ack event:event"));
    CPPUNIT_ASSERT(world.plugin->attachments.empty());
  }

  void a_destroyed_session_is_silent() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    world.attach(session);
    world.does(session, handle, "accept", offer());
    world.heard();
    world.transport->log.clear();
    Json reply = world.verb("destroy", "session_id", session);
    same(text("{\"janus\":\"success\",\"session_id\":", session, ",\"transaction\":\"t\"}"), reply.text());
    same("reply:success", world.heard());
    same(text("over ", session, " from 1"), world.transport->log.at(0));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.worker().of<worker::ClosePeer>().size());
    CPPUNIT_ASSERT_EQUAL(uint32_t{0}, world.gateway->peers()->count());
  }

  void a_session_times_out_and_its_client_is_told() {
    World world;
    uint64_t session = world.create();
    world.attach(session);
    world.heard();
    world.pass(59s);
    same("", world.heard());
    world.pass(1s);
    same("timeout", world.heard());
    same(text("over ", session, " from 1"), world.transport->log.back());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());

    Settings forever;
    forever.general.session_timeout = 0;
    World other(std::move(forever));
    other.create();
    other.pass(100'000s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, other.gateway->session_count());
  }

  void a_request_keeps_the_session_alive() {
    World world;
    uint64_t session = world.create();
    for (int i = 0; i < 5; ++i) {
      world.pass(40s);
      same("ack", std::string(world.verb("keepalive", "session_id", session)["janus"].string()));
    }
    world.pass(40s);
    CPPUNIT_ASSERT_EQUAL(453, World::code(world.verb("nonsense", "session_id", session)));  // counts all the same
    world.pass(40s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.gateway->session_count());
  }

  void a_closed_connection_ends_its_sessions() {
    World world;
    world.attach(world.create());
    world.attach(world.create());
    uint64_t other = world.create({2});
    world.heard();
    world.transport->host.gone({1});
    world.turn();
    same("", world.heard());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.gateway->session_count());
    CPPUNIT_ASSERT(world.plugin->attachments.empty());
    same("ack", std::string(world.verb("keepalive", "session_id", other)["janus"].string()));
  }

  void a_session_can_be_reclaimed_until_the_reclaim_timeout() {
    Settings settings;
    settings.general.reclaim_session_timeout = 10;
    World world(std::move(settings));
    uint64_t session = world.create(), handle = world.attach(session);
    world.transport->host.gone({1});
    world.pass(9s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.gateway->session_count());
    world.ask(Json::object("janus", "claim", "transaction", "t", "session_id", session), {3});
    world.pass(30s);
    world.heard({3});
    world.ask(Json::object("janus", "message", "transaction", "t", "session_id", session, "handle_id", handle, "body",
                           Json::object("do", "push")),
              {3});
    same("reply:ack event:first event:second event:event", world.heard({3}));
    world.transport->host.gone({3});
    world.pass(10s);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());
    same("", world.heard({3}));
  }

  void events_go_to_the_owner_wherever_requests_come_from() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    world.heard();
    world.ask(Json::object("janus", "message", "transaction", "t", "session_id", session, "handle_id", handle, "body",
                           Json::object("do", "event")),
              {2});
    same("reply:ack", world.heard({2}));
    same("event:event", world.heard());
  }

  void a_claim_moves_the_events() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    world.verb("claim", "session_id", session);  // ours already
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.transport->log.size());
    world.ask(Json::object("janus", "claim", "transaction", "t", "session_id", session), {2});
    same(text("claimed ", session, " from 1"), world.transport->log.at(1));
    same(text("owned ", session, " by 2"), world.transport->log.at(2));
    world.heard();
    world.heard({2});
    world.does(session, handle, "event");
    same("reply:ack", world.heard());
    same("event:event", world.heard({2}));
    world.transport->host.gone({1});
    world.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.gateway->session_count());
  }

  void timers_run_once_and_not_in_the_turn_that_set_them() {
    World world;
    Services& services = world.plugin->services;
    std::vector<int> order;
    services.after(20ms, [&] { order.push_back(2); });
    services.after(10ms, [&] {
      order.push_back(1);
      services.after(0ms, [&] { order.push_back(3); });
    });
    TimerId cancelled = services.after(10ms, [&] { order.push_back(9); });
    services.after(10ms, [&] { throw std::runtime_error("in a timer"); });
    services.cancel(cancelled);
    services.cancel(cancelled);
    world.pass(9ms);
    CPPUNIT_ASSERT(order.empty());
    world.pass(1ms);
    CPPUNIT_ASSERT((order == std::vector{1}));
    CPPUNIT_ASSERT(world.gateway->next_deadline() <= world.now);
    world.pass(0ms);
    CPPUNIT_ASSERT((order == std::vector{1, 3}));
    world.pass(1s);
    CPPUNIT_ASSERT((order == std::vector{1, 3, 2}));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->timer_count());
  }

  void a_timer_that_is_pending_when_its_session_ends_does_no_harm() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    world.message(session, handle, Json::object("do", "timer", "ms", 50));
    world.verb("destroy", "session_id", session);
    world.pass(60ms);
    CPPUNIT_ASSERT_EQUAL(1, world.plugin->timers_run);
  }

  void credentials_are_asked_for_by_all_but_info_and_ping() {
    Settings settings;
    settings.general.api_secret = "sesame";
    World world(std::move(settings));
    same("pong", std::string(world.verb("ping")["janus"].string()));
    same("server_info", std::string(world.verb("info")["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("create")));
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("create", "apisecret", "Sesame")));
    CPPUNIT_ASSERT_EQUAL(457, World::code(world.verb("nonsense")));
    uint64_t session = World::id_in(world.verb("create", "apisecret", "sesame"));
    CPPUNIT_ASSERT(session != 0);
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("keepalive", "session_id", 1)));
    CPPUNIT_ASSERT_EQUAL(458, World::code(world.verb("keepalive", "session_id", 1, "apisecret", "sesame")));
  }

  void a_signed_token_opens_only_its_plugins() {
    Settings settings;
    settings.general.token_auth = true;
    settings.general.token_auth_secret = "key";
    World world(std::move(settings));
    // printf 1893456000,janus,janus.plugin.fake | openssl dgst -sha1 -hmac key -binary | base64
    const char* good = "1893456000,janus,janus.plugin.fake:0Ilg1NXcVPsBFiMqRxbuLkFtj9Y=";
    const char* bare = "1893456000,janus:VgNy/GYdDE5v9cg71Tlfz7i6gM0=";
    uint64_t session = World::id_in(world.verb("create", "token", good));
    CPPUNIT_ASSERT(session != 0);
    CPPUNIT_ASSERT_EQUAL(
        0, World::code(world.verb("attach", "session_id", session, "token", good, "plugin", "janus.plugin.fake")));
    CPPUNIT_ASSERT_EQUAL(
        405, World::code(world.verb("attach", "session_id", session, "token", bare, "plugin", "janus.plugin.fake")));
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("attach", "session_id", session, "plugin", "janus.plugin.fake")));
    CPPUNIT_ASSERT(world.plugin->services.tokens_are_signed());
  }

  void opaque_ids_are_repeated_if_the_setting_says_so() {
    Settings settings;
    settings.general.opaqueid_in_api = true;
    World world(std::move(settings));
    uint64_t session = world.create(), handle = world.attach(session, "me");
    same("me", std::string(world.does(session, handle, "sync")["opaque_id"].string()));
    world.does(session, handle, "event");
    same("me", std::string(world.transport->sent.back().message["opaque_id"].string()));
    World quiet;
    session = quiet.create(), handle = quiet.attach(session, "me");
    CPPUNIT_ASSERT(!quiet.does(session, handle, "sync")["opaque_id"]);
  }

  void requests_beyond_the_bound_are_dropped_and_closed_connections_are_not() {
    World world(unbounded());
    world.create();
    world.heard();
    for (size_t i = 0; i < Inbox::bound + 10; ++i)
      world.transport->host.receive({1 + i % 100}, {1}, Api::client, Json::object("janus", "ping", "transaction", "t"));
    world.transport->host.gone({1});
    world.turn();
    CPPUNIT_ASSERT_EQUAL(Inbox::bound, world.transport->sent.size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());
    world.transport->sent.clear();
    same("pong", std::string(world.verb("ping")["janus"].string()));
  }

  void a_connection_that_floods_does_not_push_others_out() {
    World world(unbounded());
    for (size_t i = 0; i < Inbox::bound + 10; ++i)
      world.transport->host.receive({1}, {1}, Api::client, Json::object("janus", "ping", "transaction", "t"));
    world.transport->host.receive({2}, {2}, Api::client, Json::object("janus", "ping", "transaction", "t"));
    world.turn();
    size_t pongs = 0, told = 0;
    for (const auto& one : world.transport->sent) {
      pongs += one.message["janus"].string() == "pong" ? 1 : 0;
      told += World::code(one.message) == 490 ? 1 : 0;
    }
    CPPUNIT_ASSERT_EQUAL(Inbox::connection_bound + 1, pongs);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, told);
    same("reply:pong", world.heard({2}));
  }

  void what_throws_ends_itself_and_nothing_else() {
    World world;
    const uint64_t session = world.create(), handle = world.attach(session);
    world.worker().on_post = [](const worker::Command&) { throw std::bad_alloc(); };
    world.does(session, handle, "accept", offer());  // the answer is made when the event is sent
    world.worker().on_post = nullptr;
    same("pong", std::string(world.verb("ping")["janus"].string()));
    world.transport->fails = true;
    world.verb("ping");
    world.transport->fails = false;
    CPPUNIT_ASSERT_EQUAL(std::string("success"), std::string(world.does(session, handle, "sync")["janus"].string()));
    world.verb("destroy", "session_id", session);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());
  }

  void tokens_end_by_the_real_clock() {
    Settings settings;
    settings.general.token_auth = true;
    settings.general.token_auth_secret = "key";
    World world(std::move(settings));
    const char* token = "1893456000,janus,janus.plugin.fake:0Ilg1NXcVPsBFiMqRxbuLkFtj9Y=";
    same("success", std::string(world.verb("create", "token", token)["janus"].string()));
    world.clock_ahead = std::chrono::seconds(93'456'001);
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("create", "token", token)));
    world.clock_ahead = {};
    same("success", std::string(world.verb("create", "token", token)["janus"].string()));
  }

  void who_brings_requests_together_takes_the_turn() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    world.heard();
    std::thread::id taken_by;
    world.plugin->on_call = [&] { taken_by = std::this_thread::get_id(); };
    std::thread brings([&] { world.bring(call(session, handle, Json::object("do", "call"))); });
    const std::thread::id its_id = brings.get_id();
    brings.join();
    CPPUNIT_ASSERT(taken_by == its_id);
    same("reply:ack event:event", world.heard());
  }

  // Both with World's clock, in which nothing is due for the real one: the control thread sleeps until it is woken.
  void requests_that_come_during_a_turn_wake_the_control_thread() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    Running running(world);
    int calls = 0;
    world.plugin->on_call = [&] {
      if (++calls > 1) return running.over();
      std::thread([&] { world.bring(call(session, handle, Json::object("do", "call"))); }).join();  // or hangs
    };
    world.bring(call(session, handle, Json::object("do", "call")));
    CPPUNIT_ASSERT(running.ends());
    CPPUNIT_ASSERT_EQUAL(2, calls);
  }

  void a_timer_set_in_a_turn_of_others_runs_in_time() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    Running running(world);
    // From here on the control thread sleeps, as far as it knows for a long time.
    std::promise<void> awake;
    world.plugin->on_call = [&] { awake.set_value(); };
    world.transport->host.receive({1}, RequestTag{1000}, Api::client,
                                  call(session, handle, Json::object("do", "call")));
    awake.get_future().wait();
    world.plugin->on_timer = [&] { running.over(); };
    world.bring(call(session, handle, Json::object("do", "timer", "ms", 5)));
    CPPUNIT_ASSERT(running.ends());
    CPPUNIT_ASSERT_EQUAL(1, world.plugin->timers_run);
  }

  void a_transport_that_cannot_start_stops_the_start() {
    World world;
    world.gateway->stop();
    CPPUNIT_ASSERT_EQUAL(0, world.transport->running);
    world.transport->refuses = true;
    Status status = world.gateway->start();
    CPPUNIT_ASSERT(!status);
    same("Port 1 is in use", status.error().reason);
    world.gateway->stop();
    CPPUNIT_ASSERT_EQUAL(0, world.transport->running);
  }

  void stopping_tells_every_client() {
    World world;
    uint64_t session = world.create(), handle = world.attach(session);
    world.does(session, handle, "accept", offer());
    world.create({2});
    world.heard();
    world.heard({2});
    world.gateway->stop();
    same("event:down hangup timeout", world.heard());
    same("timeout", world.heard({2}));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.worker().of<worker::ClosePeer>().size());
    CPPUNIT_ASSERT_EQUAL(0, world.transport->running);
    CPPUNIT_ASSERT(world.plugin->attachments.empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GatewayTest);

}  // namespace
}  // namespace cardea::control
