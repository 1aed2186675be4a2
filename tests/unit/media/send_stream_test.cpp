#include <cppunit/extensions/HelperMacros.h>

#include "media/send_stream.hpp"
#include "rtp/ntp.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;

class SendStreamTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SendStreamTest);
  CPPUNIT_TEST(a_sender_report_tells_the_timestamp_of_its_moment);
  CPPUNIT_TEST(report_blocks_give_round_trip_and_loss);
  CPPUNIT_TEST(a_number_is_resent_once_per_round_trip);
  CPPUNIT_TEST(resending_is_bounded_by_what_was_sent);
  CPPUNIT_TEST_SUITE_END();

public:
  void a_sender_report_tells_the_timestamp_of_its_moment() {
    SendStream stream(90000);
    CPPUNIT_ASSERT(!stream.started());
    stream.sent(1000, 0xfffffff0, at(1s));
    stream.sent(500, 3000 - 16, at(1033ms));
    stream.sent(500, 0xfffffff0, at(1040ms));  // a late one does not turn the clock back
    const rtp::SenderInfo info = stream.sender_info(at(2033ms));
    CPPUNIT_ASSERT_EQUAL(uint32_t{3000 - 16 + 90000}, info.rtp_timestamp);
    CPPUNIT_ASSERT_EQUAL(rtp::to_ntp64(at(2033ms)), info.ntp);
    CPPUNIT_ASSERT_EQUAL(uint32_t{3}, info.packets);
    CPPUNIT_ASSERT_EQUAL(uint32_t{2000}, info.octets);
  }
  void report_blocks_give_round_trip_and_loss() {
    SendStream stream;
    rtp::ReportBlock block;
    block.fraction_lost = 26;
    block.lost = 12;
    block.jitter = 900;
    stream.reported(block, at(1s));
    CPPUNIT_ASSERT(!stream.rtt());
    block.lsr = rtp::compact_ntp(at(1s));
    block.dlsr = rtp::to_compact_ntp(200ms);
    stream.reported(block, at(1300ms));
    CPPUNIT_ASSERT(stream.rtt() && *stream.rtt() > 99ms && *stream.rtt() < 101ms);
    CPPUNIT_ASSERT_EQUAL(uint64_t{12}, stream.lost());
    CPPUNIT_ASSERT_EQUAL(uint8_t{26}, stream.fraction_lost());
    CPPUNIT_ASSERT(stream.jitter() == 10ms);
    stream.reported(block, at(60s));  // a minute: not to be believed
    CPPUNIT_ASSERT(*stream.rtt() < 101ms);
    block.lost = -5;
    stream.reported(block, at(1300ms));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, stream.lost());
  }
  void a_number_is_resent_once_per_round_trip() {
    SendStream stream;
    CPPUNIT_ASSERT(stream.resend(0, 100, at(0ms)));
    CPPUNIT_ASSERT(!stream.resend(0, 100, at(10ms)));
    CPPUNIT_ASSERT(stream.resend(1, 100, at(10ms)));
    CPPUNIT_ASSERT(stream.resend(0, 100, at(30ms)));
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, stream.resent());
    stream.filled(5, at(40ms));
    CPPUNIT_ASSERT(!stream.resend(5, 100, at(50ms)) && stream.resend(5, 100, at(60ms)));
  }
  void resending_is_bounded_by_what_was_sent() {
    SendStream stream;
    size_t resent = 0;
    for (int i = 0; i < 1000; ++i) resent += stream.resend(i, 1000, at(i * 1ms)) ? 1 : 0;
    CPPUNIT_ASSERT_EQUAL(size_t{100}, resent);
    for (int i = 0; i < 50; ++i) stream.sent(1000, static_cast<uint32_t>(i), at(2s));
    for (int i = 0; i < 1000; ++i) resent += stream.resend(i, 1000, at(3s + i * 1ms)) ? 1 : 0;
    CPPUNIT_ASSERT_EQUAL(size_t{150}, resent);
    for (int i = 0; i < 100'000; ++i) stream.sent(1000, static_cast<uint32_t>(i), at(4s));
    for (int i = 0; i < 10'000; ++i) resent += stream.resend(i, 1000, at(5s + i * 1ms)) ? 1 : 0;
    CPPUNIT_ASSERT_EQUAL(size_t{650}, resent);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SendStreamTest);

}  // namespace
}  // namespace cardea::media
