#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <string>
#include <thread>

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
  CPPUNIT_TEST(every_request_of_the_server_level_answers_as_the_notes_say);
  CPPUNIT_TEST(settings_change_while_it_runs);
  CPPUNIT_TEST(a_session_may_have_a_timeout_of_its_own);
  CPPUNIT_TEST(no_new_sessions_are_accepted_if_an_operator_says_so);
  CPPUNIT_TEST(modules_are_asked);
  CPPUNIT_TEST(stored_tokens_open_the_plugins_that_they_may_use);
  CPPUNIT_TEST(a_wrong_secret_is_slowed_and_shuts_no_client_out);
  CPPUNIT_TEST(a_name_is_looked_up_outside_the_turn);
  CPPUNIT_TEST(every_change_is_logged_with_who_asked);
  CPPUNIT_TEST_SUITE_END();

  static Json admin(World& world, const char* verb, uint64_t session = 0, uint64_t handle = 0) {
    Json request = Json::object("janus", verb, "transaction", "t");
    if (session != 0) request.set("session_id", session);
    if (handle != 0) request.set("handle_id", handle);
    return world.ask(std::move(request), {9}, Api::admin);
  }
  template <class... Members>
  static Json admin_with(World& world, const char* verb, Members&&... members) {
    return world.ask(Json::object("janus", verb, "transaction", "t", std::forward<Members>(members)...), {9},
                     Api::admin);
  }
  static std::string kind(JsonView reply) { return std::string(reply["janus"].string()); }

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
    world.turn();
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
    world.turn();
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

  void every_request_of_the_server_level_answers_as_the_notes_say() {
    struct Row {
      const char* request;
      const char* reply;  // a member and its value, or an error's code
    };
    for (const Row& row : std::initializer_list<Row>{
             {R"({"janus":"set_session_timeout","timeout":5})", R"({"timeout":5})"},
             {R"({"janus":"set_session_timeout"})", "456"},
             {R"({"janus":"set_session_timeout","timeout":"5"})", "467"},
             {R"({"janus":"set_session_timeout","timeout":-1})", "467"},
             {R"({"janus":"SET_LOG_LEVEL","level":7})", R"({"level":7})"},
             {R"({"janus":"set_log_level","level":8})", "467"},
             {R"({"janus":"set_log_timestamps","timestamps":false})", R"({"log_timestamps":false})"},
             {R"({"janus":"set_log_timestamps","timestamps":0})", "467"},
             {R"({"janus":"set_log_colors","colors":false})", R"({"log_colors":false})"},
             {R"({"janus":"set_log_colors","colors":true})", "490"},
             {R"({"janus":"set_locking_debug","debug":false})", R"({"locking_debug":false})"},
             {R"({"janus":"set_locking_debug","debug":true})", "490"},
             {R"({"janus":"set_refcount_debug","debug":false})", R"({"refcount_debug":false})"},
             {R"({"janus":"set_min_nack_queue","min_nack_queue":200})", R"({"min_nack_queue":200})"},
             {R"({"janus":"set_min_nack_queue","min_nack_queue":300})", "490"},
             {R"({"janus":"set_nack_optimizations","nack_optimizations":false})", R"({"nack-optimizations":false})"},
             {R"({"janus":"set_no_media_timer","no_media_timer":1})", R"({"no_media_timer":1})"},
             {R"({"janus":"set_slowlink_threshold","slowlink_threshold":0})", R"({"slowlink_threshold":0})"},
             {R"({"janus":"accept_new_sessions","accept":true})", R"({"accept":true})"},
             {R"({"janus":"accept_new_sessions","accept":1})", "467"},
             {R"({"janus":"custom_event","schema":"x","data":{}})", "{}"},
             {R"({"janus":"custom_event","schema":"x"})", "456"},
             {R"({"janus":"custom_logline","line":"hello","level":9})", "{}"},
             {R"({"janus":"custom_logline"})", "456"},
             {R"({"janus":"custom_logline","line":"x","level":"y"})", "467"},
             {R"({"janus":"list_tokens"})", "490"},
             {R"({"janus":"add_token","token":"x"})", "490"},
             {R"({"janus":"resolve_address"})", "456"},
             {R"({"janus":"start_pcap"})", "457"},
         }) {
      World world;
      Json request = *Json::parse(row.request);
      request.set("transaction", "t");
      Json reply = world.ask(std::move(request), {9}, Api::admin);
      if (row.reply[0] != '{') {
        CPPUNIT_ASSERT_EQUAL_MESSAGE(row.request, std::stoi(row.reply), World::code(reply));
        continue;
      }
      CPPUNIT_ASSERT_EQUAL_MESSAGE(row.request, std::string("success"), kind(reply));
      Json::parse(row.reply)->each_member([&](std::string_view name, JsonView value) {
        CPPUNIT_ASSERT_EQUAL_MESSAGE(row.request, value.text(), reply[std::string(name).c_str()].text());
      });
    }
  }

  void settings_change_while_it_runs() {
    World world;
    admin_with(world, "set_session_timeout", "timeout", 5);
    const Json status = admin(world, "get_status");
    CPPUNIT_ASSERT_EQUAL(int64_t{5}, status["status"]["session_timeout"].integer());
    for (const char* name : {"token_auth", "reclaim_session_timeout", "candidates_timeout", "log_level",
                             "log_timestamps", "log_colors", "log_rotate_sig", "locking_debug", "refcount_debug",
                             "min_nack_queue", "nack-optimizations", "no_media_timer", "slowlink_threshold", "limits"})
      CPPUNIT_ASSERT_MESSAGE(name, status["status"][name]);
    world.create();
    world.pass(6s);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());
    CPPUNIT_ASSERT_EQUAL(int64_t{5}, world.verb("info")["session-timeout"].integer());
  }

  void a_session_may_have_a_timeout_of_its_own() {
    World world;
    const uint64_t session = world.create(), other = world.create();
    Json reply = admin_with(world, "set_session_timeout", "session_id", session, "timeout", 5);
    CPPUNIT_ASSERT_EQUAL(int64_t{5}, reply["timeout"].integer());
    CPPUNIT_ASSERT_EQUAL(467,
                         World::code(admin_with(world, "set_session_timeout", "session_id", session, "timeout", -2)));
    admin_with(world, "set_session_timeout", "session_id", other, "timeout", 0);
    world.pass(6s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.gateway->session_count());
    world.pass(1000s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, world.gateway->session_count());
    admin_with(world, "set_session_timeout", "session_id", other, "timeout", -1);
    world.pass(2s);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());
  }

  void no_new_sessions_are_accepted_if_an_operator_says_so() {
    World world;
    const uint64_t session = world.create();
    admin_with(world, "accept_new_sessions", "accept", false);
    CPPUNIT_ASSERT_EQUAL(472, World::code(world.verb("create")));
    CPPUNIT_ASSERT(!world.verb("info")["accepting-new-sessions"].boolean());
    CPPUNIT_ASSERT(world.attach(session) != 0);
    admin_with(world, "accept_new_sessions", "accept", true);
    CPPUNIT_ASSERT(world.create() != 0);
  }

  void modules_are_asked() {
    World world;
    const auto ask = [&](const char* plugin, const char* what) {
      return admin_with(world, "message_plugin", "plugin", plugin, "request", Json::object(what, 1));
    };
    CPPUNIT_ASSERT_EQUAL(std::string("{\"echo\":{\"a\":1}}"), ask("janus.plugin.fake", "a")["response"].text());
    CPPUNIT_ASSERT_EQUAL(490, World::code(ask("janus.plugin.fake", "silent")));
    CPPUNIT_ASSERT_EQUAL(490, World::code(ask("janus.plugin.fake", "throw")));
    CPPUNIT_ASSERT_EQUAL(460, World::code(ask("janus.plugin.other", "a")));
    CPPUNIT_ASSERT_EQUAL(456, World::code(admin_with(world, "message_plugin", "plugin", "janus.plugin.fake")));
    const auto query = [&](const char* verb, const char* kind, const char* name) {
      return World::code(admin_with(world, verb, kind, name, "request", Json::object()));
    };
    CPPUNIT_ASSERT_EQUAL(490, query("query_transport", "transport", "cardea.transport.fake"));
    CPPUNIT_ASSERT_EQUAL(460, query("query_transport", "transport", "x"));
    CPPUNIT_ASSERT_EQUAL(460, query("query_eventhandler", "handler", "x"));
    CPPUNIT_ASSERT_EQUAL(460, query("query_logger", "logger", "x"));
  }

  void stored_tokens_open_the_plugins_that_they_may_use() {
    Settings settings;
    settings.general.token_auth = true;
    World world(std::move(settings));
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("create", "token", "one")));
    CPPUNIT_ASSERT_EQUAL(std::string("[\"cardea.plugin.fake\"]"),
                         admin_with(world, "add_token", "token", "one")["data"]["plugins"].text());
    const uint64_t session = World::id_in(world.verb("create", "token", "one"));
    const auto attach = [&] {
      return World::code(world.verb("attach", "session_id", session, "plugin", "janus.plugin.fake", "token", "one"));
    };
    CPPUNIT_ASSERT_EQUAL(0, attach());
    const auto change = [&](const char* verb, const char* token, const char* plugins) {
      return admin_with(world, verb, "token", token, "plugins", std::move(*Json::parse(plugins)));
    };
    CPPUNIT_ASSERT_EQUAL(std::string("[]"),
                         change("disallow_token", "one", R"(["janus.plugin.fake"])")["data"]["plugins"].text());
    CPPUNIT_ASSERT_EQUAL(405, attach());
    CPPUNIT_ASSERT_EQUAL(std::string("[]"), admin(world, "list_tokens")["data"]["tokens"].text());
    CPPUNIT_ASSERT_EQUAL(0, World::code(change("allow_token", "one", R"(["janus.plugin.fake"])")));
    CPPUNIT_ASSERT_EQUAL(0, attach());
    CPPUNIT_ASSERT_EQUAL(467, World::code(change("allow_token", "one", R"(["x"])")));
    CPPUNIT_ASSERT_EQUAL(467, World::code(change("allow_token", "one", "[]")));
    CPPUNIT_ASSERT_EQUAL(470, World::code(change("allow_token", "two", R"(["janus.plugin.fake"])")));
    CPPUNIT_ASSERT_EQUAL(std::string(R"([{"token":"one","allowed_plugins":["cardea.plugin.fake"]}])"),
                         admin(world, "list_tokens")["data"]["tokens"].text());
    CPPUNIT_ASSERT_EQUAL(0, World::code(admin_with(world, "remove_token", "token", "one")));
    CPPUNIT_ASSERT_EQUAL(490, World::code(admin_with(world, "remove_token", "token", "one")));
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("keepalive", "session_id", session, "token", "one")));
  }

  void a_wrong_secret_is_slowed_and_shuts_no_client_out() {
    Settings settings;
    settings.general.admin_secret = "sesame";
    settings.general.api_secret = "open";
    settings.limits.guesses_per_minute = 2;
    World world(std::move(settings));
    world.open({1}, "192.0.2.1");
    world.open({9}, "192.0.2.1");
    CPPUNIT_ASSERT_EQUAL(std::string("server_info"), kind(admin(world, "info")));
    CPPUNIT_ASSERT_EQUAL(403, World::code(admin(world, "list_sessions")));
    for (int i = 0; i < 2; ++i)
      CPPUNIT_ASSERT_EQUAL(403, World::code(admin_with(world, "list_sessions", "admin_secret", "wrong")));
    Json slowed = admin_with(world, "list_sessions", "admin_secret", "sesame");
    CPPUNIT_ASSERT_EQUAL(403, World::code(slowed));
    CPPUNIT_ASSERT(slowed["error"]["reason"].string().starts_with("Too many wrong secrets"));
    CPPUNIT_ASSERT_EQUAL(std::string("success"), kind(world.verb("create", "apisecret", "open")));
    world.pass(31s);
    CPPUNIT_ASSERT_EQUAL(std::string("success"), kind(admin_with(world, "list_sessions", "admin_secret", "sesame")));
  }

  void a_name_is_looked_up_outside_the_turn() {
    World world;
    const auto answer = [&](const char* address) {
      world.transport->sent.clear();
      CPPUNIT_ASSERT(!admin_with(world, "resolve_address", "address", address));
      for (int i = 0; i < 30'000 && world.transport->sent.empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        world.turn();
      }
      CPPUNIT_ASSERT_EQUAL(size_t{1}, world.transport->sent.size());
      return world.transport->sent.front().message.copy();
    };
    Json found = answer("192.0.2.7");  // needs no server
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.7"), std::string(found["ip"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("t"), std::string(found["transaction"].string()));
    CPPUNIT_ASSERT(found["elapsed"].is_integer());
    CPPUNIT_ASSERT_EQUAL(490, World::code(answer("no name at all")));
  }

  void every_change_is_logged_with_who_asked() {
    struct Lines final : log::Sink {
      void write(log::Level, std::string_view topic, std::string_view sentence) override {
        all += text(topic, ": ", sentence, "\n");
      }
      bool wants(log::Level level) const override { return level != log::Level::debug; }
      std::string all;
    } lines;
    World world;
    world.open({9}, "192.0.2.1");
    const uint64_t session = world.create();
    log::sink = &lines;
    admin(world, "list_sessions");
    admin_with(world, "set_session_timeout", "timeout", 5);
    admin_with(world, "set_session_timeout", "timeout", "x");
    admin(world, "destroy_session", session);
    log::sink = nullptr;
    CPPUNIT_ASSERT_EQUAL(text("admin: set_session_timeout, asked by 192.0.2.1 over cardea.transport.fake\n"
                              "admin: destroy_session of session ",
                              session, ", asked by 192.0.2.1 over cardea.transport.fake\n"),
                         lines.all);
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
