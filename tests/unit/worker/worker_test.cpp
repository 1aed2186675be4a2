#include <cppunit/extensions/HelperMacros.h>
#include <openssl/ssl.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include "base/clock.hpp"
#include "unit/worker/socket_client.hpp"
#include "worker/worker.hpp"

namespace {

// So many times the next thread but the tests' own that wants memory of a larger alignment, as peers have it, gets
// none.
std::atomic<int> refuse_aligned_memory{0};
const std::thread::id own_thread = std::this_thread::get_id();

}  // namespace

void* operator new(size_t size, std::align_val_t alignment) {
  if (refuse_aligned_memory.load() > 0 && std::this_thread::get_id() != own_thread) {
    --refuse_aligned_memory;
    throw std::bad_alloc();
  }
  const auto step = static_cast<size_t>(alignment);
  if (void* at = std::aligned_alloc(step, (size + step - 1) / step * step)) return at;
  throw std::bad_alloc();
}
void operator delete(void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete(void* at, size_t, std::align_val_t) noexcept { std::free(at); }

namespace cardea::worker {
namespace {

using test::audio_line;
using test::Client;
using test::SocketClient;
using test::video_line;

constexpr uint32_t voice_ssrc = 0x2000;

// One or more workers on loopback, and what they tell.
struct Site {
  explicit Site(size_t count = 1, const std::function<void(WorkerSettings&)>& change = {}, const char* profiles = "") {
    static const secure::Certificate certificate = *secure::Certificate::make();
    dtls = *secure::DtlsContext::make(certificate);
    client_dtls = *secure::DtlsContext::make(certificate);
    if (*profiles != 0) SSL_CTX_set_tlsext_use_srtp(client_dtls->native(), profiles);
    engine = *secure::make_cipher_engine(secure::CipherChoice::automatic);
    for (size_t i = 0; i < count; ++i) {
      WorkerSettings settings;
      settings.addresses = {*Address::parse("127.0.0.1", 0)};
      if (change) change(settings);
      auto worker = Worker::make(static_cast<uint16_t>(i), settings, *dtls, events);
      CPPUNIT_ASSERT_MESSAGE(worker ? "" : worker.error().reason, worker.has_value());
      owned.push_back(std::move(*worker));
      workers.push_back(owned.back().get());
    }
    for (Worker* worker : workers) worker->start(workers);
  }
  ~Site() { stop(); }

  void stop() {
    for (Worker* worker : workers) worker->stop();
  }

  sdp::PeerPlan plan(PeerId id, std::vector<sdp::MlinePlan> lines) const {
    return test::plan_of("w" + std::to_string(id.worker) + "p" + std::to_string(id.slot), std::move(lines),
                         dtls->fingerprint());
  }
  std::unique_ptr<SocketClient> join(PeerId id, std::vector<sdp::MlinePlan> lines) {
    Worker& worker = *workers[id.worker];
    sdp::PeerPlan wanted = plan(id, std::move(lines));
    worker.post(CreatePeer{id, std::make_unique<sdp::PeerPlan>(wanted)});
    auto client = std::make_unique<SocketClient>(*client_dtls, *engine, worker.port());
    client->client.own = wanted.remote;
    // The command may still be on its way when the first check comes; clients repeat theirs.
    for (int i = 0; i < 20 && client->client.stun_replies == 0; ++i) {
      client->send(test::stun_check(wanted.local, true));
      client->pump(20);
    }
    CPPUNIT_ASSERT(client->connect(wanted.local));
    CPPUNIT_ASSERT(wait<peer::PeerUp>());
    return client;
  }
  // Returns when the worker has run all commands posted before: it answers for a peer created behind them.
  void settle(uint16_t worker = 0) {
    const PeerId id{worker, 1, next_slot++};
    sdp::PeerPlan wanted = plan(id, {});
    workers[worker]->post(CreatePeer{id, std::make_unique<sdp::PeerPlan>(wanted)});
    SocketClient client(*client_dtls, *engine, workers[worker]->port());
    for (int i = 0; i < 200 && client.client.stun_replies == 0; ++i) {
      client.send(test::stun_check(wanted.local, true));
      client.pump(10);
    }
    CPPUNIT_ASSERT(client.client.stun_replies > 0);
    workers[worker]->post(ClosePeer{id});
  }
  template <class Event>
  std::optional<Event> wait(Duration most = 2s) {
    const Time give_up = Clock::now() + most;
    for (;;) {
      std::vector<WorkerEvent> got;
      events.take(got);
      for (WorkerEvent& event : got) told.push_back(std::move(event));
      for (auto at = told.begin(); at != told.end(); ++at) {
        std::optional<Event> found = pick<Event>(*at);
        if (!found) continue;
        told.erase(at);
        return found;
      }
      if (Clock::now() > give_up) return std::nullopt;
      std::this_thread::sleep_for(1ms);
    }
  }
  template <class Event>
  static std::optional<Event> pick(const WorkerEvent& event) {
    if constexpr (std::is_same_v<Event, WorkerStats>) {
      if (auto* stats = std::get_if<WorkerStats>(&event)) return *stats;
    } else {
      auto* of_peer = std::get_if<peer::PeerEvent>(&event);
      if (of_peer == nullptr) return std::nullopt;
      if (auto* one = std::get_if<Event>(of_peer)) return *one;
    }
    return std::nullopt;
  }

  std::unique_ptr<secure::DtlsContext> dtls, client_dtls;
  std::unique_ptr<secure::CipherEngine> engine;
  Mailbox<WorkerEvent> events;
  std::vector<std::unique_ptr<Worker>> owned;
  std::vector<Worker*> workers;
  std::vector<WorkerEvent> told;
  uint32_t next_slot = 100;
};

Client::Rtp voice(rtp::SeqNo seq, size_t size = 80) {
  Client::Rtp rtp;
  rtp.ssrc = voice_ssrc;
  rtp.seq = seq;
  rtp.timestamp = static_cast<uint32_t>(960 * seq);
  rtp.payload.resize(size);
  for (size_t i = 0; i < size; ++i) rtp.payload[i] = static_cast<uint8_t>(i + static_cast<size_t>(seq));
  rtp.extensions.mid = "0";
  return rtp;
}

class WorkerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WorkerTest);
  CPPUNIT_TEST(a_peer_gets_its_own_voice_back);
  CPPUNIT_TEST(a_train_of_packets_arrives_whole_and_in_order);
  CPPUNIT_TEST(every_cipher_and_way_of_sending_gives_the_same_media);
  CPPUNIT_TEST(a_report_arrives_with_the_media);
  CPPUNIT_TEST(a_mirror_carries_media_to_another_worker);
  CPPUNIT_TEST(load_turns_the_tick_on_and_loses_nothing);
  CPPUNIT_TEST(a_worker_under_load_sleeps_while_nothing_comes);
  CPPUNIT_TEST(many_handshakes_at_once_wait_in_line_while_media_flows);
  CPPUNIT_TEST(a_check_for_another_peer_takes_no_address_that_is_in_use);
  CPPUNIT_TEST(an_address_is_free_again_when_its_peer_is_gone);
  CPPUNIT_TEST(a_peer_that_we_say_hello_to_joins);
  CPPUNIT_TEST(memory_that_is_not_there_ends_one_peer);
  CPPUNIT_TEST(closing_a_peer_says_goodbye);
  CPPUNIT_TEST(stopping_says_goodbye_to_all);
  CPPUNIT_TEST(strangers_and_stale_commands_are_counted);
  CPPUNIT_TEST(a_port_in_use_is_one_clear_error);
  CPPUNIT_TEST_SUITE_END();

public:
  void a_peer_gets_its_own_voice_back() {
    Site site;
    const PeerId id{0, 1, 0};
    auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(Forward{{id, 0}, {id, 0}});
    site.settle();
    for (int i = 0; i < 20; ++i) {
      client->client.send_rtp(voice(i));
      client->pump(1);
    }
    CPPUNIT_ASSERT(client->until([&] { return client->client.packets.size() == 20; }));
    CPPUNIT_ASSERT(client->client.packets[3].payload == voice(3).payload);
    CPPUNIT_ASSERT_EQUAL(uint32_t{700}, client->client.packets[3].ssrc);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, client->client.bad);
    auto media = site.wait<peer::MediaState>();
    CPPUNIT_ASSERT(media && media->receiving);
    auto stats = site.wait<WorkerStats>();
    CPPUNIT_ASSERT(stats);
    CPPUNIT_ASSERT_EQUAL(uint64_t{20}, stats->packets_in);
    CPPUNIT_ASSERT_EQUAL(uint64_t{20}, stats->packets_out);
    CPPUNIT_ASSERT_EQUAL(uint32_t{1}, stats->peers);
  }

  void a_train_of_packets_arrives_whole_and_in_order() {
    Site site;
    const PeerId id{0, 1, 0};
    auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(Forward{{id, 0}, {id, 0}});
    site.settle();
    size_t sent = 0;
    for (int train = 0; train < 10; ++train) {
      // Of almost equal and of quite different sizes.
      for (int i = 0; i < 30; ++i)
        client->client.send_rtp(voice(static_cast<rtp::SeqNo>(sent++), i % 10 == 0 ? 200 : 1000 + i % 3));
      CPPUNIT_ASSERT(client->until([&] { return client->client.packets.size() == sent; }));
    }
    for (size_t i = 0; i < sent; ++i) {
      const auto& got = client->client.packets[i];
      CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(client->client.packets[0].seq + i), got.seq);
      CPPUNIT_ASSERT(got.payload == voice(static_cast<rtp::SeqNo>(i), got.payload.size()).payload);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, client->client.bad);
  }

  // Audio and VP8 to two subscribers with layers of their own numbers.
  void every_cipher_and_way_of_sending_gives_the_same_media() {
    for (const char* profile : {"SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80"}) {
      for (int way : {0, 3}) {
        const auto change = [&](WorkerSettings& settings) {
          settings.cipher_engine = way < 2 ? "auto" : "evp";
          settings.gso = settings.gro = way % 2 == 0;
        };
        Site site(1, change, profile);
        const PeerId publisher_id{0, 1, 0};
        auto publisher = site.join(publisher_id, {video_line("0", Direction::recvonly)});
        std::vector<std::unique_ptr<SocketClient>> subscribers;
        for (uint32_t i = 0; i < 2; ++i) {
          const PeerId id{0, 1, 1 + i};
          subscribers.push_back(site.join(id, {video_line("v", Direction::sendonly, 500 + 10 * i)}));
          site.workers[0]->post(Forward{{publisher_id, 0}, {id, 0}});
        }
        site.settle();
        for (int i = 0; i < 60; ++i) {
          Client::Rtp rtp;
          rtp.ssrc = 9;
          rtp.payload_type = test::vp8_type;
          rtp.seq = i;
          rtp.timestamp = static_cast<uint32_t>(3000 * i);
          rtp.payload = test::vp8_payload(static_cast<size_t>(900 + i % 7), i == 0, static_cast<uint16_t>(100 + i));
          publisher->client.send_rtp(rtp);
          if (i % 6 == 5) publisher->pump(2);
        }
        for (auto& subscriber : subscribers) {
          auto& got = subscriber->client.packets;
          CPPUNIT_ASSERT(subscriber->until([&] { return got.size() == 60; }));
          for (size_t i = 0; i < got.size(); ++i) {
            const auto expected = test::vp8_payload(900 + i % 7, i == 0, static_cast<uint16_t>(100 + i));
            CPPUNIT_ASSERT_EQUAL(expected.size(), got[i].payload.size());
            CPPUNIT_ASSERT(std::equal(expected.begin() + 5, expected.end(), got[i].payload.begin() + 5));
          }
          CPPUNIT_ASSERT_EQUAL(size_t{0}, subscriber->client.bad);
        }
      }
    }
  }

  void a_report_arrives_with_the_media() {
    for (const char* profile : {"SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"}) {
      Site site(1, {}, profile);
      const PeerId id{0, 1, 0};
      auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
      site.workers[0]->post(Forward{{id, 0}, {id, 0}});
      site.settle();
      rtp::SeqNo sent = 0;
      const Time give_up = Clock::now() + 5s;
      while (client->client.sender_reports == 0 && Clock::now() < give_up) {
        client->client.send_rtp(voice(sent++));
        client->pump(5);
      }
      CPPUNIT_ASSERT(client->client.sender_reports > 0);
      CPPUNIT_ASSERT(client->client.sender_info->packets > 0);
      CPPUNIT_ASSERT(client->until([&] { return client->client.packets.size() == static_cast<size_t>(sent); }));
      CPPUNIT_ASSERT_EQUAL(size_t{0}, client->client.bad);
    }
  }

  void a_mirror_carries_media_to_another_worker() {
    Site site(2);
    const PeerId publisher_id{0, 1, 0}, subscriber_id{1, 1, 0};
    auto publisher = site.join(publisher_id, {video_line("0", Direction::recvonly)});
    auto subscriber = site.join(subscriber_id, {video_line("v", Direction::sendonly, 500)});
    auto send = [&](int i) {
      Client::Rtp rtp;
      rtp.ssrc = 9;
      rtp.payload_type = test::vp8_type;
      rtp.seq = i;
      rtp.timestamp = static_cast<uint32_t>(3000 * i);
      rtp.payload = test::vp8_payload(900, i % 10 == 0, static_cast<uint16_t>(100 + i));
      publisher->client.send_rtp(rtp);
      publisher->pump(1);
    };
    send(1);
    site.workers[1]->post(Forward{{publisher_id, 0}, {subscriber_id, 0}});
    site.workers[0]->post(Mirror{{publisher_id, 0}, 1, true});
    // The keyframe request goes all the way to the publisher.
    CPPUNIT_ASSERT(publisher->until([&] { return publisher->client.plis > 0; }));
    for (int i = 10; i < 40; ++i) send(i);
    auto& got = subscriber->client.packets;
    CPPUNIT_ASSERT(subscriber->until([&] { return got.size() == 30; }));
    // A NACK is answered from the mirror's own history.
    subscriber->client.send_rtcp([&](ByteWriter& out) {
      const std::array<uint16_t, 1> lost{got[20].seq};
      rtp::write_nack(out, 1, 500, std::span<const uint16_t>(lost));
    });
    CPPUNIT_ASSERT(subscriber->until([&] { return got.size() == 31; }));
    CPPUNIT_ASSERT_EQUAL(uint32_t{501}, got.back().ssrc);
    site.workers[0]->post(Mirror{{publisher_id, 0}, 1, false});
    site.settle();
    send(41);
    subscriber->pump(20);
    CPPUNIT_ASSERT_EQUAL(size_t{31}, got.size());
  }

  void load_turns_the_tick_on_and_loses_nothing() {
    Site site(1, [](WorkerSettings& settings) { settings.tick_above_pps = 500; });
    const PeerId id{0, 1, 0};
    auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(Forward{{id, 0}, {id, 0}});
    site.settle();
    size_t sent = 0;
    const Time until = Clock::now() + 400ms;
    while (Clock::now() < until) {
      for (int i = 0; i < 5; ++i) client->client.send_rtp(voice(static_cast<rtp::SeqNo>(sent++), 500));
      client->pump(1);
    }
    CPPUNIT_ASSERT(client->until([&] { return client->client.packets.size() == sent; }));
  }

  void a_worker_under_load_sleeps_while_nothing_comes() {
    Site site(1, [](WorkerSettings& settings) { settings.tick_above_pps = 10; });
    const PeerId id{0, 1, 0};
    auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(Forward{{id, 0}, {id, 0}});
    site.settle();
    std::optional<WorkerStats> before, after;
    for (size_t sent = 0; !after && sent < 2000; ++sent) {
      client->client.send_rtp(voice(static_cast<rtp::SeqNo>(sent)));
      client->pump(0);
      std::this_thread::sleep_for(10ms);
      auto stats = site.wait<WorkerStats>(Duration(0));
      if (!stats || stats->packets_in == 0) continue;
      (before ? after : before) = stats;
    }
    CPPUNIT_ASSERT(after);
    CPPUNIT_ASSERT(after->packets_in > before->packets_in);
    // Its tick is a millisecond and a half, a packet comes every ten.
    CPPUNIT_ASSERT_LESS(uint64_t{500}, after->ticks - before->ticks);
  }

  void many_handshakes_at_once_wait_in_line_while_media_flows() {
    Site site;
    const PeerId id{0, 1, 0};
    auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(Forward{{id, 0}, {id, 0}});
    std::vector<std::unique_ptr<SocketClient>> others;
    for (uint32_t i = 0; i < 40; ++i) {
      const sdp::PeerPlan wanted = site.plan({0, 1, 1 + i}, {audio_line("0", Direction::sendrecv, 800 + i)});
      site.workers[0]->post(CreatePeer{{0, 1, 1 + i}, std::make_unique<sdp::PeerPlan>(wanted)});
      others.push_back(std::make_unique<SocketClient>(*site.client_dtls, *site.engine, site.workers[0]->port()));
      SocketClient& other = *others.back();
      CPPUNIT_ASSERT(other.until([&] {
        if (other.client.stun_replies == 0) other.send(test::stun_check(wanted.local, true));
        return other.client.stun_replies > 0;
      }));
    }
    for (auto& other : others) other->client.start_dtls(Clock::now());
    size_t sent = 0, connected = 0;
    for (const Time give_up = Clock::now() + 10s; connected < others.size() && Clock::now() < give_up;) {
      connected = 0;
      for (auto& other : others) {
        other->pump(0);
        connected += other->client.connected();
      }
      client->client.send_rtp(voice(static_cast<rtp::SeqNo>(sent++)));
      client->pump(1);
    }
    CPPUNIT_ASSERT_EQUAL(others.size(), connected);
    CPPUNIT_ASSERT(client->until([&] { return client->client.packets.size() == sent; }));
    uint32_t waited = 0;
    while (waited == 0) {
      auto stats = site.wait<WorkerStats>();
      CPPUNIT_ASSERT(stats);
      waited = stats->handshakes_waiting > 1 ? stats->handshakes_waiting : 0;
    }
  }

  void a_check_for_another_peer_takes_no_address_that_is_in_use() {
    Site site;
    const PeerId id{0, 1, 0}, thief{0, 1, 1};
    auto victim = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(Forward{{id, 0}, {id, 0}});
    const sdp::PeerPlan theirs = site.plan(thief, {audio_line("0", Direction::sendrecv, 800)});
    site.workers[0]->post(CreatePeer{thief, std::make_unique<sdp::PeerPlan>(theirs)});
    site.settle();
    for (int i = 0; i < 20; ++i) {
      // From the victim's address, with the thief's own password.
      if (i % 5 == 0) victim->send(test::stun_check(theirs.local, true, 9));
      victim->client.send_rtp(voice(i));
      victim->pump(1);
    }
    CPPUNIT_ASSERT(victim->until([&] { return victim->client.packets.size() == 20; }));
    site.workers[0]->post(ClosePeer{thief});  // and takes nothing along
    site.settle();
    victim->client.send_rtp(voice(20));
    CPPUNIT_ASSERT(victim->until([&] { return victim->client.packets.size() == 21; }));
    std::optional<WorkerStats> stats;
    do stats = site.wait<WorkerStats>();
    while (stats && stats->drops[Drop::address_taken] == 0);
    CPPUNIT_ASSERT(stats.has_value());
  }

  void an_address_is_free_again_when_its_peer_is_gone() {
    Site site;
    const PeerId first{0, 1, 0}, second{0, 1, 1};
    auto client = site.join(first, {audio_line("0", Direction::sendrecv, 700)});
    const sdp::PeerPlan next = site.plan(second, {audio_line("0", Direction::sendrecv, 800)});
    site.workers[0]->post(CreatePeer{second, std::make_unique<sdp::PeerPlan>(next)});
    site.settle();
    client->send(test::stun_check(next.local, true));
    site.workers[0]->post(ClosePeer{first});
    site.settle();
    std::destroy_at(&client->client);
    std::construct_at(&client->client, *site.client_dtls, *site.engine, Address{});
    client->client.own = next.remote;
    CPPUNIT_ASSERT(client->connect(next.local));
    CPPUNIT_ASSERT(site.wait<peer::PeerUp>());
  }

  void a_peer_that_we_say_hello_to_joins() {
    Site site;
    const PeerId id{0, 1, 0};
    sdp::PeerPlan plan = site.plan(id, {audio_line("0", Direction::sendrecv, 700)});
    plan.dtls_role = sdp::DtlsRole::client;
    site.workers[0]->post(CreatePeer{id, std::make_unique<sdp::PeerPlan>(plan)});
    site.settle();
    SocketClient client(*site.client_dtls, *site.engine, site.workers[0]->port());
    client.client.own = plan.remote;
    client.client.answer_dtls(*site.client_dtls);
    client.send(test::stun_check(plan.local, true));
    CPPUNIT_ASSERT(client.until([&] { return client.client.connected(); }));
    client.pump(1);  // its last flight
    CPPUNIT_ASSERT(site.wait<peer::PeerUp>());
  }

  void memory_that_is_not_there_ends_one_peer() {
    Site site;
    const PeerId id{0, 1, 0}, unlucky{0, 1, 1};
    auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(Forward{{id, 0}, {id, 0}});
    site.settle();
    refuse_aligned_memory = 1;
    site.workers[0]->post(CreatePeer{
        unlucky, std::make_unique<sdp::PeerPlan>(site.plan(unlucky, {audio_line("0", Direction::sendrecv, 800)}))});
    auto down = site.wait<peer::PeerDown>();
    CPPUNIT_ASSERT_EQUAL(0, refuse_aligned_memory.load());
    CPPUNIT_ASSERT(down && down->peer == unlucky && down->reason == "Internal error");
    client->client.send_rtp(voice(1));
    CPPUNIT_ASSERT(client->until([&] { return client->client.packets.size() == 1; }));
    auto stats = site.wait<WorkerStats>();
    CPPUNIT_ASSERT(stats && stats->failures == 1);
  }

  void closing_a_peer_says_goodbye() {
    Site site;
    const PeerId id{0, 1, 0};
    auto client = site.join(id, {audio_line("0", Direction::sendrecv, 700)});
    site.workers[0]->post(ClosePeer{id});
    CPPUNIT_ASSERT(client->until([&] { return client->client.dtls().state() == secure::Dtls::State::closed; }));
    // The slot is free for the next generation.
    auto next = site.join({0, 2, 0}, {audio_line("0", Direction::sendrecv, 700)});
    next->client.close();
    next->pump(1);
    auto down = site.wait<peer::PeerDown>();
    CPPUNIT_ASSERT(down);
    CPPUNIT_ASSERT_EQUAL(std::string("DTLS alert"), down->reason);
    CPPUNIT_ASSERT_EQUAL(uint16_t{2}, down->peer.generation);
  }

  void stopping_says_goodbye_to_all() {
    Site site;
    auto first = site.join({0, 1, 0}, {audio_line("0", Direction::sendrecv, 700)});
    auto second = site.join({0, 1, 1}, {audio_line("0", Direction::sendrecv, 700)});
    site.stop();
    CPPUNIT_ASSERT(first->until([&] { return first->client.dtls().state() == secure::Dtls::State::closed; }));
    CPPUNIT_ASSERT(second->until([&] { return second->client.dtls().state() == secure::Dtls::State::closed; }));
  }

  void strangers_and_stale_commands_are_counted() {
    Site site;
    SocketClient stranger(*site.dtls, *site.engine, site.workers[0]->port());
    stranger.send(test::stun_check({"nobody", "knows-this-password-at-all"}, true));
    stranger.send(std::vector<uint8_t>(100, 0x80));
    stranger.send({22, 1, 2, 3});
    const PeerId gone{0, 7, 3};
    site.workers[0]->post(ClosePeer{gone});
    site.workers[0]->post(Pause{{gone, 0}, true});
    site.workers[0]->post(Forward{{gone, 0}, {gone, 1}});
    site.workers[0]->post(UpdatePeer{gone, nullptr});
    auto stats = site.wait<WorkerStats>();
    CPPUNIT_ASSERT(stats);
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, stats->drops[Drop::unknown_source]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{4}, stats->stale_commands);
  }

  void a_port_in_use_is_one_clear_error() {
    Site site;
    WorkerSettings settings;
    settings.addresses = {*Address::parse("127.0.0.1", site.workers[0]->port())};
    auto second = Worker::make(1, settings, *site.dtls, site.events);
    CPPUNIT_ASSERT(!second.has_value());
    CPPUNIT_ASSERT(second.error().reason.find("is in use") != std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkerTest);

}  // namespace
}  // namespace cardea::worker
