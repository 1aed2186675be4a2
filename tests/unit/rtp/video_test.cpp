// The payload descriptors of all video codecs, from bytes laid out as their RFCs draw them.
#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "hex.hpp"
#include "rtp/av1.hpp"
#include "rtp/h264.hpp"
#include "rtp/h265.hpp"
#include "rtp/parse.hpp"
#include "rtp/vp8.hpp"
#include "rtp/vp9.hpp"

namespace cardea::rtp {
namespace {

using Parser = bool (*)(Bytes, VideoInfo&);

struct Row {
  std::string_view payload;
  bool good, keyframe;
};

void check(Parser parse, std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    VideoInfo info;
    CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(row.payload), row.good, parse(hex(row.payload), info));
    if (row.good) CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(row.payload), row.keyframe, info.keyframe);
  }
}

VideoInfo read(Parser parse, std::string_view payload) {
  VideoInfo info;
  CPPUNIT_ASSERT(parse(hex(payload), info));
  return info;
}

void check_truncations(Parser parse, std::string_view shortest_good) {
  for_each_truncation(hex(shortest_good), [&](const auto& cut) {
    VideoInfo info;
    CPPUNIT_ASSERT(!parse(cut, info));
  });
}

class VideoTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VideoTest);
  CPPUNIT_TEST(vp8_keyframes_are_told_by_the_first_packet_of_a_frame);
  CPPUNIT_TEST(vp8_numbers_and_layers_are_read);
  CPPUNIT_TEST(vp8_numbers_are_rewritten_in_place);
  CPPUNIT_TEST(vp9_non_flexible_mode_is_read);
  CPPUNIT_TEST(vp9_flexible_mode_is_read);
  CPPUNIT_TEST(vp9_scalability_structures_tell_the_layers);
  CPPUNIT_TEST(vp9_keyframes_begin_with_the_lowest_layer);
  CPPUNIT_TEST(h264_keyframes_are_found_in_every_packetization);
  CPPUNIT_TEST(h265_keyframes_are_found_in_every_packetization);
  CPPUNIT_TEST(h265_tells_temporal_layers);
  CPPUNIT_TEST(av1_keyframes_are_told_by_the_sequence);
  CPPUNIT_TEST(a_packet_is_described_by_its_codec);
  CPPUNIT_TEST_SUITE_END();

  void vp8_keyframes_are_told_by_the_first_packet_of_a_frame() {
    check(parse_vp8, {{"10 00", true, true},   // S, P = 0
                      {"10 01", true, false},  // an inter frame
                      {"00 00", true, false},  // not its start
                      {"11 00", true, false},  // another partition
                      {"90 80 11 00", true, true},
                      {"90 80 91 22 00", true, true},
                      {"90 80 91 22 01", true, false},
                      {"10", false, false},
                      {"90 80 91 22", false, false}});
    CPPUNIT_ASSERT(read(parse_vp8, "10 01").frame_start);
    CPPUNIT_ASSERT(!read(parse_vp8, "00 01").frame_start);
    check_truncations(parse_vp8, "90 f0 91 22 33 b5 00");
  }

  void vp8_numbers_and_layers_are_read() {
    auto info = read(parse_vp8, "90 f0 91 22 33 b5 00");
    CPPUNIT_ASSERT_EQUAL(0x1122, info.picture_id);
    CPPUNIT_ASSERT(info.picture_id_15);
    CPPUNIT_ASSERT_EQUAL(2, int(info.picture_id_at));
    CPPUNIT_ASSERT_EQUAL(0x33, int(info.tl0_pic_idx));
    CPPUNIT_ASSERT_EQUAL(4, int(info.tl0_pic_idx_at));
    CPPUNIT_ASSERT_EQUAL(2, int(info.temporal));
    CPPUNIT_ASSERT(info.switch_up);
    CPPUNIT_ASSERT_EQUAL(0x15, int(info.key_idx));
    CPPUNIT_ASSERT_EQUAL(5, int(info.key_idx_at));
    info = read(parse_vp8, "80 80 7f 00");
    CPPUNIT_ASSERT_EQUAL(0x7f, info.picture_id);
    CPPUNIT_ASSERT(!info.picture_id_15);
    CPPUNIT_ASSERT_EQUAL(-1, int(info.temporal));
    CPPUNIT_ASSERT_EQUAL(-1, int(info.tl0_pic_idx));
    CPPUNIT_ASSERT_EQUAL(-1, int(info.key_idx));
    info = read(parse_vp8, "80 20 5f 00");  // T without K
    CPPUNIT_ASSERT_EQUAL(1, int(info.temporal));
    CPPUNIT_ASSERT_EQUAL(-1, int(info.key_idx));
  }

  void vp8_numbers_are_rewritten_in_place() {
    auto payload = hex("90 f0 91 22 33 b5 00");
    VideoInfo info;
    CPPUNIT_ASSERT(parse_vp8(payload, info));
    write_vp8_numbers(payload, info, 0x7fff, 0xfe, 0x1f);
    CPPUNIT_ASSERT(payload == hex("90 f0 ff ff fe bf 00"));
    write_vp8_numbers(payload, info, 0x8001, 0, 0x20);  // too large: held in their bits
    CPPUNIT_ASSERT(payload == hex("90 f0 80 01 00 a0 00"));
    auto shorter = hex("80 80 7f 00");
    VideoInfo seven;
    CPPUNIT_ASSERT(parse_vp8(shorter, seven));
    write_vp8_numbers(shorter, seven, 0x1234, 9, 9);
    CPPUNIT_ASSERT(shorter == hex("80 80 34 00"));
    auto none = hex("10 00");
    VideoInfo without;
    CPPUNIT_ASSERT(parse_vp8(none, without));
    write_vp8_numbers(none, without, 1, 2, 3);
    CPPUNIT_ASSERT(none == hex("10 00"));
    auto cut = hex("90 f0 91");  // of another payload than `info`
    write_vp8_numbers(cut, info, 0, 0, 0);
    CPPUNIT_ASSERT(cut == hex("90 f0 91"));
  }

  void vp9_non_flexible_mode_is_read() {
    // I L B E, 15-bit picture id; TID 1, U, SID 2, D; TL0PICIDX
    auto info = read(parse_vp9, "ec 91 22 35 77 00");
    CPPUNIT_ASSERT_EQUAL(0x1122, info.picture_id);
    CPPUNIT_ASSERT_EQUAL(1, int(info.temporal));
    CPPUNIT_ASSERT_EQUAL(2, int(info.spatial));
    CPPUNIT_ASSERT(info.switch_up && info.inter_layer && info.inter_picture && info.frame_start && info.end_of_layer);
    CPPUNIT_ASSERT_EQUAL(0x77, int(info.tl0_pic_idx));
    check_truncations(parse_vp9, "ec 91 22 35 77 00");
  }

  void vp9_flexible_mode_is_read() {
    // I P L F, 7-bit id, layer byte, two P_DIFF
    auto info = read(parse_vp9, "f0 11 20 03 04 00");
    CPPUNIT_ASSERT_EQUAL(0x11, info.picture_id);
    CPPUNIT_ASSERT_EQUAL(-1, int(info.tl0_pic_idx));
    CPPUNIT_ASSERT(!info.frame_start && !info.switch_up);
    check_truncations(parse_vp9, "f0 11 20 03 04 00");
    check(parse_vp9, {{"f0 11 20 03 03 02 00", true, false}, {"f0 11 20 03 03 03 00", false, false}});
  }

  void vp9_scalability_structures_tell_the_layers() {
    // I L B V: 3 spatial layers with sizes, and 4 pictures of 3 temporal layers
    auto info = read(parse_vp9, "aa 11 00 00  58  01 40 00 b4 02 80 01 68 05 00 02 d0  04 04 01 44 01 24 01 54 01  00");
    CPPUNIT_ASSERT_EQUAL(3, int(info.spatial_layers));
    CPPUNIT_ASSERT_EQUAL(3, int(info.temporal_layers));
    CPPUNIT_ASSERT(info.keyframe);
    check_truncations(parse_vp9,
                      "aa 11 00 00  58  01 40 00 b4 02 80 01 68 05 00 02 d0  04 04 01 44 01 24 01 54 01  00");
    CPPUNIT_ASSERT_EQUAL(2, int(read(parse_vp9, "0a 20 00").spatial_layers));
    CPPUNIT_ASSERT_EQUAL(0, int(read(parse_vp9, "0a 20 00").temporal_layers));
    check(parse_vp9, {{"0a 08 ff 0c 00 00 00 00", false, false}});
  }

  void vp9_keyframes_begin_with_the_lowest_layer() {
    check(parse_vp9, {{"08 00", true, true},              // no layers told
                      {"48 00", true, false},             // P
                      {"00 00", true, false},             // not the beginning
                      {"a8 11 00 00 00", true, true},     // SID 0
                      {"a8 11 03 00 00", true, false}});  // SID 1 of the same picture
  }

  void h264_keyframes_are_found_in_every_packetization() {
    check(parse_h264, {{"65 88", true, true},                    // IDR
                       {"67 42", true, true},                    // SPS
                       {"61 9a", true, false},                   // a slice
                       {"68 ce", true, false},                   // PPS
                       {"78 00 02 67 42 00 01 68", true, true},  // STAP-A with an SPS
                       {"78 00 01 68 00 02 65 88", true, true},  // with an IDR
                       {"78 00 01 68 00 02 61 88", true, false},
                       {"7c 85 88", true, true},   // FU-A, start of an IDR
                       {"7c 05 88", true, false},  // its middle
                       {"7c 45 88", true, false},  // its end
                       {"7c 81 88", true, false},
                       {"79 00 00 00 01 67", true, true},  // STAP-B
                       {"", false, false},
                       {"60", false, false},  // type 0
                       {"7f", false, false},
                       {"78", false, false},
                       {"78 00", false, false},
                       {"78 00 03 67 42", false, false},  // a unit too long
                       {"78 00 00", false, false},
                       {"7c", false, false},
                       {"7c 85", false, false}});
  }

  void h265_keyframes_are_found_in_every_packetization() {
    check(parse_h265, {{"26 01 00", true, true},                       // IDR_W_RADL, 19
                       {"20 01 00", true, true},                       // BLA, 16
                       {"2a 01 00", true, true},                       // CRA, 21
                       {"2c 01 00", true, false},                      // 22, reserved
                       {"40 01 00", true, true},                       // VPS
                       {"44 01 00", true, true},                       // PPS
                       {"46 01 00", true, false},                      // access unit delimiter
                       {"02 01 00", true, false},                      // TRAIL_R
                       {"60 01 00 02 46 01 00 02 42 01", true, true},  // aggregate with an SPS
                       {"60 01 00 02 02 01 00 02 02 01", true, false},
                       {"62 01 93 00", true, true},   // fragment, start of an IDR
                       {"62 01 13 00", true, false},  // its middle
                       {"62 01 81 00", true, false},
                       {"64 01 00 00", true, false},  // PACI
                       {"26", false, false},
                       {"26 00 00", false, false},  // TID 0
                       {"60 01", false, false},
                       {"60 01 00 03 42 01", false, false},
                       {"60 01 00 01 42", false, false},
                       {"62 01", false, false},
                       {"62 01 93", false, false},
                       {"66 01 00", false, false}});
  }

  void h265_tells_temporal_layers() {
    CPPUNIT_ASSERT_EQUAL(2, int(read(parse_h265, "02 03 00").temporal));
    CPPUNIT_ASSERT(!read(parse_h265, "02 03 00").switch_up);
    CPPUNIT_ASSERT(read(parse_h265, "06 03 00").switch_up);  // TSA_R
  }

  void av1_keyframes_are_told_by_the_sequence() {
    check(parse_av1, {{"18 0a 0b", true, true},              // N, one OBU
                      {"10 0a 0b", true, true},              // a sequence header without N
                      {"10 30 00", true, false},             // a frame
                      {"90 0a 0b", true, false},             // Z: the middle of something
                      {"00 02 30 00 02 0a 0b", true, true},  // lengths everywhere, the header second
                      {"20 02 30 00 0a 0b", true, true},     // W = 2
                      {"30 01 10 01 30 32 00", true, false},
                      {"80 02 0a 00 02 0a 0b", true, true},  // Z: only the first is a continuation
                      {"98 0a", false, false},               // N and Z
                      {"", false, false},
                      {"18", false, false},
                      {"00 03 30 00", false, false},  // too long
                      {"00 ff", false, false},
                      {"00 ff ff ff ff ff ff", false, false},
                      {"20 02 30 00", false, false}});  // the second missing
  }

  void a_packet_is_described_by_its_codec() {
    struct {
      CodecType codec;
      std::string_view payload;
      bool good, keyframe;
    } const table[] = {{CodecType::vp8, "10 00", true, true},    {CodecType::vp9, "08 00", true, true},
                       {CodecType::h264, "65 88", true, true},   {CodecType::h265, "26 01 00", true, true},
                       {CodecType::av1, "18 0a 0b", true, true}, {CodecType::opus, "10 00", true, false},
                       {CodecType::vp8, "10", false, false},     {CodecType::h264, "60", false, false}};
    static Packet packet;
    for (const auto& row : table) {
      auto bytes = hex("80 60 00 01 00 00 00 09 00 00 00 01");
      auto payload = hex(row.payload);
      bytes.insert(bytes.end(), payload.begin(), payload.end());
      fill(packet, bytes);
      packet.codec = row.codec;
      CPPUNIT_ASSERT(!parse(packet));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(row.payload), row.good, describe(packet));
      if (row.good) CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(row.payload), row.keyframe, packet.video.keyframe);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VideoTest);

}  // namespace
}  // namespace cardea::rtp
