// The HTTP transport over real sockets on loopback.
#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>

#include "http/http.hpp"
#include "unit/transports/client.hpp"
#include "unit/transports/fake_host.hpp"

namespace cardea::transports::test {

namespace fs = std::filesystem;

class HttpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HttpTest);
  CPPUNIT_TEST(a_post_is_answered_by_the_core);
  CPPUNIT_TEST(several_requests_use_one_connection);
  CPPUNIT_TEST(requests_sent_in_advance_are_answered_in_order);
  CPPUNIT_TEST(a_post_in_advance_is_not_taken);
  CPPUNIT_TEST(what_follows_a_body_is_no_part_of_it);
  CPPUNIT_TEST(a_refusal_reaches_the_client_that_goes_on_sending);
  CPPUNIT_TEST(small_answers_leave_at_once);
  CPPUNIT_TEST(other_protocols_are_not_spoken);
  CPPUNIT_TEST(info_and_ping_are_gets);
  CPPUNIT_TEST(text_that_is_not_json_is_454_and_an_array_455);
  CPPUNIT_TEST(an_empty_post_ends_the_connection);
  CPPUNIT_TEST(ids_come_from_the_path_and_must_not_contradict);
  CPPUNIT_TEST(paths_that_mean_nothing_are_not_found);
  CPPUNIT_TEST(a_poll_of_a_handle_is_redirected_to_its_session);
  CPPUNIT_TEST(preflights_are_answered_with_what_they_ask_for);
  CPPUNIT_TEST(a_configured_origin_is_the_only_one);
  CPPUNIT_TEST(other_methods_are_refused_with_450);
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
  CPPUNIT_TEST(requests_above_the_limit_are_refused);
  CPPUNIT_TEST(beacons_and_expectations_are_taken);
  CPPUNIT_TEST(pages_are_served_at_the_root);
  CPPUNIT_TEST(nothing_outside_the_pages_is_served);
  CPPUNIT_TEST(websockets_are_served_on_the_same_port);
  CPPUNIT_TEST(the_admin_api_has_its_own_door_and_path);
  CPPUNIT_TEST(https_works_with_a_certificate_that_is_kept);
  CPPUNIT_TEST(an_operators_certificate_is_used_and_checked);
  CPPUNIT_TEST(a_certificate_without_a_state_folder_lives_in_memory);
  CPPUNIT_TEST(idle_connections_are_closed);
  CPPUNIT_TEST(hostile_bytes_leave_the_server_alive);
  CPPUNIT_TEST(stop_ends_polls_and_open_connections);
  CPPUNIT_TEST(a_base_path_of_its_own_is_kept);
  CPPUNIT_TEST(a_port_in_use_is_one_clear_error);
  CPPUNIT_TEST_SUITE_END();

  static constexpr uint16_t secure = 21021, admin_port = 21022;
  static constexpr SessionId session{77};

  FakeHost host_;
  std::unique_ptr<Http> transport_;
  fs::path folder_;

  void start(Json general = Json::object(), Json admin = Json::object(), Json cors = Json::object(),
             Http::Times times = {5s, 5s, 5s}, Json certificates = Json::object()) {
    transport_ = std::make_unique<Http>(host_, times);
    general.set("port", 0).set("ip", "127.0.0.1");
    if (!general["https"]) general.set("https", false);
    general.set("secure_port", secure).set("secure_ip", "127.0.0.1");
    auto wrong = transport_->configure(Json::object("general", std::move(general), "admin", std::move(admin), "cors",
                                                    std::move(cors), "certificates", std::move(certificates)));
    CPPUNIT_ASSERT_MESSAGE(wrong ? wrong->path + " " + wrong->reason : "", !wrong);
    auto started = transport_->start();
    CPPUNIT_ASSERT_MESSAGE(started ? "" : started.error().reason, started.has_value());
  }
  uint16_t port() const { return port_of(transport_->addresses().front()); }
  // One turn of the core.
  void send(ConnectionId to, RequestTag tag, Json message) {
    transport_->send(to, tag, std::move(message));
    transport_->flush();
  }

  // A core with one session, 77, created by nobody in particular.
  void ack_keepalives() {
    host_.answer_with([this](Received one) {
      const int64_t id = one.request["session_id"].integer();
      if (id == 77 || id == 78)
        send(one.from, one.tag, Json::object("janus", "ack", "session_id", id));
      else
        send(one.from, one.tag,
             Json::object("janus", "error", "error", Json::object("code", id == 403 ? 403 : 458, "reason", "no")));
    });
  }
  // Creates the session by a POST; its id, which owns the session.
  ConnectionId create() {
    HttpClient client(port());
    return create(client);
  }
  ConnectionId create(HttpClient& client) {
    client.ask("POST", "/janus", R"({"janus":"create","transaction":"c"})");
    Received got = host_.next();
    transport_->session_owned(got.from, session);
    transport_->flush();
    send(got.from, got.tag, Json::object("janus", "success"));
    CPPUNIT_ASSERT_EQUAL(200, client.answer().status);
    return got.from;
  }
  void event(ConnectionId owner, int number) {
    send(owner, RequestTag{}, Json::object("session_id", session.value, "n", number));
  }
  static std::string event_text(int number) { return "{\"session_id\":77,\"n\":" + std::to_string(number) + "}"; }

public:
  void setUp() override {
    folder_ = fs::temp_directory_path() / ("cardea_http_test_" + std::to_string(getpid()));
    fs::create_directories(folder_ / "pages" / "sub");
    fs::create_directories(folder_ / "state");
    std::ofstream(folder_ / "pages" / "index.html") << "<h1>home</h1>";
    std::ofstream(folder_ / "pages" / "sub" / "index.html") << "<h1>sub</h1>";
    std::ofstream(folder_ / "pages" / "app.mjs") << std::string(200000, 'j');
    std::ofstream(folder_ / "pages" / ".hidden") << "no";
    std::ofstream(folder_ / "secret") << "secret";
    host_.pages = folder_ / "pages";
    host_.state = folder_ / "state";
  }
  void tearDown() override {
    host_.stop_answering();
    if (transport_) transport_->stop();
    transport_.reset();
    fs::remove_all(folder_);
  }

  void a_post_is_answered_by_the_core() {
    start();
    HttpClient client(port());
    client.ask("POST", "/janus", R"({"janus":"create","transaction":"t"})");
    Received got = host_.next();
    CPPUNIT_ASSERT_EQUAL(std::string("create"), std::string(got.request["janus"].string()));
    CPPUNIT_ASSERT(got.api == Api::client);
    send(got.from, got.tag, Json::object("janus", "success"));
    HttpAnswer answer = client.answer();
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"janus\":\"success\"}"), answer.body);
    CPPUNIT_ASSERT_EQUAL(std::string("application/json"), answer.headers["content-type"]);
    CPPUNIT_ASSERT_EQUAL(std::string("*"), answer.headers["access-control-allow-origin"]);
    CPPUNIT_ASSERT_EQUAL(std::string("86400"), answer.headers["access-control-max-age"]);
  }

  void several_requests_use_one_connection() {
    start();
    HttpClient client(port());
    ConnectionId last;
    for (int i = 0; i < 5; ++i) {
      client.ask("POST", "/janus/", "{\"n\":" + std::to_string(i) + "}");
      Received got = host_.next();
      CPPUNIT_ASSERT(got.from.value != last.value);
      last = got.from;
      send(got.from, got.tag, std::move(got.request));
      CPPUNIT_ASSERT_EQUAL("{\"n\":" + std::to_string(i) + "}", client.answer().body);
    }
    client.ask("POST", "/janus", "{\"n\":1}");  // two at once
    client.ask("GET", "/janus");
    Received got = host_.next();
    send(got.from, got.tag, std::move(got.request));
    CPPUNIT_ASSERT_EQUAL(200, client.answer().status);
    CPPUNIT_ASSERT_EQUAL(404, client.answer().status);
    client.ask("GET", "/janus", {}, "Connection: close\r\n");
    CPPUNIT_ASSERT_EQUAL(404, client.answer().status);
    CPPUNIT_ASSERT(client.is_closed());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, host_.wait_gone(0).size());
  }

  void requests_sent_in_advance_are_answered_in_order() {
    start(Json::object("https", true));
    for (const bool tls : {false, true}) {
      HttpClient client(tls ? secure : port(), tls);
      for (int i = 0; i < 3; ++i) {
        client.write("GET / HTTP/1.1\r\n\r\nGET /app.mjs HTTP/1.1\r\n\r\nGET /sub/ HTTP/1.1\r\n\r\nGET /sub");
        CPPUNIT_ASSERT_EQUAL(std::string("<h1>home</h1>"), client.answer().body);
        CPPUNIT_ASSERT_EQUAL(size_t{200000}, client.answer().body.size());
        CPPUNIT_ASSERT_EQUAL(std::string("<h1>sub</h1>"), client.answer().body);
        client.write("/ HTTP/1.1\r\n\r\n");
        CPPUNIT_ASSERT_EQUAL(std::string("<h1>sub</h1>"), client.answer().body);
      }
      client.ask("POST", "/janus", "{\"n\":1}");  // now nothing is in advance
      CPPUNIT_ASSERT_EQUAL(std::string("{\"n\":1}"), host_.next().request.text());
    }
  }

  void a_post_in_advance_is_not_taken() {
    start();
    auto post = [](int n) {
      return "POST /janus HTTP/1.1\r\nContent-Length: 7\r\n\r\n{\"n\":" + std::to_string(n) + "}";
    };
    for (const std::string& behind :
         {post(2), post(2) + post(3) + post(4), post(2).substr(0, 45), post(2) + "GET / HTTP/1.1\r\n\r\n",
          std::string("GET / HTTP/1.1\r\n\r\n") + post(2),
          std::string("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcdefghijk")}) {
      HttpClient client(port());
      client.write(post(1) + behind);
      Received got = host_.next();
      CPPUNIT_ASSERT_EQUAL(int64_t{1}, got.request["n"].integer());
      send(got.from, got.tag, std::move(got.request));
      CPPUNIT_ASSERT_EQUAL(std::string("{\"n\":1}"), client.answer().body);
      client.write(post(2).substr(std::min(behind.size(), post(2).size())));
      if (behind.starts_with("GET")) client.answer();
      CPPUNIT_ASSERT_MESSAGE(behind, client.is_closed());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(behind, size_t{0}, host_.waiting());
    }
    CPPUNIT_ASSERT_EQUAL(200, HttpClient(port()).get("/").status);  // the thread does not go round for ever
    // Of this one only some of the header came in advance.
    HttpClient client(port());
    client.write(post(1) + post(2).substr(0, 10));
    Received got = host_.next();
    send(got.from, got.tag, std::move(got.request));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"n\":1}"), client.answer().body);
    client.write(post(2).substr(10));
    CPPUNIT_ASSERT_EQUAL(int64_t{2}, host_.next().request["n"].integer());
  }

  void what_follows_a_body_is_no_part_of_it() {
    start();
    HttpClient client(port());
    client.write("POST /janus HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}surplus that is no request");
    Received got = host_.next();
    CPPUNIT_ASSERT_EQUAL(std::string("{}"), got.request.text());
    send(got.from, got.tag, Json::object("n", 1));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"n\":1}"), client.answer().body);
    client.write("\r\n\r\n");
    CPPUNIT_ASSERT(client.is_closed());
  }

  void a_refusal_reaches_the_client_that_goes_on_sending() {
    start();
    for (int i = 0; i < 5; ++i) {
      HttpClient client(port());
      client.write("POST /janus HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n" + std::string(2000000, 'x'));
      CPPUNIT_ASSERT_EQUAL(413, client.answer().status);
      CPPUNIT_ASSERT(client.is_closed());
    }
  }

  void small_answers_leave_at_once() {
    start(Json::object("https", true));
    HttpClient plain(port()), tls(secure, true);
    CPPUNIT_ASSERT_EQUAL(200, plain.get("/").status);
    CPPUNIT_ASSERT(server_has_no_delay(plain) && server_has_no_delay(tls));
  }

  void other_protocols_are_not_spoken() {
    start();
    const char* http_2 = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    HttpClient client(port());
    for (int i = 0; i < 3; ++i) {
      client.ask("GET", "/", {}, http_2);
      CPPUNIT_ASSERT_EQUAL(std::string("<h1>home</h1>"), client.answer().body);
    }
    // libwebsockets answers what it does not know by itself.
    client.ask("GET", "/", {}, "Connection: Upgrade\r\nUpgrade: something\r\n");
    CPPUNIT_ASSERT(client.is_closed());
    HttpClient first(port());
    first.ask("GET", "/", {}, "Connection: Upgrade\r\nUpgrade: something\r\n");
    CPPUNIT_ASSERT(first.is_closed());
    CPPUNIT_ASSERT_EQUAL(200, HttpClient(port()).get("/").status);
  }

  void info_and_ping_are_gets() {
    start();
    for (const char* word : {"info", "ping"}) {
      HttpClient client(port());
      client.ask("GET", std::string("/janus/") + word);
      Received got = host_.next();
      CPPUNIT_ASSERT_EQUAL(std::string(word), std::string(got.request["janus"].string()));
      CPPUNIT_ASSERT(got.request["transaction"].is_string());
      send(got.from, got.tag, Json::object("janus", "pong"));
      CPPUNIT_ASSERT_EQUAL(200, client.answer().status);
      HttpAnswer refused = client.post(std::string("/janus/") + word, "{}");
      CPPUNIT_ASSERT_EQUAL(400, refused.status);
      CPPUNIT_ASSERT(refused.body.empty());
    }
  }

  void text_that_is_not_json_is_454_and_an_array_455() {
    start();
    HttpClient client(port());
    for (const auto& [body, code] :
         {std::pair{"{\"a\":", 454}, {"{} {}", 454}, {"\xff\xfe", 454}, {"[]", 455}, {"12", 455}}) {
      HttpAnswer answer = client.post("/janus", body);
      CPPUNIT_ASSERT_EQUAL(200, answer.status);
      auto error = Json::parse(answer.body);
      CPPUNIT_ASSERT(error && (*error)["janus"].string() == "error" && !(*error)["transaction"]);
      CPPUNIT_ASSERT_EQUAL(int64_t{code}, (*error)["error"]["code"].integer());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, host_.waiting());
  }

  void an_empty_post_ends_the_connection() {
    start();
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(0, client.post("/janus", "").status);
    CPPUNIT_ASSERT(client.is_closed());
    HttpClient unsaid(port());
    unsaid.write("POST /janus HTTP/1.1\r\nHost: x\r\n\r\n");
    CPPUNIT_ASSERT(unsaid.is_closed());
  }

  void ids_come_from_the_path_and_must_not_contradict() {
    start();
    HttpClient client(port());
    auto asked = [&](const std::string& path, const std::string& body) {
      client.ask("POST", path, body);
      Received got = host_.next();
      send(got.from, got.tag, Json::object());
      CPPUNIT_ASSERT_EQUAL(200, client.answer().status);
      return got.request.text();
    };
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"session_id":5})"), asked("/janus/5", "{}"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"session_id":5,"handle_id":6})"), asked("/janus/5/6", "{}"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"session_id":5,"handle_id":6})"),
                         asked("/janus/5/6", R"({"session_id":5,"handle_id":6})"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"session_id":5})"), asked("/janus/5", R"({"session_id":"9"})"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"handle_id":8,"session_id":5})"), asked("/janus/5", R"({"handle_id":8})"));
    for (const auto& [path, body] :
         {std::pair{"/janus/5", R"({"session_id":6})"}, {"/janus/5/6", R"({"handle_id":7})"}}) {
      auto error = Json::parse(client.post(path, body).body);
      CPPUNIT_ASSERT_EQUAL(int64_t{457}, (*error)["error"]["code"].integer());
      CPPUNIT_ASSERT(!(*error)["transaction"]);
    }
  }

  void paths_that_mean_nothing_are_not_found() {
    start();
    HttpClient client(port());
    for (const char* path : {"/janus", "/janus/", "/janus/x", "/janus/0", "/janus/-5", "/janus/1/2/3",
                             "/janus/99999999999999999999", "/janus/5x", "/januss", "/nothing"}) {
      HttpAnswer answer = client.get(path);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(path, 404, answer.status);
      CPPUNIT_ASSERT(answer.body.empty());
    }
    CPPUNIT_ASSERT_EQUAL(404, client.post("/janus/1/2/3", "{}").status);
    CPPUNIT_ASSERT_EQUAL(404, client.post("/janus/x", "{}").status);
    CPPUNIT_ASSERT_EQUAL(404, client.post("/elsewhere", "{}").status);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, host_.waiting());
  }

  void a_poll_of_a_handle_is_redirected_to_its_session() {
    start();
    HttpClient client(port());
    HttpAnswer answer = client.get("/janus/12/34?maxev=5");
    CPPUNIT_ASSERT_EQUAL(302, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("/janus/12"), answer.headers["location"]);
    CPPUNIT_ASSERT_EQUAL(std::string("*"), answer.headers["access-control-allow-origin"]);
  }

  void preflights_are_answered_with_what_they_ask_for() {
    start();
    HttpClient client(port());
    client.ask("OPTIONS", "/janus/5", {},
               "Origin: http://a.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "
               "content-type\r\n");
    HttpAnswer answer = client.answer();
    CPPUNIT_ASSERT_EQUAL(200, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("POST"), answer.headers["access-control-allow-methods"]);
    CPPUNIT_ASSERT_EQUAL(std::string("content-type"), answer.headers["access-control-allow-headers"]);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, answer.headers.count("vary"));
  }

  void a_configured_origin_is_the_only_one() {
    start({}, {}, Json::object("allow_origin", "https://good.example", "enforce_cors", true));
    HttpClient client(port());
    client.ask("GET", "/janus", {}, "Origin: https://evil.example\r\n");
    HttpAnswer answer = client.answer();
    CPPUNIT_ASSERT_EQUAL(403, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("https://good.example"), answer.headers["access-control-allow-origin"]);
    CPPUNIT_ASSERT_EQUAL(std::string("true"), answer.headers["access-control-allow-credentials"]);
    CPPUNIT_ASSERT_EQUAL(std::string("Origin"), answer.headers["vary"]);
    client.ask("GET", "/janus", {}, "Origin: https://good.example\r\n");
    CPPUNIT_ASSERT_EQUAL(404, client.answer().status);
    client.ask("GET", "/janus", {}, "Referer: https://good.example/page.html\r\n");
    CPPUNIT_ASSERT_EQUAL(404, client.answer().status);
  }

  void other_methods_are_refused_with_450() {
    start();
    for (const char* method : {"PUT", "DELETE", "PATCH"}) {
      HttpClient client(port());
      client.ask(method, "/janus", {}, "Content-Length: 2\r\n");
      client.write("{}");
      CPPUNIT_ASSERT_MESSAGE(method, client.answer().body.find("450") != std::string::npos);
    }
    HttpClient head(port());
    head.ask("HEAD", "/janus");
    CPPUNIT_ASSERT_EQUAL(404, head.answer(false).status);
  }

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

  void requests_above_the_limit_are_refused() {
    start(Json::object("max_message_size", 2000));
    HttpClient client(port());
    client.ask("POST", "/janus", "{\"a\":\"" + std::string(1900, 'x') + "\"}");
    CPPUNIT_ASSERT(host_.next().request.is_object());
    HttpClient large(port());
    large.write("POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 2001\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(413, large.answer().status);
    CPPUNIT_ASSERT(large.is_closed());
    HttpClient chunked(port());
    chunked.write("POST /janus HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    CPPUNIT_ASSERT_EQUAL(411, chunked.answer().status);
  }

  void beacons_and_expectations_are_taken() {
    start();
    HttpClient client(port());
    client.ask("POST", "/janus/77", R"({"janus":"destroy"})",
               "Content-Type: text/plain;charset=UTF-8\r\nExpect: 100-continue\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("destroy"), std::string(host_.next().request["janus"].string()));
    CPPUNIT_ASSERT_EQUAL(100, client.answer().status);
    std::string large = "{\"sdp\":\"" + std::string(500000, 's') + "\"}";
    HttpClient other(port());
    other.ask("POST", "/janus/77/88", large);
    Received got = host_.next();
    CPPUNIT_ASSERT_EQUAL(size_t{500000}, got.request["sdp"].string().size());
    send(got.from, got.tag, std::move(got.request));
    CPPUNIT_ASSERT_EQUAL(large.size() + std::string(R"(,"session_id":77,"handle_id":88)").size(),
                         other.answer().body.size());
  }

  void pages_are_served_at_the_root() {
    start();
    HttpClient client(port());
    HttpAnswer home = client.get("/");
    CPPUNIT_ASSERT_EQUAL(200, home.status);
    CPPUNIT_ASSERT_EQUAL(std::string("<h1>home</h1>"), home.body);
    CPPUNIT_ASSERT_EQUAL(std::string("text/html; charset=utf-8"), home.headers["content-type"]);
    CPPUNIT_ASSERT_EQUAL(std::string("no-cache"), home.headers["cache-control"]);
    HttpAnswer script = client.get("/app.mjs?v=1");
    CPPUNIT_ASSERT_EQUAL(size_t{200000}, script.body.size());
    CPPUNIT_ASSERT_EQUAL(std::string("text/javascript; charset=utf-8"), script.headers["content-type"]);
    client.ask("GET", "/app.mjs", {}, "If-None-Match: " + script.headers["etag"] + "\r\n");
    CPPUNIT_ASSERT_EQUAL(304, client.answer().status);
    client.ask("HEAD", "/app.mjs");
    HttpAnswer head = client.answer(false);
    CPPUNIT_ASSERT_EQUAL(std::string("200000"), head.headers["content-length"]);
    CPPUNIT_ASSERT_EQUAL(std::string("/sub/"), client.get("/sub").headers["location"]);
    CPPUNIT_ASSERT_EQUAL(std::string("<h1>sub</h1>"), client.get("/sub/").body);
    CPPUNIT_ASSERT_EQUAL(404, client.get("/nothing.js").status);
  }

  void nothing_outside_the_pages_is_served() {
    start();
    for (const char* path :
         {"/../secret", "/sub/../../secret", "/%2e%2e/secret", "/..%2fsecret", "//../secret", "/.hidden",
          "/sub/%2e./../../secret", "/index.html%00", "/\\..\\secret", "/./.hidden", "/..;/secret"}) {
      HttpClient client(port());
      HttpAnswer answer = client.get(path);
      CPPUNIT_ASSERT_MESSAGE(path, answer.status != 200 || answer.body.find("home") != std::string::npos);
      CPPUNIT_ASSERT_MESSAGE(path, answer.body.find("secret") == std::string::npos);
    }
  }

  void websockets_are_served_on_the_same_port() {
    start();
    WsClient client(port());
    CPPUNIT_ASSERT(client.open());
    client.text("{\"n\":1}");
    Received got = host_.next();
    transport_->session_owned(got.from, session);
    transport_->flush();
    send(got.from, got.tag, std::move(got.request));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"n\":1}"), client.read().payload);
    const ConnectionId id = got.from;
    event(id, 5);
    CPPUNIT_ASSERT_EQUAL(event_text(5), client.read().payload);
    ack_keepalives();
    CPPUNIT_ASSERT_EQUAL(404, HttpClient(port()).get("/janus/77").status);  // its events go to the WebSocket
    CPPUNIT_ASSERT(!WsClient(port(), "").open());
    client.close();
    auto gone = host_.wait_gone(1);
    CPPUNIT_ASSERT(gone.size() == 1 && gone[0] == id);
  }

  void the_admin_api_has_its_own_door_and_path() {
    start({}, Json::object("admin_http", true, "admin_port", admin_port, "admin_ip", "127.0.0.1", "admin_base_path",
                           "/admin/"));
    HttpClient client(admin_port);
    client.ask("POST", "/admin/5/6", R"({"janus":"handle_info"})");
    Received got = host_.next();
    CPPUNIT_ASSERT(got.api == Api::admin);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"janus":"handle_info","session_id":5,"handle_id":6})"), got.request.text());
    send(got.from, got.tag, Json::object());
    CPPUNIT_ASSERT_EQUAL(200, client.answer().status);
    CPPUNIT_ASSERT(client.get("/admin/5").body.find("454") != std::string::npos);
    CPPUNIT_ASSERT(client.post("/admin/info", "{}").body.find("450") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(404, client.get("/").status);
    CPPUNIT_ASSERT_EQUAL(404, client.get("/janus/info").status);
    CPPUNIT_ASSERT_EQUAL(404, HttpClient(port()).get("/admin/info").status);
    CPPUNIT_ASSERT(WsClient(admin_port, "janus-admin-protocol").open());
    CPPUNIT_ASSERT(!WsClient(admin_port).open());
  }

  static std::string fingerprint(SSL* ssl) {
    X509* certificate = SSL_get1_peer_certificate(ssl);
    unsigned char digest[32];
    unsigned size = sizeof digest;
    X509_digest(certificate, EVP_sha256(), digest, &size);
    X509_free(certificate);
    return {reinterpret_cast<char*>(digest), size};
  }

  void https_works_with_a_certificate_that_is_kept() {
    std::string first;
    for (int run = 0; run < 2; ++run) {
      start(Json::object("https", true));
      HttpClient client(secure, true);
      CPPUNIT_ASSERT(client.connected());
      CPPUNIT_ASSERT_EQUAL(std::string("<h1>home</h1>"), client.get("/").body);
      CPPUNIT_ASSERT_EQUAL(size_t{200000}, client.get("/app.mjs").body.size());
      client.ask("POST", "/janus", "{\"n\":1}");
      Received got = host_.next();
      send(got.from, got.tag, std::move(got.request));
      CPPUNIT_ASSERT_EQUAL(std::string("{\"n\":1}"), client.answer().body);
      CPPUNIT_ASSERT(WsClient(secure, "janus-protocol", true).open());
      CPPUNIT_ASSERT_EQUAL(std::string("<h1>home</h1>"), HttpClient(port()).get("/").body);  // and plain HTTP too
      if (run == 0)
        first = fingerprint(client.ssl());
      else
        CPPUNIT_ASSERT(first == fingerprint(client.ssl()));
      transport_->stop();
    }
    struct stat info {};
    CPPUNIT_ASSERT(stat((folder_ / "state" / "tls.pem").c_str(), &info) == 0);
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, info.st_mode & 0777);
  }

  void an_operators_certificate_is_used_and_checked() {
    start(Json::object("https", true));  // makes one that can play the operator's
    transport_->stop();
    const fs::path own = folder_ / "own.pem";
    fs::rename(folder_ / "state" / "tls.pem", own);
    host_.state = "";
    start(Json::object("https", true), {}, {}, {5s, 5s, 5s},
          Json::object("cert_pem", own.string(), "cert_key", own.string()));
    CPPUNIT_ASSERT(HttpClient(secure, true).connected());
    transport_->stop();
    for (const auto& [certificate, key] : {std::pair<fs::path, fs::path>{folder_ / "no.pem", own},
                                           {own, folder_ / "secret"},
                                           {folder_ / "secret", own}}) {
      Http broken(host_);
      CPPUNIT_ASSERT(
          !broken.configure(Json::object("general", Json::object("http", false, "secure_port", secure), "certificates",
                                         Json::object("cert_pem", certificate.string(), "cert_key", key.string()))));
      auto status = broken.start();
      CPPUNIT_ASSERT(!status && status.error().reason.starts_with("http: "));
    }
  }

  void a_certificate_without_a_state_folder_lives_in_memory() {
    host_.state = folder_ / "not" / "there";
    start(Json::object("https", true));
    CPPUNIT_ASSERT(HttpClient(secure, true).connected());
  }

  void idle_connections_are_closed() {
    start(Json::object("https", true), {}, {}, {5s, 5s, 1s});
    HttpClient silent(port()), half(port()), body(port()), kept(port()), handshake(secure);
    half.write("GET /jan");
    body.write("POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
    CPPUNIT_ASSERT_EQUAL(200, kept.get("/").status);
    CPPUNIT_ASSERT(silent.is_closed());
    CPPUNIT_ASSERT(half.is_closed());
    CPPUNIT_ASSERT(body.is_closed());
    CPPUNIT_ASSERT(kept.is_closed());
    CPPUNIT_ASSERT(handshake.is_closed(10s));
  }

  void hostile_bytes_leave_the_server_alive() {
    start(Json::object("https", true));
    std::string flood = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 5000; ++i) flood += "X-Header-" + std::to_string(i) + ": " + std::string(50, 'a') + "\r\n";
    std::string deep = "POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + std::string(200000, '[');
    for (const std::string& bytes :
         {std::string("\x16\x03\x01\x02\x00\x01\x00", 7), std::string(100000, 'A'), std::string(1000, '\0'), flood,
          deep, std::string("POST /janus HTTP/1.1\r\nContent-Length: -5\r\n\r\n"),
          std::string("POST /janus HTTP/1.1\r\nContent-Length: 5x\r\n\r\n12345"),
          std::string("GET /" + std::string(60000, 'a') + " HTTP/1.1\r\n\r\n"),
          std::string("GET /janus/77?" + std::string(3000, '&') + " HTTP/1.1\r\n\r\n"),
          std::string("GET /%zz%1 HTTP/1.1\r\n\r\n"), std::string("GET http://a.example/ HTTP/9.9\r\n\r\n"),
          std::string("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.1\r\n\r\n")}) {
      for (const uint16_t to : {port(), secure}) {
        Link junk(to);
        junk.write(bytes);
        junk.is_closed(20ms);
      }
    }
    CPPUNIT_ASSERT_EQUAL(200, HttpClient(port()).get("/").status);
    CPPUNIT_ASSERT_EQUAL(200, HttpClient(secure, true).get("/").status);
  }

  void stop_ends_polls_and_open_connections() {
    start(Json::object("https", true));
    create();
    ack_keepalives();
    HttpClient poll(port()), idle(port()), tls(secure, true);
    WsClient socket(port());
    poll.ask("GET", "/janus/77");
    CPPUNIT_ASSERT(!poll.more(50ms));
    CPPUNIT_ASSERT_EQUAL(200, idle.get("/").status);
    const auto before = std::chrono::steady_clock::now();
    transport_->stop();
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - before < 2s);
    CPPUNIT_ASSERT(poll.is_closed() && idle.is_closed() && tls.is_closed() && socket.is_closed());
    send(ConnectionId{1}, RequestTag{}, Json::object());  // nobody listens
  }

  void a_base_path_of_its_own_is_kept() {
    start(Json::object("base_path", "/api/v1/"));
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(std::string("/api/v1/5"), client.get("/api/v1/5/6").headers["location"]);
    CPPUNIT_ASSERT_EQUAL(404, client.get("/janus/5/6").status);
    transport_->stop();
    start(Json::object("base_path", "/"));
    CPPUNIT_ASSERT_EQUAL(std::string("/5"), HttpClient(port()).get("/5/6").headers["location"]);
    Http wrong(host_);
    CPPUNIT_ASSERT(wrong.configure(Json::object("general", Json::object("base_path", "janus"))));
  }

  void a_port_in_use_is_one_clear_error() {
    start();
    Http second(host_);
    CPPUNIT_ASSERT(
        !second.configure(Json::object("general", Json::object("port", port(), "ip", "127.0.0.1", "https", false))));
    auto status = second.start();
    CPPUNIT_ASSERT(!status);
    CPPUNIT_ASSERT_EQUAL("http: port " + std::to_string(port()) + " on 127.0.0.1 is in use", status.error().reason);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HttpTest);

}  // namespace cardea::transports::test
