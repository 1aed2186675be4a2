#include <cppunit/extensions/HelperMacros.h>

#include <vector>

#include "sim/link.hpp"

namespace cardea::sim {
namespace {

class LinkTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LinkTest);
  CPPUNIT_TEST(a_clean_link_delays_and_keeps_order);
  CPPUNIT_TEST(the_same_seed_loses_the_same_messages);
  CPPUNIT_TEST(a_full_queue_loses_what_does_not_fit);
  CPPUNIT_TEST(overtaken_messages_come_late);
  CPPUNIT_TEST_SUITE_END();

  struct Run {
    std::vector<int> came;
    Duration last{};
  };
  static Run run(uint64_t seed, const LinkOptions& options, int count, size_t bytes) {
    World world;
    Run run;
    Link<int> link(world, seed, options, [&](int number) {
      run.came.push_back(number);
      run.last = world.elapsed();
    });
    int next = 0;
    world.every(1ms, [&] { return link.send(next, bytes), ++next < count; });
    world.run(10s);
    return run;
  }

public:
  void a_clean_link_delays_and_keeps_order() {
    const Run clean = run(1, {.delay = 30ms, .jitter = 20ms}, 1000, 100);
    CPPUNIT_ASSERT_EQUAL(size_t{1000}, clean.came.size());
    CPPUNIT_ASSERT(std::is_sorted(clean.came.begin(), clean.came.end()));
    CPPUNIT_ASSERT(clean.last >= 999ms + 30ms && clean.last <= 999ms + 50ms);
  }
  void the_same_seed_loses_the_same_messages() {
    const LinkOptions options{.loss = 0.1, .burst_begin = 0.01};
    const Run one = run(1, options, 1000, 100);
    CPPUNIT_ASSERT(one.came == run(1, options, 1000, 100).came);
    CPPUNIT_ASSERT(one.came != run(2, options, 1000, 100).came);
    CPPUNIT_ASSERT(one.came.size() > 800 && one.came.size() < 920);
  }
  void a_full_queue_loses_what_does_not_fit() {
    const Run slow = run(1, {.delay = 0ms, .rate_bps = 4'000'000}, 4000, 1000);  // twice what fits
    CPPUNIT_ASSERT(slow.came.size() > 2000 && slow.came.size() < 2200);
    CPPUNIT_ASSERT(slow.last < 4400ms);
  }
  void overtaken_messages_come_late() {
    Run run = LinkTest::run(1, {.reorder = 0.1}, 1000, 100);
    CPPUNIT_ASSERT_EQUAL(size_t{1000}, run.came.size());
    CPPUNIT_ASSERT(!std::is_sorted(run.came.begin(), run.came.end()));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LinkTest);

}  // namespace
}  // namespace cardea::sim
