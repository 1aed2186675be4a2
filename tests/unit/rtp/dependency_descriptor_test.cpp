// Dependency descriptors written bit by bit as appendix A.8 of the AV1 RTP specification draws them.
#include <cppunit/extensions/HelperMacros.h>

#include "base/random.hpp"
#include "hex.hpp"
#include "rtp/av1.hpp"
#include "rtp/parse.hpp"

namespace cardea::rtp {
namespace {

class BitWriter {
public:
  BitWriter& put(unsigned count, uint32_t value) {
    for (; count > 0; --count, ++at_) {
      if (at_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() = static_cast<uint8_t>(bytes_.back() | (((value >> (count - 1)) & 1) << (7 - at_ % 8)));
    }
    return *this;
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

private:
  std::vector<uint8_t> bytes_;
  size_t at_ = 0;
};

enum : uint32_t { none = 0, discard = 1, up = 2, need = 3 };

BitWriter mandatory(bool first, bool last, uint32_t template_id, uint32_t frame) {
  BitWriter out;
  out.put(1, first).put(1, last).put(6, template_id).put(16, frame);
  return out;
}

// One spatial, two temporal layers: three templates (key, T0, T1), two targets, one chain.
void put_l1t2(BitWriter& out, uint32_t offset) {
  out.put(6, offset).put(5, 1);
  out.put(2, 0).put(2, 1).put(2, 3);                                             // key and T0 alike, T1, no more
  out.put(2, up).put(2, up).put(2, up).put(2, up).put(2, none).put(2, discard);  // targets {T0, T0+T1}: bit by template
  out.put(1, 0);                                                                 // key depends on nothing
  out.put(1, 1).put(4, 1).put(1, 0);                                             // T0 on the frame two before
  out.put(1, 1).put(4, 0).put(1, 0);                                             // T1 on the one before
  out.put(2, 2);                                                                 // ns(3): 1 is 10, one chain
  // each target is protected by ns(1): no bits
  out.put(4, 0).put(4, 2).put(4, 1);
  out.put(1, 1).put(16, 1279).put(16, 719);
}

std::vector<uint8_t> l1t2_key(uint32_t frame = 100, uint32_t offset = 62) {
  BitWriter out = mandatory(true, false, offset, frame);
  out.put(5, 0b10000);
  put_l1t2(out, offset);
  return out.bytes();
}

// Two spatial layers, one temporal: templates key-S0, S0, key-S1, S1; targets S0, S0+S1; two chains.
std::vector<uint8_t> l2t1_key() {
  BitWriter out = mandatory(true, true, 0, 1);
  out.put(5, 0b10000);
  out.put(6, 0).put(5, 1);
  out.put(2, 0).put(2, 2).put(2, 0).put(2, 3);
  out.put(2, up).put(2, up);      // key S0
  out.put(2, need).put(2, need);  // S0
  out.put(2, none).put(2, up);    // key S1
  out.put(2, none).put(2, need);  // S1
  out.put(1, 0);
  out.put(1, 1).put(4, 1).put(1, 0);
  out.put(1, 1).put(4, 0).put(1, 0);
  out.put(1, 1).put(4, 0).put(1, 1).put(4, 1).put(1, 0);
  out.put(2, 3);            // ns(3): 2 is 11, two chains
  out.put(1, 0).put(1, 1);  // ns(2): target 0 by chain 0, target 1 by chain 1
  out.put(4, 0).put(4, 0).put(4, 2).put(4, 1).put(4, 1).put(4, 1).put(4, 1).put(4, 2);
  out.put(1, 0);
  return out.bytes();
}

class DependencyDescriptorTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DependencyDescriptorTest);
  CPPUNIT_TEST(a_structure_is_read);
  CPPUNIT_TEST(later_frames_refer_to_the_structure);
  CPPUNIT_TEST(spatial_layers_and_chains_are_read);
  CPPUNIT_TEST(a_frame_may_tell_its_own_dependencies);
  CPPUNIT_TEST(active_targets_hold_until_told_anew);
  CPPUNIT_TEST(without_a_structure_nothing_is_told);
  CPPUNIT_TEST(a_template_beyond_the_structure_is_refused);
  CPPUNIT_TEST(a_broken_structure_leaves_the_old_one);
  CPPUNIT_TEST(too_many_templates_and_layers_are_refused);
  CPPUNIT_TEST(thirty_two_targets_are_read);
  CPPUNIT_TEST(random_bytes_never_break_it);
  CPPUNIT_TEST(a_packet_takes_its_layers_from_the_descriptor);
  CPPUNIT_TEST_SUITE_END();

  DependencyReader reader;

  FrameDependency read(const std::vector<uint8_t>& bytes) {
    auto frame = reader.read(bytes);
    CPPUNIT_ASSERT(frame);
    return *frame;
  }

  void a_structure_is_read() {
    auto frame = read(l1t2_key());
    CPPUNIT_ASSERT(frame.first_packet && !frame.last_packet && frame.new_structure);
    CPPUNIT_ASSERT_EQUAL(100, int(frame.frame_number));
    CPPUNIT_ASSERT_EQUAL(3u, frame.active_targets);
    CPPUNIT_ASSERT(frame.indication(1) == DecodeTargetIndication::switch_point);
    const auto& structure = *reader.structure();
    CPPUNIT_ASSERT_EQUAL(3, int(structure.template_count));
    CPPUNIT_ASSERT_EQUAL(1, int(structure.spatial_layers));
    CPPUNIT_ASSERT_EQUAL(2, int(structure.temporal_layers));
    CPPUNIT_ASSERT_EQUAL(0, int(structure.targets[0].temporal));
    CPPUNIT_ASSERT_EQUAL(1, int(structure.targets[1].temporal));
    CPPUNIT_ASSERT_EQUAL(1, int(structure.chain_count));
    CPPUNIT_ASSERT_EQUAL(2, int(structure.templates[1].chains[0]));
    CPPUNIT_ASSERT(structure.has_resolutions);
    CPPUNIT_ASSERT_EQUAL(1280, int(structure.resolutions[0].width));
    CPPUNIT_ASSERT_EQUAL(720, int(structure.resolutions[0].height));
  }

  void later_frames_refer_to_the_structure() {
    read(l1t2_key());
    auto t0 = read(mandatory(true, true, 63, 102).bytes());
    CPPUNIT_ASSERT_EQUAL(0, int(t0.temporal));
    CPPUNIT_ASSERT_EQUAL(2, int(t0.chains[0]));
    auto t1 = read(mandatory(true, true, 0, 101).bytes());  // ids wrap at 64
    CPPUNIT_ASSERT_EQUAL(1, int(t1.temporal));
    CPPUNIT_ASSERT(t1.indication(0) == DecodeTargetIndication::not_present);
    CPPUNIT_ASSERT(t1.indication(1) == DecodeTargetIndication::discardable);
    CPPUNIT_ASSERT(!t1.new_structure);
  }

  void spatial_layers_and_chains_are_read() {
    read(l2t1_key());
    const auto& structure = *reader.structure();
    CPPUNIT_ASSERT_EQUAL(2, int(structure.spatial_layers));
    CPPUNIT_ASSERT_EQUAL(2, int(structure.chain_count));
    CPPUNIT_ASSERT_EQUAL(0, int(structure.targets[0].chain));
    CPPUNIT_ASSERT_EQUAL(1, int(structure.targets[1].chain));
    CPPUNIT_ASSERT_EQUAL(1, int(structure.targets[1].spatial));
    auto upper = read(mandatory(false, true, 3, 4).bytes());
    CPPUNIT_ASSERT_EQUAL(1, int(upper.spatial));
    CPPUNIT_ASSERT_EQUAL(1, int(upper.chains[0]));
    CPPUNIT_ASSERT_EQUAL(2, int(upper.chains[1]));
  }

  void a_frame_may_tell_its_own_dependencies() {
    read(l1t2_key());
    BitWriter out = mandatory(true, true, 63, 102);
    out.put(5, 0b00111).put(2, need).put(2, discard);          // own indications
    out.put(2, 1).put(4, 3).put(2, 3).put(12, 900).put(2, 0);  // own differences, of 4 and of 12 bits
    out.put(8, 200);                                           // own chain
    auto frame = read(out.bytes());
    CPPUNIT_ASSERT(frame.indication(0) == DecodeTargetIndication::required);
    CPPUNIT_ASSERT(frame.indication(1) == DecodeTargetIndication::discardable);
    CPPUNIT_ASSERT_EQUAL(200, int(frame.chains[0]));
    for_each_truncation(out.bytes(), [&](const auto& cut) {
      if (cut.size() != 3) CPPUNIT_ASSERT(!reader.read(cut));  // three bytes are a descriptor of their own
    });
  }

  void active_targets_hold_until_told_anew() {
    read(l1t2_key());
    BitWriter out = mandatory(true, true, 63, 102);
    out.put(5, 0b01000).put(2, 1);
    CPPUNIT_ASSERT_EQUAL(1u, read(out.bytes()).active_targets);
    CPPUNIT_ASSERT_EQUAL(1u, read(mandatory(true, true, 63, 104).bytes()).active_targets);
    CPPUNIT_ASSERT_EQUAL(3u, read(l1t2_key()).active_targets);
  }

  void without_a_structure_nothing_is_told() {
    CPPUNIT_ASSERT(!reader.read(mandatory(true, true, 0, 1).bytes()));
    CPPUNIT_ASSERT(!reader.read({}));
    CPPUNIT_ASSERT(reader.structure() == nullptr);
  }

  void a_template_beyond_the_structure_is_refused() {
    read(l1t2_key());
    CPPUNIT_ASSERT(!reader.read(mandatory(true, true, 1, 1).bytes()));
    CPPUNIT_ASSERT(!reader.read(mandatory(true, true, 61, 1).bytes()));
  }

  void a_broken_structure_leaves_the_old_one() {
    read(l1t2_key());
    for_each_truncation(l2t1_key(), [&](const auto& cut) {
      if (cut.size() == 3) return;
      CPPUNIT_ASSERT(!reader.read(cut));
      CPPUNIT_ASSERT_EQUAL(3, int(reader.structure()->template_count));
    });
    CPPUNIT_ASSERT_EQUAL(1, int(read(mandatory(true, true, 0, 101).bytes()).temporal));
  }

  void too_many_templates_and_layers_are_refused() {
    for (uint32_t next : {0u, 1u, 2u}) {
      BitWriter out = mandatory(true, true, 0, 1);
      out.put(5, 0b10000).put(6, 0).put(5, 0);
      for (int i = 0; i < 64; ++i) out.put(2, next);
      out.put(2, 3);
      for (int i = 0; i < 100; ++i) out.put(8, 0);
      CPPUNIT_ASSERT(!reader.read(out.bytes()));
    }
  }

  void thirty_two_targets_are_read() {
    BitWriter out = mandatory(true, true, 0, 1);
    out.put(5, 0b10000).put(6, 0).put(5, 31);
    out.put(2, 3);
    for (int i = 0; i < 32; ++i) out.put(2, need);
    out.put(1, 0);   // no dependency
    out.put(6, 63);  // ns(33) = 32
    for (int i = 0; i < 32; ++i) out.put(5, static_cast<uint32_t>(i));
    for (int i = 0; i < 32; ++i) out.put(4, 7);
    out.put(1, 0);
    auto frame = read(out.bytes());
    CPPUNIT_ASSERT_EQUAL(~0u, frame.active_targets);
    CPPUNIT_ASSERT_EQUAL(32, int(frame.chain_count));
    CPPUNIT_ASSERT_EQUAL(31, int(reader.structure()->targets[31].chain));
    CPPUNIT_ASSERT_EQUAL(7, int(frame.chains[31]));
    CPPUNIT_ASSERT(frame.indication(31) == DecodeTargetIndication::required);
  }

  void random_bytes_never_break_it() {
    SeededRandom random(7);
    for (int i = 0; i < 20000; ++i) {
      std::vector<uint8_t> bytes(random.below(120));
      random.fill(bytes);
      if (bytes.size() > 3) bytes[3] |= 0x80;
      if (auto frame = reader.read(bytes)) CPPUNIT_ASSERT(frame->target_count <= 32 && frame->spatial <= 3);
    }
  }

  void a_packet_takes_its_layers_from_the_descriptor() {
    static Packet packet;
    fill(packet, hex("80 60 00 01 00 00 00 09 00 00 00 01 10 30 00"));
    packet.codec = CodecType::av1;
    CPPUNIT_ASSERT(!parse(packet));
    auto key = l1t2_key();
    packet.extensions.dependency_descriptor = key;
    CPPUNIT_ASSERT(describe(packet, reader));
    CPPUNIT_ASSERT(packet.video.keyframe && packet.video.frame_start && !packet.video.end_of_layer);
    CPPUNIT_ASSERT_EQUAL(0, int(packet.video.spatial));
    CPPUNIT_ASSERT_EQUAL(2, int(packet.video.temporal_layers));
    CPPUNIT_ASSERT(packet.video.switch_up);
    CPPUNIT_ASSERT_EQUAL(1, int(packet.video.switch_to));  // of both targets
    auto t1 = mandatory(true, true, 0, 101).bytes();
    packet.extensions.dependency_descriptor = t1;
    CPPUNIT_ASSERT(describe(packet, reader));
    CPPUNIT_ASSERT(!packet.video.keyframe && packet.video.end_of_layer && !packet.video.switch_up);
    CPPUNIT_ASSERT_EQUAL(1, int(packet.video.temporal));
    CPPUNIT_ASSERT_EQUAL(-1, int(packet.video.switch_to));
    DependencyReader knows_nothing;
    CPPUNIT_ASSERT(describe(packet, knows_nothing));
    CPPUNIT_ASSERT_EQUAL(-1, int(packet.video.temporal));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DependencyDescriptorTest);

}  // namespace
}  // namespace cardea::rtp
