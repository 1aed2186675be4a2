// Requests and answers of the HTTP transport, over real sockets on loopback.
#include "unit/transports/http_fixture.hpp"

namespace cardea::transports::test {

class HttpTest : public HttpFixture {
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
  CPPUNIT_TEST_SUITE_END();

public:
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
};

CPPUNIT_TEST_SUITE_REGISTRATION(HttpTest);

}  // namespace cardea::transports::test
