#include <cppunit/extensions/HelperMacros.h>

#include "base/random.hpp"
#include "media/sequence.hpp"

namespace cardea::media {
namespace {

class SequenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SequenceTest);
  CPPUNIT_TEST(the_first_number_has_room_below_it);
  CPPUNIT_TEST(reordering_across_the_wrap_is_harmless);
  CPPUNIT_TEST(a_shuffled_stream_is_widened_as_it_was_sent);
  CPPUNIT_TEST(a_timestamp_is_later_within_half_the_range);
  CPPUNIT_TEST(ticks_count_without_overflow);
  CPPUNIT_TEST_SUITE_END();

public:
  void the_first_number_has_room_below_it() {
    SequenceWidener widener;
    CPPUNIT_ASSERT(!widener.started());
    CPPUNIT_ASSERT_EQUAL(rtp::SeqNo{0x10007}, widener.nearest(7));
    CPPUNIT_ASSERT_EQUAL(rtp::SeqNo{0x10003}, widener.widen(3));
    CPPUNIT_ASSERT_EQUAL(rtp::SeqNo{0xfffe}, widener.widen(0xfffe));
    CPPUNIT_ASSERT_EQUAL(rtp::SeqNo{0x10003}, widener.highest());
  }
  void reordering_across_the_wrap_is_harmless() {
    SequenceWidener widener;
    widener.widen(65534);
    const uint16_t wire[] = {0, 65535, 2, 1, 65533, 3};
    const rtp::SeqNo wide[] = {0x20000, 0x1ffff, 0x20002, 0x20001, 0x1fffd, 0x20003};
    for (size_t i = 0; i < std::size(wire); ++i) CPPUNIT_ASSERT_EQUAL(wide[i], widener.widen(wire[i]));
  }
  void a_shuffled_stream_is_widened_as_it_was_sent() {
    SeededRandom random(1);
    SequenceWidener widener;
    rtp::SeqNo sent = 0x10000 + 40000;
    widener.widen(static_cast<uint16_t>(sent));
    for (int i = 0; i < 20000; ++i) {
      sent += static_cast<rtp::SeqNo>(random.below(100));
      const rtp::SeqNo late = sent - static_cast<rtp::SeqNo>(random.below(1000));
      CPPUNIT_ASSERT_EQUAL(sent, widener.widen(static_cast<uint16_t>(sent)));
      CPPUNIT_ASSERT_EQUAL(late, widener.widen(static_cast<uint16_t>(late)));
      CPPUNIT_ASSERT_EQUAL(sent, widener.highest());
    }
  }
  void a_timestamp_is_later_within_half_the_range() {
    CPPUNIT_ASSERT(later(1, 0) && !later(0, 1) && !later(7, 7));
    CPPUNIT_ASSERT(later(5, 0xfffffff0) && !later(0xfffffff0, 5));
  }
  void ticks_count_without_overflow() {
    CPPUNIT_ASSERT_EQUAL(uint32_t{3000}, ticks(33334us, 90000));
    CPPUNIT_ASSERT_EQUAL(static_cast<uint32_t>(int64_t{90000} * 86400 * 365),
                         ticks(std::chrono::hours(24 * 365), 90000));
    CPPUNIT_ASSERT_EQUAL(static_cast<uint32_t>(-90), ticks(-1ms, 90000));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SequenceTest);

}  // namespace
}  // namespace cardea::media
