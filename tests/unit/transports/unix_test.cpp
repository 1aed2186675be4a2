// The Unix socket transport over real sockets.
#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <memory>

#include "common/fd.hpp"
#include "unit/transports/fake_host.hpp"
#include "unix/unix.hpp"

namespace cardea::transports::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A client by hand. With datagrams it has a path of its own, unless that is "".
class UnixClient {
public:
  UnixClient(const fs::path& server, int type, const fs::path& own = {}) {
    fd_ = Fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const int large = 1 << 20;
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    if (!own.empty()) {
      const sockaddr_un address = address_of(own);
      ::unlink(own.c_str());
      bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    const sockaddr_un address = address_of(server);
    connected_ = connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  bool send(std::string_view packet, int flags = 0) {
    return ::send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | flags) == static_cast<ssize_t>(packet.size());
  }
  // "": none came in time, or it is closed.
  std::string read(std::chrono::milliseconds patience = 5s) {
    pollfd readable{fd_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(patience.count())) <= 0) return {};
    std::string packet(4 << 20, '\0');
    const ssize_t got = recv(fd_.get(), packet.data(), packet.size(), 0);
    packet.resize(got > 0 ? static_cast<size_t>(got) : 0);
    closed_ = got <= 0;
    return packet;
  }
  bool is_closed() {
    while (!closed_ && !read().empty()) {
    }
    return closed_;
  }

private:
  static sockaddr_un address_of(const fs::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  Fd fd_;
  bool connected_ = false, closed_ = false;
};

class UnixTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(UnixTest);
  CPPUNIT_TEST(packets_are_requests_and_replies);
  CPPUNIT_TEST(datagrams_are_answered_where_they_come_from);
  CPPUNIT_TEST(a_connection_that_closes_is_gone);
  CPPUNIT_TEST(a_path_that_nobody_reads_any_more_is_gone);
  CPPUNIT_TEST(junk_and_giants_are_answered_with_errors);
  CPPUNIT_TEST(a_reply_larger_than_a_packet_becomes_an_error);
  CPPUNIT_TEST(senders_without_a_path_are_not_heard);
  CPPUNIT_TEST(a_reader_that_does_not_read_is_cut_off);
  CPPUNIT_TEST(a_full_datagram_socket_gets_the_rest_later);
  CPPUNIT_TEST(a_sender_that_does_not_wait_is_held_back);
  CPPUNIT_TEST(the_longest_silent_without_a_session_makes_room);
  CPPUNIT_TEST(the_admin_api_has_its_own_path_and_needs_a_secret);
  CPPUNIT_TEST(a_left_over_path_is_replaced_one_in_use_is_not);
  CPPUNIT_TEST(settings_are_checked);
  CPPUNIT_TEST_SUITE_END();

  FakeHost host_;
  std::unique_ptr<UnixSockets> transport_;
  fs::path folder_;

  fs::path at(const char* name) const { return folder_ / name; }
  void start(Json general = Json::object(), Json admin = Json::object()) {
    transport_ = std::make_unique<UnixSockets>(host_);
    if (!general["enabled"]) general.set("enabled", true);
    general.set("path", at("server").string());
    auto wrong = transport_->configure(Json::object("general", std::move(general), "admin", std::move(admin)));
    CPPUNIT_ASSERT_MESSAGE(wrong ? wrong->path + " " + wrong->reason : "", !wrong);
    auto started = transport_->start();
    CPPUNIT_ASSERT_MESSAGE(started ? "" : started.error().reason, started.has_value());
  }
  void start_datagrams(Json general = Json::object()) { start(std::move(general.set("type", "SOCK_DGRAM"))); }
  void send(ConnectionId to, RequestTag tag, Json message) {
    transport_->send(to, tag, std::move(message));
    transport_->flush();
  }
  UnixClient connection() { return {at("server"), SOCK_SEQPACKET}; }
  UnixClient datagrams(const char* own) { return {at("server"), SOCK_DGRAM, at(own)}; }
  static std::string read_error(UnixClient& client) {
    auto answer = Json::parse(client.read());
    return answer ? std::to_string((*answer)["error"]["code"].integer()) : "none";
  }

public:
  void setUp() override {
    folder_ = fs::temp_directory_path() / ("cardea_unix_test_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void tearDown() override {
    host_.stop_answering();
    if (transport_) transport_->stop();
    transport_.reset();
    fs::remove_all(folder_);
  }

  void packets_are_requests_and_replies() {
    start();
    UnixClient client = connection(), other = connection();
    client.send(R"({"janus":"create","transaction":"a"})");
    Received got = host_.next();
    CPPUNIT_ASSERT(got.api == Api::client && got.tag);
    CPPUNIT_ASSERT_EQUAL(std::string(), *host_.address_of(got.from));
    other.send("{}");
    CPPUNIT_ASSERT(host_.next().from != got.from);
    send(got.from, got.tag, Json::object("janus", "success"));
    send(got.from, {}, Json::object("janus", "event"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"janus":"success"})"), client.read());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"janus":"event"})"), client.read());
    const std::string large(200000, 'x');  // more than the reference takes
    CPPUNIT_ASSERT(client.send("{\"a\":\"" + large + "\"}"));
    CPPUNIT_ASSERT(host_.next().request["a"].string() == large);
    CPPUNIT_ASSERT_EQUAL("unix:" + at("server").string(), transport_->addresses().front());
  }

  void datagrams_are_answered_where_they_come_from() {
    start_datagrams();
    UnixClient a = datagrams("a"), b = datagrams("b");
    a.send("{\"n\":1}");
    Received from_a = host_.next();
    b.send("{\"n\":2}");
    Received from_b = host_.next();
    a.send("{\"n\":3}");
    CPPUNIT_ASSERT(host_.next().from == from_a.from && from_a.from != from_b.from);
    send(from_b.from, from_b.tag, Json::object("to", "b"));
    send(from_a.from, from_a.tag, Json::object("to", "a"));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"to":"a"})"), a.read());
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"to":"b"})"), b.read());
  }

  void a_connection_that_closes_is_gone() {
    start();
    ConnectionId id;
    {
      UnixClient client = connection();
      client.send("{}");
      id = host_.next().from;
    }
    auto gone = host_.wait_gone(1);
    CPPUNIT_ASSERT(gone.size() == 1 && gone[0] == id);
    send(id, {}, Json::object());  // nobody
    UnixClient last = connection();
    last.send("{}");
    host_.next();
    transport_->stop();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, host_.wait_gone(2).size());
    CPPUNIT_ASSERT(last.is_closed());
  }

  void a_path_that_nobody_reads_any_more_is_gone() {
    start_datagrams();
    ConnectionId id;
    {
      UnixClient client = datagrams("a");
      client.send("{}");
      id = host_.next().from;
    }
    send(id, {}, Json::object());
    auto gone = host_.wait_gone(1);
    CPPUNIT_ASSERT(gone.size() == 1 && gone[0] == id);
    UnixClient again = datagrams("a");
    again.send("{}");
    CPPUNIT_ASSERT(host_.next().from != id);
  }

  void junk_and_giants_are_answered_with_errors() {
    start(Json::object("max_message_size", 2000));
    UnixClient client = connection();
    for (const char* junk : {"{\"janus\":", "hello", "{} {}", "\xff\xfe"}) {
      client.send(junk);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(junk, std::string("454"), read_error(client));
    }
    client.send("{\"a\":\"" + std::string(3000, 'x') + "\"}");
    CPPUNIT_ASSERT(client.read().find("larger than 2000 bytes") != std::string::npos);
    client.send("{\"n\":9}");
    CPPUNIT_ASSERT_EQUAL(int64_t{9}, host_.next().request["n"].integer());
    transport_->stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, transport_->refusals(Refusal::message_too_big));
  }

  void a_reply_larger_than_a_packet_becomes_an_error() {
    start();
    UnixClient client = connection();
    client.send("{}");
    Received got = host_.next();
    send(got.from, got.tag, Json::object("transaction", "t", "a", std::string(8 << 20, 'x')));
    auto answer = Json::parse(client.read());
    CPPUNIT_ASSERT(answer && (*answer)["error"]["code"].integer() == 490);
    CPPUNIT_ASSERT_EQUAL(std::string("t"), std::string((*answer)["transaction"].string()));
    send(got.from, {}, Json::object("still", true));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"still":true})"), client.read());
    transport_->stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, transport_->refusals(Refusal::too_big_to_send));
  }

  void senders_without_a_path_are_not_heard() {
    start_datagrams();
    UnixClient nameless(at("server"), SOCK_DGRAM);
    nameless.send("{\"n\":1}");
    UnixClient client = datagrams("a");
    client.send("{\"n\":2}");
    CPPUNIT_ASSERT_EQUAL(int64_t{2}, host_.next().request["n"].integer());
    transport_->stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, transport_->refusals(Refusal::nobody_to_answer));
  }

  void a_reader_that_does_not_read_is_cut_off() {
    start(Json::object("max_queue", 100000));
    UnixClient slow = connection(), quick = connection();
    slow.send("{}");
    const ConnectionId slow_id = host_.next().from;
    quick.send("{}");
    const ConnectionId quick_id = host_.next().from;
    const Json event = Json::object("event", std::string(10000, 'x'));
    for (int i = 0; i < 2000 && host_.wait_gone(0).empty(); ++i) send(slow_id, {}, event.copy());
    auto gone = host_.wait_gone(1);
    CPPUNIT_ASSERT(gone.size() == 1 && gone[0] == slow_id);
    CPPUNIT_ASSERT(slow.is_closed());
    send(quick_id, {}, Json::object("still", true));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"still":true})"), quick.read());
    transport_->stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, transport_->refusals(Refusal::slow_reader));
  }

  void a_full_datagram_socket_gets_the_rest_later() {
    start_datagrams();
    UnixClient client = datagrams("a");
    client.send("{}");
    const ConnectionId id = host_.next().from;
    constexpr int count = 2000;  // the system holds a few hundred at most
    for (int i = 0; i < count; ++i) send(id, {}, Json::object("n", i));
    for (int i = 0; i < count; ++i) CPPUNIT_ASSERT_EQUAL("{\"n\":" + std::to_string(i) + "}", client.read());
  }

  void a_sender_that_does_not_wait_is_held_back() {
    start();
    UnixClient client = connection();
    int sent = 0;
    while (sent < 5000 && client.send("{\"n\":" + std::to_string(sent) + "}", MSG_DONTWAIT)) ++sent;
    std::this_thread::sleep_for(100ms);
    CPPUNIT_ASSERT(host_.waiting() >= 200 && host_.waiting() <= 320);
    host_.answer_with([this](Received one) { send(one.from, one.tag, std::move(one.request)); });
    for (int i = 0; i < sent; ++i) CPPUNIT_ASSERT_EQUAL("{\"n\":" + std::to_string(i) + "}", client.read());
  }

  void the_longest_silent_without_a_session_makes_room() {
    start(Json::object("max_connections", 2));
    UnixClient owner = connection();
    owner.send("{}");
    const ConnectionId id = host_.next().from;
    transport_->session_owned(id, SessionId{1});
    send(id, {}, Json::object());
    owner.read();
    UnixClient idle = connection();
    idle.send("{}");
    host_.next();
    UnixClient newcomer = connection();
    newcomer.send("{\"n\":3}");
    Received got = host_.next();
    CPPUNIT_ASSERT_EQUAL(int64_t{3}, got.request["n"].integer());
    CPPUNIT_ASSERT(idle.is_closed());
    transport_->session_owned(got.from, SessionId{2});
    send(got.from, {}, Json::object());
    newcomer.read();
    UnixClient refused = connection();
    CPPUNIT_ASSERT(refused.is_closed());
  }

  void the_admin_api_has_its_own_path_and_needs_a_secret() {
    auto admin = [this] { return Json::object("admin_enabled", true, "admin_path", at("admin").string()); };
    host_.admin_secret = false;
    UnixSockets without(host_);
    CPPUNIT_ASSERT(!without.configure(Json::object("admin", admin())));
    CPPUNIT_ASSERT(!without.start() && !fs::exists(at("admin")));
    host_.admin_secret = true;
    start(Json::object("enabled", false), admin());
    CPPUNIT_ASSERT(transport_->addresses().empty() && !fs::exists(at("server")));
    UnixClient client(at("admin"), SOCK_SEQPACKET);
    client.send("{}");
    CPPUNIT_ASSERT(host_.next().api == Api::admin);
    transport_->stop();
    CPPUNIT_ASSERT(!fs::exists(at("admin")));
  }

  void a_left_over_path_is_replaced_one_in_use_is_not() {
    for (const char* type : {"SOCK_SEQPACKET", "SOCK_DGRAM"}) {
      start(Json::object("type", type));
      UnixSockets second(host_);
      CPPUNIT_ASSERT(!second.configure(
          Json::object("general", Json::object("enabled", true, "type", type, "path", at("server").string()))));
      auto status = second.start();
      CPPUNIT_ASSERT(!status && status.error().reason.starts_with("unix: cannot listen at "));
      transport_->stop();
      {
        UnixClient left(at("nothing"), SOCK_DGRAM, at("server"));  // its path outlives it
      }
      start(Json::object("type", type));
      transport_->stop();
    }
  }

  void settings_are_checked() {
    UnixSockets one(host_);
    auto wrong = one.configure(Json::object("general", Json::object("enabled", true)));
    CPPUNIT_ASSERT(wrong && wrong->path == "general.path");
    wrong = UnixSockets(host_).configure(Json::object("general", Json::object("type", "SOCK_STREAM")));
    CPPUNIT_ASSERT(wrong && wrong->path == "general.type");
    wrong = UnixSockets(host_).configure(Json::object("admin", Json::object("admin_enabled", true)));
    CPPUNIT_ASSERT(wrong && wrong->path == "admin.admin_path");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UnixTest);

}  // namespace cardea::transports::test
