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
  CPPUNIT_TEST(urls_of_clients_do_not_reach_the_inside);
  CPPUNIT_TEST(addresses_are_told_apart);
  CPPUNIT_TEST(prefixes_fix_the_host);
  CPPUNIT_TEST_SUITE_END();

  static int64_t count(const textroom::Poster& poster, const char* what) { return poster.describe()[what].integer(); }

  void messages_arrive_in_order() {
    HttpServer server(200);
    {
      textroom::Poster poster;
      poster.obey({.own = {server.url()}});
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
    poster.obey({.own = {server.url(), "http://127.0.0.1:1/"}});
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
      poster.obey({.own = {silent.url(), server.url()}});
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
  void urls_of_clients_do_not_reach_the_inside() {
    HttpServer server(200);
    {
      textroom::Poster poster;
      const std::string by_name = "http://localhost" + server.url().substr(server.url().rfind(':'));
      poster.obey({.by_clients = true, .prefixes = {server.url(), by_name}});
      poster.post(server.url(), "{}");
      poster.post(by_name, "{}");
      poster.post("http://127.0.0.1/elsewhere", "{}");
      CPPUNIT_ASSERT(comes_true([&] { return count(poster, "failed") == 2; }));
      CPPUNIT_ASSERT_EQUAL(int64_t{1}, count(poster, "refused"));
      CPPUNIT_ASSERT_EQUAL(int64_t{0}, count(poster, "delivered"));
    }
    CPPUNIT_ASSERT(server.requests().empty());
    HttpServer allowed(200);
    textroom::Poster poster;
    poster.obey(
        {.by_clients = true, .prefixes = {allowed.url()}, .networks = {*textroom::Network::parse("127.0.0.0/8")}});
    poster.post(allowed.url(), "{}");
    CPPUNIT_ASSERT(comes_true([&] { return count(poster, "delivered") == 1; }));
  }
  void addresses_are_told_apart() {
    for (const char* inside : {"127.0.0.1",
                               "10.1.2.3",
                               "172.31.0.1",
                               "192.168.1.1",
                               "169.254.169.254",
                               "100.64.0.1",
                               "100.100.100.200",
                               "0.0.0.0",
                               "224.0.0.1",
                               "255.255.255.255",
                               "168.63.129.16",
                               "::",
                               "::1",
                               "fe80::1",
                               "fd00:ec2::254",
                               "ff02::1",
                               "::ffff:127.0.0.1",
                               "::ffff:8.8.8.8",
                               "64:ff9b::a00:1",
                               "2002:a00:1::",
                               "2001:0:1::",
                               "fec0::1"})
      CPPUNIT_ASSERT_MESSAGE(inside, !textroom::is_public(*textroom::Network::parse(inside)));
    for (const char* outside : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "223.255.255.1", "2a00:1450::1", "2600::1"})
      CPPUNIT_ASSERT_MESSAGE(outside, textroom::is_public(*textroom::Network::parse(outside)));
    for (const char* wrong : {"", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "host", "10.0.0.0/", "10.0.0.0/8x"})
      CPPUNIT_ASSERT_MESSAGE(wrong, !textroom::Network::parse(wrong));
    const textroom::PostRules rules{.networks = {*textroom::Network::parse("10.1.0.0/17")}};
    CPPUNIT_ASSERT(rules.may_connect(*textroom::Network::parse("10.1.127.9")));
    CPPUNIT_ASSERT(!rules.may_connect(*textroom::Network::parse("10.1.128.9")));
  }
  void prefixes_fix_the_host() {
    for (const char* wrong : {"", "http://", "https://example.org", "ftp://example.org/", "http://a@example.org/"})
      CPPUNIT_ASSERT_MESSAGE(wrong, textroom::PostRules::wrong_prefix(wrong).has_value());
    CPPUNIT_ASSERT(!textroom::PostRules::wrong_prefix("https://example.org/hooks/"));
    textroom::PostRules rules{.by_clients = true, .prefixes = {"https://example.org/hooks/"}};
    CPPUNIT_ASSERT(rules.may_name("https://example.org/hooks/a"));
    for (const char* url : {"https://example.org/other", "https://example.org.evil.example/hooks/",
                            "https://example.org/hooks/../admin", "https://example.org/hooks/%2e%2E/admin",
                            "https://example.org/hooks/a b", "https://example.org/hooks/\\..\\admin"})
      CPPUNIT_ASSERT_MESSAGE(url, !rules.may_name(url));
    rules.by_clients = false;
    CPPUNIT_ASSERT(!rules.may_name("https://example.org/hooks/a"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextPosterTest);
