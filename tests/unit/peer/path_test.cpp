// What a peer sends to whom: only who has answered from an address gets more than a little there.
#include <cppunit/extensions/HelperMacros.h>
#include <malloc.h>

#include <thread>

#include "unit/peer/camera.hpp"

namespace cardea::test {
namespace {

const Address elsewhere = *Address::parse("198.51.100.66", 4444);

class PathTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PathTest);
  CPPUNIT_TEST(media_does_not_follow_a_check_that_nobody_answers_for);
  CPPUNIT_TEST(media_follows_a_peer_that_answers_from_its_new_address);
  CPPUNIT_TEST(a_join_that_dtls_proves_asks_nothing);
  CPPUNIT_TEST(a_handshake_sends_three_times_what_came_and_repeats_nothing_by_itself);
  CPPUNIT_TEST(a_hello_of_ours_is_not_repeated_to_an_address_that_does_not_answer);
  CPPUNIT_TEST(lost_flights_are_sent_again);
  CPPUNIT_TEST(a_handshake_over_two_addresses_proves_neither);
  CPPUNIT_TEST(an_unfinished_peer_costs_less_than_8_kB);
  CPPUNIT_TEST_SUITE_END();

  // A datagram of the member with a source address of the sender's choice. What goes there as an answer.
  struct Exchange {
    size_t in = 0, out = 0;
    std::vector<std::vector<uint8_t>> got;
  };
  static void count(House& house, const Address& to, Exchange& exchange) {
    for (size_t i = 0; i < house.output.datagrams.size(); ++i) {
      const auto item = house.output.datagrams[i];
      if (item.to != to) continue;
      exchange.out += item.bytes.size();
      exchange.got.emplace_back(item.bytes.begin(), item.bytes.end());
    }
    house.output.datagrams.clear();
  }
  static void send_from(House& house, Member& member, const Address& from, std::vector<uint8_t> bytes,
                        Exchange& exchange) {
    exchange.in += bytes.size();
    Datagram datagram{from, bytes};
    house.peer(member)->receive(datagram, house.now, house.output);
    house.peer(member)->start_dtls(house.now, house.output);
    count(house, from, exchange);
  }
  // Deadlines are met; nothing comes.
  static void wait(House& house, Member& member, const Address& at, Exchange& exchange, Duration span) {
    for (const Time until = house.now + span; house.now < until && house.peer(member) != nullptr; house.now += 10ms) {
      if (house.peer(member)->next_deadline() <= house.now) house.peer(member)->tick(house.now, house.output);
      count(house, at, exchange);
      if (house.peer(member)->over()) return;
    }
  }
  static void as_dtls_client(House& house, Member& member) {
    sdp::PeerPlan plan = house.plan(member, {audio_in("0")});
    plan.dtls_role = sdp::DtlsRole::client;
    house.table.remove(member.id);
    house.table.add(std::make_unique<peer::PeerConnection>(member.id, std::make_unique<sdp::PeerPlan>(plan),
                                                           *house.context, house.now));
  }

public:
  void media_does_not_follow_a_check_that_nobody_answers_for() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    filming.film(3);
    const Address before = *house.peer(subscriber)->path();
    Exchange spoofed;
    for (int second = 0; second < 20; ++second) {
      send_from(house, subscriber, elsewhere, stun_check(house.peer(subscriber)->plan().local, true, 0x7fffffff),
                spoofed);
      // The peer itself is still there.
      house.deliver(subscriber, stun_check(house.peer(subscriber)->plan().local, true));
      filming.film(5, false);
      CPPUNIT_ASSERT(house.peer(subscriber)->path() == before);
      wait(house, subscriber, elsewhere, spoofed, 900ms);
    }
    CPPUNIT_ASSERT_LESSEQUAL(3 * spoofed.in, spoofed.out);
  }

  void media_follows_a_peer_that_answers_from_its_new_address() {
    House house;
    Member& member = house.join({audio_in("0")});
    Exchange moved;
    send_from(house, member, elsewhere, stun_check(house.peer(member)->plan().local, true, 0x7fffffff), moved);
    wait(house, member, elsewhere, moved, 50ms);
    CPPUNIT_ASSERT(house.peer(member)->path() == member.client->address());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, moved.got.size());  // our answer, and our question
    member.client->outbox().clear();
    member.client->receive(moved.got[1], house.now);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, member.client->asked);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, member.client->outbox().size());
    send_from(house, member, elsewhere, member.client->outbox()[0], moved);
    CPPUNIT_ASSERT(house.peer(member)->path() == elsewhere);
    CPPUNIT_ASSERT(house.peer(member)->holds(elsewhere, house.now));
  }

  void a_join_that_dtls_proves_asks_nothing() {
    House house;
    Member& member = house.join({audio_in("0")});
    CPPUNIT_ASSERT(house.peer(member)->holds(member.client->address(), house.now));
    for (int i = 0; i < 5; ++i) {
      house.run(1s);
      house.deliver(member, stun_check(house.peer(member)->plan().local, true));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, member.client->asked);
  }

  void a_handshake_sends_three_times_what_came_and_repeats_nothing_by_itself() {
    House house;
    Member& member = house.add({audio_in("0")});
    Exchange spoofed;
    send_from(house, member, elsewhere, stun_check(house.peer(member)->plan().local, true), spoofed);
    member.client->start_dtls(house.now);
    for (const auto& hello : member.client->outbox()) send_from(house, member, elsewhere, hello, spoofed);
    const size_t before = spoofed.out;
    CPPUNIT_ASSERT_LESSEQUAL(3 * spoofed.in, spoofed.out);
    wait(house, member, elsewhere, spoofed, 29s);
    CPPUNIT_ASSERT_LESSEQUAL(3 * spoofed.in, spoofed.out);
    for (size_t i = 0; i < spoofed.got.size(); ++i)  // no flight twice
      for (size_t k = 0; k < i; ++k)
        CPPUNIT_ASSERT(rtp::wire_of(spoofed.got[i]) != rtp::Wire::dtls || spoofed.got[i] != spoofed.got[k]);
    CPPUNIT_ASSERT(before > 0);
  }

  void a_hello_of_ours_is_not_repeated_to_an_address_that_does_not_answer() {
    House house;
    Member& member = house.add({audio_in("0")});
    as_dtls_client(house, member);
    Exchange spoofed;
    send_from(house, member, elsewhere, stun_check(house.peer(member)->plan().local, true), spoofed);
    wait(house, member, elsewhere, spoofed, 29s);
    CPPUNIT_ASSERT_LESSEQUAL(3 * spoofed.in, spoofed.out);
    const auto hellos = std::count_if(spoofed.got.begin(), spoofed.got.end(),
                                      [](const auto& datagram) { return rtp::wire_of(datagram) == rtp::Wire::dtls; });
    CPPUNIT_ASSERT(hellos <= 1);
  }

  void lost_flights_are_sent_again() {
    for (int lost = 1; lost < 4; ++lost) {
      House house;
      Member& member = house.add({audio_in("0")});
      int seen = 0;
      house.lost = [&](Member&, Bytes bytes) { return rtp::wire_of(bytes) == rtp::Wire::dtls && ++seen <= lost; };
      house.deliver(member, stun_check(house.peer(member)->plan().local, true));
      member.client->start_dtls(house.now);
      for (int i = 0; i < 3000 && !(house.peer(member)->up() && member.client->connected()); ++i) {
        if (i % 50 == 0) house.deliver(member, stun_check(house.peer(member)->plan().local, true));
        member.client->tick(house.now);
        house.turn();
        house.now += 5ms;
        std::this_thread::sleep_for(1ms);  // OpenSSL's timer has its own clock
      }
      CPPUNIT_ASSERT(house.peer(member)->up() && member.client->connected());
    }
  }

  void a_handshake_over_two_addresses_proves_neither() {
    House house;
    Member& member = house.add({audio_in("0")});
    const sdp::IceCredentials local = house.peer(member)->plan().local;
    Exchange first, second;
    send_from(house, member, elsewhere, stun_check(local, true), first);
    member.client->start_dtls(house.now);
    std::vector<std::vector<uint8_t>> hello = std::exchange(member.client->outbox(), {});
    for (const auto& datagram : hello) send_from(house, member, elsewhere, datagram, first);
    for (const auto& datagram : first.got) member.client->receive(datagram, house.now);
    // The rest comes from, and goes to, another address.
    const Address other = member.client->address();
    send_from(house, member, other, stun_check(local, true, 0x7fffffff), second);
    for (const auto& datagram : std::exchange(member.client->outbox(), {}))
      send_from(house, member, other, datagram, second);
    CPPUNIT_ASSERT(!house.peer(member)->up());
    wait(house, member, other, second, 100ms);
    CPPUNIT_ASSERT(!house.peer(member)->up());
    for (const auto& datagram : std::exchange(second.got, {})) member.client->receive(datagram, house.now);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, member.client->asked);
    for (const auto& datagram : std::exchange(member.client->outbox(), {}))
      send_from(house, member, other, datagram, second);
    CPPUNIT_ASSERT(house.peer(member)->up());
  }

  void an_unfinished_peer_costs_less_than_8_kB() {
    House house;
    constexpr size_t count = 200;
    const auto used = [] { return static_cast<size_t>(mallinfo2().uordblks); };
    std::vector<std::unique_ptr<peer::PeerConnection>> peers;
    Member& member = house.add({audio_in("0"), video_in("1")});
    const sdp::PeerPlan plan = house.plan(member, {audio_in("0"), video_in("1")});
    peers.reserve(count);
    std::vector<std::unique_ptr<sdp::PeerPlan>> plans;
    const size_t before = used();
    for (uint32_t i = 0; i < count; ++i) {
      sdp::PeerPlan asks = plan;
      asks.dtls_role = sdp::DtlsRole::client;
      peers.push_back(std::make_unique<peer::PeerConnection>(
          PeerId{0, 1, 100 + i}, std::make_unique<sdp::PeerPlan>(asks), *house.context, house.now));
      std::vector<uint8_t> check = stun_check(plan.local, true);
      Datagram datagram{elsewhere, check};
      peers.back()->receive(datagram, house.now, house.output);
      CPPUNIT_ASSERT(peers.back()->wants_start());
    }
    house.output.datagrams = {};
    CPPUNIT_ASSERT_LESSEQUAL(size_t{8192}, (used() - before) / count);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PathTest);

}  // namespace
}  // namespace cardea::test
