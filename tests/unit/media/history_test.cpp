#include <cppunit/extensions/HelperMacros.h>

#include <map>

#include "base/random.hpp"
#include "media/history.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;

class HistoryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HistoryTest);
  CPPUNIT_TEST(a_packet_is_found_by_its_number);
  CPPUNIT_TEST(old_packets_go_back_to_the_pool);
  CPPUNIT_TEST(no_more_than_the_bound_is_kept);
  CPPUNIT_TEST(a_jump_forgets_what_was_before);
  CPPUNIT_TEST(any_order_agrees_with_a_map);
  CPPUNIT_TEST_SUITE_END();

public:
  void a_packet_is_found_by_its_number() {
    rtp::PacketPool pool;
    History history;
    for (rtp::SeqNo seq : {10, 11, 14, 12, 9}) history.put(test::packet(pool, seq));
    for (rtp::SeqNo seq : {9, 10, 11, 12, 14}) CPPUNIT_ASSERT_EQUAL(seq, history.find(seq)->seq);
    for (rtp::SeqNo seq : {8, 13, 15, 10 + 32, 14 - 64}) CPPUNIT_ASSERT(!history.find(seq));
    CPPUNIT_ASSERT_EQUAL(size_t{5}, history.size());
    history.clear();
    CPPUNIT_ASSERT(!history.find(10) && pool.in_use() == 0);
  }
  void old_packets_go_back_to_the_pool() {
    rtp::PacketPool pool;
    History history(1s);
    for (int i = 0; i < 500; ++i) history.put(test::packet(pool, i, at(i * 10ms)));
    CPPUNIT_ASSERT_EQUAL(size_t{101}, history.size());
    CPPUNIT_ASSERT_EQUAL(size_t{101}, pool.in_use());
    history.expire(at(10s));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pool.in_use());
    CPPUNIT_ASSERT(!history.find(499));
  }
  void no_more_than_the_bound_is_kept() {
    rtp::PacketPool pool;
    History history(1s);
    for (int i = 0; i < 5000; ++i) history.put(test::packet(pool, i));
    CPPUNIT_ASSERT_EQUAL(History::max_packets, history.size());
    CPPUNIT_ASSERT(history.find(4999) && history.find(5000 - 1024) && !history.find(5000 - 1025));
  }
  void a_jump_forgets_what_was_before() {
    rtp::PacketPool pool;
    History history;
    for (int i = 0; i < 100; ++i) history.put(test::packet(pool, i));
    history.put(test::packet(pool, 30000));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, history.size());
    history.put(test::packet(pool, 50));  // far too late
    CPPUNIT_ASSERT(!history.find(50) && history.find(30000));
  }
  // Model: a map of everything; what is found must be the right packet, what is young and near the top must be found.
  void any_order_agrees_with_a_map() {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      SeededRandom random(seed);
      rtp::PacketPool pool;
      History history(1s);
      std::map<rtp::SeqNo, Time> all;
      rtp::SeqNo top = 70000;
      for (int step = 0; step < 3000; ++step) {
        const Time now = at(step * 4ms);
        rtp::SeqNo seq = 0;
        if (random.below(4) != 0) {
          seq = top += 1 + static_cast<rtp::SeqNo>(random.below(random.below(50) == 0 ? 60 : 2));
        } else {
          seq = top - static_cast<rtp::SeqNo>(random.below(100));
        }
        if (seq < 70000) continue;
        history.put(test::packet(pool, seq, now));
        all[seq] = now;
        for (int look = 0; look < 5; ++look) {
          const rtp::SeqNo wanted = top - static_cast<rtp::SeqNo>(random.below(200));
          const auto known = all.find(wanted);
          const rtp::SharedPacket found = history.find(wanted);
          if (found) CPPUNIT_ASSERT(known != all.end() && found->seq == wanted && found->arrival == known->second);
          if (!found && known != all.end()) {
            const auto oldest_kept =
                std::find_if(all.begin(), all.end(), [&](auto& one) { return one.first >= wanted; });
            CPPUNIT_ASSERT(now - oldest_kept->second > 1s);
          }
        }
      }
      CPPUNIT_ASSERT_EQUAL(pool.in_use(), history.size());
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(HistoryTest);

}  // namespace
}  // namespace cardea::media
