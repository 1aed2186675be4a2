#include <cppunit/extensions/HelperMacros.h>

#include <vector>

#include "media/keyframe_requests.hpp"
#include "media/remb.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;

class KeyframeRequestsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KeyframeRequestsTest);
  CPPUNIT_TEST(the_first_request_goes_at_once);
  CPPUNIT_TEST(requests_within_the_gap_become_one);
  CPPUNIT_TEST(an_unanswered_request_is_repeated_a_few_times);
  CPPUNIT_TEST(a_keyframe_serves_all_who_asked);
  CPPUNIT_TEST_SUITE_END();

public:
  void the_first_request_goes_at_once() {
    KeyframeRequests requests;
    CPPUNIT_ASSERT(!requests.due(at(0ms)) && requests.next_deadline() == never);
    requests.request(at(5ms));
    CPPUNIT_ASSERT(requests.next_deadline() == at(5ms));
    CPPUNIT_ASSERT(requests.due(at(5ms)));
    CPPUNIT_ASSERT(!requests.due(at(5ms)));
  }
  void requests_within_the_gap_become_one() {
    KeyframeRequests requests;
    int sent = 0;
    for (Duration t = 0ms; t < 2s; t += 5ms) {
      requests.request(at(t));
      sent += requests.due(at(t)) ? 1 : 0;
    }
    CPPUNIT_ASSERT_EQUAL(4, sent);
  }
  void an_unanswered_request_is_repeated_a_few_times() {
    KeyframeRequests requests;
    requests.request(at(0ms));
    std::vector<int64_t> when;
    for (Duration t = 0ms; t < 20s; t += 100ms)
      if (requests.due(at(t))) when.push_back(to_ms(t));
    CPPUNIT_ASSERT((when == std::vector<int64_t>{0, 1000, 2000, 3000, 4000}));
    CPPUNIT_ASSERT(requests.next_deadline() == never);
  }
  void a_keyframe_serves_all_who_asked() {
    KeyframeRequests requests;
    requests.request(at(0ms));
    CPPUNIT_ASSERT(requests.due(at(0ms)));
    requests.request(at(100ms));
    requests.keyframe_arrived();
    CPPUNIT_ASSERT(!requests.due(at(10s)));
    requests.request(at(10s));
    CPPUNIT_ASSERT(requests.due(at(10s)));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(KeyframeRequestsTest);

class RembTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RembTest);
  CPPUNIT_TEST(nothing_is_told_before_media_comes);
  CPPUNIT_TEST(the_cap_is_ramped_up_then_repeated);
  CPPUNIT_TEST(a_new_cap_is_told_at_once);
  CPPUNIT_TEST(no_cap_is_told_as_a_high_one);
  CPPUNIT_TEST_SUITE_END();

public:
  void nothing_is_told_before_media_comes() {
    Remb remb;
    remb.set_cap(128000, at(0s));
    CPPUNIT_ASSERT(!remb.due(at(1h)) && remb.next_deadline() == never);
  }
  void the_cap_is_ramped_up_then_repeated() {
    Remb remb;
    remb.set_cap(1'200'000, at(0s));
    remb.start(at(1s));
    remb.start(at(1s));
    std::vector<std::pair<int64_t, uint32_t>> told;
    for (Duration t = 0s; t < 12s; t += 100ms)
      if (auto bps = remb.due(at(t))) told.push_back({to_ms(t), *bps});
    const std::vector<std::pair<int64_t, uint32_t>> expected{{1000, 300'000},   {1200, 400'000},   {1400, 600'000},
                                                             {1600, 1'200'000}, {6600, 1'200'000}, {11600, 1'200'000}};
    CPPUNIT_ASSERT(expected == told);
  }
  void a_new_cap_is_told_at_once() {
    Remb remb;
    remb.start(at(0s));
    for (Duration t = 0s; t < 1s; t += 100ms) remb.due(at(t));
    remb.set_cap(500'000, at(1s));
    CPPUNIT_ASSERT(remb.due(at(1s)) == 500'000u);
    remb.set_cap(500'000, at(1100ms));
    CPPUNIT_ASSERT(!remb.due(at(1100ms)));
  }
  void no_cap_is_told_as_a_high_one() {
    Remb remb;
    remb.start(at(0s));
    CPPUNIT_ASSERT(remb.due(at(0s)) == 2'500'000u);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RembTest);

}  // namespace
}  // namespace cardea::media
