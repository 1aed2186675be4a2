// Losses, keyframe requests and reports between peers.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "unit/peer/camera.hpp"

namespace cardea::test {
namespace {

class PeerRepairTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeerRepairTest);
  CPPUNIT_TEST(lost_packets_are_answered_as_rtx);
  CPPUNIT_TEST(lost_packets_are_asked_for_and_rtx_fills_the_hole);
  CPPUNIT_TEST(many_keyframe_requests_become_one);
  CPPUNIT_TEST(a_new_route_asks_for_a_keyframe);
  CPPUNIT_TEST(a_publisher_gets_reports_feedback_and_a_bitrate);
  CPPUNIT_TEST(a_subscriber_gets_sender_reports_and_its_losses_are_known);
  CPPUNIT_TEST(a_plain_resend_is_the_same_to_the_last_byte);
  CPPUNIT_TEST(mirrored_packets_are_forwarded_and_resent);
  CPPUNIT_TEST(lossy_calls_end_whole);
  CPPUNIT_TEST_SUITE_END();

public:
  void lost_packets_are_answered_as_rtx() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    filming.film(10);
    std::vector<uint8_t> plain;
    const uint16_t lost = subscriber.client->packets[5].seq;
    const auto original = subscriber.client->packets[5];
    subscriber.client->send_rtcp([&](ByteWriter& out) {
      const std::array<uint16_t, 1> all{lost};
      rtp::write_nack(out, 1, 500, std::span<const uint16_t>(all));
    });
    house.turn();
    const Client::Got& again = subscriber.client->packets.back();
    CPPUNIT_ASSERT_EQUAL(uint32_t{501}, again.ssrc);
    CPPUNIT_ASSERT_EQUAL(rtx_type, again.payload_type);
    CPPUNIT_ASSERT_EQUAL(lost, load_u16(again.payload.data()));
    CPPUNIT_ASSERT_EQUAL(original.timestamp, again.timestamp);
    CPPUNIT_ASSERT(
        std::equal(original.payload.begin(), original.payload.end(), again.payload.begin() + 2, again.payload.end()));
    // Once more at once: not within a round trip.
    const size_t before = subscriber.client->packets.size();
    subscriber.client->send_rtcp([&](ByteWriter& out) {
      const std::array<uint16_t, 1> all{lost};
      rtp::write_nack(out, 1, 500, std::span<const uint16_t>(all));
    });
    house.turn();
    CPPUNIT_ASSERT_EQUAL(before, subscriber.client->packets.size());
  }

  void lost_packets_are_asked_for_and_rtx_fills_the_hole() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera filming(house, publisher);
    filming.film(5);
    const Client::Rtp missing = filming.packet();
    filming.film(5, false);
    CPPUNIT_ASSERT(std::find(publisher.client->nacked.begin(), publisher.client->nacked.end(),
                             static_cast<uint16_t>(missing.seq)) != publisher.client->nacked.end());
    Client::Rtp rtx = missing;
    rtx.ssrc = camera + 1;
    rtx.seq = 3;
    rtx.payload_type = rtx_type;
    rtx.payload.insert(rtx.payload.begin(),
                       {static_cast<uint8_t>(missing.seq >> 8), static_cast<uint8_t>(missing.seq)});
    publisher.client->send_rtp(rtx);
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{11}, subscriber.client->packets.size());
    const Client::Got& late = subscriber.client->packets.back();
    CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(subscriber.client->packets[4].seq + 1), late.seq);
    // Who asked for it before it came gets it once.
    subscriber.client->send_rtcp([&](ByteWriter& out) {
      const std::array<uint16_t, 1> lost{late.seq};
      rtp::write_nack(out, 1, 500, std::span<const uint16_t>(lost));
    });
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{11}, subscriber.client->packets.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, house.output.drops[Drop::duplicate]);
    // The same as an original too: a duplicate.
    publisher.client->send_rtp(missing);
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{11}, subscriber.client->packets.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, house.output.drops[Drop::duplicate]);
  }

  void many_keyframe_requests_become_one() {
    House house;
    Member& publisher = house.join({video_in("0")});
    std::vector<Member*> subscribers;
    for (uint32_t i = 0; i < 5; ++i) {
      subscribers.push_back(&house.join({video_line("v", Direction::sendonly, 500 + 10 * i)}));
      house.router->forward(from(publisher), to(*subscribers.back()), house.now);
    }
    Camera filming(house, publisher);
    filming.film(90);
    const size_t before = publisher.client->plis;
    for (uint32_t i = 0; i < 5; ++i)
      subscribers[i]->client->send_rtcp([&](ByteWriter& out) { rtp::write_pli(out, 1, 500 + 10 * i); });
    house.run(50ms);
    CPPUNIT_ASSERT_EQUAL(before + 1, publisher.client->plis);
    CPPUNIT_ASSERT_EQUAL(camera, publisher.client->pli_ssrc);
    filming.film(30);  // answers with a keyframe: no more is asked
    CPPUNIT_ASSERT_EQUAL(before + 1, publisher.client->plis);
  }

  void a_new_route_asks_for_a_keyframe() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    Camera filming(house, publisher);
    filming.film(3, false);
    house.router->forward(from(publisher), to(subscriber), house.now);
    house.run(20ms);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, publisher.client->plis);
    filming.film(3, false);
    CPPUNIT_ASSERT(subscriber.client->packets.empty());
    CPPUNIT_ASSERT(house.output.drops[Drop::waiting_keyframe] > 0);
    filming.film(3, true);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, subscriber.client->packets.size());
  }

  void a_publisher_gets_reports_feedback_and_a_bitrate() {
    House house;
    Member& publisher = house.join({video_in("0")});
    house.peer(publisher)->set_bitrate_cap(512'000, house.now);
    Camera filming(house, publisher);
    for (int i = 0; i < 90; ++i) {
      Client::Rtp rtp = filming.packet(i == 0);
      rtp.extensions.transport_seq = static_cast<uint16_t>(i);
      publisher.client->send_rtp(rtp);
      house.run(33ms, 11ms);
    }
    CPPUNIT_ASSERT(publisher.client->receiver_reports > 2);
    CPPUNIT_ASSERT(!publisher.client->blocks.empty());
    CPPUNIT_ASSERT_EQUAL(camera, publisher.client->blocks.back().ssrc);
    CPPUNIT_ASSERT_EQUAL(0, publisher.client->blocks.back().lost);
    CPPUNIT_ASSERT(publisher.client->transport_feedbacks > 10);
    CPPUNIT_ASSERT(publisher.client->rembs >= 4);
    CPPUNIT_ASSERT(publisher.client->remb_bps > 505'000 && publisher.client->remb_bps <= 512'000);
    CPPUNIT_ASSERT_EQUAL(std::string("janus"), publisher.client->cname);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, publisher.client->bad);
  }

  void a_subscriber_gets_sender_reports_and_its_losses_are_known() {
    peer::PeerSettings settings;
    settings.slowlink_threshold = 4;
    House house(settings);
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    Camera shooting(house, publisher);
    shooting.film(40);
    CPPUNIT_ASSERT(subscriber.client->sender_reports >= 1);
    // The next one need not wake anybody.
    const peer::PeerConnection& connection = *house.table.find(subscriber.id);
    CPPUNIT_ASSERT(connection.next_deadline() == connection.report_at());
    CPPUNIT_ASSERT(connection.urgent_deadline() > connection.report_at());
    CPPUNIT_ASSERT(subscriber.client->sender_info->packets > 10);
    // In a turn with media it leaves in the same message.
    const size_t reports = subscriber.client->sender_reports, with_media = house.reports_with_media;
    house.now = connection.report_at();
    shooting.send();
    house.turn();
    CPPUNIT_ASSERT_EQUAL(reports + 1, static_cast<size_t>(subscriber.client->sender_reports));
    CPPUNIT_ASSERT_EQUAL(with_media + 1, house.reports_with_media);
    subscriber.client->send_rtcp([&](ByteWriter& out) {
      rtp::ReportBlock block;
      block.ssrc = 500;
      block.lost = 9;
      rtp::write_receiver_report(out, 1, std::span(&block, 1));
    });
    house.run(1500ms);
    auto slow = house.events_of<peer::SlowLinkSeen>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, slow.size());
    CPPUNIT_ASSERT(slow[0].uplink);
    CPPUNIT_ASSERT_EQUAL(uint32_t{9}, slow[0].lost);
  }

  // Two plaintexts under one SRTP index would give the key away.
  void a_plain_resend_is_the_same_to_the_last_byte() {
    House house;
    Member& publisher = house.join({video_in("0")});
    sdp::MlinePlan line = video_line("v", Direction::sendonly, 500);
    line.rtx_ssrc = 0;
    line.payloads[0].rtx.reset();
    Member& subscriber = house.join({line});
    CPPUNIT_ASSERT(!house.peer(subscriber)->sender(0)->pads());
    house.router->forward(from(publisher), to(subscriber), house.now);
    std::vector<std::vector<uint8_t>> wire;
    house.lost = [&](Member& member, Bytes bytes) {
      if (&member == &subscriber && rtp::wire_of(bytes) == rtp::Wire::rtp)
        wire.emplace_back(bytes.begin(), bytes.end());
      return false;
    };
    Camera(house, publisher).film(5);
    auto ask = [&] {
      const std::array<uint16_t, 1> lost{subscriber.client->packets.at(2).seq};
      subscriber.client->send_rtcp(
          [&](ByteWriter& out) { rtp::write_nack(out, 1, 500, std::span<const uint16_t>(lost)); });
      house.run(300ms);
    };
    ask();
    CPPUNIT_ASSERT_EQUAL(size_t{6}, wire.size());
    CPPUNIT_ASSERT(wire[5] == wire[2]);
    house.peer(subscriber)->sender(0)->set_playout_delay(PlayoutDelay{1, 2});
    ask();
    CPPUNIT_ASSERT_EQUAL(size_t{6}, wire.size());
  }

  void mirrored_packets_are_forwarded_and_resent() {
    House house;
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    const ReceiverId far{PeerId{3, 1, 9}, 2};
    CPPUNIT_ASSERT(house.router->forward(far, to(subscriber), house.now));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, house.router->upstream().size());
    const std::vector<uint8_t> payload = vp8_payload(300, true, 7);
    rtp::PacketRef packet = house.packets.get();
    packet->codec = CodecType::vp8;
    packet->seq = 70'000;
    packet->stream = 1;
    packet->arrival = house.now;
    packet->video = {};
    packet->extensions = {};
    packet->payload_at = 12;
    std::copy(payload.begin(), payload.end(), packet->bytes.begin() + 12);
    packet->size = static_cast<uint16_t>(12 + payload.size());
    rtp::describe(*packet);
    house.router->deliver_mirrored(packet, far, std::nullopt, house.now, house.output);
    packet.reset();
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, subscriber.client->packets.size());
    const std::array<uint16_t, 1> lost{subscriber.client->packets[0].seq};
    subscriber.client->send_rtcp(
        [&](ByteWriter& out) { rtp::write_nack(out, 1, 500, std::span<const uint16_t>(lost)); });
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, house.resent);
    house.router->upstream().clear();
    house.run(1s);
    subscriber.client->send_rtcp([&](ByteWriter& out) { rtp::write_pli(out, 1, 500); });
    subscriber.client->send_rtcp([&](ByteWriter& out) { rtp::write_pli(out, 1, 500); });
    house.turn();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, house.router->upstream().size());
    CPPUNIT_ASSERT(house.router->upstream()[0].from == far);
  }

  // Packets get lost towards the subscriber; it asks, and in the end has them all.
  void lossy_calls_end_whole() {
    House house;
    Member& publisher = house.join({video_in("0")});
    Member& subscriber = house.join({video_line("v", Direction::sendonly, 500)});
    house.router->forward(from(publisher), to(subscriber), house.now);
    SeededRandom random(5);
    house.lost = [&](Member& member, Bytes) { return &member == &subscriber && random.below(20) == 0; };
    Camera filming(house, publisher);
    std::vector<uint16_t> have;
    size_t looked_at = 0;
    std::optional<uint16_t> first;
    for (int i = 0; i < 400; ++i) {
      filming.send(i == 0);
      house.run(10ms);
      const auto& packets = subscriber.client->packets;
      for (; looked_at < packets.size(); ++looked_at) {
        const Client::Got& got = packets[looked_at];
        have.push_back(got.ssrc == 501 ? load_u16(got.payload.data()) : got.seq);
        if (!first) first = have.back();
      }
      if (i % 5 != 4 || !first) continue;
      std::vector<uint16_t> missing;
      const uint16_t newest = *std::max_element(have.begin(), have.end());
      for (uint16_t seq = *first; seq < newest; ++seq)
        if (std::find(have.begin(), have.end(), seq) == have.end()) missing.push_back(seq);
      if (!missing.empty())
        subscriber.client->send_rtcp(
            [&](ByteWriter& out) { rtp::write_nack(out, 1, 500, std::span<const uint16_t>(missing)); });
    }
    std::sort(have.begin(), have.end());
    have.erase(std::unique(have.begin(), have.end()), have.end());
    CPPUNIT_ASSERT(have.size() >= 396);
    CPPUNIT_ASSERT(house.resent > 5 && house.resent < 60);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PeerRepairTest);

}  // namespace
}  // namespace cardea::test
