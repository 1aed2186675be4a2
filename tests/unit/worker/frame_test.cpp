#include <cppunit/extensions/HelperMacros.h>

#include <numeric>
#include <vector>

#include "base/bytes.hpp"
#include "worker/frame.hpp"

namespace cardea::worker {
namespace {

// RFC 1071, over whole bytes: 0xffff where a checksum is among them and right.
uint16_t sum(std::vector<uint8_t> bytes) {
  if (bytes.size() % 2 != 0) bytes.push_back(0);
  uint32_t all = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) all += load_u16(bytes.data() + i);
  while (all >> 16 != 0) all = (all & 0xffff) + (all >> 16);
  return static_cast<uint16_t>(all);
}

uint16_t native(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

struct Frame {
  Frame(const Address& from, const Address& to, const FrameRun& run, int interface = 2)
      : bytes(frame_headers_size(to.v6) + run.size) {
    Link link;
    link.destination = {1, 2, 3, 4, 5, 6};
    link.source = {7, 8, 9, 10, 11, 12};
    link.interface = interface;
    std::iota(bytes.end() - static_cast<ptrdiff_t>(run.size), bytes.end(), uint8_t{3});
    write_frame_headers(bytes.data(), link, from, to, run);
  }
  uint8_t* ethernet() { return bytes.data() + 10; }
  uint8_t* ip() { return ethernet() + 14; }
  // What an interface does with a single datagram, VIRTIO 1.1 section 5.1.6.2: the sum from csum_start to the end
  // goes, inverted, to csum_offset behind it.
  void complete_checksum() {
    const size_t start = native(bytes.data() + 6), offset = native(bytes.data() + 8);
    const uint16_t value = sum({ethernet() + start, bytes.data() + bytes.size()});
    store_u16(ethernet() + start + offset, static_cast<uint16_t>(~value));
  }
  std::vector<uint8_t> bytes;
};

class FrameTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FrameTest);
  CPPUNIT_TEST(an_ipv4_datagram_is_as_the_standards_say);
  CPPUNIT_TEST(an_ipv6_datagram_is_as_the_standards_say);
  CPPUNIT_TEST(a_run_asks_to_be_cut);
  CPPUNIT_TEST(over_the_loopback_all_is_copied_as_a_header);
  CPPUNIT_TEST_SUITE_END();

  const Address from4_ = *Address::parse("192.0.2.1", 10000), to4_ = *Address::parse("198.51.100.7", 54321);
  const Address from6_ = *Address::parse("2001:db8::1", 10000), to6_ = *Address::parse("2001:db8:1::7", 54321);

public:
  void an_ipv4_datagram_is_as_the_standards_say() {
    for (size_t size : {1, 2, 99, 1200}) {
      Frame frame(from4_, to4_, {size, size, 7, 46});
      CPPUNIT_ASSERT_EQUAL(uint8_t{1}, frame.ethernet()[0]);
      CPPUNIT_ASSERT_EQUAL(uint8_t{7}, frame.ethernet()[6]);
      CPPUNIT_ASSERT_EQUAL(uint16_t{0x0800}, load_u16(frame.ethernet() + 12));
      uint8_t* ip = frame.ip();
      CPPUNIT_ASSERT_EQUAL(uint8_t{0x45}, ip[0]);
      CPPUNIT_ASSERT_EQUAL(uint8_t{46 << 2}, ip[1]);
      CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(28 + size), load_u16(ip + 2));
      CPPUNIT_ASSERT_EQUAL(uint16_t{7}, load_u16(ip + 4));
      CPPUNIT_ASSERT_EQUAL(uint8_t{17}, ip[9]);
      CPPUNIT_ASSERT_EQUAL(uint32_t{0xc0000201}, load_u32(ip + 12));
      CPPUNIT_ASSERT_EQUAL(uint32_t{0xc6336407}, load_u32(ip + 16));
      CPPUNIT_ASSERT_EQUAL(uint16_t{0xffff}, sum({ip, ip + 20}));
      CPPUNIT_ASSERT_EQUAL(uint16_t{10000}, load_u16(ip + 20));
      CPPUNIT_ASSERT_EQUAL(uint16_t{54321}, load_u16(ip + 22));
      CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(8 + size), load_u16(ip + 24));
      frame.complete_checksum();
      std::vector<uint8_t> summed(ip + 12, ip + 20);  // pseudo header: addresses, zero, protocol, length
      summed.insert(summed.end(), {0, 17, ip[24], ip[25]});
      summed.insert(summed.end(), ip + 20, frame.bytes.data() + frame.bytes.size());
      CPPUNIT_ASSERT_EQUAL(uint16_t{0xffff}, sum(summed));
    }
  }

  void an_ipv6_datagram_is_as_the_standards_say() {
    Frame frame(from6_, to6_, {333, 333, 0, 46});
    CPPUNIT_ASSERT_EQUAL(uint16_t{0x86dd}, load_u16(frame.ethernet() + 12));
    uint8_t* ip = frame.ip();
    CPPUNIT_ASSERT_EQUAL(uint32_t{0x60000000 | (46u << 22)}, load_u32(ip));
    CPPUNIT_ASSERT_EQUAL(uint16_t{341}, load_u16(ip + 4));
    CPPUNIT_ASSERT_EQUAL(uint8_t{17}, ip[6]);
    CPPUNIT_ASSERT(std::equal(from6_.ip.begin(), from6_.ip.end(), ip + 8));
    CPPUNIT_ASSERT(std::equal(to6_.ip.begin(), to6_.ip.end(), ip + 24));
    CPPUNIT_ASSERT_EQUAL(uint16_t{54321}, load_u16(ip + 42));
    frame.complete_checksum();
    std::vector<uint8_t> summed(ip + 8, ip + 40);
    summed.insert(summed.end(), {0, 0, ip[44], ip[45], 0, 0, 0, 17});
    summed.insert(summed.end(), ip + 40, frame.bytes.data() + frame.bytes.size());
    CPPUNIT_ASSERT_EQUAL(uint16_t{0xffff}, sum(summed));
  }

  void a_run_asks_to_be_cut() {
    Frame frame(from4_, to4_, {3000, 1200, 0, 0});
    const uint8_t* virtio = frame.bytes.data();
    CPPUNIT_ASSERT_EQUAL(uint8_t{1}, virtio[0]);
    CPPUNIT_ASSERT_EQUAL(uint8_t{5}, virtio[1]);
    CPPUNIT_ASSERT_EQUAL(uint16_t{42}, native(virtio + 2));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1200}, native(virtio + 4));
    CPPUNIT_ASSERT_EQUAL(uint16_t{34}, native(virtio + 6));
    CPPUNIT_ASSERT_EQUAL(uint16_t{3028}, load_u16(frame.ip() + 2));
    Frame alone(from4_, to4_, {1200, 1200, 0, 0});
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, alone.bytes[1]);
  }

  void over_the_loopback_all_is_copied_as_a_header() {
    Frame frame(from4_, to4_, {3000, 1200, 0, 0}, Link::loopback_interface);
    CPPUNIT_ASSERT_EQUAL(uint16_t{42 + 3000}, native(frame.bytes.data() + 2));
    CPPUNIT_ASSERT_EQUAL(uint16_t{34}, native(frame.bytes.data() + 6));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(FrameTest);

}  // namespace
}  // namespace cardea::worker
