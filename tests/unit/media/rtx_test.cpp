#include <cppunit/extensions/HelperMacros.h>

#include "media/rtx.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

class RtxTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RtxTest);
  CPPUNIT_TEST(unwrapping_gives_the_original_packet_back);
  CPPUNIT_TEST(a_probe_without_original_number_is_refused);
  CPPUNIT_TEST_SUITE_END();

public:
  void unwrapping_gives_the_original_packet_back() {
    rtp::PacketPool pool;
    rtp::PacketRef rtx = test::packet(pool, 77);
    const uint8_t header[] = {0x80, 0x80 | 97, 0, 77, 1, 2, 3, 4, 9, 9, 9, 9, 0x12, 0x34, 'a', 'b', 'c'};
    std::copy(std::begin(header), std::end(header), rtx->bytes.begin());
    rtx->size = sizeof header;
    CPPUNIT_ASSERT(unwrap_rtx(*rtx, 0x01020304, 96) == 0x1234);
    const uint8_t original[] = {0x80, 0x80 | 96, 0x12, 0x34, 1, 2, 3, 4, 1, 2, 3, 4, 'a', 'b', 'c'};
    CPPUNIT_ASSERT_EQUAL(sizeof original, size_t{rtx->size});
    CPPUNIT_ASSERT(std::equal(std::begin(original), std::end(original), rtx->bytes.begin()));
    CPPUNIT_ASSERT(text_of(rtx->payload()) == "abc");
    CPPUNIT_ASSERT(rtx->recovered && rtx->ssrc == 0x01020304 && rtx->payload_type == 96);
  }
  void a_probe_without_original_number_is_refused() {
    rtp::PacketPool pool;
    rtp::PacketRef rtx = test::packet(pool, 77);
    for (uint16_t size = 12; size < 14; ++size) {
      rtx->size = size;
      CPPUNIT_ASSERT(!unwrap_rtx(*rtx, 1, 96));
    }
    CPPUNIT_ASSERT(!rtx->recovered);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RtxTest);

}  // namespace
}  // namespace cardea::media
