#include <cppunit/extensions/HelperMacros.h>

#include "media/activity.hpp"
#include "media/slow_link.hpp"
#include "media/talk_detector.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;

class SignsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SignsTest);
  CPPUNIT_TEST(talking_is_told_when_it_begins_and_ends);
  CPPUNIT_TEST(an_average_of_nothing_is_harmless);
  CPPUNIT_TEST(media_is_told_when_it_comes_and_ceases);
  CPPUNIT_TEST(each_substream_ceases_by_itself);
  CPPUNIT_TEST(without_a_timer_nothing_is_told);
  CPPUNIT_TEST(a_slow_link_is_told_from_the_threshold_on);
  CPPUNIT_TEST_SUITE_END();

public:
  void talking_is_told_when_it_begins_and_ends() {
    TalkDetector detector({.active_packets = 10, .level_average = 25});
    const auto hear = [&](uint8_t level, int times) {
      std::optional<TalkDetector::Change> change;
      for (int i = 0; i < times; ++i)
        if (auto now = detector.heard(level)) change = now;
      return change;
    };
    CPPUNIT_ASSERT(!hear(127, 20));
    CPPUNIT_ASSERT(!hear(10, 9));
    auto change = hear(20, 1);
    CPPUNIT_ASSERT(change && change->talking && change->level == 11.0);
    CPPUNIT_ASSERT(!hear(10, 30) && detector.talking());
    change = hear(25, 10);  // not below the average
    CPPUNIT_ASSERT(change && !change->talking);
  }
  void an_average_of_nothing_is_harmless() {
    TalkDetector detector({.active_packets = 0, .level_average = 25});
    CPPUNIT_ASSERT(detector.heard(0)->talking);
  }
  void media_is_told_when_it_comes_and_ceases() {
    Activity activity(1s);
    CPPUNIT_ASSERT(activity.received(0, at(0ms)));
    CPPUNIT_ASSERT(!activity.received(0, at(500ms)));
    CPPUNIT_ASSERT(activity.next_deadline() == at(1500ms));
    CPPUNIT_ASSERT(!activity.ceased(at(1499ms)));
    const auto change = activity.ceased(at(1500ms));
    CPPUNIT_ASSERT(change && change->substream == 0 && !change->receiving);
    CPPUNIT_ASSERT(!activity.ceased(at(2s)) && activity.next_deadline() == never);
    CPPUNIT_ASSERT(activity.received(0, at(3s)));
    CPPUNIT_ASSERT(activity.stop() && !activity.stop() && !activity.ceased(at(9s)));
  }
  void each_substream_ceases_by_itself() {
    Activity activity(1s);
    activity.received(0, at(0ms));
    activity.received(2, at(0ms));
    activity.received(0, at(900ms));
    const auto change = activity.ceased(at(1s));
    CPPUNIT_ASSERT(change && change->substream == 2);
    CPPUNIT_ASSERT(!activity.ceased(at(1s)) && activity.receiving(0) && !activity.receiving(2));
    activity.received(200, at(1s));  // out of range: the first one's
  }
  void without_a_timer_nothing_is_told() {
    Activity activity(0s);
    CPPUNIT_ASSERT(!activity.received(0, at(0s)) && !activity.ceased(at(1h)));
  }
  void a_slow_link_is_told_from_the_threshold_on() {
    SlowLink link(10);
    CPPUNIT_ASSERT(!link.lost(9));
    CPPUNIT_ASSERT(link.lost(19) == 10u);
    CPPUNIT_ASSERT(!link.lost(5));  // late packets came
    CPPUNIT_ASSERT(link.lost(16) == 11u);
    SlowLink off(0);
    CPPUNIT_ASSERT(!off.lost(1000));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SignsTest);

}  // namespace
}  // namespace cardea::media
