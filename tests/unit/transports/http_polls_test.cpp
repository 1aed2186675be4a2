// Events by long polls, and what waiting costs.
#include <ctime>

#include "unit/transports/http_fixture.hpp"

namespace cardea::transports::test {

class HttpPollsTest : public HttpFixture {
  CPPUNIT_TEST_SUITE(HttpPollsTest);
  CPPUNIT_TEST(queued_events_are_polled_oldest_first);
  CPPUNIT_TEST(maxev_makes_an_array);
  CPPUNIT_TEST(an_event_wakes_the_poll_that_waits);
  CPPUNIT_TEST(one_event_releases_all_polls_of_its_session);
  CPPUNIT_TEST(a_poll_without_events_ends_with_the_filler);
  CPPUNIT_TEST(polls_of_unknown_sessions_are_404_and_bad_credentials_403);
  CPPUNIT_TEST(credentials_of_a_poll_reach_the_core);
  CPPUNIT_TEST(a_session_that_is_over_has_no_queue);
  CPPUNIT_TEST(a_claimed_session_starts_with_an_empty_queue);
  CPPUNIT_TEST(a_poll_given_up_loses_no_event);
  CPPUNIT_TEST(a_poll_given_up_is_forgotten_soon);
  CPPUNIT_TEST(waiting_for_the_core_costs_no_cpu);
  CPPUNIT_TEST(taking_no_answer_costs_no_cpu_for_long);
  CPPUNIT_TEST(a_queue_that_nobody_polls_is_dropped);
  CPPUNIT_TEST(no_answer_of_the_core_ends_the_connection);
  CPPUNIT_TEST_SUITE_END();

public:
  void queued_events_are_polled_oldest_first() {
    start();
    const ConnectionId owner = create();
    ack_keepalives();
    for (int i = 0; i < 3; ++i) event(owner, i);
    HttpClient client(port());
    for (int i = 0; i < 3; ++i) {
      HttpAnswer answer = client.get("/janus/77?rid=123");
      CPPUNIT_ASSERT_EQUAL(200, answer.status);
      CPPUNIT_ASSERT_EQUAL(event_text(i), answer.body);
    }
  }

  void maxev_makes_an_array() {
    start();
    const ConnectionId owner = create();
    ack_keepalives();
    for (int i = 0; i < 4; ++i) event(owner, i);
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL("[" + event_text(0) + "," + event_text(1) + "," + event_text(2) + "]",
                         client.get("/janus/77?maxev=3&rid=1").body);
    CPPUNIT_ASSERT_EQUAL("[" + event_text(3) + "]", client.get("/janus/77?rid=2&maxev=10").body);
    event(owner, 5);
    CPPUNIT_ASSERT_EQUAL(event_text(5), client.get("/janus/77?maxev=1").body);
    event(owner, 6);
    CPPUNIT_ASSERT_EQUAL(event_text(6), client.get("/janus/77?maxev=-3").body);
    event(owner, 7);
    CPPUNIT_ASSERT_EQUAL(event_text(7), client.get("/janus/77?maxev=x").body);
  }

  void an_event_wakes_the_poll_that_waits() {
    start();
    const ConnectionId owner = create();
    ack_keepalives();
    HttpClient client(port());
    client.ask("GET", "/janus/77?maxev=10");
    CPPUNIT_ASSERT(!client.more(100ms));
    event(owner, 1);
    CPPUNIT_ASSERT_EQUAL("[" + event_text(1) + "]", client.answer().body);
  }

  void one_event_releases_all_polls_of_its_session() {
    start();
    const ConnectionId owner = create();
    ack_keepalives();
    HttpClient a(port()), b(port()), other(port());
    transport_->session_owned(ConnectionId{owner.value + 1000}, SessionId{78});
    transport_->flush();
    a.ask("GET", "/janus/77");
    CPPUNIT_ASSERT(!a.more(50ms));
    b.ask("GET", "/janus/77?maxev=2");
    other.ask("GET", "/janus/78");
    CPPUNIT_ASSERT(!b.more(50ms));
    event(owner, 1);
    CPPUNIT_ASSERT_EQUAL(event_text(1), a.answer().body);
    CPPUNIT_ASSERT_EQUAL(std::string("[{\"janus\":\"keepalive\"}]"), b.answer().body);
    CPPUNIT_ASSERT(!other.more(50ms));
  }

  void a_poll_without_events_ends_with_the_filler() {
    start({}, {}, {}, {5s, 80ms, 5s});
    create();
    ack_keepalives();
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(std::string("{\"janus\":\"keepalive\"}"), client.get("/janus/77").body);
    CPPUNIT_ASSERT_EQUAL(std::string("[{\"janus\":\"keepalive\"}]"), client.get("/janus/77?maxev=5").body);
  }

  void polls_of_unknown_sessions_are_404_and_bad_credentials_403() {
    start();
    create();
    ack_keepalives();
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(404, client.get("/janus/5").status);
    CPPUNIT_ASSERT_EQUAL(404, client.get("/janus/78").status);  // the core knows it, but it is not on HTTP
    HttpAnswer answer = client.get("/janus/403");
    CPPUNIT_ASSERT_EQUAL(403, answer.status);
    CPPUNIT_ASSERT(answer.body.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("*"), answer.headers["access-control-allow-origin"]);
  }

  void credentials_of_a_poll_reach_the_core() {
    start();
    HttpClient client(port());
    client.ask("GET", "/janus/77?rid=1&apisecret=a%20b&token=t&maxev=2");
    Received got = host_.next();
    CPPUNIT_ASSERT_EQUAL(std::string("keepalive"), std::string(got.request["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("a b"), std::string(got.request["apisecret"].string()));
    CPPUNIT_ASSERT_EQUAL(std::string("t"), std::string(got.request["token"].string()));
    CPPUNIT_ASSERT_EQUAL(int64_t{77}, got.request["session_id"].integer());
  }

  void a_session_that_is_over_has_no_queue() {
    start({}, {}, {}, {5s, 300ms, 5s});
    const ConnectionId owner = create();
    ack_keepalives();
    HttpClient waiting(port()), client(port());
    waiting.ask("GET", "/janus/77");
    CPPUNIT_ASSERT(!waiting.more(50ms));
    transport_->session_over(owner, session, false);
    transport_->flush();
    event(owner, 1);
    CPPUNIT_ASSERT_EQUAL(404, client.get("/janus/77").status);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"janus\":\"keepalive\"}"), waiting.answer().body);
  }

  void a_claimed_session_starts_with_an_empty_queue() {
    start();
    const ConnectionId owner = create();
    ack_keepalives();
    event(owner, 1);
    const ConnectionId claimer{owner.value + 5};
    transport_->session_owned(claimer, session);
    transport_->flush();
    transport_->session_over(owner, session, true);  // the old owner's end does not touch the new one's queue
    transport_->flush();
    event(claimer, 2);
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(event_text(2), client.get("/janus/77").body);
    transport_->session_over(claimer, session, true);  // by a WebSocket
    transport_->flush();
    CPPUNIT_ASSERT_EQUAL(404, client.get("/janus/77").status);
  }

  void a_poll_given_up_loses_no_event() {
    start();
    const ConnectionId owner = create();
    ack_keepalives();
    {
      HttpClient impatient(port());
      impatient.ask("GET", "/janus/77");
      CPPUNIT_ASSERT(!impatient.more(50ms));
    }
    std::this_thread::sleep_for(30ms);
    event(owner, 1);
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(event_text(1), client.get("/janus/77").body);
  }

  void a_poll_given_up_is_forgotten_soon() {
    start(Json::object("max_connections", 2), {}, {}, {60s, 60s, 60s});
    {
      HttpClient one(port()), two(port());
      create(one);
      ack_keepalives();
      for (HttpClient* client : {&one, &two}) client->ask("GET", "/janus/77");
      CPPUNIT_ASSERT(!one.more(50ms) && !two.more(50ms));
      CPPUNIT_ASSERT(HttpClient(port()).is_closed());
    }
    int status = 0;
    for (int i = 0; i < 50 && status != 200; ++i) {
      status = HttpClient(port()).get("/").status;
      std::this_thread::sleep_for(100ms);
    }
    CPPUNIT_ASSERT_EQUAL(200, status);
  }

  void waiting_for_the_core_costs_no_cpu() {
    start();
    create();
    ack_keepalives();
    HttpClient gone(port()), eager(port());
    gone.ask("GET", "/janus/77");
    shutdown(gone.fd(), SHUT_WR);
    eager.ask("GET", "/janus/77");
    eager.ask("GET", "/janus/77");
    CPPUNIT_ASSERT(!eager.more(50ms));
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(200ms);
    CPPUNIT_ASSERT(std::clock() - before < CLOCKS_PER_SEC / 20);
  }

  void taking_no_answer_costs_no_cpu_for_long() {
    std::ofstream(folder_ / "pages" / "large.wav") << std::string(8000000, 'w');
    start();
    HttpClient lazy(port(), false, "127.0.0.1", 4096), patient(port(), false, "127.0.0.1", 4096);
    lazy.ask("GET", "/large.wav");
    lazy.ask("GET", "/large.wav");
    patient.ask("GET", "/large.wav");
    std::this_thread::sleep_for(400ms);
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(200ms);
    CPPUNIT_ASSERT(std::clock() - before < CLOCKS_PER_SEC / 20);
    CPPUNIT_ASSERT_EQUAL(size_t{8000000}, patient.answer().body.size());
  }

  void a_queue_that_nobody_polls_is_dropped() {
    start(Json::object("max_queue", 5000));
    const ConnectionId owner = create();
    ack_keepalives();
    for (int i = 0; i < 300; ++i) event(owner, i);
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(404, client.get("/janus/77").status);
    transport_->stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, transport_->refusals(Refusal::queue_full));
  }

  void no_answer_of_the_core_ends_the_connection() {
    start({}, {}, {}, {80ms, 5s, 5s});
    HttpClient post(port()), poll(port());
    post.ask("POST", "/janus", "{}");
    poll.ask("GET", "/janus/77");
    Received got = host_.next();
    CPPUNIT_ASSERT(post.is_closed() && poll.is_closed());
    CPPUNIT_ASSERT(post.buffer().empty() && poll.buffer().empty());
    send(got.from, got.tag, Json::object());  // too late
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HttpPollsTest);

}  // namespace cardea::transports::test
