#include <cppunit/extensions/HelperMacros.h>

#include <set>

#include "base/random.hpp"
#include "media/nack_tracker.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;
using Numbers = std::vector<rtp::SeqNo>;

Numbers due(NackTracker& tracker, Time now, Duration rtt = 100ms) {
  const auto numbers = tracker.due(now, rtt);
  return {numbers.begin(), numbers.end()};
}

class NackTrackerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NackTrackerTest);
  CPPUNIT_TEST(nothing_is_asked_for_in_an_unbroken_stream);
  CPPUNIT_TEST(a_gap_is_asked_for_when_two_later_packets_came);
  CPPUNIT_TEST(a_gap_at_the_end_is_asked_for_after_a_short_wait);
  CPPUNIT_TEST(two_swapped_packets_are_not_a_loss);
  CPPUNIT_TEST(a_lost_packet_is_asked_for_once_per_rtt);
  CPPUNIT_TEST(a_lost_packet_is_asked_for_ten_times_at_most);
  CPPUNIT_TEST(a_short_rtt_does_not_flood);
  CPPUNIT_TEST(a_recovered_packet_is_not_asked_for_again);
  CPPUNIT_TEST(duplicates_and_old_packets_are_told_apart);
  CPPUNIT_TEST(what_leaves_the_window_is_given_up);
  CPPUNIT_TEST(too_much_missing_is_hopeless_until_a_keyframe);
  CPPUNIT_TEST(any_loss_agrees_with_a_set);
  CPPUNIT_TEST_SUITE_END();

public:
  void nothing_is_asked_for_in_an_unbroken_stream() {
    NackTracker tracker;
    for (int i = 0; i < 3000; ++i) CPPUNIT_ASSERT(tracker.arrived(65536 + i, at(i * 1ms)));
    CPPUNIT_ASSERT(due(tracker, at(1h)).empty());
    CPPUNIT_ASSERT(tracker.next_deadline() == never);
  }
  void a_gap_is_asked_for_when_two_later_packets_came() {
    NackTracker tracker;
    tracker.arrived(10, at(0ms));
    tracker.arrived(13, at(0ms));
    CPPUNIT_ASSERT((due(tracker, at(0ms)) == Numbers{11}));  // 12 may still be swapped with 13
    tracker.arrived(14, at(1ms));
    CPPUNIT_ASSERT(tracker.next_deadline() == at(1ms));
    CPPUNIT_ASSERT((due(tracker, at(1ms)) == Numbers{12}));
  }
  void a_gap_at_the_end_is_asked_for_after_a_short_wait() {
    NackTracker tracker;
    tracker.arrived(10, at(0ms));
    tracker.arrived(12, at(0ms));
    CPPUNIT_ASSERT(due(tracker, at(0ms)).empty());
    CPPUNIT_ASSERT(tracker.next_deadline() == at(10ms));
    CPPUNIT_ASSERT((due(tracker, at(10ms)) == Numbers{11}));
  }
  void two_swapped_packets_are_not_a_loss() {
    NackTracker tracker;
    for (rtp::SeqNo seq = 0; seq < 100; seq += 2) {
      CPPUNIT_ASSERT(tracker.arrived(seq + 1, at(seq * 1ms)));
      CPPUNIT_ASSERT(due(tracker, at(seq * 1ms)).empty());
      CPPUNIT_ASSERT(tracker.arrived(seq, at(seq * 1ms)));
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, tracker.asked());
  }
  void a_lost_packet_is_asked_for_once_per_rtt() {
    NackTracker tracker;
    for (rtp::SeqNo seq : {1, 3, 4}) tracker.arrived(seq, at(0ms));
    int asked = 0;
    for (Duration t = 0ms; t < 450ms; t += 1ms) asked += static_cast<int>(due(tracker, at(t)).size());
    CPPUNIT_ASSERT_EQUAL(5, asked);  // 0, 110, 220, 330, 440 ms
  }
  void a_lost_packet_is_asked_for_ten_times_at_most() {
    NackTracker tracker;
    for (rtp::SeqNo seq : {1, 3, 4}) tracker.arrived(seq, at(0ms));
    for (Duration t = 0ms; t < 5s; t += 10ms) due(tracker, at(t));
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, tracker.asked());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, tracker.given_up());
    CPPUNIT_ASSERT(tracker.next_deadline() == never);
    CPPUNIT_ASSERT(tracker.arrived(2, at(5s)));  // late, but welcome
  }
  void a_short_rtt_does_not_flood() {
    NackTracker tracker;
    for (rtp::SeqNo seq : {1, 3, 4}) tracker.arrived(seq, at(0ms));
    int asked = 0;
    for (Duration t = 0ms; t < 100ms; t += 1ms) asked += static_cast<int>(due(tracker, at(t), 1ms).size());
    CPPUNIT_ASSERT_EQUAL(5, asked);
  }
  void a_recovered_packet_is_not_asked_for_again() {
    NackTracker tracker;
    for (rtp::SeqNo seq : {1, 4, 5}) tracker.arrived(seq, at(0ms));
    CPPUNIT_ASSERT((due(tracker, at(0ms)) == Numbers{2, 3}));
    CPPUNIT_ASSERT(tracker.arrived(2, at(50ms)));
    CPPUNIT_ASSERT(due(tracker, at(109ms)).empty());
    CPPUNIT_ASSERT((due(tracker, at(110ms)) == Numbers{3}));
    CPPUNIT_ASSERT(tracker.arrived(3, at(150ms)));
    CPPUNIT_ASSERT(due(tracker, at(1s)).empty());
    CPPUNIT_ASSERT(tracker.next_deadline() == never);
  }
  void duplicates_and_old_packets_are_told_apart() {
    NackTracker tracker;
    CPPUNIT_ASSERT(tracker.arrived(5000, at(0ms)));
    CPPUNIT_ASSERT(!tracker.arrived(5000, at(0ms)) && !tracker.too_old(5000));
    CPPUNIT_ASSERT(tracker.arrived(4001, at(0ms)));
    CPPUNIT_ASSERT(!tracker.arrived(4001, at(0ms)));
    CPPUNIT_ASSERT(!tracker.arrived(4000, at(0ms)) && tracker.too_old(4000));
  }
  void what_leaves_the_window_is_given_up() {
    NackTracker tracker;
    tracker.arrived(0, at(0ms));
    for (rtp::SeqNo seq = 2; seq < 1001; ++seq) tracker.arrived(seq, at(0ms));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, tracker.missing());
    tracker.arrived(1001, at(0ms));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, tracker.missing());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, tracker.given_up());
    CPPUNIT_ASSERT(!tracker.arrived(1, at(0ms)));
  }
  void too_much_missing_is_hopeless_until_a_keyframe() {
    NackTracker tracker;
    tracker.arrived(0, at(0ms));
    tracker.arrived(502, at(0ms));
    CPPUNIT_ASSERT(tracker.hopeless());
    CPPUNIT_ASSERT(due(tracker, at(1s)).empty());
    CPPUNIT_ASSERT(tracker.arrived(300, at(0ms)));
    tracker.keyframe_arrived();
    CPPUNIT_ASSERT(!tracker.hopeless());
    tracker.arrived(40000, at(0ms));
    CPPUNIT_ASSERT(tracker.hopeless());
    CPPUNIT_ASSERT(tracker.arrived(39999, at(0ms)) && !tracker.arrived(39999, at(0ms)));
  }
  // Model: sets of what came; nothing that came is asked for, everything that did not is, within the window.
  void any_loss_agrees_with_a_set() {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      SeededRandom random(seed);
      NackTracker tracker;
      std::set<rtp::SeqNo> came;
      rtp::SeqNo top = 1'000'000;
      Time now = at(0ms);
      came.insert(top);
      tracker.arrived(top, now);
      for (int step = 0; step < 5000; ++step) {
        now += std::chrono::milliseconds(random.below(5));
        const bool back = random.below(3) == 0;
        const rtp::SeqNo seq = back ? top - static_cast<rtp::SeqNo>(random.below(1200))
                                    : top + 1 + static_cast<rtp::SeqNo>(random.below(3));
        const bool fresh = !came.contains(seq) && seq > top - NackTracker::window;
        CPPUNIT_ASSERT_EQUAL(fresh, tracker.arrived(seq, now));
        if (fresh) came.insert(seq);
        top = std::max(top, seq);
        rtp::SeqNo before = 0;
        for (rtp::SeqNo asked : tracker.due(now, 30ms)) {
          CPPUNIT_ASSERT(!came.contains(asked) && asked > top - NackTracker::window && asked < top && asked > before);
          before = asked;
        }
      }
      CPPUNIT_ASSERT(tracker.asked() > 500);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(NackTrackerTest);

}  // namespace
}  // namespace cardea::media
