// HTTP backends, with a small server on loopback.
#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "poster.hpp"

using namespace cardea;
using namespace std::chrono_literals;

namespace {

// Takes requests one connection at a time, keeps their bodies, answers each with a status.
class HttpServer {
public:
  explicit HttpServer(int status, bool answers = true) : status_(status), answers_(answers) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CPPUNIT_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CPPUNIT_ASSERT(::listen(listener_, 8) == 0);
    CPPUNIT_ASSERT(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/hook"; }
  // After all clients are gone.
  std::vector<std::string> requests() const { return requests_; }

private:
  bool readable(int fd) const {
    pollfd one{fd, POLLIN, 0};
    while (!stopping_)
      if (::poll(&one, 1, 10) > 0) return true;
    return false;
  }
  void serve() {
    while (readable(listener_)) {
      const int client = ::accept(listener_, nullptr, nullptr);
      talk(client);
      ::close(client);
    }
  }
  void talk(int client) {
    std::string got;
    char part[4096];
    while (readable(client)) {
      const ssize_t size = ::recv(client, part, sizeof part, 0);
      if (size <= 0) return;
      got.append(part, static_cast<size_t>(size));
      const size_t body = got.find("\r\n\r\n"), length = got.find("Content-Length: ");
      if (body == std::string::npos || length == std::string::npos) continue;
      const size_t whole = body + 4 + std::stoul(got.substr(length + 16));
      if (got.size() < whole || !answers_) continue;
      requests_.push_back(got.substr(0, whole));
      got.erase(0, whole);
      const std::string answer = "HTTP/1.1 " + std::to_string(status_) + " X\r\nContent-Length: 2\r\n\r\nok";
      if (::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  int status_, listener_ = -1;
  bool answers_;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::string> requests_;
  std::thread thread_;
};

bool comes_true(const std::function<bool()>& wish) {
  for (int i = 0; i < 500; ++i) {
    if (wish()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

}  // namespace

class TextPosterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TextPosterTest);
  CPPUNIT_TEST(messages_arrive_in_order);
  CPPUNIT_TEST(failures_are_counted);
  CPPUNIT_TEST(a_backend_that_never_answers_keeps_nobody);
  CPPUNIT_TEST_SUITE_END();

  static int64_t count(const textroom::Poster& poster, const char* what) { return poster.describe()[what].integer(); }

  void messages_arrive_in_order() {
    HttpServer server(200);
    {
      textroom::Poster poster;
      CPPUNIT_ASSERT(poster.available());
      for (int i = 0; i < 50; ++i) poster.post(server.url(), "{\"n\":" + std::to_string(i) + "}");
      CPPUNIT_ASSERT(comes_true([&] { return count(poster, "delivered") == 50; }));
    }
    const auto requests = server.requests();
    CPPUNIT_ASSERT_EQUAL(size_t{50}, requests.size());
    for (size_t i = 0; i < 50; ++i) {
      CPPUNIT_ASSERT(requests[i].starts_with("POST /hook HTTP/1.1"));
      CPPUNIT_ASSERT(requests[i].find("Content-Type: application/json") != std::string::npos);
      CPPUNIT_ASSERT(requests[i].ends_with("{\"n\":" + std::to_string(i) + "}"));
    }
  }
  void failures_are_counted() {
    HttpServer server(500);
    textroom::Poster poster;
    poster.post(server.url(), "{}");
    poster.post("http://127.0.0.1:1/", "{}");
    CPPUNIT_ASSERT(comes_true([&] { return count(poster, "failed") == 2; }));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, count(poster, "delivered"));
  }
  void a_backend_that_never_answers_keeps_nobody() {
    HttpServer silent(200, false), server(200);
    const auto begin = std::chrono::steady_clock::now();
    {
      textroom::Poster poster;
      const Payload large(std::string(100'000, 'x'));
      for (int i = 0; i < 2000; ++i) poster.post(silent.url(), large);
      CPPUNIT_ASSERT(count(poster, "dropped") > 1000);  // bounded
      // Others are served meanwhile, once there is room.
      CPPUNIT_ASSERT(comes_true([&] {
        poster.post(server.url(), "{}");
        return count(poster, "delivered") > 0 || count(poster, "dropped") > 0;
      }));
    }
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - begin < 5s);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextPosterTest);
