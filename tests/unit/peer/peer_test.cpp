// The life of a peer: up, renegotiated, and down in every way.
#include <cppunit/extensions/HelperMacros.h>

#include "unit/peer/camera.hpp"

namespace cardea::test {
namespace {

class PeerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeerTest);
  CPPUNIT_TEST(a_peer_comes_up_once_and_frees_its_ssl);
  CPPUNIT_TEST(a_peer_with_data_channels_frees_its_ssl_too);
  CPPUNIT_TEST(data_channels_follow_a_renegotiation);
  CPPUNIT_TEST(a_renegotiation_adds_a_stream_and_disturbs_none);
  CPPUNIT_TEST(a_closed_line_is_told_and_drops);
  CPPUNIT_TEST(an_ice_restart_keeps_the_media);
  CPPUNIT_TEST(lost_consent_is_told_and_ends_the_peer);
  CPPUNIT_TEST(a_peer_that_never_checks_fails_by_name);
  CPPUNIT_TEST(a_peer_without_dtls_fails_by_name);
  CPPUNIT_TEST(a_dtls_alert_ends_the_peer);
  CPPUNIT_TEST(closing_either_end_takes_the_route_away);
  CPPUNIT_TEST(ids_of_peers_that_are_gone_find_nothing);
  CPPUNIT_TEST(junk_does_no_harm);
  CPPUNIT_TEST_SUITE_END();

public:
  void a_peer_comes_up_once_and_frees_its_ssl() {
    House house;
    Member& member = house.join({audio_in("0")});
    house.run(2s);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, house.events_of<peer::PeerUp>().size());
    CPPUNIT_ASSERT(house.peer(member)->dtls().released());
    CPPUNIT_ASSERT(house.events_of<peer::PeerDown>().empty());
  }

  void a_peer_with_data_channels_frees_its_ssl_too() {
    House house;
    Member& member = house.add({audio_in("0")});
    sdp::PeerPlan plan = house.plan(member, {audio_in("0"), sdp::MlinePlan()});
    plan.mlines[1].kind = MediaKind::data;
    plan.data = sdp::DataPlan{1, "1"};
    house.peer(member)->update(std::make_unique<sdp::PeerPlan>(plan), house.now, house.output);
    house.connect(member);
    CPPUNIT_ASSERT(house.peer(member)->dtls().released());
    const std::vector<uint8_t> record{1, 2, 3};
    CPPUNIT_ASSERT(house.peer(member)->send_record(record, house.now, house.output));
  }

  void data_channels_follow_a_renegotiation() {
    House house;
    Member& member = house.join({audio_in("0")});
    // What the data thread is told when the peer's plan has data channels on this port; 0: none.
    const auto told = [&](uint16_t port) {
      sdp::PeerPlan plan = house.plan(member, {audio_in("0"), sdp::MlinePlan()});
      plan.mlines[1].kind = MediaKind::data;
      if (port != 0) plan.data = sdp::DataPlan{1, "1", port};
      peer::Output out;
      house.peer(member)->update(std::make_unique<sdp::PeerPlan>(plan), house.now, out);
      std::string all;
      for (const peer::DataChange& change : out.data)
        all += change.plan ? "begin " + std::to_string(change.plan->peer_port) : "end";
      return all;
    };
    CPPUNIT_ASSERT_EQUAL(std::string(), told(0));
    CPPUNIT_ASSERT_EQUAL(std::string("begin 5000"), told(5000));
    CPPUNIT_ASSERT(house.peer(member)->send_record(std::vector<uint8_t>{1, 2, 3}, house.now, house.output));
    CPPUNIT_ASSERT_EQUAL(std::string(), told(5000));
    CPPUNIT_ASSERT_EQUAL(std::string("begin 6000"), told(6000));  // another association
    CPPUNIT_ASSERT_EQUAL(std::string("end"), told(0));
  }

  void a_renegotiation_adds_a_stream_and_disturbs_none() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    filming.film(5);
    house.update(publisher, {video_in("0"), audio_in("1")});
    house.update(subscriber, {video_line("v", Direction::sendonly, 500), audio_line("a", Direction::sendonly, 600)});
    CPPUNIT_ASSERT(house.router->forward(from(publisher, 1), to(subscriber, 1), house.now));
    filming.film(5, false);
    Client::Rtp voice;
    voice.ssrc = microphone;
    voice.payload = {1, 2, 3};
    publisher.client->send_rtp(voice);
    house.turn();
    const auto& got = subscriber.client->packets;
    CPPUNIT_ASSERT_EQUAL(size_t{11}, got.size());
    CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(got[0].seq + 9), got[9].seq);
    CPPUNIT_ASSERT_EQUAL(uint32_t{600}, got[10].ssrc);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, house.events_of<peer::PeerUp>().size());
  }

  void a_closed_line_is_told_and_drops() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Camera filming(house, publisher);
    filming.film(3);
    sdp::MlinePlan closed = video_in("0");
    closed.direction = Direction::inactive;
    closed.ssrcs.clear();
    house.update(publisher, {closed});
    house.turn();
    auto media = house.events_of<peer::MediaState>();
    CPPUNIT_ASSERT(!media.back().receiving);
    CPPUNIT_ASSERT_EQUAL(0, media.back().seconds);
    filming.film(3);
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, house.output.drops[Drop::unknown_ssrc]);
  }

  void an_ice_restart_keeps_the_media() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    filming.film(5);
    sdp::PeerPlan plan = house.plan(publisher, {video_in("0")});
    plan.local = {"another", "another-password-22-letters"};
    house.peer(publisher)->update(std::make_unique<sdp::PeerPlan>(plan), house.now, house.output);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, house.peer(publisher)->local_credentials().size());
    filming.film(5, false);
    house.deliver(publisher, stun_check(plan.local, true));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, house.peer(publisher)->local_credentials().size());
    filming.film(5, false);
    CPPUNIT_ASSERT_EQUAL(size_t{15}, subscriber.client->packets.size());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, house.events_of<peer::PeerUp>().size());
  }

  void lost_consent_is_told_and_ends_the_peer() {
    House house;
    Member& member = house.join({audio_in("0")});
    house.run(house.settings.ice_timeout + 1s, 50ms);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, house.events_of<peer::IceFailed>().size());
    CPPUNIT_ASSERT(house.events_of<peer::PeerDown>().empty());
    // Checks come again in time ...
    house.deliver(member, stun_check(house.peer(member)->plan().local, true));
    house.run(house.settings.ice_grace + 1s, 50ms);
    CPPUNIT_ASSERT(house.events_of<peer::PeerDown>().empty());
    // ... and then no more.
    house.run(house.settings.ice_timeout + house.settings.ice_grace, 50ms);
    auto down = house.events_of<peer::PeerDown>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, down.size());
    CPPUNIT_ASSERT_EQUAL(std::string("ICE failed"), down[0].reason);
    CPPUNIT_ASSERT(house.peer(member) == nullptr);
  }

  void a_peer_that_never_checks_fails_by_name() {
    House house;
    house.add({audio_in("0")});
    house.run(house.settings.connect_timeout + 1s, 100ms);
    auto down = house.events_of<peer::PeerDown>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, down.size());
    CPPUNIT_ASSERT_EQUAL(std::string("ICE failed"), down[0].reason);
    CPPUNIT_ASSERT(house.events_of<peer::IceFailed>().empty());
  }

  void a_peer_without_dtls_fails_by_name() {
    House house;
    Member& member = house.add({audio_in("0")});
    const sdp::IceCredentials local = house.peer(member)->plan().local;
    for (int i = 0; i < 31 && house.peer(member) != nullptr; ++i) {
      house.deliver(member, stun_check(local, true));
      house.run(1s, 100ms);
    }
    auto down = house.events_of<peer::PeerDown>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, down.size());
    CPPUNIT_ASSERT_EQUAL(std::string("DTLS timeout"), down[0].reason);
  }

  void a_dtls_alert_ends_the_peer() {
    House house;
    Member& member = house.join({audio_in("0")});
    member.client->close();
    house.turn();
    auto down = house.events_of<peer::PeerDown>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, down.size());
    CPPUNIT_ASSERT_EQUAL(std::string("DTLS alert"), down[0].reason);
  }

  void closing_either_end_takes_the_route_away() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& first = house.join({video_line("v", Direction::sendonly, 500)});
    Member& second = house.join({video_line("v", Direction::sendonly, 600)});
    house.router->forward(from(publisher), to(first), house.now);
    house.router->forward(from(publisher), to(second), house.now);
    Camera filming(house, publisher);
    filming.film(2);
    house.close(first);
    filming.film(2, false);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, second.client->packets.size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, house.router->rows());
    house.close(publisher);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, house.router->rows());
    CPPUNIT_ASSERT(!house.peer(second)->sender(0)->source());
    house.run(1s);
  }

  void ids_of_peers_that_are_gone_find_nothing() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    const PeerId gone = publisher.id;
    house.close(publisher);
    CPPUNIT_ASSERT(!house.router->forward({gone, 0}, to(subscriber), house.now));
    CPPUNIT_ASSERT(!house.router->forward(from(subscriber), {gone, 0}, house.now));
    CPPUNIT_ASSERT(!house.router->stop_forward({gone, 0}));
    CPPUNIT_ASSERT(!house.router->mirror({gone, 0}, 3, true));
    house.router->request_keyframe({gone, 0}, -1, house.now);
    const PeerId newer{0, 2, gone.slot};
    CPPUNIT_ASSERT(house.table.add(std::make_unique<peer::PeerConnection>(
        newer, std::make_unique<sdp::PeerPlan>(house.plan(publisher, {video_in("0")})), *house.context, house.now)));
    CPPUNIT_ASSERT(house.table.find(gone) == nullptr);
    CPPUNIT_ASSERT(house.table.find(newer) != nullptr);
  }

  void junk_does_no_harm() {
    House house;
    Member& publisher = house.join({video_in("0"), audio_in("1")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    SeededRandom random(11);
    const std::vector<uint8_t> check = stun_check(house.peer(publisher)->plan().local, true);
    for (int i = 0; i < 3000; ++i) {
      std::vector<uint8_t> datagram;
      switch (random.below(4)) {
      case 0: datagram = check; break;
      case 1: datagram = publisher.client->protect(filming.packet(i % 50 == 0)); break;
      case 2:
        datagram = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20};
        datagram.resize(60);
        break;
      default: datagram.resize(random.below(1600)); break;
      }
      if (datagram.empty()) continue;
      for (uint64_t flips = random.below(4); flips > 0; --flips)
        datagram[random.below(datagram.size())] ^= static_cast<uint8_t>(1 + random.below(255));
      if (random.below(4) == 0) datagram.resize(random.below(datagram.size()) + 1);
      house.deliver(publisher, datagram);
      if (i % 20 == 0) house.turn();
    }
    CPPUNIT_ASSERT(house.peer(publisher) != nullptr);
    // Authenticated nonsense: payloads and RTCP of any content.
    for (int i = 0; i < 2000; ++i) {
      Client::Rtp rtp = filming.packet();
      rtp.ssrc = random.below(3) == 0 ? random.u32() : camera + static_cast<uint32_t>(random.below(2));
      rtp.payload_type = random.below(2) == 0 ? vp8_type : static_cast<uint8_t>(random.below(128));
      if (rtp.payload_type >= 64 && rtp.payload_type < 96) continue;
      rtp.seq = static_cast<rtp::SeqNo>(random.below(60'000));
      rtp.payload.resize(random.below(60));
      random.fill(rtp.payload);
      publisher.client->send_rtp(rtp);
      subscriber.client->send_rtcp([&](ByteWriter& out) {
        std::array<uint8_t, 200> bytes;
        random.fill(bytes);
        bytes[0] = static_cast<uint8_t>(0x80 | (bytes[0] & 0x1f));
        bytes[1] = static_cast<uint8_t>(200 + random.below(8));
        store_u16(bytes.data() + 2, static_cast<uint16_t>(random.below(50)));
        store_u32(bytes.data() + 8, 500);
        out.put(bytes);
      });
      if (i % 5 == 0) house.run(5ms);
    }
    CPPUNIT_ASSERT(house.peer(publisher) != nullptr);
    CPPUNIT_ASSERT(house.peer(subscriber) != nullptr);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PeerTest);

}  // namespace
}  // namespace cardea::test
