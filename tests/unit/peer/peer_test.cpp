#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "unit/peer/house.hpp"

namespace cardea::test {
namespace {

constexpr uint32_t camera = 0x1000, microphone = 0x2000;

sdp::MlinePlan video_in(std::string mid) {
  sdp::MlinePlan mline = video_line(std::move(mid), Direction::recvonly);
  mline.ssrcs.push_back({camera, camera + 1});
  return mline;
}
sdp::MlinePlan audio_in(std::string mid) {
  sdp::MlinePlan mline = audio_line(std::move(mid), Direction::recvonly);
  mline.ssrcs.push_back({microphone, std::nullopt});
  return mline;
}

// A publisher with a camera, packet by packet.
class Camera {
public:
  Camera(House& house, Member& member, uint32_t ssrc = camera) : house_(house), member_(member), ssrc_(ssrc) {}

  Client::Rtp packet(bool keyframe = false) {
    Client::Rtp rtp;
    rtp.ssrc = ssrc_;
    rtp.payload_type = vp8_type;
    rtp.seq = seq_++;
    rtp.timestamp = timestamp_ += 3000;
    rtp.marker = true;
    rtp.payload = vp8_payload(800, keyframe, static_cast<uint16_t>(picture_++ & 0x7fff));
    return rtp;
  }
  Client::Rtp send(bool keyframe = false) {
    Client::Rtp rtp = packet(keyframe);
    member_.client->send_rtp(rtp);
    return rtp;
  }
  // As many as one frame every 33 ms makes.
  void film(int packets, bool keyframe_first = true) {
    for (int i = 0; i < packets; ++i) {
      send(keyframe_first && i == 0);
      house_.run(33ms, 11ms);
    }
  }

private:
  House& house_;
  Member& member_;
  uint32_t ssrc_;
  rtp::SeqNo seq_ = 100;
  uint32_t timestamp_ = 5000;
  int picture_ = 50;
};

class PeerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeerTest);
  CPPUNIT_TEST(a_peer_comes_up_once_and_frees_its_ssl);
  CPPUNIT_TEST(a_peer_with_data_channels_frees_its_ssl_too);
  CPPUNIT_TEST(data_channels_follow_a_renegotiation);
  CPPUNIT_TEST(what_a_peer_sends_comes_back_to_it_when_routed_so);
  CPPUNIT_TEST(three_subscribers_get_every_packet_under_their_own_numbers);
  CPPUNIT_TEST(lost_packets_are_answered_as_rtx);
  CPPUNIT_TEST(lost_packets_are_asked_for_and_rtx_fills_the_hole);
  CPPUNIT_TEST(many_keyframe_requests_become_one);
  CPPUNIT_TEST(a_new_route_asks_for_a_keyframe);
  CPPUNIT_TEST(a_renegotiation_adds_a_stream_and_disturbs_none);
  CPPUNIT_TEST(a_closed_line_is_told_and_drops);
  CPPUNIT_TEST(an_ice_restart_keeps_the_media);
  CPPUNIT_TEST(lost_consent_is_told_and_ends_the_peer);
  CPPUNIT_TEST(a_peer_that_never_checks_fails_by_name);
  CPPUNIT_TEST(a_peer_without_dtls_fails_by_name);
  CPPUNIT_TEST(a_dtls_alert_ends_the_peer);
  CPPUNIT_TEST(simulcast_is_told_apart_by_rid);
  CPPUNIT_TEST(an_ssrc_is_learnt_by_its_mid);
  CPPUNIT_TEST(a_hostile_peer_does_not_grow_the_table_of_ssrcs);
  CPPUNIT_TEST(a_publisher_gets_reports_feedback_and_a_bitrate);
  CPPUNIT_TEST(a_subscriber_gets_sender_reports_and_its_losses_are_known);
  CPPUNIT_TEST(media_events_tell_begin_and_end);
  CPPUNIT_TEST(a_muted_receiver_forwards_nothing);
  CPPUNIT_TEST(talking_is_told);
  CPPUNIT_TEST(a_codec_that_was_not_negotiated_is_dropped_by_name);
  CPPUNIT_TEST(red_is_taken_apart_for_those_who_cannot_read_it);
  CPPUNIT_TEST(a_plain_resend_is_the_same_to_the_last_byte);
  CPPUNIT_TEST(closing_either_end_takes_the_route_away);
  CPPUNIT_TEST(ids_of_peers_that_are_gone_find_nothing);
  CPPUNIT_TEST(a_new_ssrc_starts_the_stream_anew);
  CPPUNIT_TEST(mirrored_packets_are_forwarded_and_resent);
  CPPUNIT_TEST(junk_does_no_harm);
  CPPUNIT_TEST(lossy_calls_end_whole);
  CPPUNIT_TEST_SUITE_END();

  static ReceiverId from(const Member& member, uint16_t mline = 0) { return {member.id, mline}; }
  static SenderId to(const Member& member, uint16_t mline = 0) { return {member.id, mline}; }

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
    directory.update(lines);
    rtp::PacketPool pool;
    rtp::PacketRef packet = pool.get();
    SeededRandom random(3);
    for (int i = 0; i < 10'000; ++i) {
      packet->ssrc = random.u32();
      packet->payload_type = random.below(2) == 0 ? opus_type : vp8_type;
      packet->extensions.rid = random.below(2) == 0 ? "l" : "h";
      directory.learn(*packet);
    }
    CPPUNIT_ASSERT(directory.size() <= 3);
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
    Camera(house, publisher).film(40);
    CPPUNIT_ASSERT(subscriber.client->sender_reports >= 1);
    CPPUNIT_ASSERT(subscriber.client->sender_info->packets > 10);
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
    packet->arrival = house.now;
    packet->video = {};
    packet->extensions = {};
    packet->payload_at = 12;
    std::copy(payload.begin(), payload.end(), packet->bytes.begin() + 12);
    packet->size = static_cast<uint16_t>(12 + payload.size());
    rtp::describe(*packet);
    house.router->deliver_mirrored(packet, far, {}, house.now, house.output);
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

CPPUNIT_TEST_SUITE_REGISTRATION(PeerTest);

}  // namespace
}  // namespace cardea::test
