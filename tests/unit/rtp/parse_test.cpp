#include <cppunit/extensions/HelperMacros.h>

#include "hex.hpp"
#include "rtp/parse.hpp"

namespace cardea::rtp {
namespace {

std::optional<Drop> parse_hex(Packet& packet, std::string_view text) {
  fill(packet, hex(text));
  return parse(packet);
}

class ParseTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ParseTest);
  CPPUNIT_TEST(the_first_two_bytes_tell_what_a_datagram_is);
  CPPUNIT_TEST(a_plain_header_is_read);
  CPPUNIT_TEST(csrcs_and_extensions_are_passed_over);
  CPPUNIT_TEST(padding_is_cut_off);
  CPPUNIT_TEST(a_packet_of_padding_only_has_no_payload);
  CPPUNIT_TEST(broken_headers_are_dropped);
  CPPUNIT_TEST(no_truncated_header_is_accepted);
  CPPUNIT_TEST(one_byte_extensions_are_read);
  CPPUNIT_TEST(two_byte_extensions_are_read);
  CPPUNIT_TEST(nothing_is_read_behind_id_15_in_the_one_byte_form);
  CPPUNIT_TEST(an_element_longer_than_the_block_is_passed_over);
  CPPUNIT_TEST(unknown_ids_and_wrong_lengths_are_passed_over);
  CPPUNIT_TEST(another_profile_is_passed_over);
  CPPUNIT_TEST(values_of_an_earlier_packet_are_gone);
  CPPUNIT_TEST(encrypted_packets_can_be_peeked_into);
  CPPUNIT_TEST_SUITE_END();

  Packet packet;

  void the_first_two_bytes_tell_what_a_datagram_is() {
    struct {
      std::string_view bytes;
      Wire wire;
    } const table[] = {{"00 01", Wire::stun}, {"03 00", Wire::stun}, {"04 00", Wire::junk}, {"10 00", Wire::junk},
                       {"14 fe", Wire::dtls}, {"3f fe", Wire::dtls}, {"40 00", Wire::junk}, {"7f 00", Wire::junk},
                       {"80 60", Wire::rtp},  {"bf e0", Wire::rtp},  {"80 c8", Wire::rtcp}, {"81 ce", Wire::rtcp},
                       {"80 c0", Wire::rtcp}, {"80 df", Wire::rtcp}, {"80 bf", Wire::rtp},  {"c0 60", Wire::junk},
                       {"80", Wire::junk},    {"", Wire::junk}};
    for (const auto& row : table)
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(row.bytes), int(row.wire), int(wire_of(hex(row.bytes))));
  }

  void a_plain_header_is_read() {
    CPPUNIT_ASSERT(!parse_hex(packet, "80 e0 ff fe 00 00 00 09 de ad be ef 11 22 33"));
    CPPUNIT_ASSERT_EQUAL(96, int(packet.payload_type));
    CPPUNIT_ASSERT(packet.marker);
    CPPUNIT_ASSERT_EQUAL(SeqNo{0xfffe}, packet.seq);
    CPPUNIT_ASSERT_EQUAL(9u, packet.timestamp);
    CPPUNIT_ASSERT_EQUAL(0xdeadbeefu, packet.ssrc);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, packet.payload_size());
    CPPUNIT_ASSERT_EQUAL(0x11, int(packet.payload()[0]));
  }

  void csrcs_and_extensions_are_passed_over() {
    CPPUNIT_ASSERT(!parse_hex(packet, "92 60 00 01 00 00 00 09 00 00 00 01  aa aa aa aa bb bb bb bb"
                                      "be de 00 01 00 00 00 00  77"));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, packet.payload_size());
    CPPUNIT_ASSERT_EQUAL(0x77, int(packet.payload()[0]));
  }

  void padding_is_cut_off() {
    CPPUNIT_ASSERT(!parse_hex(packet, "a0 60 00 01 00 00 00 09 00 00 00 01  77 88 00 00 03"));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, packet.payload_size());
    CPPUNIT_ASSERT_EQUAL(0x80, int(packet.bytes[0]));
  }

  void a_packet_of_padding_only_has_no_payload() {
    CPPUNIT_ASSERT(!parse_hex(packet, "a0 60 00 01 00 00 00 09 00 00 00 01  00 00 03"));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, packet.payload_size());
    packet.codec = CodecType::vp8;
    CPPUNIT_ASSERT(describe(packet));
  }

  void broken_headers_are_dropped() {
    for (std::string_view text : {
             "40 60 00 01 00 00 00 09 00 00 00 01 77",           // version 1
             "8f 60 00 01 00 00 00 09 00 00 00 01 77",           // fifteen CSRCs
             "90 60 00 01 00 00 00 09 00 00 00 01",              // no extension block
             "90 60 00 01 00 00 00 09 00 00 00 01 be de 00 01",  // too short a block
             "90 60 00 01 00 00 00 09 00 00 00 01 be de ff ff 00 00 00 00",
             "a0 60 00 01 00 00 00 09 00 00 00 01",        // padding of header
             "a0 60 00 01 00 00 00 09 00 00 00 01 77 00",  // of nothing
             "a0 60 00 01 00 00 00 09 00 00 00 01 77 03",  // of more than there is
         })
      CPPUNIT_ASSERT_MESSAGE(std::string(text), parse_hex(packet, text) == Drop::malformed);
  }

  void no_truncated_header_is_accepted() {
    auto whole = hex("91 60 00 01 00 00 00 09 00 00 00 01 aa aa aa aa be de 00 01 10 31 00 00");
    for_each_truncation(whole, [&](const auto& cut) {
      fill(packet, cut);
      CPPUNIT_ASSERT(parse(packet) == Drop::malformed);
    });
  }

  static sdp::ExtensionMap chrome_ids() {
    sdp::ExtensionMap ids;
    ids[Extension::audio_level] = 1;
    ids[Extension::abs_send_time] = 2;
    ids[Extension::transport_cc] = 3;
    ids[Extension::mid] = 4;
    ids[Extension::rid] = 5;
    ids[Extension::playout_delay] = 12;
    ids[Extension::video_orientation] = 13;
    return ids;
  }

  void one_byte_extensions_are_read() {
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 be de 00 07"
                                      "10 9e  22 0a 0b 0c  31 12 34  00 00  42 61 62 63  50 68"
                                      "c2 00 a0 14  d0 03 00 00  77 77 77 77"));
    // The block ends where its length says, whatever stands there.
    packet.bytes[packet.payload_at - 1] = 0;
    parse_extensions(packet, chrome_ids());
    const auto& values = packet.extensions;
    CPPUNIT_ASSERT_EQUAL(0x1e, int(values.audio_level.value()));
    CPPUNIT_ASSERT(values.voice);
    CPPUNIT_ASSERT_EQUAL(0x0a0b0cu, values.abs_send_time.value());
    CPPUNIT_ASSERT_EQUAL(0x1234, int(values.transport_seq.value()));
    CPPUNIT_ASSERT(values.mid == "abc");
    CPPUNIT_ASSERT(values.rid == "h");
    CPPUNIT_ASSERT_EQUAL(0x00a, int(values.playout_delay.value().min_10ms));
    CPPUNIT_ASSERT_EQUAL(0x014, int(values.playout_delay.value().max_10ms));
    CPPUNIT_ASSERT_EQUAL(3, int(values.video_orientation.value()));
  }

  void two_byte_extensions_are_read() {
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 10 05 00 03"
                                      "01 02 05 00  63 00  04 01 30  11 02 09"));
    auto ids = chrome_ids();
    ids[Extension::repaired_rid] = 0x63;  // empty: not there
    parse_extensions(packet, ids);
    CPPUNIT_ASSERT_EQUAL(5, int(packet.extensions.audio_level.value()));
    CPPUNIT_ASSERT(!packet.extensions.voice);
    CPPUNIT_ASSERT(packet.extensions.mid == "0");
    CPPUNIT_ASSERT(packet.extensions.repaired_rid.empty());
  }

  void nothing_is_read_behind_id_15_in_the_one_byte_form() {
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 be de 00 02  f0 00 40 30 10 05 00 00"));
    parse_extensions(packet, chrome_ids());
    CPPUNIT_ASSERT(packet.extensions.mid.empty());
    CPPUNIT_ASSERT(!packet.extensions.audio_level);
  }

  void an_element_longer_than_the_block_is_passed_over() {
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 be de 00 01  10 05 4f 30  30 30 30 30"));
    parse_extensions(packet, chrome_ids());
    CPPUNIT_ASSERT_EQUAL(5, int(packet.extensions.audio_level.value()));
    CPPUNIT_ASSERT(packet.extensions.mid.empty());
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 10 00 00 01  01 01 05 04"));
    parse_extensions(packet, chrome_ids());
    CPPUNIT_ASSERT_EQUAL(5, int(packet.extensions.audio_level.value()));
  }

  void unknown_ids_and_wrong_lengths_are_passed_over() {
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 be de 00 04"
                                      "e1 01 02  30 01  22 05 06 07  20 01  d1 03 03  40 31"));
    parse_extensions(packet, chrome_ids());
    CPPUNIT_ASSERT(!packet.extensions.transport_seq);
    CPPUNIT_ASSERT_EQUAL(0x050607u, packet.extensions.abs_send_time.value());
    CPPUNIT_ASSERT(!packet.extensions.video_orientation);
    CPPUNIT_ASSERT(packet.extensions.mid == "1");
  }

  void another_profile_is_passed_over() {
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 ab cd 00 01  10 05 00 00"));
    parse_extensions(packet, chrome_ids());
    CPPUNIT_ASSERT(!packet.extensions.audio_level);
  }

  void values_of_an_earlier_packet_are_gone() {
    CPPUNIT_ASSERT(!parse_hex(packet, "90 60 00 01 00 00 00 09 00 00 00 01 be de 00 01 10 05 40 30"));
    parse_extensions(packet, chrome_ids());
    packet.video.keyframe = true;
    CPPUNIT_ASSERT(!parse_hex(packet, "80 60 00 02 00 00 00 09 00 00 00 01"));
    parse_extensions(packet, chrome_ids());
    CPPUNIT_ASSERT(!packet.extensions.audio_level);
    CPPUNIT_ASSERT(packet.extensions.mid.empty());
    CPPUNIT_ASSERT(!packet.video.keyframe);
  }

  void encrypted_packets_can_be_peeked_into() {
    auto seen = peek(hex("90 ef 12 34 00 00 00 09 01 02 03 04 ff ff"));
    CPPUNIT_ASSERT(seen);
    CPPUNIT_ASSERT_EQUAL(111, int(seen->payload_type));
    CPPUNIT_ASSERT(seen->marker);
    CPPUNIT_ASSERT_EQUAL(0x1234, int(seen->seq));
    CPPUNIT_ASSERT_EQUAL(0x01020304u, seen->ssrc);
    CPPUNIT_ASSERT(!peek(hex("90 6f 12 34 00 00 00 09 01 02 03")));
    CPPUNIT_ASSERT_EQUAL(0x01020304u, peek_rtcp_ssrc(hex("81 ce 00 02 01 02 03 04")).value());
    CPPUNIT_ASSERT(!peek_rtcp_ssrc(hex("81 ce 00 02 01 02 03")));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ParseTest);

}  // namespace
}  // namespace cardea::rtp
