// The HTTP transport on loopback ports, with a fake core behind it and a folder of pages.
#pragma once

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "http/http.hpp"
#include "unit/transports/client.hpp"
#include "unit/transports/fake_host.hpp"

namespace cardea::transports::test {

namespace fs = std::filesystem;

class HttpFixture : public CppUnit::TestFixture {
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

protected:
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
};

}  // namespace cardea::transports::test
