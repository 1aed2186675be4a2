#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "unit/control/world.hpp"

namespace cardea::control {
namespace {

class LimitsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LimitsTest);
  CPPUNIT_TEST(addresses_count_as_one_v4_or_a_v6_64);
  CPPUNIT_TEST(networks_contain_what_begins_as_they_do);
  CPPUNIT_TEST(sessions_are_bounded_by_address_and_in_all);
  CPPUNIT_TEST(handles_are_bounded_by_session_address_and_in_all);
  CPPUNIT_TEST(peer_connections_are_bounded_and_the_handle_stays);
  CPPUNIT_TEST(mlines_are_bounded_and_an_offer_that_is_too_long_changes_nothing);
  CPPUNIT_TEST(an_offer_of_the_plugin_beyond_a_bound_is_an_error_for_the_client);
  CPPUNIT_TEST(what_ends_is_given_back);
  CPPUNIT_TEST(requests_are_bounded_by_address_and_others_are_unharmed);
  CPPUNIT_TEST(requests_are_bounded_by_session_and_the_session_lives);
  CPPUNIT_TEST(exempt_networks_only_have_the_bounds_in_all);
  CPPUNIT_TEST(wrong_secrets_are_slowed_by_address);
  CPPUNIT_TEST(who_has_a_session_is_not_shut_out_by_the_guesses_of_others);
  CPPUNIT_TEST(a_plugin_may_slow_guesses_at_its_pins);
  CPPUNIT_TEST(an_http_request_has_its_address_and_leaves_nothing);
  CPPUNIT_TEST(texts_are_bounded_with_a_clear_error);
  CPPUNIT_TEST_SUITE_END();

  static void same(const std::string& expected, const std::string& got) { CPPUNIT_ASSERT_EQUAL(expected, got); }
  static Settings with(std::function<void(LimitSettings&)> change) {
    Settings settings;
    change(settings.limits);
    return settings;
  }
  static std::string reason(JsonView reply) { return std::string(reply["error"]["reason"].string()); }
  static Json create(World& world, ConnectionId from) {
    return world.ask(Json::object("janus", "create", "transaction", "t"), from);
  }
  static Json attach(World& world, uint64_t session, ConnectionId from = {1}) {
    return world.ask(
        Json::object("janus", "attach", "transaction", "t", "session_id", session, "plugin", "janus.plugin.fake"),
        from);
  }
  static uint64_t used(const World& world, const char* what) {
    return static_cast<uint64_t>(world.gateway->limits().describe()["used"][what].integer());
  }

public:
  void addresses_count_as_one_v4_or_a_v6_64() {
    const auto of = [](const char* ip) { return ClientAddress::of(ip); };
    CPPUNIT_ASSERT(of("192.0.2.1") != of("192.0.2.2"));
    CPPUNIT_ASSERT(of("::ffff:192.0.2.1") == of("192.0.2.1"));
    CPPUNIT_ASSERT(of("2001:db8::1") == of("2001:db8::2:3:4:5"));
    CPPUNIT_ASSERT(of("2001:db8:0:1::1") != of("2001:db8::1"));
    CPPUNIT_ASSERT(of("fe80::1%eth0") == of("fe80::2"));
    CPPUNIT_ASSERT(of("") == of("nonsense"));
    CPPUNIT_ASSERT(of("0.0.0.0") != of(""));
    same("192.0.2.1", of("192.0.2.1").text());
    same("2001:db8::/64", of("2001:db8::7").text());
    same("a local socket", of("").text());
  }

  void networks_contain_what_begins_as_they_do() {
    struct Row {
      const char *network, *ip;
      bool contains;
    };
    for (const Row& row :
         {Row{"10.0.0.0/8", "10.255.0.1", true}, Row{"10.0.0.0/8", "11.0.0.1", false},
          Row{"10.1.2.0/23", "10.1.3.9", true}, Row{"10.1.2.0/23", "10.1.4.9", false},
          Row{"10.1.2.3", "10.1.2.3", true}, Row{"10.1.2.3", "10.1.2.4", false}, Row{"0.0.0.0/0", "192.0.2.1", true},
          Row{"0.0.0.0/0", "2001:db8::1", false}, Row{"2001:db8::/32", "2001:db8:7::1", true},
          Row{"2001:db8::/32", "2001:db9::1", false}, Row{"::1", "::1", true}, Row{"10.0.0.0/8", "", false}})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text(row.network, " ", row.ip), row.contains,
                                   Network::parse(row.network)->contains(ClientAddress::of(row.ip)));
    for (const char* wrong :
         {"", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "2001:db8::/65", "10.0/8"})
      CPPUNIT_ASSERT_MESSAGE(wrong, !Network::parse(wrong));
  }

  void sessions_are_bounded_by_address_and_in_all() {
    World world(with([](LimitSettings& l) {
      l.sessions = 3;
      l.sessions_per_address = 2;
    }));
    world.open({1}, "192.0.2.1");
    world.open({2}, "192.0.2.1");
    world.open({3}, "192.0.2.2");
    world.open({4}, "192.0.2.3");
    const uint64_t first = World::id_in(create(world, {1}));
    CPPUNIT_ASSERT(World::id_in(create(world, {2})) != 0);
    Json refused = create(world, {2});
    CPPUNIT_ASSERT_EQUAL(472, World::code(refused));
    same("Too many sessions from this address: 2 at most", reason(refused));
    CPPUNIT_ASSERT(World::id_in(create(world, {3})) != 0);
    refused = create(world, {4});
    CPPUNIT_ASSERT_EQUAL(472, World::code(refused));
    same("Too many sessions in all: 3 at most", reason(refused));
    world.verb("destroy", "session_id", first);
    CPPUNIT_ASSERT(World::id_in(create(world, {4})) != 0);
  }

  void handles_are_bounded_by_session_address_and_in_all() {
    World world(with([](LimitSettings& l) {
      l.handles = 4;
      l.handles_per_address = 3;
      l.handles_per_session = 2;
    }));
    world.open({1}, "192.0.2.1");
    world.open({2}, "192.0.2.2");
    const uint64_t a = world.create(), b = world.create(), other = world.create({2});
    for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT(World::id_in(attach(world, a)) != 0);
    Json refused = attach(world, a);
    CPPUNIT_ASSERT_EQUAL(490, World::code(refused));
    same("Too many handles in this session: 2 at most", reason(refused));
    CPPUNIT_ASSERT(World::id_in(attach(world, b)) != 0);
    same("Too many handles from this address: 3 at most", reason(attach(world, b)));
    CPPUNIT_ASSERT(World::id_in(attach(world, other, {2})) != 0);
    same("Too many handles in all: 4 at most", reason(attach(world, other, {2})));
    CPPUNIT_ASSERT_EQUAL(size_t{4}, world.plugin->attachments.size());
  }

  void peer_connections_are_bounded_and_the_handle_stays() {
    World world(with([](LimitSettings& l) { l.peers_per_session = 1; }));
    const uint64_t session = world.create(), a = world.attach(session), b = world.attach(session);
    same("ack", std::string(world.does(session, a, "accept", offer())["janus"].string()));
    Json refused = world.does(session, b, "accept", offer("efgh"));
    CPPUNIT_ASSERT_EQUAL(490, World::code(refused));
    same("Too many peer connections in this session: 1 at most", reason(refused));
    same("success", std::string(world.does(session, b, "sync")["janus"].string()));
    world.verb("hangup", "session_id", session, "handle_id", a);
    same("ack", std::string(world.does(session, b, "accept", offer("efgh"))["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, used(world, "peers"));
  }

  void mlines_are_bounded_and_an_offer_that_is_too_long_changes_nothing() {
    World world(with([](LimitSettings& l) { l.mlines_per_session = 1; }));
    const uint64_t session = world.create(), handle = world.attach(session);
    Json refused = world.does(session, handle, "accept", offer("abcd", true));
    CPPUNIT_ASSERT_EQUAL(490, World::code(refused));
    same("Too many m-lines in this session: 1 at most", reason(refused));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, used(world, "peers"));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, used(world, "mlines"));
    same("ack", std::string(world.does(session, handle, "accept", offer())["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(490, World::code(world.does(session, handle, "accept", offer("abcd", true))));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, used(world, "mlines"));
    same("ack", std::string(world.does(session, handle, "accept", offer())["janus"].string()));
  }

  void an_offer_of_the_plugin_beyond_a_bound_is_an_error_for_the_client() {
    World world(with([](LimitSettings& l) { l.peers = 1; }));
    const uint64_t session = world.create(), a = world.attach(session), b = world.attach(session);
    world.does(session, a, "accept", offer());
    world.heard();
    world.does(session, b, "offer");
    const Json& last = world.transport->sent.back().message;
    CPPUNIT_ASSERT_EQUAL(490, World::code(last));
    CPPUNIT_ASSERT_EQUAL(b, static_cast<uint64_t>(last["sender"].integer()));
    same("t", std::string(last["transaction"].string()));
    same("reply:ack event:event error", world.heard());
  }

  void what_ends_is_given_back() {
    World world;
    world.open({1}, "192.0.2.1");
    for (int i = 0; i < 3; ++i) {
      const uint64_t session = world.create(), handle = world.attach(session);
      world.attach(session);
      world.does(session, handle, "accept", offer());
      CPPUNIT_ASSERT_EQUAL(uint64_t{1}, used(world, "sessions"));
      CPPUNIT_ASSERT_EQUAL(uint64_t{2}, used(world, "handles"));
      CPPUNIT_ASSERT_EQUAL(uint64_t{1}, used(world, "peers"));
      CPPUNIT_ASSERT_EQUAL(uint64_t{1}, used(world, "mlines"));
      if (i == 0) world.verb("destroy", "session_id", session);
      if (i == 1) world.pass(61s);
      if (i == 2) world.transport->host.gone({1});
      world.turn();
      for (const char* what : counted_names) CPPUNIT_ASSERT_EQUAL_MESSAGE(what, uint64_t{0}, used(world, what));
    }
    world.pass(10s);
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, world.gateway->limits().describe()["addresses"].integer());
  }

  void requests_are_bounded_by_address_and_others_are_unharmed() {
    World world(with([](LimitSettings& l) { l.requests_per_address = 2; }));
    world.open({1}, "2001:db8::1");
    world.open({2}, "2001:db8::2");
    world.open({3}, "2001:db8:0:1::1");
    const auto ping = [&](ConnectionId from) {
      return world.ask(Json::object("janus", "ping", "transaction", "t"), from);
    };
    for (int i = 0; i < 10; ++i) same("pong", std::string(ping({1 + static_cast<uint64_t>(i % 2)})["janus"].string()));
    Json refused = ping({2});
    CPPUNIT_ASSERT_EQUAL(490, World::code(refused));
    same("Too many requests from this address: 2 per second at most", reason(refused));
    same("pong", std::string(ping({3})["janus"].string()));
    world.pass(1s);
    for (int i = 0; i < 2; ++i) same("pong", std::string(ping({1})["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(490, World::code(ping({1})));
  }

  void requests_are_bounded_by_session_and_the_session_lives() {
    World world(with([](LimitSettings& l) { l.requests_per_session = 1; }));
    const uint64_t session = world.create(), other = world.create();
    for (int i = 0; i < 5; ++i)
      same("ack", std::string(world.verb("keepalive", "session_id", session)["janus"].string()));
    Json refused = world.verb("keepalive", "session_id", session);
    CPPUNIT_ASSERT_EQUAL(490, World::code(refused));
    same("Too many requests in this session: 1 per second at most", reason(refused));
    same("ack", std::string(world.verb("keepalive", "session_id", other)["janus"].string()));
    world.pass(1s);
    same("ack", std::string(world.verb("keepalive", "session_id", session)["janus"].string()));
  }

  void exempt_networks_only_have_the_bounds_in_all() {
    World world(with([](LimitSettings& l) {
      l.sessions = 3;
      l.sessions_per_address = l.requests_per_address = l.requests_per_session = l.handles_per_session = 1;
      l.exempt = {"192.0.2.0/24"};
    }));
    world.open({1}, "192.0.2.1");
    const uint64_t session = world.create();
    for (int i = 0; i < 30; ++i) CPPUNIT_ASSERT(World::id_in(attach(world, session)) != 0);
    world.create();
    world.create();
    same("Too many sessions in all: 3 at most", reason(create(world, {1})));
  }

  void wrong_secrets_are_slowed_by_address() {
    Settings settings;
    settings.general.api_secret = "sesame";
    settings.limits.guesses_per_minute = 3;
    World world(std::move(settings));
    world.open({1}, "192.0.2.1");
    world.open({2}, "192.0.2.2");
    const auto guess = [&](const char* secret, ConnectionId from) {
      return world.ask(Json::object("janus", "create", "transaction", "t", "apisecret", secret), from);
    };
    for (int i = 0; i < 3; ++i) same("Unauthorized request (wrong secret or token)", reason(guess("wrong", {1})));
    Json slowed = guess("sesame", {1});
    CPPUNIT_ASSERT_EQUAL(403, World::code(slowed));
    same("Too many wrong secrets or tokens came from this address, try later", reason(slowed));
    CPPUNIT_ASSERT(World::id_in(guess("sesame", {2})) != 0);
    world.pass(20s);
    CPPUNIT_ASSERT(World::id_in(guess("sesame", {1})) != 0);
    CPPUNIT_ASSERT_EQUAL(int64_t{3}, world.gateway->limits().describe()["wrong_secrets"].integer());
  }

  void who_has_a_session_is_not_shut_out_by_the_guesses_of_others() {
    Settings settings;
    settings.general.api_secret = "sesame";
    settings.limits.guesses_per_minute = 3;
    World world(std::move(settings));
    world.open({1}, "192.0.2.1");
    const uint64_t session = World::id_in(world.verb("create", "apisecret", "sesame"));
    for (int i = 0; i < 10; ++i) world.verb("create", "apisecret", "wrong");
    same("ack", std::string(world.verb("keepalive", "session_id", session, "apisecret", "sesame")["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(403, World::code(world.verb("keepalive", "session_id", session, "apisecret", "wrong")));
  }

  void a_plugin_may_slow_guesses_at_its_pins() {
    World world(with([](LimitSettings& l) { l.guesses_per_minute = 2; }));
    world.open({1}, "192.0.2.1");
    const uint64_t session = world.create();
    world.attach(session);
    world.attach(session);
    Handle& a = world.plugin->attachments.begin()->second->client;
    Handle& b = world.plugin->attachments.rbegin()->second->client;
    CPPUNIT_ASSERT(a.may_guess());
    a.guess_failed();
    b.guess_failed();
    CPPUNIT_ASSERT(!a.may_guess());
    CPPUNIT_ASSERT(!b.may_guess());
    world.pass(31s);
    CPPUNIT_ASSERT(a.may_guess());
  }

  void an_http_request_has_its_address_and_leaves_nothing() {
    World world(with([](LimitSettings& l) { l.sessions_per_address = 1; }));
    world.open({100}, "192.0.2.1", Lasts::one_request);
    CPPUNIT_ASSERT(World::id_in(create(world, {100})) != 0);
    world.open({101}, "192.0.2.1", Lasts::one_request);
    CPPUNIT_ASSERT_EQUAL(472, World::code(create(world, {101})));
    // The address went with its request: this one comes from nowhere.
    CPPUNIT_ASSERT(World::id_in(create(world, {101})) != 0);
  }

  void texts_are_bounded_with_a_clear_error() {
    World world;
    const uint64_t session = world.create();
    const auto of = [](size_t length) { return std::string(length, 'x'); };
    struct Row {
      Json request;
      const char* field;
    };
    std::vector<Row> rows;
    rows.push_back({Json::object("janus", "ping", "transaction", of(max_transaction + 1)), "transaction"});
    rows.push_back({Json::object("janus", of(max_verb + 1), "transaction", "t"), "janus"});
    rows.push_back({Json::object("janus", "ping", "transaction", "t", "token", of(max_credential + 1)), "token"});
    rows.push_back(
        {Json::object("janus", "ping", "transaction", "t", "apisecret", of(max_credential + 1)), "apisecret"});
    rows.push_back(
        {Json::object("janus", "attach", "transaction", "t", "session_id", session, "plugin", of(max_plugin_name + 1)),
         "plugin"});
    rows.push_back({Json::object("janus", "attach", "transaction", "t", "session_id", session, "plugin",
                                 "janus.plugin.fake", "opaque_id", of(max_opaque_id + 1)),
                    "opaque_id"});
    for (Row& row : rows) {
      Json refused = world.ask(std::move(row.request));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(row.field, 467, World::code(refused));
      CPPUNIT_ASSERT(reason(refused).starts_with(text("Invalid element (", row.field, " is longer than ")));
    }
    same("pong",
         std::string(world.ask(Json::object("janus", "ping", "transaction", of(max_transaction)))["janus"].string()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LimitsTest);

}  // namespace
}  // namespace cardea::control
