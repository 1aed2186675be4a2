#include <cppunit/extensions/HelperMacros.h>

#include "hex.hpp"
#include "rtp/opus.hpp"

namespace cardea::rtp {
namespace {

class OpusTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OpusTest);
  CPPUNIT_TEST(silence_is_told_by_length);
  CPPUNIT_TEST(the_primary_block_is_found);
  CPPUNIT_TEST(broken_red_is_refused);
  CPPUNIT_TEST(all_blocks_are_renumbered);
  CPPUNIT_TEST_SUITE_END();

  // Two older blocks of 2 and 1 bytes, then the primary of 3; payload type 111.
  const std::vector<uint8_t> red = hex("ef 1e 00 02  ef 0f 00 01  6f  a1 a2  b1  c1 c2 c3");

  void silence_is_told_by_length() {
    CPPUNIT_ASSERT(is_dtx(hex("08")));
    CPPUNIT_ASSERT(is_dtx(hex("08 00")));
    CPPUNIT_ASSERT(!is_dtx(hex("08 00 01")));
  }

  void the_primary_block_is_found() {
    auto primary = find_primary(red);
    CPPUNIT_ASSERT(primary);
    CPPUNIT_ASSERT_EQUAL(111, int(primary->payload_type));
    CPPUNIT_ASSERT_EQUAL(size_t{12}, primary->at);
    auto alone = find_primary(hex("6f c1"));
    CPPUNIT_ASSERT(alone && alone->at == 1);
    auto empty = find_primary(hex("ef 1e 00 02 6f a1 a2"));  // nothing new in it
    CPPUNIT_ASSERT(empty && empty->at == 7);
  }

  void broken_red_is_refused() {
    for_each_truncation(hex("ef 1e 00 02  ef 0f 00 01  6f  a1 a2  b1"),
                        [](const auto& cut) { CPPUNIT_ASSERT(!find_primary(cut)); });
    CPPUNIT_ASSERT(!find_primary(hex("ef ff ff ff 6f a1")));
    CPPUNIT_ASSERT(!find_primary(hex("ef ef ef ef ef ef ef ef")));
  }

  void all_blocks_are_renumbered() {
    auto copy = red;
    CPPUNIT_ASSERT(renumber_red(copy, 96));
    CPPUNIT_ASSERT(copy == hex("e0 1e 00 02  e0 0f 00 01  60  a1 a2  b1  c1 c2 c3"));
    auto broken = hex("ef 1e 00 02  ef 0f 00 01  6f  a1");
    auto before = broken;
    CPPUNIT_ASSERT(!renumber_red(broken, 96));
    CPPUNIT_ASSERT(broken == before);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(OpusTest);

}  // namespace
}  // namespace cardea::rtp
