// Randomness, the outbox, the drop counters.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/drop.hpp"
#include "base/outbox.hpp"
#include "base/random.hpp"

namespace cardea {
namespace {

class SmallPartsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SmallPartsTest);
  CPPUNIT_TEST(a_seed_gives_the_same_numbers_every_time);
  CPPUNIT_TEST(the_systems_numbers_differ);
  CPPUNIT_TEST(numbers_stay_below_their_bound);
  CPPUNIT_TEST(words_are_letters_and_digits);
  CPPUNIT_TEST(an_outbox_keeps_order_and_bytes);
  CPPUNIT_TEST(a_cleared_outbox_is_empty);
  CPPUNIT_TEST(every_drop_has_a_name_of_its_own);
  CPPUNIT_TEST(drops_are_counted_and_summed_by_name);
  CPPUNIT_TEST_SUITE_END();

  void a_seed_gives_the_same_numbers_every_time() {
    SeededRandom one(1), again(1), other(2);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
      uint64_t number = one.u64();
      CPPUNIT_ASSERT_EQUAL(number, again.u64());
      differs = differs || number != other.u64();
    }
    CPPUNIT_ASSERT(differs);
    CPPUNIT_ASSERT(one.word(20) == again.word(20));
  }

  void the_systems_numbers_differ() {
    SystemRandom random;
    std::set<uint64_t> seen;
    for (int i = 0; i < 100; ++i) seen.insert(random.u64());
    CPPUNIT_ASSERT_EQUAL(size_t{100}, seen.size());
    std::array<uint8_t, 1000> bytes{};
    random.fill(bytes);
    CPPUNIT_ASSERT(std::count(bytes.begin(), bytes.end(), 0) < 100);
    random.fill({});
  }

  void numbers_stay_below_their_bound() {
    SeededRandom random(3);
    std::set<uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
    CPPUNIT_ASSERT_EQUAL(size_t{7}, seen.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{6}, *seen.rbegin());
  }

  void words_are_letters_and_digits() {
    SystemRandom random;
    std::string word = random.word(500);
    CPPUNIT_ASSERT_EQUAL(size_t{500}, word.size());
    CPPUNIT_ASSERT(std::all_of(word.begin(), word.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }));
    CPPUNIT_ASSERT(random.word(0).empty());
  }

  void an_outbox_keeps_order_and_bytes() {
    Outbox out;
    Address to = *Address::parse("192.0.2.1", 1);
    for (int i = 0; i < 200; ++i) {
      to.port = static_cast<uint16_t>(i);
      out.send(to, bytes_of(std::string(static_cast<size_t>(i), static_cast<char>(i))));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{200}, out.size());
    for (size_t i = 0; i < 200; ++i) {
      CPPUNIT_ASSERT_EQUAL(i, size_t{out[i].to.port});
      CPPUNIT_ASSERT_EQUAL(i, out[i].bytes.size());
      if (i > 0) CPPUNIT_ASSERT_EQUAL(i, size_t{out[i].bytes.back()});
    }
  }

  void a_cleared_outbox_is_empty() {
    Outbox out;
    out.send({}, bytes_of("one"));
    out.clear();
    CPPUNIT_ASSERT(out.empty());
    out.send({}, bytes_of("two"));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT(text_of(out[0].bytes) == "two");
  }

  void every_drop_has_a_name_of_its_own() {
    std::set<std::string_view> names(drop_names.begin(), drop_names.end());
    CPPUNIT_ASSERT_EQUAL(drop_count, names.size());
    CPPUNIT_ASSERT(name(Drop::malformed) == "malformed");
    CPPUNIT_ASSERT(name(Drop::waiting_keyframe) == "waiting_keyframe");
    CPPUNIT_ASSERT(name(Drop::too_large) == "too_large");
    CPPUNIT_ASSERT_EQUAL(drop_count - 1, static_cast<size_t>(Drop::address_taken));
  }

  void drops_are_counted_and_summed_by_name() {
    Drops one, two;
    one.count(Drop::layer);
    one.count(Drop::layer, 4);
    two.count(Drop::layer);
    two.count(Drop::muted);
    one += two;
    CPPUNIT_ASSERT_EQUAL(uint64_t{6}, one[Drop::layer]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, one[Drop::muted]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, one[Drop::codec]);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SmallPartsTest);

}  // namespace
}  // namespace cardea
