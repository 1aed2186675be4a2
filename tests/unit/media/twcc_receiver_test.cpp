#include <cppunit/extensions/HelperMacros.h>

#include <map>

#include "base/random.hpp"
#include "media/twcc_receiver.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;

class TwccReceiverTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TwccReceiverTest);
  CPPUNIT_TEST(feedback_is_due_an_interval_after_the_first_arrival);
  CPPUNIT_TEST(many_arrivals_do_not_wait_for_the_interval);
  CPPUNIT_TEST(a_jump_is_not_told_as_losses);
  CPPUNIT_TEST(any_arrivals_are_told_as_they_were);
  CPPUNIT_TEST_SUITE_END();

public:
  void feedback_is_due_an_interval_after_the_first_arrival() {
    TwccReceiver receiver(100ms);
    CPPUNIT_ASSERT(receiver.next_deadline() == never);
    receiver.arrived(1, at(7ms));
    receiver.arrived(2, at(50ms));
    CPPUNIT_ASSERT(receiver.next_deadline() == at(107ms));
    uint8_t bytes[1200];
    ByteWriter out(bytes);
    CPPUNIT_ASSERT(receiver.write(out, 1, 2, at(107ms)));
    CPPUNIT_ASSERT(!receiver.due(at(1h)) && !receiver.write(out, 1, 2, at(108ms)));
  }
  void many_arrivals_do_not_wait_for_the_interval() {
    TwccReceiver receiver(100ms);
    for (uint16_t i = 0; i < TwccReceiver::max_waiting; ++i) receiver.arrived(i, at(1ms));
    CPPUNIT_ASSERT(receiver.due(at(1ms)));
  }
  void a_jump_is_not_told_as_losses() {
    TwccReceiver receiver;
    receiver.arrived(1, at(0ms));
    uint8_t bytes[1200];
    ByteWriter first(bytes);
    CPPUNIT_ASSERT(receiver.write(first, 1, 2, at(100ms)));
    receiver.arrived(20000, at(200ms));
    ByteWriter second(bytes);
    CPPUNIT_ASSERT(receiver.write(second, 1, 2, at(300ms)));
    const auto feedback = rtp::TransportFeedback::parse(second.written().subspan(4));
    CPPUNIT_ASSERT(feedback && feedback->base_seq == 20000 && feedback->status_count == 1);
  }
  // Model: a map of what arrived. Everything is told once, in order, at its time; what is told as lost did not arrive
  // before.
  void any_arrivals_are_told_as_they_were() {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      SeededRandom random(seed);
      TwccReceiver receiver(50ms);
      std::map<rtp::SeqNo, Time> arrived;  // widened as the receiver does
      rtp::SeqNo top = 0x10000 + 65000, told_up_to = -1;
      size_t told = 0;
      uint8_t count = 0;
      std::optional<Duration> clock;  // from the far end's clock to ours
      for (int step = 0; step < 4000; ++step) {
        const Time now = at(step * 1ms);
        const bool back = step > 0 && random.below(5) == 0;
        const rtp::SeqNo seq = back ? top - static_cast<rtp::SeqNo>(random.below(4))
                                    : top + 1 + static_cast<rtp::SeqNo>(random.below(4) == 0 ? random.below(4) : 0);
        top = std::max(top, seq);
        receiver.arrived(static_cast<uint16_t>(seq), now);
        if (told_up_to < 0 && arrived.empty()) told_up_to = seq - 1;
        if (seq > told_up_to) arrived.emplace(seq, now);
        uint8_t bytes[1200];
        ByteWriter out(bytes);
        while (receiver.due(now) && receiver.write(out, 1, 2, now)) {
          const auto feedback = rtp::TransportFeedback::parse(out.written().subspan(4));
          CPPUNIT_ASSERT(feedback);
          CPPUNIT_ASSERT_EQUAL(count++, feedback->feedback_count);
          feedback->for_each([&](const rtp::TransportStatus& status) {
            CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(++told_up_to), status.seq);
            const auto known = arrived.find(told_up_to);
            CPPUNIT_ASSERT_EQUAL(known != arrived.end(), status.received);
            if (!status.received) return;
            ++told;
            const Duration apart = known->second.time_since_epoch() - status.at;
            if (!clock) clock = apart;
            CPPUNIT_ASSERT(std::chrono::abs(apart - *clock) < 1ms);
          });
          out = ByteWriter(bytes);
        }
      }
      CPPUNIT_ASSERT(told > 3000);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TwccReceiverTest);

}  // namespace
}  // namespace cardea::media
