#include <cppunit/extensions/HelperMacros.h>

#include "media/receive_stream.hpp"
#include "rtp/ntp.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;

class ReceiveStreamTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReceiveStreamTest);
  CPPUNIT_TEST(nothing_received_gives_an_empty_report);
  CPPUNIT_TEST(losses_are_counted_per_report_and_in_all);
  CPPUNIT_TEST(a_late_packet_takes_its_loss_back);
  CPPUNIT_TEST(a_recovered_packet_does_not);
  CPPUNIT_TEST(the_highest_number_counts_rounds_from_zero);
  CPPUNIT_TEST(an_even_stream_has_no_jitter);
  CPPUNIT_TEST(jitter_approaches_the_deviation);
  CPPUNIT_TEST(reports_answer_the_last_sender_report);
  CPPUNIT_TEST(sender_reports_tie_two_streams);
  CPPUNIT_TEST_SUITE_END();

  rtp::PacketPool pool_;
  void give(ReceiveStream& stream, rtp::SeqNo seq, Time now = test::start_time, bool recovered = false) {
    rtp::PacketRef packet = test::packet(pool_, seq, now);
    packet->recovered = recovered;
    stream.received(*packet);
  }

public:
  void nothing_received_gives_an_empty_report() {
    ReceiveStream stream;
    CPPUNIT_ASSERT(!stream.started() && stream.lost() == 0);
    CPPUNIT_ASSERT(stream.report(at(1s)) == rtp::ReportBlock());
  }
  void losses_are_counted_per_report_and_in_all() {
    ReceiveStream stream;
    for (int i = 0; i < 100; ++i)
      if (i % 4 != 1) give(stream, 65536 + i);
    rtp::ReportBlock first = stream.report(at(1s));
    CPPUNIT_ASSERT_EQUAL(uint8_t{64}, first.fraction_lost);
    CPPUNIT_ASSERT_EQUAL(int32_t{25}, first.lost);
    for (int i = 100; i < 200; ++i) give(stream, 65536 + i);
    rtp::ReportBlock second = stream.report(at(2s));
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, second.fraction_lost);
    CPPUNIT_ASSERT_EQUAL(int32_t{25}, second.lost);
    CPPUNIT_ASSERT_EQUAL(uint64_t{175}, stream.packets());
    CPPUNIT_ASSERT_EQUAL(uint64_t{175 * 1012}, stream.bytes());
  }
  void a_late_packet_takes_its_loss_back() {
    ReceiveStream stream;
    for (rtp::SeqNo seq : {65536, 65538}) give(stream, seq);
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, stream.lost());
    give(stream, 65537);
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, stream.lost());
  }
  void a_recovered_packet_does_not() {
    ReceiveStream stream;
    for (rtp::SeqNo seq : {65536, 65538}) give(stream, seq);
    give(stream, 65537, test::start_time, true);
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, stream.lost());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, stream.recovered());
  }
  void the_highest_number_counts_rounds_from_zero() {
    ReceiveStream stream;
    give(stream, 0x10000 + 65000);
    CPPUNIT_ASSERT_EQUAL(uint32_t{65000}, stream.report(at(0s)).highest_seq);
    give(stream, 0x20000 + 7);
    CPPUNIT_ASSERT_EQUAL(uint32_t{0x10007}, stream.report(at(1s)).highest_seq);
  }
  void an_even_stream_has_no_jitter() {
    ReceiveStream stream;
    for (int i = 0; i < 300; ++i) give(stream, 65536 + i, at(i * 100ms / 3));
    CPPUNIT_ASSERT(stream.jitter() < 1ms);
  }
  void jitter_approaches_the_deviation() {
    ReceiveStream stream;  // each frame is 10 ms early or late: 20 ms between two
    for (int i = 0; i < 300; ++i) give(stream, 65536 + i, at(i * 100ms / 3 + (i % 2 == 0 ? 10ms : -10ms)));
    CPPUNIT_ASSERT(stream.jitter() > 18ms && stream.jitter() < 21ms);
    CPPUNIT_ASSERT(stream.report(at(10s)).jitter > 18 * 90);
  }
  void reports_answer_the_last_sender_report() {
    ReceiveStream stream;
    give(stream, 65536);
    CPPUNIT_ASSERT_EQUAL(uint32_t{0}, stream.report(at(0s)).lsr);
    stream.sender_report(0x0123456789abcdef, 0, 90000, at(1s));
    const rtp::ReportBlock block = stream.report(at(1500ms));
    CPPUNIT_ASSERT_EQUAL(uint32_t{0x456789ab}, block.lsr);
    CPPUNIT_ASSERT_EQUAL(uint32_t{0x8000}, block.dlsr);
  }
  void sender_reports_tie_two_streams() {
    ReceiveStream low, high;
    CPPUNIT_ASSERT(!low.common_offset());
    low.sender_report(rtp::to_ntp64(at(1s)), 1000, 90000, at(1s));
    high.sender_report(rtp::to_ntp64(at(3s)), 0xffffff00, 90000, at(3s));
    // What was sent at second 4, in both clocks.
    const uint32_t low_now = 1000 + 3 * 90000, high_now = 0xffffff00 + 90000;
    const auto apart = static_cast<int32_t>(low_now + *low.common_offset() - high_now - *high.common_offset());
    CPPUNIT_ASSERT(std::abs(apart) <= 1);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ReceiveStreamTest);

}  // namespace
}  // namespace cardea::media
