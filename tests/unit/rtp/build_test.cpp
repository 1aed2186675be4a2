#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "hex.hpp"
#include "rtp/build.hpp"
#include "rtp/parse.hpp"

namespace cardea::rtp {
namespace {

const HeaderFields plain{.payload_type = 96,
                         .marker = true,
                         .seq = 0x1234,
                         .timestamp = 0x01020304,
                         .ssrc = 0xdeadbeef,
                         .transport_seq = {},
                         .abs_send_time = {}};

sdp::ExtensionMap all_ids(uint8_t first) {
  sdp::ExtensionMap ids;
  for (size_t i = 0; i < extension_count; ++i) ids.ids[i] = static_cast<uint8_t>(first + i);
  return ids;
}

class BuildTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BuildTest);
  CPPUNIT_TEST(without_extensions_there_are_twelve_bytes);
  CPPUNIT_TEST(elements_are_padded_to_words);
  CPPUNIT_TEST(what_is_written_reads_back);
  CPPUNIT_TEST(large_ids_and_long_values_take_the_two_byte_form);
  CPPUNIT_TEST(a_sender_writes_its_own_mid_and_numbers_and_the_publishers_values);
  CPPUNIT_TEST(what_is_not_negotiated_is_not_written);
  CPPUNIT_TEST(nothing_is_written_where_there_is_too_little_room);
  CPPUNIT_TEST(a_usual_header_is_as_long_as_promised_at_most);
  CPPUNIT_TEST(padding_is_what_parse_cuts_off);
  CPPUNIT_TEST(send_times_wrap_every_64_seconds);
  CPPUNIT_TEST_SUITE_END();

  Packet packet;

  // Of what was written to packet.bytes, again as a packet.
  void read(size_t size, const sdp::ExtensionMap& ids) {
    packet.size = static_cast<uint16_t>(size);
    CPPUNIT_ASSERT(!parse(packet));
    parse_extensions(packet, ids);
  }
  static ExtensionValues all_values() {
    static const auto capture = hex("00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f");
    static const auto descriptor = hex("80 00 01 aa bb");
    ExtensionValues values;
    values.mid = "17";
    values.rid = "h";
    values.repaired_rid = "lo";
    values.audio_level = uint8_t{127};
    values.voice = true;
    values.video_orientation = uint8_t{9};
    values.playout_delay = PlayoutDelay{0x123, 0xfed};
    values.transport_seq = uint16_t{0xabcd};
    values.abs_send_time = 0x123456u;
    values.abs_capture_time = capture;
    values.dependency_descriptor = descriptor;
    return values;
  }
  void assert_all(const ExtensionValues& got) {
    auto values = all_values();
    CPPUNIT_ASSERT(got.mid == values.mid && got.rid == values.rid && got.repaired_rid == values.repaired_rid);
    CPPUNIT_ASSERT(got.audio_level == values.audio_level && got.voice);
    CPPUNIT_ASSERT(got.video_orientation == values.video_orientation);
    CPPUNIT_ASSERT(got.playout_delay->min_10ms == 0x123 && got.playout_delay->max_10ms == 0xfed);
    CPPUNIT_ASSERT(got.transport_seq == values.transport_seq && got.abs_send_time == values.abs_send_time);
    CPPUNIT_ASSERT(std::ranges::equal(got.abs_capture_time, values.abs_capture_time));
    CPPUNIT_ASSERT(std::ranges::equal(got.dependency_descriptor, values.dependency_descriptor));
  }

  void without_extensions_there_are_twelve_bytes() {
    CPPUNIT_ASSERT_EQUAL(size_t{12}, HeaderWriter().write(packet.bytes, plain, all_values()));
    CPPUNIT_ASSERT(std::ranges::equal(Bytes(packet.bytes).first(12), hex("80 e0 12 34 01 02 03 04 de ad be ef")));
  }

  void elements_are_padded_to_words() {
    sdp::ExtensionMap ids;
    ids[Extension::mid] = 4;
    auto fields = plain;
    fields.marker = false;
    CPPUNIT_ASSERT_EQUAL(size_t{20}, HeaderWriter(ids, "0").write(packet.bytes, fields, {}));
    CPPUNIT_ASSERT(std::ranges::equal(Bytes(packet.bytes).first(20),
                                      hex("90 60 12 34 01 02 03 04 de ad be ef be de 00 01 40 30 00 00")));
  }

  void what_is_written_reads_back() {
    auto ids = all_ids(1);
    size_t size = write_header(packet.bytes, plain, all_values(), ids);
    read(size, ids);
    assert_all(packet.extensions);
    CPPUNIT_ASSERT_EQUAL(0xbede, int(load_u16(packet.bytes.data() + 12)));
    CPPUNIT_ASSERT_EQUAL(SeqNo{0x1234}, packet.seq);
    CPPUNIT_ASSERT(packet.marker);
    CPPUNIT_ASSERT_EQUAL(0x01020304u, packet.timestamp);
    CPPUNIT_ASSERT_EQUAL(0xdeadbeefu, packet.ssrc);
  }

  void large_ids_and_long_values_take_the_two_byte_form() {
    auto ids = all_ids(5);  // to 15
    read(write_header(packet.bytes, plain, all_values(), ids), ids);
    CPPUNIT_ASSERT_EQUAL(0x1000, int(load_u16(packet.bytes.data() + 12)));
    assert_all(packet.extensions);
    std::vector<uint8_t> structure(200, 0x55);
    auto values = all_values();
    values.dependency_descriptor = structure;
    ids = all_ids(1);
    read(HeaderWriter(ids, "a").write(packet.bytes, plain, values), ids);
    CPPUNIT_ASSERT_EQUAL(0x1000, int(load_u16(packet.bytes.data() + 12)));
    CPPUNIT_ASSERT(std::ranges::equal(packet.extensions.dependency_descriptor, structure));
    HeaderFields moved = plain;
    moved.frame_offset = 0xaaac;
    read(HeaderWriter(ids, "a").write(packet.bytes, moved, values), ids);
    CPPUNIT_ASSERT_EQUAL(0x0001, int(load_u16(packet.extensions.dependency_descriptor.data() + 1)));  // 0x5555 + 0xaaac
    CPPUNIT_ASSERT(std::ranges::equal(packet.extensions.dependency_descriptor.subspan(3), Bytes(structure).subspan(3)));
    ids[Extension::dependency_descriptor] = 0;
    read(HeaderWriter(ids, "a").write(packet.bytes, plain, values), ids);
    CPPUNIT_ASSERT_EQUAL(0xbede, int(load_u16(packet.bytes.data() + 12)));
  }

  void a_sender_writes_its_own_mid_and_numbers_and_the_publishers_values() {
    auto ids = all_ids(1);
    auto fields = plain;
    fields.transport_seq = uint16_t{1};
    fields.abs_send_time = 2u;
    read(HeaderWriter(ids, "mine").write(packet.bytes, fields, all_values()), ids);
    CPPUNIT_ASSERT(packet.extensions.mid == "mine");
    CPPUNIT_ASSERT(packet.extensions.rid.empty() && packet.extensions.repaired_rid.empty());
    CPPUNIT_ASSERT_EQUAL(1, int(*packet.extensions.transport_seq));
    CPPUNIT_ASSERT_EQUAL(2u, *packet.extensions.abs_send_time);
    CPPUNIT_ASSERT(packet.extensions.audio_level == all_values().audio_level);
    read(HeaderWriter(ids, "mine").write(packet.bytes, plain, all_values()), ids);
    CPPUNIT_ASSERT(!packet.extensions.transport_seq && !packet.extensions.abs_send_time);
    std::string longest(16, 'm');
    read(HeaderWriter(ids, longest).write(packet.bytes, plain, {}), ids);
    CPPUNIT_ASSERT(packet.extensions.mid == longest);
  }

  void what_is_not_negotiated_is_not_written() {
    for (size_t i = 0; i < extension_count; ++i) {
      sdp::ExtensionMap ids, all = all_ids(1);
      auto only = static_cast<Extension>(i);
      ids[only] = all[only];
      read(write_header(packet.bytes, plain, all_values(), ids), all);
      const auto& got = packet.extensions;
      CPPUNIT_ASSERT_EQUAL(only == Extension::mid, !got.mid.empty());
      CPPUNIT_ASSERT_EQUAL(only == Extension::rid, !got.rid.empty());
      CPPUNIT_ASSERT_EQUAL(only == Extension::repaired_rid, !got.repaired_rid.empty());
      CPPUNIT_ASSERT_EQUAL(only == Extension::audio_level, got.audio_level.has_value());
      CPPUNIT_ASSERT_EQUAL(only == Extension::video_orientation, got.video_orientation.has_value());
      CPPUNIT_ASSERT_EQUAL(only == Extension::playout_delay, got.playout_delay.has_value());
      CPPUNIT_ASSERT_EQUAL(only == Extension::transport_cc, got.transport_seq.has_value());
      CPPUNIT_ASSERT_EQUAL(only == Extension::abs_send_time, got.abs_send_time.has_value());
      CPPUNIT_ASSERT_EQUAL(only == Extension::abs_capture_time, !got.abs_capture_time.empty());
      CPPUNIT_ASSERT_EQUAL(only == Extension::dependency_descriptor, !got.dependency_descriptor.empty());
    }
  }

  void nothing_is_written_where_there_is_too_little_room() {
    for (uint8_t first : {uint8_t{1}, uint8_t{5}}) {
      HeaderWriter writer(all_ids(first), "0");
      size_t size = writer.size(plain, all_values());
      for (size_t room = 0; room < size; ++room) {
        std::vector<uint8_t> out(room);
        CPPUNIT_ASSERT_EQUAL(size_t{0}, writer.write(out, plain, all_values()));
      }
      std::vector<uint8_t> out(size);
      CPPUNIT_ASSERT_EQUAL(size, writer.write(out, plain, all_values()));
    }
  }

  void a_usual_header_is_as_long_as_promised_at_most() {
    auto values = all_values();
    values.dependency_descriptor = {};
    auto fields = plain;
    fields.transport_seq = uint16_t{1};
    fields.abs_send_time = 2u;
    CPPUNIT_ASSERT(HeaderWriter(all_ids(20), std::string(16, 'm')).size(fields, values) <= usual_header_size);
  }

  void padding_is_what_parse_cuts_off() {
    std::vector<uint8_t> bytes = hex("80 60 00 01 00 00 00 09 00 00 00 01 77 88");
    bytes.resize(bytes.size() + 200, 0xff);
    set_padding(bytes, 200);
    fill(packet, bytes);
    CPPUNIT_ASSERT(!parse(packet));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, packet.payload_size());
    auto untouched = hex("80 60 00 01 00 00 00 09 00 00 00 01 77 88");
    set_padding(untouched, 3);
    CPPUNIT_ASSERT(untouched == hex("80 60 00 01 00 00 00 09 00 00 00 01 77 88"));
  }

  void send_times_wrap_every_64_seconds() {
    CPPUNIT_ASSERT_EQUAL(0u, to_abs_send_time(Time(0s)));
    CPPUNIT_ASSERT_EQUAL(1u << 18, to_abs_send_time(Time(1s)));
    CPPUNIT_ASSERT_EQUAL(1u << 17, to_abs_send_time(Time(64s * 1000000 + 500ms)));
    CPPUNIT_ASSERT_EQUAL(0xffffffu, to_abs_send_time(Time(64s - 1ns)));
    CPPUNIT_ASSERT_EQUAL(0xffffffu, to_abs_send_time(Time(-1ns)));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BuildTest);

}  // namespace
}  // namespace cardea::rtp
