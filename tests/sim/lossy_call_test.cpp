// A publisher, the gateway's machines and a subscriber, with lossy links between them in both directions.
#include <cppunit/extensions/HelperMacros.h>

#include <map>

#include "media/forwarder.hpp"
#include "media/history.hpp"
#include "media/nack_tracker.hpp"
#include "media/receive_stream.hpp"
#include "media/send_stream.hpp"
#include "rtp/ntp.hpp"
#include "sim/link.hpp"
#include "sim/source.hpp"
#include "sim/world.hpp"
#include "unit/media/forwarding.hpp"

namespace cardea::sim {
namespace {

using Numbers = std::vector<uint16_t>;

// What goes down to the subscriber.
struct Down {
  rtp::SharedPacket packet;
  media::Rewritten as;
};

struct Call {
  Call(uint64_t seed, const LinkOptions& path)
      : uplink(world, seed * 4 + 0, path, [this](rtp::PacketRef packet) { at_gateway(std::move(packet)); }),
        uplink_feedback(world, seed * 4 + 1, path, [this](const Numbers& lost) { at_publisher(lost); }),
        downlink(world, seed * 4 + 2, path, [this](const Down& down) { at_subscriber(down); }),
        downlink_feedback(world, seed * 4 + 3, path, [this](const Numbers& lost) { resend(lost); }), random(seed),
        source(pool, seed, 0, 6), rtt(2 * path.delay + path.jitter), forwarder(MediaKind::video, false, random) {}

  // Thirty seconds of video that count, two more so that the last losses are seen, and quiet.
  void run() {
    rtp::ReportBlock block;
    block.lsr = rtp::compact_ntp(world.now() - rtt);
    sent.reported(block, world.now());
    world.every(100ms / 3, [this] {
      for (const rtp::PacketRef& packet : source.frame(world.now(), world.elapsed())) {
        if (world.elapsed() < 30s) ++counted;
        uplink.send(packet, packet->size);
      }
      return world.elapsed() < 32s;
    });
    world.every(5ms, [this] { return ask(), world.elapsed() < 40s; });
    world.run(36s);
    const uint64_t asked = gateway_nack.asked() + subscriber_nack.asked();
    world.run(40s);
    asked_at_the_end = gateway_nack.asked() + subscriber_nack.asked() - asked;
  }

  void at_gateway(rtp::PacketRef packet) {
    // The publisher keeps its packets with the numbers of the wire.
    if (!packet->recovered) {
      packet = source.again(static_cast<uint16_t>(packet->seq));
      packet->recovered = false;
    }
    packet->seq = gateway_widener.widen(static_cast<uint16_t>(packet->seq));
    packet->arrival = world.now();
    if (!gateway_nack.arrived(packet->seq, world.now())) return;
    received.received(*packet);
    history.put(packet);
    const media::test::Forwarded as = media::test::forward(forwarder, *packet, world.now());
    if (!as) return;
    sent.sent(packet->payload_size(), as->timestamp, world.now());
    if (packet->recovered) sent.filled(as->seq, world.now());
    downlink.send({packet, *as}, packet->size);
  }
  void at_publisher(const Numbers& lost) {
    for (uint16_t seq : lost)
      if (rtp::PacketRef packet = source.again(seq)) uplink.send(packet, packet->size);
  }
  void resend(const Numbers& lost) {
    for (uint16_t wire : lost) {
      const auto out = forwarder.sent(wire);
      const auto origin = out ? forwarder.origin(*out) : std::nullopt;
      if (!origin) continue;
      rtp::SharedPacket packet = history.find(origin->seq);
      if (!packet || !sent.resend(*out, packet->payload_size(), world.now())) continue;
      const auto as = forwarder.again(*out, *packet);
      CPPUNIT_ASSERT(as && as->seq == *out);
      downlink.send({packet, *as}, packet->size);
    }
  }
  void at_subscriber(const Down& down) {
    const rtp::SeqNo seq = subscriber_widener.widen(static_cast<uint16_t>(down.as.seq));
    if (!subscriber_nack.arrived(seq, world.now())) {
      ++duplicates;
      return;
    }
    CPPUNIT_ASSERT(came.emplace(seq, down).second);
    if (source.facts(down.packet->ssrc).captured < world.at(30s)) ++counted_came;
  }
  void ask() {
    const auto numbers = [](std::span<const rtp::SeqNo> lost) { return Numbers(lost.begin(), lost.end()); };
    if (auto lost = gateway_nack.due(world.now(), rtt); !lost.empty()) uplink_feedback.send(numbers(lost));
    if (auto lost = subscriber_nack.due(world.now(), rtt); !lost.empty()) downlink_feedback.send(numbers(lost));
  }

  rtp::PacketPool pool;
  World world;
  Link<rtp::PacketRef> uplink;
  Link<Numbers> uplink_feedback;
  Link<Down> downlink;
  Link<Numbers> downlink_feedback;
  SeededRandom random;
  Source source;
  Duration rtt;
  // the gateway
  media::SequenceWidener gateway_widener;
  media::ReceiveStream received;
  media::NackTracker gateway_nack;
  media::History history{2s};
  media::Forwarder forwarder;
  media::SendStream sent;
  // the subscriber
  media::SequenceWidener subscriber_widener;
  media::NackTracker subscriber_nack;
  std::map<rtp::SeqNo, Down> came;
  // what is judged
  size_t counted = 0, counted_came = 0, duplicates = 0;
  uint64_t asked_at_the_end = 0;
};

class LossyCallTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LossyCallTest);
  CPPUNIT_TEST(a_clean_call_asks_for_nothing);
  CPPUNIT_TEST(all_packets_arrive_at_one_percent_loss);
  CPPUNIT_TEST(all_packets_arrive_at_five_percent_loss);
  CPPUNIT_TEST(all_packets_arrive_at_twenty_percent_loss);
  CPPUNIT_TEST(all_packets_arrive_with_bursts_jitter_and_reordering);
  CPPUNIT_TEST_SUITE_END();

  static void check(const Call& call, uint64_t most_given_up = 0) {
    CPPUNIT_ASSERT(call.counted > 5000);
    // A number asked for ten times in vain is given up: one in some thousands at 20 %, none below.
    const uint64_t given_up = call.subscriber_nack.given_up() + call.gateway_nack.given_up();
    CPPUNIT_ASSERT_EQUAL(call.counted, call.counted_came + given_up);
    CPPUNIT_ASSERT(given_up <= most_given_up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, call.asked_at_the_end);
    // One unbroken stream: numbers, pictures and timestamps in step with the source's.
    const Down* before = nullptr;
    for (const auto& [seq, down] : call.came) {
      if (before != nullptr) {
        CPPUNIT_ASSERT_EQUAL(down.packet->seq - before->packet->seq, down.as.seq - before->as.seq);
        CPPUNIT_ASSERT_EQUAL(down.packet->timestamp - before->packet->timestamp,
                             down.as.timestamp - before->as.timestamp);
        CPPUNIT_ASSERT_EQUAL((down.packet->video.picture_id - before->packet->video.picture_id) & 0x7fff,
                             (down.as.picture_id - before->as.picture_id) & 0x7fff);
      }
      before = &down;
      if (call.source.facts(down.packet->ssrc).captured >= call.world.at(30s)) break;
    }
  }
  static void run_seeds(LinkOptions path, double most_duplicates) {
    path.clean_for = 200ms;  // what is lost before the first packet cannot be known to be missing
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      Call call(seed, path);
      call.run();
      check(call, path.loss > 0.1 ? 5 : 0);
      CPPUNIT_ASSERT(static_cast<double>(call.duplicates) <= most_duplicates * static_cast<double>(call.counted));
      const double loss = static_cast<double>(call.received.lost()) / static_cast<double>(call.counted);
      if (path.loss > 0) CPPUNIT_ASSERT(loss > path.loss * 0.8 && loss < path.loss * 1.3);
    }
  }

public:
  void a_clean_call_asks_for_nothing() {
    Call call(1, {});
    call.run();
    check(call);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, call.gateway_nack.asked() + call.subscriber_nack.asked());
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, call.received.lost());
  }
  void all_packets_arrive_at_one_percent_loss() { run_seeds({.loss = 0.01}, 0); }
  void all_packets_arrive_at_five_percent_loss() { run_seeds({.loss = 0.05}, 0); }
  void all_packets_arrive_at_twenty_percent_loss() { run_seeds({.loss = 0.2}, 0); }
  void all_packets_arrive_with_bursts_jitter_and_reordering() {
    run_seeds({.burst_begin = 0.01, .burst_go_on = 0.8, .jitter = 15ms, .reorder = 0.02, .rate_bps = 10'000'000}, 0.1);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LossyCallTest);

}  // namespace
}  // namespace cardea::sim
