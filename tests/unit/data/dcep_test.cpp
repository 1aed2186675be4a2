#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "data/dcep.hpp"

using namespace cardea;
using namespace cardea::data;

namespace {

std::vector<uint8_t> open_message(uint8_t type, uint32_t reliability, std::string_view label,
                                  std::string_view protocol) {
  std::vector<uint8_t> out(12 + label.size() + protocol.size());
  ByteWriter to(out);
  to.u8(3);
  to.u8(type);
  to.u16(256);
  to.u32(reliability);
  to.u16(static_cast<uint16_t>(label.size()));
  to.u16(static_cast<uint16_t>(protocol.size()));
  to.put(bytes_of(label));
  to.put(bytes_of(protocol));
  return out;
}

class DcepTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DcepTest);
  CPPUNIT_TEST(an_open_is_read_with_label_protocol_and_reliability);
  CPPUNIT_TEST(every_channel_type_survives_building_and_parsing);
  CPPUNIT_TEST(the_bytes_are_those_of_the_rfc);
  CPPUNIT_TEST(an_acknowledgement_is_one_byte);
  CPPUNIT_TEST(malformed_messages_are_refused);
  CPPUNIT_TEST(no_cut_off_open_is_taken);
  CPPUNIT_TEST_SUITE_END();

public:
  void an_open_is_read_with_label_protocol_and_reliability() {
    auto got = parse_dcep(open_message(0x82, 150, "chat", "json"));
    CPPUNIT_ASSERT(got && got->kind == DcepKind::open);
    CPPUNIT_ASSERT_EQUAL(std::string("chat"), got->open.channel.label);
    CPPUNIT_ASSERT_EQUAL(std::string("json"), got->open.channel.protocol);
    CPPUNIT_ASSERT(!got->open.channel.ordered && !got->open.channel.max_retransmits);
    CPPUNIT_ASSERT_EQUAL(uint32_t{150}, *got->open.channel.max_lifetime_ms);
    CPPUNIT_ASSERT_EQUAL(uint16_t{256}, got->open.priority);
    CPPUNIT_ASSERT(parse_dcep(open_message(0, 0, "", ""))->open.channel.label.empty());
  }
  void every_channel_type_survives_building_and_parsing() {
    for (bool ordered : {true, false})
      for (int bound : {0, 1, 2}) {
        Open open{{.label = "l", .protocol = "pp", .ordered = ordered}, 512};
        if (bound == 1) open.channel.max_retransmits = 0;
        if (bound == 2) open.channel.max_lifetime_ms = 70000;
        auto got = parse_dcep(build_open(open));
        CPPUNIT_ASSERT(got && got->kind == DcepKind::open);
        CPPUNIT_ASSERT_EQUAL(ordered, got->open.channel.ordered);
        CPPUNIT_ASSERT(open.channel.max_retransmits == got->open.channel.max_retransmits);
        CPPUNIT_ASSERT(open.channel.max_lifetime_ms == got->open.channel.max_lifetime_ms);
        CPPUNIT_ASSERT(got->open.channel.label == "l" && got->open.channel.protocol == "pp");
        CPPUNIT_ASSERT_EQUAL(uint16_t{512}, got->open.priority);
      }
  }
  void the_bytes_are_those_of_the_rfc() {
    const std::vector<uint8_t> wanted{3, 0x81, 0, 0, 0, 0, 0, 5, 0, 1, 0, 2, 'a', 'b', 'c'};
    DataChannel channel{.label = "a", .protocol = "bc", .ordered = false, .max_retransmits = 5};
    CPPUNIT_ASSERT(wanted == build_open({channel, 0}));
    CPPUNIT_ASSERT_EQUAL(12 + max_label_size, build_open({{.label = std::string(70000, 'x')}, 0}).size());
  }
  void an_acknowledgement_is_one_byte() {
    auto got = parse_dcep(ack_message);
    CPPUNIT_ASSERT(got && got->kind == DcepKind::ack);
  }
  void malformed_messages_are_refused() {
    CPPUNIT_ASSERT(!parse_dcep({}));
    CPPUNIT_ASSERT(!parse_dcep(std::vector<uint8_t>{1}));
    CPPUNIT_ASSERT(!parse_dcep(std::vector<uint8_t>{0xff, 0xff}));
    CPPUNIT_ASSERT(!parse_dcep(open_message(0x03, 0, "a", "")));
    CPPUNIT_ASSERT(!parse_dcep(open_message(0x40, 0, "a", "")));
    CPPUNIT_ASSERT(!parse_dcep(open_message(0, 0, std::string(max_label_size + 1, 'x'), "")));
    CPPUNIT_ASSERT(!parse_dcep(open_message(0, 0, "a", std::string(max_protocol_size + 1, 'x'))));
    auto longer = open_message(0, 0, "a", "b");
    longer.push_back(0);
    CPPUNIT_ASSERT(!parse_dcep(longer));
    auto lying = open_message(0, 0, "a", "b");
    store_u16(&lying[8], 0xffff);
    CPPUNIT_ASSERT(!parse_dcep(lying));
  }
  void no_cut_off_open_is_taken() {
    const auto whole = open_message(0x01, 3, "label", "protocol");
    for (size_t size = 0; size < whole.size(); ++size) CPPUNIT_ASSERT(!parse_dcep(Bytes(whole).first(size)));
    CPPUNIT_ASSERT(parse_dcep(whole));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DcepTest);

}  // namespace
