// Limits, pages, the other doors of the HTTP server, its certificates, and its end.
#include <sys/stat.h>

#include "unit/transports/http_fixture.hpp"

namespace cardea::transports::test {

class HttpDoorsTest : public HttpFixture {
  CPPUNIT_TEST_SUITE(HttpDoorsTest);
  CPPUNIT_TEST(requests_above_the_limit_are_refused);
  CPPUNIT_TEST(beacons_and_expectations_are_taken);
  CPPUNIT_TEST(pages_are_served_at_the_root);
  CPPUNIT_TEST(pages_say_what_they_may_do);
  CPPUNIT_TEST(a_compressed_variant_is_given_to_who_can_read_it);
  CPPUNIT_TEST(tls_is_1_2_or_1_3_with_current_ciphers);
  CPPUNIT_TEST(an_admin_listener_needs_a_secret);
  CPPUNIT_TEST(web_pages_use_the_admin_api_only_where_allowed);
  CPPUNIT_TEST(requests_are_said_to_be_of_the_client);
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

public:
  void requests_above_the_limit_are_refused() {
    start(Json::object("max_message_size", 2000));
    HttpClient client(port());
    client.ask("POST", "/janus", "{\"a\":\"" + std::string(1900, 'x') + "\"}");
    CPPUNIT_ASSERT(host_.next().request.is_object());
    HttpClient large(port());
    large.write("POST /janus HTTP/1.1\r\nHost: x\r\nContent-Length: 2001\r\n\r\n");
    HttpAnswer refusal = large.answer();
    CPPUNIT_ASSERT_EQUAL(413, refusal.status);
    CPPUNIT_ASSERT(refusal.body.find("\"code\":454") != std::string::npos);
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
    // Relative, as below the path of a reverse proxy.
    CPPUNIT_ASSERT_EQUAL(std::string("sub/"), client.get("/sub").headers["location"]);
    CPPUNIT_ASSERT_EQUAL(std::string("<h1>sub</h1>"), client.get("/sub/").body);
    CPPUNIT_ASSERT_EQUAL(404, client.get("/nothing.js").status);
  }

  void pages_say_what_they_may_do() {
    start();
    HttpClient client(port());
    HttpAnswer home = client.get("/");
    const std::string policy = home.headers["content-security-policy"];
    for (const char* part :
         {"default-src 'self'", "script-src 'self'", "style-src 'self'", "connect-src 'self' ws: wss:",
          "media-src 'self' blob:", "img-src 'self' data: blob:", "worker-src 'self' blob:", "object-src 'none'",
          "base-uri 'self'", "form-action 'self'", "frame-ancestors 'self'"})
      CPPUNIT_ASSERT_MESSAGE(part, (policy + ";").find(std::string(part) + ";") != std::string::npos);
    CPPUNIT_ASSERT(policy.find("unsafe") == std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("nosniff"), home.headers["x-content-type-options"]);
    CPPUNIT_ASSERT_EQUAL(std::string("no-referrer"), home.headers["referrer-policy"]);
    CPPUNIT_ASSERT_EQUAL(std::string("camera=(self), microphone=(self), display-capture=(self)"),
                         home.headers["permissions-policy"]);
    HttpAnswer json = client.post("/janus", "nonsense");
    CPPUNIT_ASSERT_EQUAL(std::string("no-store"), json.headers["cache-control"]);
    CPPUNIT_ASSERT_EQUAL(std::string("nosniff"), json.headers["x-content-type-options"]);
  }

  void a_compressed_variant_is_given_to_who_can_read_it() {
    std::ofstream(folder_ / "pages" / "app.mjs.gz") << "small";
    start();
    HttpClient client(port());
    client.ask("GET", "/app.mjs", {}, "Accept-Encoding: br, gzip\r\n");
    HttpAnswer small = client.answer();
    CPPUNIT_ASSERT_EQUAL(std::string("small"), small.body);
    CPPUNIT_ASSERT_EQUAL(std::string("gzip"), small.headers["content-encoding"]);
    CPPUNIT_ASSERT_EQUAL(std::string("text/javascript; charset=utf-8"), small.headers["content-type"]);
    CPPUNIT_ASSERT_EQUAL(std::string("Accept-Encoding"), small.headers["vary"]);
    client.ask("GET", "/app.mjs", {}, "Accept-Encoding: gzip;q=0, br\r\n");
    HttpAnswer plain = client.answer();
    CPPUNIT_ASSERT_EQUAL(size_t{200000}, plain.body.size());
    CPPUNIT_ASSERT(plain.headers["etag"] != small.headers["etag"]);
    client.ask("GET", "/app.mjs", {}, "Accept-Encoding: gzip\r\nIf-None-Match: " + small.headers["etag"] + "\r\n");
    CPPUNIT_ASSERT_EQUAL(304, client.answer().status);
  }

  void tls_is_1_2_or_1_3_with_current_ciphers() {
    start(Json::object("https", true));
    auto connects = [](int version, const char* ciphers) {
      SSL_CTX* context = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_security_level(context, 0);
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
      if (ciphers != nullptr) SSL_CTX_set_cipher_list(context, ciphers);
      HttpClient link(secure);
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, link.fd());
      const bool connected = SSL_connect(ssl) == 1;
      SSL_free(ssl);
      SSL_CTX_free(context);
      return connected;
    };
    CPPUNIT_ASSERT(connects(TLS1_3_VERSION, nullptr) && connects(TLS1_2_VERSION, nullptr));
    CPPUNIT_ASSERT(!connects(TLS1_1_VERSION, nullptr) && !connects(TLS1_VERSION, nullptr));
    CPPUNIT_ASSERT(connects(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    for (const char* old : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM8"})
      CPPUNIT_ASSERT_MESSAGE(old, !connects(TLS1_2_VERSION, old));
  }

  void an_admin_listener_needs_a_secret() {
    host_.admin_secret = false;
    Http one(host_);
    CPPUNIT_ASSERT(!one.configure(
        Json::object("general", Json::object("http", false, "https", false), "admin",
                     Json::object("admin_http", true, "admin_port", admin_port, "admin_ip", "127.0.0.1"))));
    auto started = one.start();
    CPPUNIT_ASSERT(!started && started.error().reason.find("admin_secret") != std::string::npos);
    CPPUNIT_ASSERT(!Link(admin_port).connected());
  }

  void web_pages_use_the_admin_api_only_where_allowed() {
    const Json admin = Json::object("admin_http", true, "admin_port", admin_port, "admin_ip", "127.0.0.1");
    start({}, admin.copy());
    HttpClient client(admin_port);
    HttpAnswer none = client.post("/admin/info", "{}");
    CPPUNIT_ASSERT_EQUAL(size_t{0}, none.headers.count("access-control-allow-origin"));
    client.ask("POST", "/admin/info", "{}", "Origin: https://page.example\r\n");
    CPPUNIT_ASSERT_EQUAL(403, client.answer().status);
    transport_->stop();
    start({}, admin.copy(), Json::object("admin_allow_origin", "https://page.example"));
    HttpClient other(admin_port);
    other.ask("POST", "/admin/info", "{}", "Origin: https://page.example\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("https://page.example"), other.answer().headers["access-control-allow-origin"]);
  }

  void requests_are_said_to_be_of_the_client() {
    start(Json::object("trusted_proxies", "127.0.0.0/8"));
    HttpClient client(port());
    for (const char* address : {"192.0.2.7", "2001:db8::7"}) {  // one connection of a proxy serves several
      client.ask("POST", "/janus", "{}", std::string("X-Forwarded-For: ") + address + "\r\n");
      Received got = host_.next();
      CPPUNIT_ASSERT_EQUAL(std::string(address), *host_.address_of(got.from));
      send(got.from, got.tag, Json::object());
      client.answer();
    }
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

CPPUNIT_TEST_SUITE_REGISTRATION(HttpDoorsTest);

}  // namespace cardea::transports::test
