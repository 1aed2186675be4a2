// Media from peer to peer: what is forwarded, under which numbers, and what is told of it.
#include <cppunit/extensions/HelperMacros.h>

#include "unit/peer/camera.hpp"

namespace cardea::test {
namespace {

class PeerMediaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeerMediaTest);
  CPPUNIT_TEST(what_a_peer_sends_comes_back_to_it_when_routed_so);
  CPPUNIT_TEST(three_subscribers_get_every_packet_under_their_own_numbers);
  CPPUNIT_TEST(simulcast_is_told_apart_by_rid);
  CPPUNIT_TEST(an_ssrc_is_learnt_by_its_mid);
  CPPUNIT_TEST(a_hostile_peer_does_not_grow_the_table_of_ssrcs);
  CPPUNIT_TEST(media_events_tell_begin_and_end);
  CPPUNIT_TEST(a_muted_receiver_forwards_nothing);
  CPPUNIT_TEST(talking_is_told);
  CPPUNIT_TEST(a_codec_that_was_not_negotiated_is_dropped_by_name);
  CPPUNIT_TEST(red_is_taken_apart_for_those_who_cannot_read_it);
  CPPUNIT_TEST(a_new_ssrc_starts_the_stream_anew);
  CPPUNIT_TEST_SUITE_END();

public:
  void what_a_peer_sends_comes_back_to_it_when_routed_so() {
    House house;
    sdp::MlinePlan line = audio_line("a", Direction::sendrecv, 77);
    Member& member = house.join({line});
    CPPUNIT_ASSERT(house.router->forward(from(member), to(member), house.now));
    Client::Rtp rtp;
    rtp.ssrc = microphone;
    rtp.seq = 9;
    rtp.timestamp = 960;
    rtp.payload = {1, 2, 3, 4};
    rtp.extensions.mid = "a";
    member.client->send_rtp(rtp);
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, member.client->packets.size());
    const Client::Got& got = member.client->packets[0];
    CPPUNIT_ASSERT_EQUAL(uint32_t{77}, got.ssrc);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), got.mid);
    CPPUNIT_ASSERT(got.payload == rtp.payload);
  }

  void three_subscribers_get_every_packet_under_their_own_numbers() {
    House house;
    Member& publisher = house.join({video_in("0")});
    std::vector<Member*> subscribers;
    for (uint32_t i = 0; i < 3; ++i) {
      subscribers.push_back(&house.join({video_line("v", Direction::sendonly, 500 + 10 * i)}));
      CPPUNIT_ASSERT(house.router->forward(from(publisher), to(*subscribers.back()), house.now));
    }
    Camera(house, publisher).film(60);
    for (uint32_t i = 0; i < 3; ++i) {
      const auto& got = subscribers[i]->client->packets;
      CPPUNIT_ASSERT_EQUAL(size_t{60}, got.size());
      for (size_t k = 0; k < got.size(); ++k) {
        CPPUNIT_ASSERT_EQUAL(500 + 10 * i, got[k].ssrc);
        CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(got[0].seq + k), got[k].seq);
        CPPUNIT_ASSERT_EQUAL(size_t{800}, got[k].payload.size());
      }
      CPPUNIT_ASSERT_EQUAL(size_t{0}, subscribers[i]->client->bad);
    }
  }

  void simulcast_is_told_apart_by_rid() {
    House house;
    sdp::MlinePlan line = video_line("0", Direction::recvonly);
    line.rids = {"l", "m", "h"};
    Member& publisher = house.join({line});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    house.router->set_layers(*house.peer(subscriber)->sender(0), Layers{1, 2, 2, 250ms}, house.now);
    const std::array<const char*, 3> rids{"l", "m", "h"};
    std::vector<Camera> cameras;
    for (uint32_t i = 0; i < 3; ++i) cameras.emplace_back(house, publisher, 9000 + i);
    for (int frame = 0; frame < 20; ++frame) {
      for (size_t i = 0; i < 3; ++i) {
        Client::Rtp rtp = cameras[i].packet(frame == 0);
        rtp.payload.resize(100 + 100 * i);
        if (frame < 3) {
          rtp.extensions.mid = "0";
          rtp.extensions.rid = rids[i];
        }
        publisher.client->send_rtp(rtp);
      }
      house.run(33ms, 11ms);
    }
    CPPUNIT_ASSERT(subscriber.client->packets.size() >= 20);
    CPPUNIT_ASSERT_EQUAL(size_t{200}, subscriber.client->packets.back().payload.size());
    auto layers = house.events_of<peer::LayersChanged>();
    CPPUNIT_ASSERT_EQUAL(1, layers.back().now.substream);
    auto media = house.events_of<peer::MediaState>();
    CPPUNIT_ASSERT_EQUAL(size_t{3}, media.size());
    CPPUNIT_ASSERT_EQUAL(2, media[2].substream);
    // RTX of the middle layer, told by the repaired RID.
    Client::Rtp rtx = cameras[1].packet();
    const auto number = static_cast<uint16_t>(rtx.seq);
    rtx.ssrc = 9101;
    rtx.payload_type = rtx_type;
    rtx.payload.resize(200);
    rtx.payload.insert(rtx.payload.begin(), {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)});
    rtx.extensions.mid = "0";
    rtx.extensions.repaired_rid = "m";
    const size_t before = subscriber.client->packets.size();
    publisher.client->send_rtp(rtx);
    house.turn();
    CPPUNIT_ASSERT_EQUAL(before + 1, subscriber.client->packets.size());
  }

  void an_ssrc_is_learnt_by_its_mid() {
    House house;
    Member& publisher =
        house.join({video_line("first", Direction::recvonly), video_line("second", Direction::recvonly)});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher, 1), to(subscriber), house.now);
    Camera filming(house, publisher, 4242);
    Client::Rtp rtp = filming.packet(true);
    publisher.client->send_rtp(rtp);  // two lines have its payload type
    house.turn();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, house.output.drops[Drop::unknown_ssrc]);
    rtp = filming.packet(true);
    rtp.extensions.mid = "second";
    publisher.client->send_rtp(rtp);
    filming.send();
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, subscriber.client->packets.size());
  }

  void a_hostile_peer_does_not_grow_the_table_of_ssrcs() {
    peer::SsrcDirectory directory;
    std::vector<sdp::MlinePlan> lines{audio_line("a", Direction::recvonly), video_line("v", Direction::recvonly)};
    lines[1].rids = {"l", "h"};
    directory.update({}, lines);
    rtp::PacketPool pool;
    rtp::PacketRef packet = pool.get();
    SeededRandom random(3);
    for (int i = 0; i < 10'000; ++i) {
      packet->ssrc = random.u32();
      packet->payload_type = random.below(2) == 0 ? opus_type : vp8_type;
      packet->extensions.rid = random.below(2) == 0 ? "l" : "h";
      directory.learn(*packet, lines);
    }
    CPPUNIT_ASSERT(directory.size() <= 3);
  }

  void media_events_tell_begin_and_end() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Camera(house, publisher).film(5);
    house.run(1200ms, 20ms);
    auto media = house.events_of<peer::MediaState>();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, media.size());
    CPPUNIT_ASSERT(media[0].receiving);
    CPPUNIT_ASSERT(!media[1].receiving);
    CPPUNIT_ASSERT_EQUAL(1, media[1].seconds);
    CPPUNIT_ASSERT_EQUAL(-1, media[1].substream);
  }

  void a_muted_receiver_forwards_nothing() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    filming.film(2);
    house.peer(publisher)->receiver(0)->mute(true);
    filming.film(2);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, subscriber.client->packets.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, house.output.drops[Drop::muted]);
  }

  void talking_is_told() {
    House house;
    Member& publisher = house.join({audio_in("0")});
    house.peer(publisher)->receiver(0)->detect_talking(TalkDetection{10, 30});
    Client::Rtp rtp;
    rtp.ssrc = microphone;
    rtp.payload = {1, 2, 3};
    for (int i = 0; i < 40; ++i) {
      rtp.extensions.audio_level = i < 20 ? 10 : 120;
      publisher.client->send_rtp(rtp);
      ++rtp.seq;
      house.run(20ms);
    }
    auto talking = house.events_of<peer::Talking>();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, talking.size());
    CPPUNIT_ASSERT(talking[0].talking && !talking[1].talking);
  }

  void a_codec_that_was_not_negotiated_is_dropped_by_name() {
    House house;
    Member& publisher = house.join({audio_in("0")});
    sdp::MlinePlan line = audio_line("a", Direction::sendonly, 500);
    line.payloads[0].codec.type = CodecType::pcmu;
    Member& subscriber = house.join({line});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Client::Rtp rtp;
    rtp.ssrc = microphone;
    rtp.payload = {1, 2, 3};
    publisher.client->send_rtp(rtp);
    rtp.seq = 1;
    rtp.payload_type = 99;
    publisher.client->send_rtp(rtp);
    house.turn();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, house.output.drops[Drop::codec]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, house.output.drops[Drop::unknown_payload]);
  }

  void red_is_taken_apart_for_those_who_cannot_read_it() {
    House house;
    sdp::MlinePlan in = audio_in("0"), with_red = audio_line("a", Direction::sendonly, 500);
    in.payloads[0].red = 63;
    with_red.payloads[0].red = 70;
    Member& publisher = house.join({in});
    Member& reads_red = house.join({with_red});
    Member& reads_opus = house.join({audio_line("a", Direction::sendonly, 600)});
    house.router->forward(from(publisher), to(reads_red), house.now);
    house.router->forward(from(publisher), to(reads_opus), house.now);
    Client::Rtp rtp;
    rtp.ssrc = microphone;
    rtp.payload_type = 63;
    // RFC 2198 section 3: a block of two bytes, 960 ticks earlier, then the primary.
    rtp.payload = {0x80 | opus_type, 960 >> 6, static_cast<uint8_t>((960 << 2) & 0xff), 2, opus_type, 1, 2, 7, 8, 9};
    publisher.client->send_rtp(rtp);
    house.turn();
    CPPUNIT_ASSERT_EQUAL(uint8_t{70}, reads_red.client->packets.at(0).payload_type);
    CPPUNIT_ASSERT(reads_red.client->packets[0].payload == rtp.payload);
    CPPUNIT_ASSERT_EQUAL(opus_type, reads_opus.client->packets.at(0).payload_type);
    CPPUNIT_ASSERT((reads_opus.client->packets[0].payload == std::vector<uint8_t>{7, 8, 9}));
  }

  void a_new_ssrc_starts_the_stream_anew() {
    House house;
    Member& publisher = house.join({video_line("0", Direction::recvonly)});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera(house, publisher, 31).film(3);
    Camera(house, publisher, 32).film(3);
    const auto& got = subscriber.client->packets;
    CPPUNIT_ASSERT_EQUAL(size_t{6}, got.size());
    for (size_t i = 1; i < got.size(); ++i) CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(got[0].seq + i), got[i].seq);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PeerMediaTest);

}  // namespace
}  // namespace cardea::test
