// M-lines that end and whose place is used anew (RFC 9429 section 5.2.2): nothing of the line before is left.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "unit/peer/camera.hpp"

namespace cardea::test {
namespace {

constexpr uint32_t first_ssrc = 0x5000;

// What a place may be used for.
enum class Use { audio_in, video_in, audio_out, video_out, data, rejected };
constexpr Use uses[] = {Use::audio_in, Use::video_in, Use::audio_out, Use::video_out, Use::data, Use::rejected};

bool takes(Use use) { return use == Use::audio_in || use == Use::video_in; }
bool gives(Use use) { return use == Use::audio_out || use == Use::video_out; }
bool is_video(Use use) { return use == Use::video_in || use == Use::video_out; }

class PeerRecycleTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeerRecycleTest);
  CPPUNIT_TEST(a_place_may_become_anything);
  CPPUNIT_TEST(a_rejected_line_that_comes_back_has_numbers_of_its_own_and_its_route);
  CPPUNIT_TEST(routes_of_a_line_end_with_it);
  CPPUNIT_TEST(packets_that_wait_end_with_their_sender);
  CPPUNIT_TEST(an_ssrc_of_the_line_before_belongs_to_nobody);
  CPPUNIT_TEST(a_thousand_lines_in_one_place_leave_nothing_behind);
  CPPUNIT_TEST_SUITE_END();

  // The line of a use; each has SSRCs that were never there before, as Negotiation gives them.
  sdp::MlinePlan line(Use use, const std::string& mid) {
    sdp::MlinePlan plan;
    switch (use) {
    case Use::audio_in: plan = audio_in(mid); break;
    case Use::video_in: plan = video_in(mid); break;
    case Use::audio_out: plan = audio_line(mid, Direction::sendonly, ssrc_ += 2); break;
    case Use::video_out: plan = video_line(mid, Direction::sendonly, ssrc_ += 2); break;
    case Use::data: plan.kind = MediaKind::data; break;
    case Use::rejected: break;
    }
    plan.mid = mid;
    return plan;
  }
  static sdp::MlinePlan rejected(const sdp::MlinePlan& before) {
    sdp::MlinePlan plan;
    plan.mid = before.mid;
    plan.kind = before.kind;
    return plan;
  }

  // A peer whose first line is of this use, and another one that gives to it and takes from it.
  struct Pair {
    House house;
    Member& peer = house.add({});
    Member& other = house.join({audio_in("a"), video_in("v"), audio_line("x", Direction::sendonly, 100),
                                video_line("y", Direction::sendonly, 200)});
    rtp::SeqNo seq = 100;

    void send(Member& member, bool video) {
      Client::Rtp rtp;
      rtp.ssrc = video ? camera : microphone;
      rtp.payload_type = video ? vp8_type : opus_type;
      rtp.seq = seq++;
      rtp.timestamp = static_cast<uint32_t>(seq) * 3000;
      rtp.payload = video ? vp8_payload(300, true, static_cast<uint16_t>(seq)) : std::vector<uint8_t>{1, 2, 3};
      member.client->send_rtp(rtp);
      house.turn();
    }
    // Does the line do what its use says, and nothing else?
    void use(Use use) {
      const size_t out = peer.client->packets.size(), in = other.client->packets.size();
      const bool video = is_video(use);
      house.router->forward(from(other, video ? 1 : 0), to(peer), house.now);
      house.router->forward(from(peer), to(other, video ? 3 : 2), house.now);
      for (int i = 0; i < 3; ++i) {
        send(other, video);
        send(peer, video);
      }
      CPPUNIT_ASSERT_EQUAL(out + (gives(use) ? 3 : 0), peer.client->packets.size());
      CPPUNIT_ASSERT_EQUAL(in + (takes(use) ? 3 : 0), other.client->packets.size());
      if (gives(use)) CPPUNIT_ASSERT_EQUAL(house.peer(peer)->sender(0)->ssrc(), peer.client->packets.back().ssrc);
      house.run(1200ms, 20ms);
    }
    void connect(sdp::MlinePlan line) {
      house.update(peer, {std::move(line)});
      house.connect(peer);
    }
  };

  uint32_t ssrc_ = first_ssrc;

public:
  void a_place_may_become_anything() {
    for (const Use before : uses) {
      for (const Use after : uses) {
        for (const bool reject : {false, true}) {
          for (const bool same_mid : {false, true}) {
            Pair pair;
            const sdp::MlinePlan old = line(before, "m");
            pair.connect(old);
            pair.use(before);
            if (reject) {
              pair.house.update(pair.peer, {rejected(old)});
              pair.use(Use::rejected);
            }
            const sdp::MlinePlan next = line(after, same_mid ? "m" : "n");
            pair.house.update(pair.peer, {next});
            peer::PeerConnection& peer = *pair.house.peer(pair.peer);
            if (gives(after)) CPPUNIT_ASSERT_EQUAL(next.ssrc, peer.sender(0)->ssrc());
            if (after == Use::data) CPPUNIT_ASSERT(peer.sender(0) == nullptr && peer.receiver(0) == nullptr);
            pair.use(after);
            CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.peer.client->bad);
          }
        }
      }
    }
  }

  void a_rejected_line_that_comes_back_has_numbers_of_its_own_and_its_route() {
    Pair pair;
    const sdp::MlinePlan first = line(Use::video_out, "m");
    pair.connect(first);
    pair.use(Use::video_out);
    peer::PeerConnection& peer = *pair.house.peer(pair.peer);
    pair.house.router->pause(*peer.sender(0), true, pair.house.now);
    pair.house.update(pair.peer, {rejected(first)});
    pair.house.update(pair.peer, {line(Use::video_out, "m")});
    CPPUNIT_ASSERT(peer.sender(0)->ssrc() != first.ssrc);
    CPPUNIT_ASSERT(peer.sender(0)->source() == from(pair.other, 1));
    const size_t before = pair.peer.client->packets.size();
    pair.send(pair.other, true);
    CPPUNIT_ASSERT_EQUAL(before, pair.peer.client->packets.size());  // still paused
    pair.house.router->pause(*peer.sender(0), false, pair.house.now);
    pair.send(pair.other, true);
    CPPUNIT_ASSERT_EQUAL(before + 1, pair.peer.client->packets.size());
    CPPUNIT_ASSERT_EQUAL(peer.sender(0)->ssrc(), pair.peer.client->packets.back().ssrc);
    // Rejected and taken up again under the SSRC it had (never by Negotiation): the numbers go on.
    const auto plan = peer.plan().mlines[0];
    const uint16_t last = pair.peer.client->packets.back().seq;
    pair.house.update(pair.peer, {rejected(plan)});
    pair.house.update(pair.peer, {plan});
    pair.send(pair.other, true);
    CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(last + 1), pair.peer.client->packets.back().seq);
  }

  void routes_of_a_line_end_with_it() {
    for (const bool reject : {false, true}) {
      Pair pair;
      const sdp::MlinePlan out = line(Use::video_out, "m");
      pair.connect(out);
      pair.house.router->forward(from(pair.other, 1), to(pair.peer), pair.house.now);
      CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.house.router->rows());
      if (reject) pair.house.update(pair.peer, {rejected(out)});
      pair.house.update(pair.peer, {line(Use::audio_out, "n")});
      CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.house.router->rows());
      pair.send(pair.other, true);
      CPPUNIT_ASSERT(pair.peer.client->packets.empty());
      // And the other way round: what others get of a receiver.
      pair.house.update(pair.peer, {line(Use::video_in, "o")});
      pair.house.router->forward(from(pair.peer), to(pair.other, 3), pair.house.now);
      pair.house.router->mirror(from(pair.peer), 1, true);
      CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.house.router->rows());
      pair.house.update(pair.peer, {line(Use::video_in, "p")});
      CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.house.router->rows());
      CPPUNIT_ASSERT(!pair.house.peer(pair.other)->sender(3)->source());
      pair.send(pair.peer, true);
      CPPUNIT_ASSERT(pair.other.client->packets.empty());
    }
  }

  // A turn may take commands between a packet and its sending.
  void packets_that_wait_end_with_their_sender() {
    Pair pair;
    pair.connect(line(Use::video_out, "m"));
    pair.use(Use::video_out);
    Client::Rtp rtp;
    rtp.ssrc = camera;
    rtp.payload_type = vp8_type;
    rtp.seq = pair.seq++;
    rtp.payload = vp8_payload(300, true, 900);
    pair.house.deliver(pair.other, pair.other.client->protect(rtp));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.house.peer(pair.peer)->queue().size());
    const size_t before = pair.peer.client->packets.size();
    pair.house.update(pair.peer, {line(Use::audio_out, "n")});
    CPPUNIT_ASSERT(pair.house.peer(pair.peer)->queue().empty());
    pair.house.turn();
    CPPUNIT_ASSERT_EQUAL(before, pair.peer.client->packets.size());
  }

  void an_ssrc_of_the_line_before_belongs_to_nobody() {
    Pair pair;
    sdp::MlinePlan learnt = line(Use::video_in, "m");
    learnt.ssrcs.clear();
    pair.connect(learnt);
    pair.send(pair.peer, true);
    CPPUNIT_ASSERT(pair.house.peer(pair.peer)->receiver(0)->ssrc(0));
    sdp::MlinePlan voice = line(Use::audio_in, "n");
    voice.ssrcs.clear();
    pair.house.update(pair.peer, {voice});
    const uint64_t unknown = pair.house.output.drops[Drop::unknown_ssrc];
    pair.send(pair.peer, true);
    CPPUNIT_ASSERT_EQUAL(unknown + 1, pair.house.output.drops[Drop::unknown_ssrc]);
    CPPUNIT_ASSERT(!pair.house.peer(pair.peer)->receiver(0)->ssrc(0));
  }

  void a_thousand_lines_in_one_place_leave_nothing_behind() {
    Pair pair;
    pair.connect(line(Use::video_out, "m"));
    for (int i = 0; i < 1000; ++i) {
      pair.house.update(pair.peer, {line(i % 2 == 0 ? Use::audio_out : Use::video_out, "m" + std::to_string(i))});
      const uint32_t ssrc = pair.house.peer(pair.peer)->sender(0)->ssrc();
      pair.peer.client->send_rtcp([&](ByteWriter& out) { rtp::write_fir(out, 1, ssrc, static_cast<uint8_t>(i)); });
      pair.house.router->forward(from(pair.other, static_cast<uint16_t>(i % 2)), to(pair.peer), pair.house.now);
      pair.house.turn();
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.house.router->rows());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.house.peer(pair.peer)->senders().size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.house.peer(pair.peer)->queue().size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PeerRecycleTest);

}  // namespace
}  // namespace cardea::test
