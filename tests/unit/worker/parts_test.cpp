#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>
#include <thread>

#include "base/random.hpp"
#include "worker/handshake_queue.hpp"
#include "worker/pace.hpp"
#include "worker/packet_ring.hpp"
#include "worker/run_planner.hpp"
#include "worker/timer_wheel.hpp"

namespace cardea::worker {
namespace {

class RunPlannerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RunPlannerTest);
  CPPUNIT_TEST(a_frame_and_a_voice_are_one_run);
  CPPUNIT_TEST(almost_equal_packets_are_padded);
  CPPUNIT_TEST(packets_that_must_not_be_padded_are_not);
  CPPUNIT_TEST(every_plan_keeps_order_and_sends_all);
  CPPUNIT_TEST_SUITE_END();

  static constexpr uint32_t video_ = 2, audio_ = 0;
  static RunPlanner::Item item(uint16_t size, uint32_t stream, bool may_pad = true) {
    return {size, 0, may_pad, stream};
  }

public:
  void a_frame_and_a_voice_are_one_run() {
    RunPlanner planner(0.03, 65000);
    std::array items{item(1200, video_), item(120, audio_), item(1200, video_), item(1200, video_)};
    planner.plan(items);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, planner.runs().size());
    CPPUNIT_ASSERT_EQUAL(size_t{4}, planner.runs()[0].count);
    CPPUNIT_ASSERT_EQUAL(size_t{1200}, planner.runs()[0].segment);
    CPPUNIT_ASSERT_EQUAL(uint8_t{1}, planner.order()[3]);
  }
  void almost_equal_packets_are_padded() {
    RunPlanner planner(0.03, 65000);
    std::array items{item(1190, video_), item(1200, video_), item(1185, video_)};
    planner.plan(items);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, planner.runs().size());
    CPPUNIT_ASSERT_EQUAL(uint8_t{10}, items[0].padding);
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, items[1].padding);
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, items[2].padding);  // the last may be shorter
  }
  void packets_that_must_not_be_padded_are_not() {
    RunPlanner planner(0.03, 65000);
    std::array items{item(1190, video_, false), item(1200, video_, false), item(1200, video_, false)};
    planner.plan(items);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, planner.runs().size());
    for (const auto& one : items) CPPUNIT_ASSERT_EQUAL(uint8_t{0}, one.padding);
  }
  void every_plan_keeps_order_and_sends_all() {
    SeededRandom random(1);
    RunPlanner planner(0.03, 20000);
    for (int round = 0; round < 2000; ++round) {
      std::vector<RunPlanner::Item> items;
      const size_t count = 1 + random.below(RunPlanner::max_packets);
      for (size_t i = 0; i < count; ++i) {
        const size_t base = random.below(3) == 0 ? 100 : 1100;
        items.push_back(item(static_cast<uint16_t>(base + random.below(40)), static_cast<uint32_t>(random.below(4)),
                             random.below(5) != 0));
      }
      planner.plan(items);
      CPPUNIT_ASSERT_EQUAL(count, planner.order().size());
      std::map<uint32_t, size_t> last;
      for (uint8_t index : planner.order()) {
        auto [at, fresh] = last.try_emplace(items[index].stream, index);
        CPPUNIT_ASSERT(fresh || at->second < index);
        at->second = index;
      }
      for (const RunPlanner::Run& run : planner.runs()) {
        size_t bytes = 0;
        for (size_t i = 0; i < run.count; ++i) {
          const RunPlanner::Item& one = items[planner.order()[run.first + i]];
          const size_t size = size_t{one.size} + one.padding;
          CPPUNIT_ASSERT(one.padding == 0 || one.may_pad);
          CPPUNIT_ASSERT(i + 1 == run.count ? size <= run.segment : size == run.segment);
          bytes += size;
        }
        CPPUNIT_ASSERT(bytes <= 20000);
      }
    }
  }
};

class TimerWheelTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TimerWheelTest);
  CPPUNIT_TEST(each_deadline_is_told_once_and_not_before_its_time);
  CPPUNIT_TEST(the_nearest_deadline_is_known);
  CPPUNIT_TEST(a_deadline_that_was_taken_away_is_not_told);
  CPPUNIT_TEST(those_of_one_slot_may_be_moved_while_it_is_told);
  CPPUNIT_TEST(deadlines_that_are_far_away_seldom_want_a_look);
  CPPUNIT_TEST_SUITE_END();

public:
  void each_deadline_is_told_once_and_not_before_its_time() {
    SeededRandom random(2);
    Time now(1000s);
    TimerWheel wheel(now);
    std::map<uint32_t, Time> wanted;
    size_t told = 0;
    for (int round = 0; round < 20'000; ++round) {
      if (round < 15'000) {
        const auto entry = static_cast<uint32_t>(random.below(300));
        const Time deadline = now + Duration(random.below(random.below(4) == 0 ? 12'000'000'000 : 300'000'000));
        wheel.set(entry, deadline);
        wanted[entry] = deadline;
      }
      now += Duration(random.below(round > 18'000 ? 20'000'000 : 3'000'000));
      wheel.expire(now, [&](uint32_t entry) {
        CPPUNIT_ASSERT(wanted.count(entry) == 1);
        CPPUNIT_ASSERT(wanted[entry] <= now);
        wanted.erase(entry);
        ++told;
      });
      for (const auto& [entry, deadline] : wanted) CPPUNIT_ASSERT(deadline + 2ms > now);
    }
    CPPUNIT_ASSERT(wanted.empty());
    CPPUNIT_ASSERT(told > 1000);
    CPPUNIT_ASSERT(wheel.next() == never || wheel.next() > now);
  }
  void the_nearest_deadline_is_known() {
    Time now(1000s);
    TimerWheel wheel(now);
    CPPUNIT_ASSERT(wheel.next() == never);
    wheel.set(3, now + 500ms);
    wheel.set(4, now + 20s);
    CPPUNIT_ASSERT(wheel.next() == now + 500ms);
    wheel.set(3, now + 30ms);
    CPPUNIT_ASSERT(wheel.next() == now + 30ms);
    wheel.expire(now + 30ms, [](uint32_t) {});
    CPPUNIT_ASSERT(wheel.next() <= now + 20s);
  }
  void a_deadline_that_was_taken_away_is_not_told() {
    Time now(1000s);
    TimerWheel wheel(now);
    wheel.set(3, now + 5ms);
    wheel.set(3, never);
    wheel.expire(now + 1s, [](uint32_t) { CPPUNIT_FAIL("told"); });
  }
  void deadlines_that_are_far_away_seldom_want_a_look() {
    Time now(1000s);
    TimerWheel wheel(now);
    std::map<uint32_t, Time> wanted;
    for (uint32_t entry = 0; entry < 200; ++entry) {
      wanted[entry] = now + 14s + entry * 20ms;
      wheel.set(entry, wanted[entry]);
    }
    size_t looks = 0, told = 0;
    while (wheel.next() != never) {
      now = wheel.next();
      if (now < Time(1014s)) ++looks;
      wheel.expire(now, [&](uint32_t entry) {
        CPPUNIT_ASSERT(wanted[entry] == now);
        ++told;
      });
    }
    CPPUNIT_ASSERT_EQUAL(size_t{200}, told);
    CPPUNIT_ASSERT_LESS(size_t{8}, looks);
  }
  void those_of_one_slot_may_be_moved_while_it_is_told() {
    const Time now(1000s);
    for (const Duration later : {Duration(0), Duration(3ms), Duration(TimerWheel::slots * TimerWheel::slot)}) {
      TimerWheel wheel(now);
      for (uint32_t entry = 0; entry < 6; ++entry) wheel.set(entry, now + 5ms);
      std::vector<uint32_t> told;
      wheel.expire(now + 5ms, [&](uint32_t entry) {
        told.push_back(entry);
        for (uint32_t other : {entry, (entry + 1) % 6, (entry + 5) % 6})
          wheel.set(other, other == 5 ? never : now + 5ms + later);
        wheel.set(6 + entry, now + 5ms);  // more of them than there was room for
      });
      CPPUNIT_ASSERT(told.size() == 2 || told.size() == 3);
      CPPUNIT_ASSERT(wheel.next() > now + 5ms);
      told.clear();
      for (Time at = now + 6ms; at < now + 6s; at += 1ms)
        wheel.expire(at, [&](uint32_t entry) { told.push_back(entry); });
      std::sort(told.begin(), told.end());
      CPPUNIT_ASSERT(std::adjacent_find(told.begin(), told.end()) == told.end());
      CPPUNIT_ASSERT(told.size() >= 7);  // 0 to 4 and the new ones
      CPPUNIT_ASSERT(wheel.next() == never);
    }
  }
};

class PacketRingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PacketRingTest);
  CPPUNIT_TEST(packets_arrive_whole_and_in_order_across_threads);
  CPPUNIT_TEST(a_full_ring_refuses);
  CPPUNIT_TEST(views_point_into_the_copy);
  CPPUNIT_TEST_SUITE_END();

public:
  void packets_arrive_whole_and_in_order_across_threads() {
    constexpr rtp::SeqNo count = 20'000;
    PacketRing ring(64);
    std::thread writer([&] {
      auto packet = std::make_unique<rtp::Packet>();
      packet->payload_at = 12;
      for (rtp::SeqNo seq = 0; seq < count;) {
        packet->seq = seq;
        packet->size = static_cast<uint16_t>(12 + seq % 1000);
        std::fill_n(packet->bytes.begin(), packet->size, static_cast<uint8_t>(seq));
        if (ring.push(*packet, {}, std::nullopt))
          ++seq;
        else
          std::this_thread::yield();
      }
    });
    for (rtp::SeqNo seq = 0; seq < count;) {
      const MirroredPacket* got = ring.front();
      if (got == nullptr) {
        std::this_thread::yield();
        continue;
      }
      CPPUNIT_ASSERT_EQUAL(seq, got->packet.seq);
      CPPUNIT_ASSERT_EQUAL(static_cast<size_t>(seq % 1000), got->packet.payload_size());
      for (uint8_t byte : got->packet.payload()) CPPUNIT_ASSERT_EQUAL(static_cast<uint8_t>(seq), byte);
      ring.pop();
      ++seq;
    }
    writer.join();
    CPPUNIT_ASSERT(ring.empty());
  }
  void a_full_ring_refuses() {
    PacketRing ring(8);
    auto packet = std::make_unique<rtp::Packet>();
    for (int i = 0; i < 8; ++i) CPPUNIT_ASSERT(ring.push(*packet, {}, std::nullopt));
    CPPUNIT_ASSERT(!ring.push(*packet, {}, std::nullopt));
    ring.front();
    ring.pop();
    CPPUNIT_ASSERT(ring.push(*packet, {}, std::nullopt));
  }
  void views_point_into_the_copy() {
    auto from = std::make_unique<rtp::Packet>(), to = std::make_unique<rtp::Packet>();
    from->size = 100;
    from->payload_at = 40;
    std::fill_n(from->bytes.begin(), 100, uint8_t{'m'});
    from->extensions.mid = text_of(Bytes(from->bytes).subspan(20, 3));
    from->extensions.dependency_descriptor = Bytes(from->bytes).subspan(24, 7);
    copy_packet(*from, *to);
    from.reset();
    CPPUNIT_ASSERT(to->extensions.mid == "mmm");
    CPPUNIT_ASSERT(to->extensions.dependency_descriptor.data() == to->bytes.data() + 24);
    CPPUNIT_ASSERT_EQUAL(size_t{7}, to->extensions.dependency_descriptor.size());
    CPPUNIT_ASSERT(to->extensions.rid.empty());
  }
};

class HandshakeQueueTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HandshakeQueueTest);
  CPPUNIT_TEST(a_peers_datagrams_come_out_together_and_in_order);
  CPPUNIT_TEST(handshakes_under_way_go_first);
  CPPUNIT_TEST(what_is_sent_again_while_it_waits_is_kept_once);
  CPPUNIT_TEST(a_peer_that_sends_many_leaves_room_for_others);
  CPPUNIT_TEST(one_that_we_begin_waits_in_the_same_line);
  CPPUNIT_TEST(a_peer_that_is_gone_waits_no_longer);
  CPPUNIT_TEST(only_so_many_are_under_way);
  CPPUNIT_TEST_SUITE_END();

  const Time now_{100s};
  std::vector<uint8_t> bytes_;
  // A handshake record of epoch 0 with its number and that of its message.
  Datagram datagram(uint8_t message, uint8_t record = 0, size_t size = 100) {
    bytes_.assign(size, 0);
    bytes_[0] = 22;
    bytes_[10] = record;
    bytes_[18] = message;
    return {*Address::parse("192.0.2.1", 7), bytes_};
  }

public:
  void a_peers_datagrams_come_out_together_and_in_order() {
    HandshakeQueue queue;
    const PeerId first{0, 1, 3}, second{0, 1, 0};
    for (uint8_t i = 0; i < 5; ++i) {
      CPPUNIT_ASSERT(!queue.push(first, false, datagram(i, i, 30u + i)));
      CPPUNIT_ASSERT(!queue.push(second, false, datagram(i, i, 60u + i)));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{10}, queue.size());
    for (const PeerId& expected : {first, second}) {
      CPPUNIT_ASSERT(queue.waits(expected));
      auto next = queue.pop(now_);
      CPPUNIT_ASSERT(next && next->peer == expected);
      CPPUNIT_ASSERT(!queue.waits(expected));
      CPPUNIT_ASSERT_EQUAL(size_t{5}, next->datagrams.size());
      for (size_t i = 0; i < 5; ++i) {
        CPPUNIT_ASSERT_EQUAL((expected == first ? 30u : 60u) + i, next->datagrams[i].bytes.size());
        CPPUNIT_ASSERT_EQUAL(static_cast<uint8_t>(i), next->datagrams[i].bytes[18]);
        CPPUNIT_ASSERT_EQUAL(uint16_t{7}, next->datagrams[i].from.port);
      }
    }
    CPPUNIT_ASSERT(queue.empty() && queue.size() == 0 && !queue.pop(now_));
  }
  void handshakes_under_way_go_first() {
    HandshakeQueue queue;
    queue.push({0, 1, 1}, false, datagram(1));
    queue.push({0, 1, 2}, true, datagram(1));
    queue.push({0, 1, 3}, false, datagram(1));
    queue.push({0, 1, 4}, true, datagram(1));
    for (uint32_t slot : {2u, 4u, 1u, 3u}) CPPUNIT_ASSERT_EQUAL(slot, queue.pop(now_)->peer.slot);
  }
  void what_is_sent_again_while_it_waits_is_kept_once() {
    HandshakeQueue queue;
    const PeerId peer{0, 1, 1}, other{0, 1, 2};
    CPPUNIT_ASSERT(!queue.push(peer, false, datagram(0, 0)));
    CPPUNIT_ASSERT(queue.push(peer, false, datagram(0, 1)) == Drop::duplicate);
    CPPUNIT_ASSERT(!queue.push(other, false, datagram(0, 1)));
    CPPUNIT_ASSERT(!queue.push(peer, false, datagram(1, 2)));            // the next message
    CPPUNIT_ASSERT(!queue.push(peer, false, datagram(0, 3, 101)));       // with another behind it
    CPPUNIT_ASSERT(!queue.push(peer, false, {{}, {bytes_.data(), 5}}));  // junk is no message
    CPPUNIT_ASSERT(!queue.push(peer, false, {{}, {bytes_.data(), 5}}));
    queue.pop(now_);
    CPPUNIT_ASSERT(!queue.push(peer, false, datagram(0, 4)));
  }
  void a_peer_that_sends_many_leaves_room_for_others() {
    HandshakeQueue queue;
    const PeerId greedy{0, 1, 3}, modest{0, 1, 700};
    size_t taken = 0;
    for (int i = 0; i < 100; ++i) taken += !queue.push(greedy, true, datagram(static_cast<uint8_t>(i), 0, 1200));
    CPPUNIT_ASSERT_EQUAL(HandshakeQueue::max_bytes_of_peer / 1264, taken);
    CPPUNIT_ASSERT(queue.bytes() <= HandshakeQueue::max_bytes_of_peer);
    CPPUNIT_ASSERT(queue.push(greedy, true, datagram(200, 0, 1200)) == Drop::queue_full);
    // Many peers fill it, and it goes on when there is room again.
    for (uint32_t slot = 1000; queue.bytes() + 1464 <= HandshakeQueue::max_bytes; ++slot)
      CPPUNIT_ASSERT(!queue.push({0, 1, slot}, false, datagram(3, 0, 1400)));
    CPPUNIT_ASSERT(queue.push(modest, false, datagram(2, 0, 1400)) == Drop::queue_full);
    CPPUNIT_ASSERT(!queue.waits(modest));
    queue.pop(now_);
    CPPUNIT_ASSERT(!queue.push(modest, false, datagram(2)));
    CPPUNIT_ASSERT(!queue.push(greedy, true, datagram(1)));
  }
  void one_that_we_begin_waits_in_the_same_line() {
    HandshakeQueue queue;
    const auto most = static_cast<uint32_t>(HandshakeQueue::max_under_way);
    for (uint32_t slot = 0; slot < most + 1; ++slot) queue.push({0, 1, slot});
    queue.push({0, 1, 3});  // waits already
    CPPUNIT_ASSERT(!queue.push({0, 1, 4}, false, datagram(1)));
    for (uint32_t slot = 0; slot < most; ++slot) {
      auto next = queue.pop(now_);
      CPPUNIT_ASSERT(next && next->peer.slot == slot);
      CPPUNIT_ASSERT_EQUAL(size_t{slot == 4}, next->datagrams.size());
    }
    CPPUNIT_ASSERT(!queue.pop(now_));
    queue.over({0, 1, 0});
    CPPUNIT_ASSERT_EQUAL(most, queue.pop(now_)->peer.slot);
    CPPUNIT_ASSERT(queue.empty());
  }
  void a_peer_that_is_gone_waits_no_longer() {
    HandshakeQueue queue;
    const PeerId gone{0, 1, 1}, stays{0, 1, 2};
    for (const PeerId& peer : {gone, stays}) CPPUNIT_ASSERT(!queue.push(peer, peer == stays, datagram(1)));
    queue.forget(gone);
    queue.forget({0, 1, 9});
    CPPUNIT_ASSERT(!queue.waits(gone) && queue.size() == 1);
    CPPUNIT_ASSERT(queue.pop(now_)->peer == stays);
    CPPUNIT_ASSERT(!queue.pop(now_) && queue.bytes() == 0);
  }
  void only_so_many_are_under_way() {
    HandshakeQueue queue;
    CPPUNIT_ASSERT(queue.next() == never);
    const auto most = static_cast<uint32_t>(HandshakeQueue::max_under_way);
    for (uint32_t slot = 0; slot < most + 3; ++slot) queue.push({0, 1, slot}, false, datagram(1));
    CPPUNIT_ASSERT(queue.next() <= now_);
    for (uint32_t slot = 0; slot < most; ++slot) CPPUNIT_ASSERT(queue.pop(now_ + slot * 1us));
    CPPUNIT_ASSERT(!queue.pop(now_ + 1ms));
    CPPUNIT_ASSERT(queue.next() == now_ + HandshakeQueue::patience);
    // Those under way go on,
    queue.push({0, 1, 7}, true, datagram(2));
    CPPUNIT_ASSERT(queue.next() <= now_);
    CPPUNIT_ASSERT_EQUAL(uint32_t{7}, queue.pop(now_ + 1ms)->peer.slot);
    // and where one ends another begins.
    CPPUNIT_ASSERT(!queue.pop(now_ + 1ms));
    queue.over({0, 1, 7});
    queue.over({0, 1, most + 2});  // never began
    CPPUNIT_ASSERT_EQUAL(most, queue.pop(now_ + 1ms)->peer.slot);
    CPPUNIT_ASSERT(!queue.pop(now_ + 1ms));
    // Slow ones keep nobody waiting.
    CPPUNIT_ASSERT_EQUAL(most + 1, queue.pop(now_ + HandshakeQueue::patience)->peer.slot);
    CPPUNIT_ASSERT(!queue.pop(now_ + HandshakeQueue::patience));
    CPPUNIT_ASSERT_EQUAL(most + 2, queue.pop(now_ + HandshakeQueue::patience + 1us)->peer.slot);
    CPPUNIT_ASSERT(queue.next() == never);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HandshakeQueueTest);
class PaceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PaceTest);
  CPPUNIT_TEST(few_packets_are_calm);
  CPPUNIT_TEST(one_publisher_to_many_comes_in_bursts);
  CPPUNIT_TEST(many_publishers_are_steady);
  CPPUNIT_TEST(a_rate_at_the_border_does_not_swing);
  CPPUNIT_TEST_SUITE_END();

  Time now_{1000s};
  uint64_t in_ = 0, out_ = 0;
  // Turns of a second with so many packets a second.
  void pass(Pace& pace, uint64_t in_pps, uint64_t out_pps) {
    for (int turn = 0; turn < 100; ++turn) {
      now_ += 10ms;
      pace.turned(in_ += in_pps / 100, out_ += out_pps / 100, now_);
    }
  }

public:
  void few_packets_are_calm() {
    Pace pace(1ms, 30000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::calm);
    pass(pace, 9000, 18000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::calm);
  }
  void one_publisher_to_many_comes_in_bursts() {
    Pace pace(1ms, 30000);
    pass(pace, 300, 46000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::bursts);
    pass(pace, 300, 2000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::calm);
  }
  void many_publishers_are_steady() {
    Pace pace(1ms, 30000);
    pass(pace, 4600, 46000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::steady);
    pass(pace, 300, 46000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::bursts);
    pass(pace, 0, 0);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::calm);
  }
  void a_rate_at_the_border_does_not_swing() {
    Pace pace(1ms, 30000);
    pass(pace, 900, 28000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::calm);
    pass(pace, 1100, 30000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::steady);
    pass(pace, 900, 28000);
    CPPUNIT_ASSERT(pace.load() == Pace::Load::steady);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RunPlannerTest);
CPPUNIT_TEST_SUITE_REGISTRATION(TimerWheelTest);
CPPUNIT_TEST_SUITE_REGISTRATION(PaceTest);
CPPUNIT_TEST_SUITE_REGISTRATION(PacketRingTest);

}  // namespace
}  // namespace cardea::worker
