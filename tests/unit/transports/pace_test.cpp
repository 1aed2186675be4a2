// When a server's thread looks at its sockets.
#include <cppunit/extensions/HelperMacros.h>

#include "common/pace.hpp"

namespace cardea::transports::test {

class PaceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PaceTest);
  CPPUNIT_TEST(one_request_at_a_time_never_waits_however_many_come);
  CPPUNIT_TEST(several_at_a_time_gather_when_many_come);
  CPPUNIT_TEST(a_few_at_a_time_now_and_then_do_not_wait);
  CPPUNIT_TEST(the_first_after_a_silence_does_not_wait);
  CPPUNIT_TEST(looks_that_bring_nothing_do_not_matter);
  CPPUNIT_TEST_SUITE_END();

  Pace pace_;
  Time now_{1h};

  // Looks of so many requests each.
  void look(int times, uint64_t requests, Duration apart) {
    for (int i = 0; i < times; ++i) pace_.looked(requests, now_ += apart);
  }
  bool waits() const { return pace_.next_look() > now_; }

  void one_request_at_a_time_never_waits_however_many_come() {
    look(10000, 1, 20us);
    CPPUNIT_ASSERT(!waits());
  }
  void several_at_a_time_gather_when_many_come() {
    CPPUNIT_ASSERT(!waits());
    look(100, 4, 200us);
    CPPUNIT_ASSERT(pace_.next_look() == now_ + Pace::tick);
    look(20, 16, 1ms);  // as they come when they gather
    CPPUNIT_ASSERT(waits());
    look(1000, 1, 100us);  // each alone again
    CPPUNIT_ASSERT(!waits());
  }
  void a_few_at_a_time_now_and_then_do_not_wait() {
    look(1000, 20, 10ms);  // candidates, say: 2,000 requests a second
    CPPUNIT_ASSERT(!waits());
  }
  void the_first_after_a_silence_does_not_wait() {
    look(100, 16, 1ms);
    CPPUNIT_ASSERT(waits());
    look(1, 16, 1s);
    CPPUNIT_ASSERT(!waits());
  }
  void looks_that_bring_nothing_do_not_matter() {
    look(100, 4, 200us);
    const Time next = pace_.next_look();
    look(100, 0, 1us);
    CPPUNIT_ASSERT(pace_.next_look() == next);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PaceTest);

}  // namespace cardea::transports::test
