#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>
#include <set>

#include "media/rewriter.hpp"
#include "unit/media/forwarding.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at, test::start, test::forward, test::forward_left_behind;

// A VP8 source of frames in four temporal steps (0 2 1 2), two to four packets each.
struct Source {
  Source(rtp::PacketPool& pool, Random& from, uint8_t substream) : pool_(pool), random_(from), substream_(substream) {
    seq_ = 0x10000 + static_cast<rtp::SeqNo>(from.below(0x10000));
    timestamp_ = from.u32();
    picture_id_ = static_cast<int32_t>(from.below(0x8000));
    tl0_ = static_cast<uint8_t>(from.below(0x100));
  }
  std::vector<rtp::PacketRef> frame(Time now) {
    constexpr int8_t layers[] = {0, 2, 1, 2};
    const int8_t temporal = layers[frames_++ % 4];
    timestamp_ += 3000;
    picture_id_ = (picture_id_ + 1) & 0x7fff;
    if (temporal == 0) ++tl0_;
    const size_t count = 2 + random_.below(3);
    std::vector<rtp::PacketRef> packets;
    for (size_t i = 0; i < count; ++i) {
      rtp::PacketRef packet = test::packet(pool_, seq_++, now);
      packet->timestamp = timestamp_;
      packet->substream = substream_;
      packet->marker = i + 1 == count;
      packet->video.frame_start = i == 0;
      packet->video.temporal = temporal;
      packet->video.picture_id = picture_id_;
      packet->video.picture_id_15 = true;
      packet->video.tl0_pic_idx = tl0_;
      packets.push_back(packet);
    }
    return packets;
  }

  rtp::PacketPool& pool_;
  Random& random_;
  uint8_t substream_;
  rtp::SeqNo seq_;
  uint32_t timestamp_;
  int32_t picture_id_;
  uint8_t tl0_;
  size_t frames_ = 0;
};

struct Sent {
  rtp::PacketRef packet;
  Rewritten as;
};

class RewriterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RewriterTest);
  CPPUNIT_TEST(the_first_number_leaves_room_below_the_rollover);
  CPPUNIT_TEST(a_plain_stream_keeps_its_distances);
  CPPUNIT_TEST(left_out_packets_leave_no_gap);
  CPPUNIT_TEST(a_lost_packet_leaves_a_hole_that_it_fills_later);
  CPPUNIT_TEST(a_gap_inside_a_left_out_picture_leaves_no_hole);
  CPPUNIT_TEST(the_rest_of_a_left_out_picture_does_not_fill_a_hole);
  CPPUNIT_TEST(a_pause_leaves_no_gap_in_numbers_and_keeps_time);
  CPPUNIT_TEST(another_source_goes_on_after_the_time_that_passed);
  CPPUNIT_TEST(tied_substreams_keep_their_capture_times);
  CPPUNIT_TEST(tied_substreams_never_repeat_a_timestamp);
  CPPUNIT_TEST(a_wrong_tie_is_not_believed);
  CPPUNIT_TEST(packets_left_behind_by_a_switch_still_fill_their_holes);
  CPPUNIT_TEST(nothing_of_another_source_can_be_traced_back);
  CPPUNIT_TEST(seven_bit_picture_ids_wrap_at_seven_bits);
  CPPUNIT_TEST(frame_numbers_never_go_back);
  CPPUNIT_TEST(any_drop_leaves_the_output_gapless_and_reversible);
  CPPUNIT_TEST(any_drop_loss_and_reorder_keeps_order_and_is_reversible);
  CPPUNIT_TEST_SUITE_END();

  rtp::PacketPool pool_;

  rtp::PacketRef plain(rtp::SeqNo seq, uint32_t timestamp, Time now = test::start_time) {
    rtp::PacketRef packet = test::packet(pool_, seq, now);
    packet->timestamp = timestamp;
    return packet;
  }
  static void check_way_back(const Rewriter& rewriter, const Sent& sent) {
    CPPUNIT_ASSERT((rewriter.origin(sent.as.seq) == Origin{sent.packet->substream, sent.packet->seq}));
    CPPUNIT_ASSERT(rewriter.again(sent.as.seq, *sent.packet) == sent.as);
  }

public:
  void the_first_number_leaves_room_below_the_rollover() {
    for (uint64_t seed = 1; seed < 100; ++seed) {
      SeededRandom random(seed);
      Rewriter rewriter(random);
      CPPUNIT_ASSERT(rewriter.next() >= 0 && rewriter.next() < 0x8000);
      CPPUNIT_ASSERT(!rewriter.origin(rewriter.next()) && !rewriter.origin(rewriter.next() - 1));
    }
  }
  void a_plain_stream_keeps_its_distances() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const rtp::SeqNo first = start(rewriter, *plain(70000, 5)).seq;
    CPPUNIT_ASSERT_EQUAL(first + 1, forward(rewriter, *plain(70001, 6))->seq);
    CPPUNIT_ASSERT_EQUAL(first + 3, forward(rewriter, *plain(70003, 8))->seq);
    CPPUNIT_ASSERT_EQUAL(first + 2, forward(rewriter, *plain(70002, 7))->seq);
    CPPUNIT_ASSERT_EQUAL(uint32_t{9}, forward(rewriter, *plain(70004, 9))->timestamp);
    CPPUNIT_ASSERT(!forward(rewriter, *plain(69999, 4)));  // before the beginning
  }
  void left_out_packets_leave_no_gap() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const rtp::SeqNo first = start(rewriter, *plain(70000, 1)).seq;
    rewriter.leave_out(*plain(70001, 2));
    rewriter.leave_out(*plain(70002, 3));
    CPPUNIT_ASSERT_EQUAL(first + 1, forward(rewriter, *plain(70003, 4))->seq);
    CPPUNIT_ASSERT((rewriter.origin(first) == Origin{0, 70000}));
    CPPUNIT_ASSERT((rewriter.origin(first + 1) == Origin{0, 70003}));
    CPPUNIT_ASSERT(!rewriter.origin(first + 2) && !rewriter.origin(first - 1));
    CPPUNIT_ASSERT(!forward(rewriter, *plain(70002, 3)));
  }
  void a_lost_packet_leaves_a_hole_that_it_fills_later() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const rtp::SeqNo first = start(rewriter, *plain(70000, 1)).seq;
    rewriter.leave_out(*plain(70002, 3));                                       // 70001 is missing
    rewriter.leave_out(*plain(70004, 5));                                       // and 70003
    CPPUNIT_ASSERT_EQUAL(first + 4, forward(rewriter, *plain(70006, 7))->seq);  // and 70005
    CPPUNIT_ASSERT_EQUAL(first + 1, forward(rewriter, *plain(70001, 2))->seq);
    CPPUNIT_ASSERT_EQUAL(first + 2, forward(rewriter, *plain(70003, 4))->seq);
    CPPUNIT_ASSERT_EQUAL(first + 3, forward(rewriter, *plain(70005, 6))->seq);
    CPPUNIT_ASSERT((rewriter.origin(first + 2) == Origin{0, 70003}));
  }
  void a_gap_inside_a_left_out_picture_leaves_no_hole() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const rtp::SeqNo first = start(rewriter, *plain(70000, 1)).seq;
    rewriter.leave_out(*plain(70001, 2));
    rewriter.leave_out(*plain(70003, 2));
    CPPUNIT_ASSERT_EQUAL(first + 1, forward(rewriter, *plain(70004, 3))->seq);
    CPPUNIT_ASSERT(!forward(rewriter, *plain(70002, 2)));
  }
  void the_rest_of_a_left_out_picture_does_not_fill_a_hole() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const rtp::SeqNo first = start(rewriter, *plain(70000, 1)).seq;
    rewriter.leave_out(*plain(70001, 2));
    CPPUNIT_ASSERT_EQUAL(first + 3, forward(rewriter, *plain(70004, 3))->seq);  // who knows what 70002 and 70003 are
    CPPUNIT_ASSERT(!forward(rewriter, *plain(70002, 2)));
    CPPUNIT_ASSERT_EQUAL(first + 2, forward(rewriter, *plain(70003, 3))->seq);
    // Nor does its beginning, when other pictures are left out after it.
    rewriter.leave_out(*plain(70006, 4));
    rewriter.leave_out(*plain(70007, 5));
    CPPUNIT_ASSERT(!forward(rewriter, *plain(70005, 4)));
  }
  void a_pause_leaves_no_gap_in_numbers_and_keeps_time() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const Rewritten first = start(rewriter, *plain(70000, 1000, at(0s)));
    rewriter.stop(true);
    CPPUNIT_ASSERT((rewriter.origin(first.seq) == Origin{0, 70000}));
    const Rewritten next = start(rewriter, *plain(70500, 481000, at(11s)));
    CPPUNIT_ASSERT_EQUAL(first.seq + 1, next.seq);
    CPPUNIT_ASSERT_EQUAL(uint32_t{480000}, next.timestamp - first.timestamp);
    CPPUNIT_ASSERT(!forward(rewriter, *plain(70300, 300000)));
  }
  void another_source_goes_on_after_the_time_that_passed() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const Rewritten first = start(rewriter, *plain(70000, 0xffffff00, at(0s)));
    rewriter.stop(false);
    const Rewritten next = start(rewriter, *plain(99, 12345, at(2s)));
    CPPUNIT_ASSERT_EQUAL(first.seq + 1, next.seq);
    CPPUNIT_ASSERT_EQUAL(uint32_t{180000}, next.timestamp - first.timestamp);
    CPPUNIT_ASSERT_EQUAL(next.timestamp + 3000, forward(rewriter, *plain(100, 15345, at(2033ms)))->timestamp);
  }
  void tied_substreams_keep_their_capture_times() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    rewriter.align(0, 5000);
    rewriter.align(2, 1000);
    const Rewritten low = start(rewriter, *plain(70000, 10000, at(0s)));
    rtp::PacketRef high = plain(90000, 10000 + 4000 + 3000, at(80ms));  // one frame later, however late it comes
    high->substream = 2;
    CPPUNIT_ASSERT_EQUAL(low.timestamp + 3000, start(rewriter, *high).timestamp);
    rtp::PacketRef back = plain(70100, 10000 + 9000, at(100ms));
    CPPUNIT_ASSERT_EQUAL(low.timestamp + 9000, start(rewriter, *back).timestamp);
  }
  void tied_substreams_never_repeat_a_timestamp() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    rewriter.align(0, 0);
    rewriter.align(1, 0);
    const Rewritten low = start(rewriter, *plain(70000, 10000, at(0s)));
    rtp::PacketRef high = plain(90000, 10000, at(1ms));
    high->substream = 1;
    CPPUNIT_ASSERT_EQUAL(low.timestamp + 1, start(rewriter, *high).timestamp);
    // What was added does not pile up.
    CPPUNIT_ASSERT_EQUAL(low.timestamp + 3000, start(rewriter, *plain(70001, 13000, at(33ms))).timestamp);
  }
  void a_wrong_tie_is_not_believed() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    rewriter.align(0, 0);
    rewriter.align(1, 0x40000000);
    const Rewritten low = start(rewriter, *plain(70000, 10000, at(0s)));
    rtp::PacketRef high = plain(90000, 10000, at(100ms));
    high->substream = 1;
    CPPUNIT_ASSERT_EQUAL(low.timestamp + 9000, start(rewriter, *high).timestamp);
  }
  void packets_left_behind_by_a_switch_still_fill_their_holes() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const rtp::SeqNo first = start(rewriter, *plain(70000, 1)).seq;
    CPPUNIT_ASSERT_EQUAL(first + 2, forward(rewriter, *plain(70002, 2))->seq);
    rtp::PacketRef other = plain(5000, 9);
    other->substream = 1;
    CPPUNIT_ASSERT_EQUAL(first + 3, start(rewriter, *other).seq);
    CPPUNIT_ASSERT_EQUAL(first + 1, forward_left_behind(rewriter, *plain(70001, 2))->seq);
    CPPUNIT_ASSERT(!forward_left_behind(rewriter, *plain(70003, 2)));
    CPPUNIT_ASSERT((rewriter.origin(first + 1) == Origin{0, 70001}));
    CPPUNIT_ASSERT((rewriter.origin(first + 3) == Origin{1, 5000}));
  }
  void nothing_of_another_source_can_be_traced_back() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const rtp::SeqNo first = start(rewriter, *plain(70000, 1)).seq;
    rewriter.stop(false);
    CPPUNIT_ASSERT(!rewriter.origin(first));
    start(rewriter, *plain(70001, 1));
    CPPUNIT_ASSERT(!rewriter.origin(first) && rewriter.origin(first + 1));
    CPPUNIT_ASSERT(!rewriter.again(first + 1, *plain(70002, 1)));
  }
  void seven_bit_picture_ids_wrap_at_seven_bits() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    std::vector<int> ids;
    for (int i = 0; i < 5; ++i) {
      rtp::PacketRef packet = plain(70000 + i, static_cast<uint32_t>(i));
      packet->video.picture_id = (125 + i) % 128;
      packet->video.key_idx = static_cast<int8_t>((30 + i) % 32);
      if (i == 1) {
        rewriter.leave_out(*packet);
        continue;
      }
      const Rewritten as = i == 0 ? start(rewriter, *packet) : *forward(rewriter, *packet);
      ids.push_back(as.picture_id);
    }
    CPPUNIT_ASSERT((ids == std::vector<int>{125, 126, 127, 0}));
  }

  // Layers are left out and substreams switched at random: numbers and picture ids have no gap, timestamps grow.
  void frame_numbers_never_go_back() {
    SeededRandom random(1);
    Rewriter rewriter(random);
    const auto numbered = [&](rtp::SeqNo seq, uint32_t picture, int32_t frame, uint8_t substream) {
      rtp::PacketRef packet = plain(seq, picture);
      packet->video.frame_number = frame;
      packet->substream = substream;
      return packet;
    };
    CPPUNIT_ASSERT_EQUAL(0, int(start(rewriter, *numbered(70000, 1, 65530, 0)).frame_offset));
    CPPUNIT_ASSERT_EQUAL(0, int(forward(rewriter, *numbered(70001, 2, 65531, 0))->frame_offset));
    // Another substream: behind all frames that the last picture may have had.
    const auto number = [](const Rewritten& out, int32_t frame) { return int(uint16_t(frame + out.frame_offset)); };
    CPPUNIT_ASSERT_EQUAL((65531 + 16) & 0xffff, number(start(rewriter, *numbered(500, 3, 20, 1)), 20));
    CPPUNIT_ASSERT_EQUAL((65532 + 16) & 0xffff, number(*forward(rewriter, *numbered(501, 4, 21, 1)), 21));
    // Packets that do not tell leave it as it is, and so does a source that never does.
    rewriter.stop(false);
    start(rewriter, *plain(90, 5));
    rewriter.stop(false);
    CPPUNIT_ASSERT_EQUAL((65532 + 32) & 0xffff, number(start(rewriter, *numbered(7, 6, 9000, 0)), 9000));
  }
  void any_drop_leaves_the_output_gapless_and_reversible() {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      SeededRandom random(seed);
      Rewriter rewriter(random);
      Source sources[] = {{pool_, random, 0}, {pool_, random, 1}, {pool_, random, 2}};
      size_t current = 0;
      bool starting = true;
      std::vector<Sent> recent;
      std::optional<Sent> last;
      for (int step = 0; step < 1500; ++step) {
        const Time now = at(step * 33ms);
        if (random.below(40) == 0) {
          current = random.below(3);
          starting = true;
        }
        if (random.below(200) == 0) {
          rewriter.stop(true);
          starting = true;
        }
        const bool left_out = !starting && random.below(3) == 0;
        for (const rtp::PacketRef& packet : sources[current].frame(now)) {
          if (left_out) {
            rewriter.leave_out(*packet);
            continue;
          }
          const Rewritten as = starting ? start(rewriter, *packet) : *forward(rewriter, *packet);
          starting = false;
          if (last) {
            CPPUNIT_ASSERT_EQUAL(last->as.seq + 1, as.seq);
            const int32_t frames = packet->video.frame_start ? 1 : 0;
            CPPUNIT_ASSERT_EQUAL((last->as.picture_id + frames) & 0x7fff, as.picture_id);
            CPPUNIT_ASSERT(packet->video.frame_start ? later(as.timestamp, last->as.timestamp)
                                                     : as.timestamp == last->as.timestamp);
          }
          last = Sent{packet, as};
          recent.push_back(*last);
          if (recent.size() > 60) recent.erase(recent.begin());
        }
        for (const Sent& sent : recent) check_way_back(rewriter, sent);
      }
    }
  }

  // The same with losses, of which most come late: order is kept, nothing is sent twice, a hole is a packet that did
  // not come or belongs to a picture left out.
  void any_drop_loss_and_reorder_keeps_order_and_is_reversible() {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      SeededRandom random(seed);
      Rewriter rewriter(random);
      Source source(pool_, random, 0);
      std::map<rtp::SeqNo, Sent> sent;  // by output number
      std::map<rtp::SeqNo, rtp::SeqNo> in_to_out;
      std::set<uint32_t> left_out_pictures;
      std::vector<std::pair<int, rtp::PacketRef>> late;  // when
      rtp::SeqNo first_in = -1, never_came = 0, refused = 0;
      const auto note = [&](const rtp::PacketRef& packet, const Rewritten& as) {
        CPPUNIT_ASSERT(sent.emplace(as.seq, Sent{packet, as}).second);
        CPPUNIT_ASSERT(in_to_out.emplace(packet->seq, as.seq).second);
        check_way_back(rewriter, sent[as.seq]);
      };
      for (int step = 0; step < 1000; ++step) {
        const auto packets = source.frame(at(step * 33ms));
        const bool leave_out = step > 0 && packets[0]->video.temporal == 2 && (step / 100) % 2 == 0;
        for (const rtp::PacketRef& packet : packets) {
          if (first_in < 0) {
            first_in = packet->seq;
            note(packet, start(rewriter, *packet));
          } else if (random.below(10) == 0) {
            if (random.below(4) == 0)
              ++never_came;
            else
              late.push_back({step + static_cast<int>(random.below(6)), packet});
          } else if (leave_out) {
            left_out_pictures.insert(packet->timestamp);
            rewriter.leave_out(*packet);
          } else {
            note(packet, *forward(rewriter, *packet));
          }
        }
        std::erase_if(late, [&](auto& one) {
          if (one.first > step) return false;
          const auto as = rewriter.late(*one.second) ? forward(rewriter, *one.second) : std::nullopt;
          if (as)
            note(one.second, *as);
          else
            ++refused;
          return true;
        });
      }
      // In order, with as many holes at most as packets that did not come in time.
      rtp::SeqNo before = -1, holes = 0;
      std::map<uint32_t, int32_t> picture_of;  // output timestamp to picture id
      for (const auto& [in, out] : in_to_out) {
        if (before >= 0) {
          CPPUNIT_ASSERT(out > before);
          holes += out - before - 1;
        }
        before = out;
        const Rewritten& as = sent[out].as;
        const auto known = picture_of.emplace(as.timestamp, as.picture_id).first;
        CPPUNIT_ASSERT_EQUAL(known->second, as.picture_id);
      }
      CPPUNIT_ASSERT(holes <= never_came + refused);
      std::set<int32_t> ids;
      for (const auto& one : picture_of) CPPUNIT_ASSERT(ids.insert(one.second).second);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RewriterTest);

}  // namespace
}  // namespace cardea::media
