// The WebSocket transport over real sockets on loopback.
#include <cppunit/extensions/HelperMacros.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "unit/transports/client.hpp"
#include "unit/transports/fake_host.hpp"
#include "websockets/websockets.hpp"

namespace cardea::transports::test {

class WebSocketsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WebSocketsTest);
  CPPUNIT_TEST(a_request_reaches_the_core_and_its_reply_comes_back);
  CPPUNIT_TEST(events_come_without_being_asked_for);
  CPPUNIT_TEST(a_burst_of_replies_travels_together);
  CPPUNIT_TEST(replies_given_on_its_own_thread_leave_at_once);
  CPPUNIT_TEST(messages_of_all_sizes_arrive_whole_between_pongs);
  CPPUNIT_TEST(the_subprotocol_is_echoed_out_of_a_list);
  CPPUNIT_TEST(a_handshake_without_our_subprotocol_is_refused);
  CPPUNIT_TEST(a_handshake_against_the_rules_is_refused);
  CPPUNIT_TEST(small_messages_leave_at_once);
  CPPUNIT_TEST(a_plain_get_is_forbidden);
  CPPUNIT_TEST(text_that_is_not_json_is_answered_with_454);
  CPPUNIT_TEST(an_array_goes_to_the_core);
  CPPUNIT_TEST(concatenated_objects_are_requests_in_order);
  CPPUNIT_TEST(one_malformed_part_rejects_the_whole_message);
  CPPUNIT_TEST(fragments_and_binary_frames_are_assembled);
  CPPUNIT_TEST(a_message_above_the_limit_closes_the_connection);
  CPPUNIT_TEST(two_mebibytes_are_served_and_more_is_an_error);
  CPPUNIT_TEST(silent_clients_are_pinged_unless_told_otherwise);
  CPPUNIT_TEST(the_longest_idle_without_a_session_makes_room);
  CPPUNIT_TEST(newcomers_get_in_when_descriptors_run_out);
  CPPUNIT_TEST(an_address_has_so_many_connections);
  CPPUNIT_TEST(a_trusted_proxy_says_whom_it_speaks_for);
  CPPUNIT_TEST(a_forwarded_access_list_needs_trusted_proxies);
  CPPUNIT_TEST(an_admin_listener_needs_a_secret);
  CPPUNIT_TEST(unread_and_half_sent_bytes_of_all_are_bounded);
  CPPUNIT_TEST(a_reader_that_does_not_read_is_cut_off);
  CPPUNIT_TEST(a_sender_that_does_not_wait_is_held_back);
  CPPUNIT_TEST(the_core_hears_once_that_a_connection_is_gone);
  CPPUNIT_TEST(client_pings_are_answered);
  CPPUNIT_TEST(a_silent_client_is_pinged_and_then_closed);
  CPPUNIT_TEST(a_port_in_use_is_one_clear_error);
  CPPUNIT_TEST(stop_flushes_says_goodbye_and_leaves_nobody);
  CPPUNIT_TEST(the_access_list_keeps_strangers_out);
  CPPUNIT_TEST(other_origins_are_refused_when_cors_is_enforced);
  CPPUNIT_TEST(the_admin_door_takes_the_admin_subprotocol_only);
  CPPUNIT_TEST(no_more_connections_than_allowed_are_held);
  CPPUNIT_TEST(junk_and_half_handshakes_leave_the_server_alive);
  CPPUNIT_TEST(wss_works_with_a_self_signed_certificate);
  CPPUNIT_TEST(a_unix_socket_can_be_the_door);
  CPPUNIT_TEST(unknown_settings_are_refused_by_path);
  CPPUNIT_TEST_SUITE_END();

  FakeHost host_;
  std::unique_ptr<WebSockets> transport_;

  void start(Json general = Json::object(), Json admin = Json::object(), Json cors = Json::object()) {
    transport_ = std::make_unique<WebSockets>(host_);
    if (!general["ws_port"]) general.set("ws_port", 0);
    if (!general["ws_ip"]) general.set("ws_ip", "127.0.0.1");
    auto wrong = transport_->configure(
        Json::object("general", std::move(general), "admin", std::move(admin), "cors", std::move(cors)));
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
  void echo() {
    host_.answer_with([this](Received one) {
      send(one.from, one.tag,
           Json::object("janus", "success", "transaction", std::string(one.request["transaction"].string())));
    });
  }

public:
  void tearDown() override {
    host_.stop_answering();
    if (transport_) transport_->stop();
    transport_.reset();
  }

  void a_request_reaches_the_core_and_its_reply_comes_back() {
    start();
    WsClient client(port());
    CPPUNIT_ASSERT(client.open());
    client.text(R"({"janus":"create","transaction":"t1"})");
    Received got = host_.next();
    CPPUNIT_ASSERT_EQUAL(std::string("create"), std::string(got.request["janus"].string()));
    CPPUNIT_ASSERT(got.from && got.tag && got.api == Api::client);
    send(got.from, got.tag, Json::object("janus", "success", "n", 1));
    Frame frame = client.read();
    CPPUNIT_ASSERT_EQUAL(1, frame.opcode);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"janus":"success","n":1})"), frame.payload);
  }

  void events_come_without_being_asked_for() {
    start(Json::object("json", "plain"));
    WsClient client(port());
    client.text("{}");
    Received got = host_.next();
    for (int i = 0; i < 3; ++i) send(got.from, RequestTag{}, Json::object("event", i));
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL("{\"event\": " + std::to_string(i) + "}", client.read().payload);
    send(ConnectionId{987654}, RequestTag{}, Json::object());  // nobody: dropped
  }

  void a_burst_of_replies_travels_together() {
    start();
    WsClient client(port());
    client.text("{}");
    const ConnectionId id = host_.next().from;
    for (int i = 0; i < 50; ++i) transport_->send(id, RequestTag{}, Json::object("event", i));
    transport_->flush();
    CPPUNIT_ASSERT(client.buffer().empty() && client.more());
    const std::string_view together(client.buffer());
    CPPUNIT_ASSERT(together.starts_with("\x81\x0b{\"event\":0}") && together.ends_with("\x81\x0c{\"event\":49}"));
  }

  void replies_given_on_its_own_thread_leave_at_once() {
    host_.answer_in_release = [this](Received one) {
      send(one.from, one.tag, Json::object("is", one.request["is"].integer()));
    };
    start();
    WsClient client(port());
    for (int i = 0; i < 3; ++i) {
      client.text("{\"is\":" + std::to_string(i) + "}");
      CPPUNIT_ASSERT_EQUAL("{\"is\":" + std::to_string(i) + "}", client.read().payload);
    }
  }

  // The sizes at which frames' lengths are written in another way, and more than a socket takes at once.
  void messages_of_all_sizes_arrive_whole_between_pongs() {
    for (const bool tls : {false, true}) {
      start(tls ? Json::object("ws", false, "wss", true, "wss_port", 0, "wss_ip", "127.0.0.1") : Json::object());
      WsClient client(port(), "janus-protocol", tls, 4096);
      client.text("{}");
      const ConnectionId id = host_.next().from;
      constexpr size_t around = 8;  // {"a":""}
      const std::vector<size_t> sizes{around, 125, 126, 127, 16000, 16384, 65535, 65536, 70000, 900000};
      int pongs = 0;
      for (int round = 0; round < 3; ++round) {
        for (size_t size : sizes)
          transport_->send(id, RequestTag{}, Json::object("a", std::string(size - around, 'x')));
        transport_->flush();
        client.frame(9, "ping");
        for (size_t i = 0; i < sizes.size();) {
          Frame frame = client.read();
          CPPUNIT_ASSERT(frame.opcode == 1 || frame.opcode == 10);
          if (frame.opcode == 10)
            ++pongs;
          else
            CPPUNIT_ASSERT_EQUAL(sizes[i++], frame.payload.size());
        }
      }
      send(id, RequestTag{}, Json::object("last", true));
      for (Frame frame; frame.payload != R"({"last":true})"; pongs += frame.opcode == 10 ? 1 : 0)
        CPPUNIT_ASSERT((frame = client.read()).opcode > 0);
      CPPUNIT_ASSERT_EQUAL(3, pongs);
      transport_->stop();
    }
  }

  void the_subprotocol_is_echoed_out_of_a_list() {
    start();
    WsClient client(port(), "chat, janus-protocol");
    CPPUNIT_ASSERT(client.open());
    CPPUNIT_ASSERT_EQUAL(std::string("janus-protocol"), client.handshake.headers["sec-websocket-protocol"]);
    CPPUNIT_ASSERT_EQUAL(std::string("*"), client.handshake.headers["access-control-allow-origin"]);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, client.handshake.headers.count("sec-websocket-extensions"));
  }

  void a_handshake_without_our_subprotocol_is_refused() {
    start();
    for (const char* protocol : {"", "chat", "http", "watch", "janus-admin-protocol"}) {
      WsClient client(port(), protocol);
      CPPUNIT_ASSERT_MESSAGE(protocol, !client.open());
      CPPUNIT_ASSERT_MESSAGE(protocol, client.is_closed());
    }
  }

  void a_handshake_against_the_rules_is_refused() {
    start();
    const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                      rest = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: janus-protocol\r\n";
    for (const auto& [method, headers] :
         {std::pair<const char*, std::string>{"POST", rest + key + "Sec-WebSocket-Version: 13\r\n"},
          {"GET", rest + key + "Sec-WebSocket-Version: 8\r\n"},
          {"GET", rest + key},
          {"GET", rest + "Sec-WebSocket-Version: 13\r\n"}}) {
      HttpClient client(port());
      client.ask(method, "/", {}, headers);
      CPPUNIT_ASSERT(client.is_closed());
      CPPUNIT_ASSERT_EQUAL(std::string::npos, client.buffer().find(" 101 "));
    }
  }

  void small_messages_leave_at_once() {
    start();
    WsClient client(port());
    CPPUNIT_ASSERT(client.open() && server_has_no_delay(client));
  }

  void a_plain_get_is_forbidden() {
    start();
    HttpClient client(port());
    CPPUNIT_ASSERT_EQUAL(403, client.get("/").status);
    CPPUNIT_ASSERT(client.is_closed());
  }

  void text_that_is_not_json_is_answered_with_454() {
    start();
    WsClient client(port());
    for (const char* bad : {"{\"janus\":", "", "   ", "hello", "{\"a\":\"\xff\xfe\"}"}) {
      client.text(bad);
      auto answer = Json::parse(client.read().payload);
      CPPUNIT_ASSERT_MESSAGE(bad, answer.has_value());
      CPPUNIT_ASSERT_EQUAL(std::string("error"), std::string((*answer)["janus"].string()));
      CPPUNIT_ASSERT_EQUAL(int64_t{454}, (*answer)["error"]["code"].integer());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, host_.waiting());
  }

  void an_array_goes_to_the_core() {
    start();
    WsClient client(port());
    client.text("[1,2]");
    CPPUNIT_ASSERT(host_.next().request.is_array());
  }

  void concatenated_objects_are_requests_in_order() {
    start();
    WsClient client(port());
    client.text("{\"n\":1} {\"n\":2}\n{\"n\":3}");
    uint64_t tag = 0;
    for (int i = 1; i <= 3; ++i) {
      Received got = host_.next();
      CPPUNIT_ASSERT_EQUAL(int64_t{i}, got.request["n"].integer());
      CPPUNIT_ASSERT(got.tag.value != tag);
      tag = got.tag.value;
    }
  }

  void one_malformed_part_rejects_the_whole_message() {
    start();
    WsClient client(port());
    client.text("{\"n\":1} {\"n\":");
    CPPUNIT_ASSERT(client.read().payload.find("454") != std::string::npos);
    std::string many;
    for (int i = 0; i < 1001; ++i) many += "{} ";
    client.text(many);
    CPPUNIT_ASSERT(client.read().payload.find("454") != std::string::npos);
    client.text("{\"n\":9}");
    CPPUNIT_ASSERT_EQUAL(int64_t{9}, host_.next().request["n"].integer());
  }

  void fragments_and_binary_frames_are_assembled() {
    start();
    WsClient client(port());
    client.frame(1, "{\"te", false);
    client.frame(0, "xt\":", false);
    client.frame(9, "in between");
    client.frame(0, "\"a\"}", true);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), std::string(host_.next().request["text"].string()));
    CPPUNIT_ASSERT_EQUAL(10, client.read().opcode);
    std::string large(300000, 'x');
    client.frame(2, "{\"text\":\"" + large + "\"}");
    CPPUNIT_ASSERT(host_.next().request["text"].string() == large);
  }

  void a_message_above_the_limit_closes_the_connection() {
    start(Json::object("max_message_size", 2000));
    WsClient client(port());
    client.text("{\"a\":\"" + std::string(1900, 'x') + "\"}");
    CPPUNIT_ASSERT(host_.next().request.is_object());
    client.text("{\"a\":\"" + std::string(2000, 'x') + "\"}");
    auto error = Json::parse(client.read().payload);
    CPPUNIT_ASSERT(error && (*error)["error"]["code"].integer() == 454);
    Frame close = client.read();
    CPPUNIT_ASSERT_EQUAL(8, close.opcode);
    CPPUNIT_ASSERT_EQUAL(std::string("\x03\xf1"), close.payload.substr(0, 2));  // 1009
    client.close();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, host_.wait_gone(1).size());
    WsClient drip(port());  // many small fragments of one endless message
    drip.frame(1, std::string(500, 'x'), false);
    for (int i = 0; i < 5; ++i) drip.frame(0, std::string(500, 'x'), false);
    CPPUNIT_ASSERT_EQUAL(1, drip.read().opcode);
    CPPUNIT_ASSERT_EQUAL(8, drip.read().opcode);
  }

  void two_mebibytes_are_served_and_more_is_an_error() {
    start();
    WsClient client(port());
    const std::string rest = "{\"a\":\"\"}";
    const std::string most(2 * 1024 * 1024 - rest.size(), 'x');
    client.text("{\"a\":\"" + most + "\"}");
    Received got = host_.next();
    CPPUNIT_ASSERT(got.request["a"].string() == most);
    send(got.from, got.tag, std::move(got.request));
    CPPUNIT_ASSERT_EQUAL(most.size() + rest.size(), client.read().payload.size());
    // Four times as much: all of it is sent before the error is read, which must not be lost for it.
    CPPUNIT_ASSERT(client.text("{\"a\":\"" + most + most + most + most + "\"}"));
    CPPUNIT_ASSERT(client.read().payload.find("larger than 2097152 bytes") != std::string::npos);
    Frame close = client.read();
    CPPUNIT_ASSERT_EQUAL(8, close.opcode);
    CPPUNIT_ASSERT_EQUAL(std::string("\x03\xf1"), close.payload.substr(0, 2));
  }

  void silent_clients_are_pinged_unless_told_otherwise() {
    std::vector<SettingInfo> all;
    WebSockets(host_).list_settings(all);
    for (const char* name : {"general.pingpong_trigger", "general.pingpong_timeout"}) {
      auto found = std::find_if(all.begin(), all.end(), [&](const SettingInfo& one) { return one.name == name; });
      CPPUNIT_ASSERT(found != all.end() && std::stoi(found->default_value) > 0);
    }
  }

  // The connection owns a session from now on.
  ConnectionId own_session(WsClient& client, uint64_t session) {
    client.text("{}");
    const ConnectionId id = host_.next().from;
    transport_->session_owned(id, SessionId{session});
    send(id, RequestTag{}, Json::object());
    client.read();
    return id;
  }

  void the_longest_idle_without_a_session_makes_room() {
    start(Json::object("max_connections", 3));
    WsClient owner(port());
    const ConnectionId id = own_session(owner, 1);
    WsClient idle(port()), lively(port());
    lively.text("{}");
    host_.next();
    WsClient newcomer(port());
    CPPUNIT_ASSERT(newcomer.open());
    CPPUNIT_ASSERT(idle.is_closed());
    own_session(newcomer, 2);
    own_session(lively, 3);
    CPPUNIT_ASSERT(!WsClient(port()).open());  // all have sessions
    transport_->session_over(id, SessionId{1}, false);
    transport_->flush();
    bool again = false;
    for (int i = 0; i < 50 && !again; ++i) again = WsClient(port()).open();
    CPPUNIT_ASSERT(again && owner.is_closed());
    transport_->stop();
    CPPUNIT_ASSERT(transport_->refusals(Refusal::room_made) >= 2);
    CPPUNIT_ASSERT(transport_->refusals(Refusal::too_many_connections) >= 1);
  }

  void newcomers_get_in_when_descriptors_run_out() {
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const int used = dup(0);
    ::close(used);
    // The clients are in this process, too: each takes two.
    const rlimit few{static_cast<rlim_t>(used + 160), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    start();
    std::vector<std::unique_ptr<WsClient>> idle;
    bool got_in = true;
    for (int i = 0; i < 200; ++i) {
      idle.push_back(std::make_unique<WsClient>(port()));
      got_in = got_in && idle.back()->open();
      if (idle.size() > 60) idle.erase(idle.begin());  // only the server's descriptors shall run out
    }
    WsClient newcomer(port());
    const bool open = newcomer.open();
    newcomer.text("{\"n\":1}");
    const bool served = host_.next().request.is_object();
    setrlimit(RLIMIT_NOFILE, &before);
    CPPUNIT_ASSERT(got_in && open && served);
  }

  void an_address_has_so_many_connections() {
    start(Json::object("max_connections_per_address", 2, "ws_ip", "127.0.0.1"));
    WsClient a(port()), b(port());
    CPPUNIT_ASSERT(a.open() && b.open());
    CPPUNIT_ASSERT(!WsClient(port()).open());
    b.close();
    host_.wait_gone(1);
    bool again = false;
    for (int i = 0; i < 50 && !again; ++i) again = WsClient(port()).open();
    CPPUNIT_ASSERT(again);
    transport_->stop();
    CPPUNIT_ASSERT(transport_->refusals(Refusal::too_many_from_address) >= 1);
  }

  void a_trusted_proxy_says_whom_it_speaks_for() {
    start(Json::object("trusted_proxies", "127.0.0.1, 10.0.0.0/8", "ws_acl", "127.,192.0.2.", "ws_acl_forwarded", true,
                       "max_connections_per_address", 1));
    auto from = [this](const char* forwarded) {
      return std::make_unique<WsClient>(port(), std::string("janus-protocol\r\nX-Forwarded-For: ") + forwarded);
    };
    // What the client itself wrote stands further left.
    auto first = from("203.0.113.7, 192.0.2.1, 10.1.2.3");
    CPPUNIT_ASSERT(first->open());
    first->text("{}");
    CPPUNIT_ASSERT_EQUAL(std::string("192.0.2.1"), *host_.address_of(host_.next().from));
    CPPUNIT_ASSERT(!from("192.0.2.1, 203.0.113.7")->open());  // the access list
    CPPUNIT_ASSERT(!from("192.0.2.1")->open());               // has one already
    CPPUNIT_ASSERT(from("192.0.2.2")->open());
    transport_->stop();
    CPPUNIT_ASSERT(transport_->refusals(Refusal::acl) == 1);
    start();  // nobody is trusted
    auto liar = from("192.0.2.1");
    liar->text("{}");
    CPPUNIT_ASSERT_EQUAL(std::string("127.0.0.1"), *host_.address_of(host_.next().from));
  }

  void a_forwarded_access_list_needs_trusted_proxies() {
    WebSockets one(host_);
    auto wrong = one.configure(Json::object("general", Json::object("ws_acl", "10.", "ws_acl_forwarded", true)));
    CPPUNIT_ASSERT(wrong && wrong->path == "general.trusted_proxies");
    WebSockets other(host_);
    wrong = other.configure(Json::object("general", Json::object("trusted_proxies", "10.0.0.0/33")));
    CPPUNIT_ASSERT(wrong && wrong->path == "general.trusted_proxies");
  }

  void an_admin_listener_needs_a_secret() {
    host_.admin_secret = false;
    WebSockets one(host_);
    CPPUNIT_ASSERT(
        !one.configure(Json::object("general", Json::object("ws", false), "admin",
                                    Json::object("admin_ws", true, "admin_ws_port", 0, "admin_ws_ip", "127.0.0.1"))));
    auto started = one.start();
    CPPUNIT_ASSERT(!started);
    CPPUNIT_ASSERT_EQUAL(
        std::string("websockets: the admin API is not served without a secret: set cardea.general.admin_secret"),
        started.error().reason);
  }

  void unread_and_half_sent_bytes_of_all_are_bounded() {
    start(Json::object("max_buffered", 200000, "max_queue", 1000000));
    WsClient slow(port(), "janus-protocol", false, 4096), greedy(port());
    greedy.frame(1, std::string(150000, ' '), false);
    slow.text("{}");
    const ConnectionId id = host_.next().from;
    const Json event = Json::object("event", std::string(20000, 'x'));
    for (int i = 0; i < 400 && host_.wait_gone(0).empty(); ++i) send(id, RequestTag{}, event.copy());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, host_.wait_gone(1).size());
    WsClient modest(port());
    const std::string little(30000, 'y');
    modest.text("{\"a\":\"" + little + "\"}");
    CPPUNIT_ASSERT(host_.next().request["a"].string() == little);
    transport_->stop();
    CPPUNIT_ASSERT(transport_->refusals(Refusal::too_much_buffered) >= 1);
  }

  void a_reader_that_does_not_read_is_cut_off() {
    start(Json::object("max_queue", 100000));
    WsClient slow(port(), "janus-protocol", false, 4096), quick(port());
    slow.text("{}");
    const ConnectionId slow_id = host_.next().from;
    quick.text("{}");
    const ConnectionId quick_id = host_.next().from;
    Json event = Json::object("event", std::string(10000, 'x'));
    for (int i = 0; i < 2000 && host_.wait_gone(0).empty(); ++i) send(slow_id, RequestTag{}, event.copy());
    auto gone = host_.wait_gone(1);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, gone.size());
    CPPUNIT_ASSERT(gone[0] == slow_id);
    send(quick_id, RequestTag{}, Json::object("still", true));
    CPPUNIT_ASSERT_EQUAL(std::string("{\"still\":true}"), quick.read().payload);
    transport_->stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, transport_->refusals(Refusal::slow_reader));
  }

  void a_sender_that_does_not_wait_is_held_back() {
    start();
    WsClient client(port());
    for (int i = 0; i < 2000; ++i) client.text("{\"transaction\":\"" + std::to_string(i) + "\"}");
    std::this_thread::sleep_for(100ms);
    CPPUNIT_ASSERT(host_.waiting() >= 200 && host_.waiting() < 2000);
    echo();  // and now all of them, in order
    for (int i = 0; i < 2000; ++i)
      CPPUNIT_ASSERT_EQUAL("{\"janus\":\"success\",\"transaction\":\"" + std::to_string(i) + "\"}",
                           client.read().payload);
  }

  void the_core_hears_once_that_a_connection_is_gone() {
    start();
    ConnectionId polite, rude;
    {
      WsClient a(port()), b(port());
      a.text("{}");
      polite = host_.next().from;
      b.text("{}");
      rude = host_.next().from;
      a.frame(8, std::string("\x03\xe8", 2));
      CPPUNIT_ASSERT_EQUAL(8, a.read().opcode);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{2}, host_.wait_gone(2).size());
    send(rude, RequestTag{}, Json::object());
    transport_->stop();
    auto gone = host_.wait_gone(0);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, gone.size());
    CPPUNIT_ASSERT((gone[0] == polite && gone[1] == rude) || (gone[0] == rude && gone[1] == polite));
  }

  void client_pings_are_answered() {
    start();
    WsClient client(port());
    client.frame(9, "are you there");
    Frame pong = client.read();
    CPPUNIT_ASSERT_EQUAL(10, pong.opcode);
    CPPUNIT_ASSERT_EQUAL(std::string("are you there"), pong.payload);
  }

  void a_silent_client_is_pinged_and_then_closed() {
    transport_ = std::make_unique<WebSockets>(host_, WebSockets::Times{.ping_after = 60ms, .pong_within = 60ms});
    CPPUNIT_ASSERT(!transport_->configure(Json::object("general", Json::object("ws_port", 0, "ws_ip", "127.0.0.1"))));
    CPPUNIT_ASSERT(transport_->start().has_value());
    WsClient client(port());
    for (int i = 0; i < 3; ++i) {
      Frame ping = client.read();
      CPPUNIT_ASSERT_EQUAL(9, ping.opcode);
      client.frame(10, ping.payload);
    }
    CPPUNIT_ASSERT_EQUAL(9, client.read().opcode);
    CPPUNIT_ASSERT(client.is_closed());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, host_.wait_gone(1).size());
  }

  void a_port_in_use_is_one_clear_error() {
    for (const char* ip : {"127.0.0.1", ""}) {
      start(Json::object("ws_ip", ip));
      WebSockets second(host_);
      CPPUNIT_ASSERT(!second.configure(Json::object("general", Json::object("ws_port", port(), "ws_ip", ip))));
      auto status = second.start();
      CPPUNIT_ASSERT(!status);
      const std::string where = *ip != '\0' ? ip : "0.0.0.0";
      CPPUNIT_ASSERT_EQUAL("websockets: port " + std::to_string(port()) + " on " + where + " is in use",
                           status.error().reason);
      second.stop();
      transport_->stop();
    }
  }

  void stop_flushes_says_goodbye_and_leaves_nobody() {
    start();
    WsClient client(port()), half(port(), "");
    HttpClient silent(port());
    silent.write("GET / HT");
    client.text("{}");
    const ConnectionId id = host_.next().from;
    const std::string large(100000, 'x');
    send(id, RequestTag{}, Json::object("last", large));
    const auto before = std::chrono::steady_clock::now();
    std::thread stopper([this] { transport_->stop(); });
    CPPUNIT_ASSERT_EQUAL("{\"last\":\"" + large + "\"}", client.read().payload);
    Frame close = client.read();
    stopper.join();
    CPPUNIT_ASSERT_EQUAL(8, close.opcode);
    CPPUNIT_ASSERT_EQUAL(std::string("\x03\xe9"), close.payload.substr(0, 2));  // 1001
    CPPUNIT_ASSERT(std::chrono::steady_clock::now() - before < 2s);
    CPPUNIT_ASSERT(silent.is_closed());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, host_.wait_gone(0).size());
    CPPUNIT_ASSERT(!Link(port()).connected());
  }

  void the_access_list_keeps_strangers_out() {
    start(Json::object("ws_acl", "10., 192.168."));
    CPPUNIT_ASSERT(!WsClient(port()).open());
    transport_->stop();
    start(Json::object("ws_ip", "", "ws_acl", "10.,127."));
    CPPUNIT_ASSERT(WsClient(port()).open());
  }

  void other_origins_are_refused_when_cors_is_enforced() {
    start(Json::object(), Json::object(), Json::object("allow_origin", "https://good.example", "enforce_cors", true));
    CPPUNIT_ASSERT(!WsClient(port()).open());
    WsClient good(port(), "janus-protocol\r\nOrigin: https://good.example");
    CPPUNIT_ASSERT(good.open());
    for (const char* other : {"https://good.example.evil.example", "https://good.example:8443", "http://good.example"})
      CPPUNIT_ASSERT_MESSAGE(other, !WsClient(port(), std::string("janus-protocol\r\nOrigin: ") + other).open());
    CPPUNIT_ASSERT_EQUAL(std::string("https://good.example"), good.handshake.headers["access-control-allow-origin"]);
  }

  void the_admin_door_takes_the_admin_subprotocol_only() {
    constexpr uint16_t admin_port = 21017;
    start(Json::object(), Json::object("admin_ws", true, "admin_ws_port", admin_port, "admin_ws_ip", "127.0.0.1"));
    CPPUNIT_ASSERT(!WsClient(admin_port, "janus-protocol").open());
    WsClient admin(admin_port, "janus-admin-protocol");
    CPPUNIT_ASSERT(admin.open());
    admin.text("{\"janus\":\"ping\"}");
    CPPUNIT_ASSERT(host_.next().api == Api::admin);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, admin.handshake.headers.count("access-control-allow-origin"));
    CPPUNIT_ASSERT(!WsClient(admin_port, "janus-admin-protocol\r\nOrigin: https://evil.example").open());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, transport_->addresses().size());
  }

  void no_more_connections_than_allowed_are_held() {
    start(Json::object("max_connections", 2));
    WsClient a(port());
    {
      WsClient b(port());
      CPPUNIT_ASSERT(a.open() && b.open());
      own_session(a, 1);
      own_session(b, 2);
      CPPUNIT_ASSERT(!WsClient(port()).open());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, host_.wait_gone(1).size());
    bool again = false;
    for (int i = 0; i < 50 && !again; ++i) {
      again = WsClient(port()).open();
      if (!again) std::this_thread::sleep_for(10ms);
    }
    CPPUNIT_ASSERT(again);
  }

  void junk_and_half_handshakes_leave_the_server_alive() {
    start();
    std::string flood = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 5000; ++i) flood += "X-Header-" + std::to_string(i) + ": " + std::string(50, 'a') + "\r\n";
    const std::string upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Protocol: janus-protocol\r\n";
    for (const std::string& bytes :
         {std::string("\x16\x03\x01\x02\x00\x01\x00", 7), std::string(100000, 'A'), std::string(1000, '\0'), flood,
          std::string("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"), upgrade + "\r\n",
          upgrade + "Sec-WebSocket-Version: 1\r\nSec-WebSocket-Key: x\r\n\r\n", std::string("GET"),
          std::string("\r\n\r\n\r\n")}) {
      Link junk(port());
      junk.write(bytes);
      junk.is_closed(50ms);
    }
    for (int opcode : {3, 7, 11, 15, 0}) {
      WsClient client(port());
      client.frame(opcode, "??");
      client.is_closed(200ms);
    }
    WsClient reserved(port());
    reserved.write("\xf1\x80");  // reserved bits, no mask
    reserved.is_closed(200ms);
    WsClient unmasked(port());
    unmasked.write(std::string("\x81\x02{}", 4));
    unmasked.is_closed(200ms);
    WsClient alive(port());
    CPPUNIT_ASSERT(alive.open());
    alive.text("{\"n\":77}");
    Received got = host_.next();
    while (got.request && got.request["n"].integer() != 77) got = host_.next();
    CPPUNIT_ASSERT(got.request.is_object());
  }

  void wss_works_with_a_self_signed_certificate() {
    start(Json::object("ws", false, "wss", true, "wss_port", 21018, "wss_ip", "127.0.0.1"));
    WsClient client(21018, "janus-protocol", true);
    CPPUNIT_ASSERT(client.open());
    const std::string large(200000, 'x');
    client.text("{\"a\":\"" + large + "\"}");
    Received got = host_.next();
    CPPUNIT_ASSERT(got.request["a"].string() == large);
    send(got.from, got.tag, std::move(got.request));
    CPPUNIT_ASSERT_EQUAL("{\"a\":\"" + large + "\"}", client.read().payload);
  }

  void a_unix_socket_can_be_the_door();

  void unknown_settings_are_refused_by_path() {
    WebSockets one(host_);
    auto wrong = one.configure(Json::object("general", Json::object("ws_prot", 1)));
    CPPUNIT_ASSERT(wrong && wrong->path == "general.ws_prot");
    wrong = one.configure(Json::object("general", Json::object("ws_port", 99999)));
    CPPUNIT_ASSERT(wrong && wrong->path == "general.ws_port");
    wrong = one.configure(Json::object("genral", Json::object()));
    CPPUNIT_ASSERT(wrong && wrong->path == "genral");
    std::vector<SettingInfo> all;
    one.list_settings(all);
    CPPUNIT_ASSERT(all.size() > 20);
  }
};

void WebSocketsTest::a_unix_socket_can_be_the_door() {
  const std::string path = "websockets_test_" + std::to_string(getpid()) + ".sock";
  for (int round = 0; round < 2; ++round) {  // the second finds the path of the first
    start(Json::object("ws_unix", path));
    transport_->stop();
  }
  ::unlink(path.c_str());
}

CPPUNIT_TEST_SUITE_REGISTRATION(WebSocketsTest);

}  // namespace cardea::transports::test
