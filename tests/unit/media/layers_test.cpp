#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "media/layer_selector.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at;
using Choice = LayerSelector::Choice;

class LayersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LayersTest);
  CPPUNIT_TEST(a_plain_stream_begins_with_a_keyframe);
  CPPUNIT_TEST(a_plain_stream_without_keyframes_starts_after_a_while);
  CPPUNIT_TEST(the_first_keyframe_goes_on_until_the_wanted_one_comes);
  CPPUNIT_TEST(a_substream_is_entered_on_its_keyframe_only);
  CPPUNIT_TEST(a_silent_substream_falls_back_to_a_living_one);
  CPPUNIT_TEST(a_still_picture_does_not_fall_back);
  CPPUNIT_TEST(a_returning_substream_is_wanted_again);
  CPPUNIT_TEST(substreams_above_the_target_never_start);
  CPPUNIT_TEST(a_substream_out_of_range_is_left_out);
  CPPUNIT_TEST(temporal_layers_go_down_with_the_next_picture);
  CPPUNIT_TEST(temporal_layers_go_up_at_switch_points_only);
  CPPUNIT_TEST(a_switch_point_below_opens_the_layers_that_it_names);
  CPPUNIT_TEST(a_keyframe_opens_all_temporal_layers);
  CPPUNIT_TEST(a_key_picture_opens_all_spatial_layers);
  CPPUNIT_TEST(spatial_layers_above_the_target_are_left_out);
  CPPUNIT_TEST(the_last_forwarded_spatial_layer_ends_the_picture);
  CPPUNIT_TEST(a_higher_spatial_layer_asks_for_a_keyframe);
  CPPUNIT_TEST(a_spatial_layer_without_history_can_be_entered);
  CPPUNIT_TEST(layers_are_reported_as_they_go_on);
  CPPUNIT_TEST_SUITE_END();

  rtp::PacketPool pool_;
  rtp::SeqNo seq_ = 65536;

  rtp::PacketRef make(uint8_t substream, uint32_t frame, bool keyframe = false) {
    rtp::PacketRef packet = test::packet(pool_, seq_++);
    packet->substream = substream;
    packet->timestamp = frame * 3000;
    packet->video.frame_start = true;
    packet->video.keyframe = keyframe;
    packet->video.inter_picture = !keyframe;
    return packet;
  }
  rtp::PacketRef temporal(uint32_t frame, int8_t layer, bool switch_up = false, bool keyframe = false) {
    rtp::PacketRef packet = make(0, frame, keyframe);
    packet->video.temporal = layer;
    packet->video.switch_up = switch_up;
    return packet;
  }
  // One whole frame of a spatial layer.
  rtp::PacketRef spatial(uint32_t picture, int8_t layer, bool key_picture = false, int8_t layers = 3) {
    rtp::PacketRef packet = make(0, picture, key_picture && layer == 0);
    packet->codec = CodecType::vp9;
    packet->video.spatial = layer;
    packet->video.inter_picture = !key_picture;
    packet->video.inter_layer = layer > 0;
    packet->video.end_of_layer = true;
    packet->video.spatial_layers = key_picture && layer == 0 ? layers : int8_t{0};
    packet->marker = layer + 1 == layers;
    return packet;
  }
  static LayerSelector selector(bool simulcast, Layers layers = {}) {
    LayerSelector selector;
    selector.reset(simulcast);
    selector.set_target(layers);
    return selector;
  }
  // A simulcast in full swing on substream 2, 30 frames a second, at frame `frames`.
  LayerSelector running(uint32_t frames) {
    LayerSelector selector = LayersTest::selector(true);
    for (uint32_t frame = 0; frame < frames; ++frame)
      for (uint8_t s = 0; s < 3; ++s) selector.choose(*make(s, frame, frame == 0), at(frame * 33ms));
    CPPUNIT_ASSERT_EQUAL(2, selector.substream());
    CPPUNIT_ASSERT(!selector.wants_keyframe());
    return selector;
  }

public:
  void a_plain_stream_begins_with_a_keyframe() {
    LayerSelector selector = LayersTest::selector(false);
    CPPUNIT_ASSERT(selector.wants_keyframe() == -1);
    CPPUNIT_ASSERT(selector.choose(*make(0, 1), at(0s)) == Choice::waiting_keyframe);
    CPPUNIT_ASSERT(selector.wants_keyframe() == 0);
    CPPUNIT_ASSERT(selector.choose(*make(0, 2, true), at(0s)) == Choice::start);
    CPPUNIT_ASSERT(selector.choose(*make(0, 3), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(!selector.wants_keyframe());
    CPPUNIT_ASSERT(selector.current() == CurrentLayers());
    selector.need_keyframe();
    CPPUNIT_ASSERT(selector.choose(*make(0, 4), at(0s)) == Choice::waiting_keyframe);
  }
  void a_plain_stream_without_keyframes_starts_after_a_while() {
    LayerSelector selector = LayersTest::selector(false);
    for (Duration t = 10s; t < 13s; t += 100ms)
      CPPUNIT_ASSERT(selector.choose(*make(0, 1), at(t)) == Choice::waiting_keyframe);
    CPPUNIT_ASSERT(selector.choose(*make(0, 2), at(13s)) == Choice::start);
  }
  void the_first_keyframe_goes_on_until_the_wanted_one_comes() {
    LayerSelector selector = LayersTest::selector(true);
    CPPUNIT_ASSERT(selector.choose(*make(0, 1, true), at(0s)) == Choice::start);
    CPPUNIT_ASSERT(!selector.wants_keyframe());
    CPPUNIT_ASSERT(selector.choose(*make(2, 1), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.wants_keyframe() == 2);
    CPPUNIT_ASSERT(selector.choose(*make(0, 2), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*make(1, 2, true), at(0s)) == Choice::layer);  // no step in between
    CPPUNIT_ASSERT(selector.choose(*make(2, 2, true), at(0s)) == Choice::start);
    CPPUNIT_ASSERT(selector.choose(*make(0, 3, true), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(!selector.wants_keyframe());
  }
  void a_substream_is_entered_on_its_keyframe_only() {
    LayerSelector selector = running(10);
    selector.set_target({.substream = 1});
    CPPUNIT_ASSERT(selector.choose(*make(2, 10), at(330ms)) == Choice::forward);
    CPPUNIT_ASSERT(selector.wants_keyframe() == 1);
    CPPUNIT_ASSERT(selector.choose(*make(1, 10), at(330ms)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*make(0, 10, true), at(330ms)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*make(1, 11, true), at(363ms)) == Choice::start);
    CPPUNIT_ASSERT(selector.choose(*make(2, 11, true), at(363ms)) == Choice::layer);
  }
  void a_silent_substream_falls_back_to_a_living_one() {
    LayerSelector selector = running(10);  // the last at 297 ms
    uint32_t frame = 10;
    for (; frame * 33ms <= 297ms + 250ms; ++frame) {
      for (uint8_t s = 0; s < 2; ++s) selector.choose(*make(s, frame), at(frame * 33ms));
      CPPUNIT_ASSERT(!selector.wants_keyframe());
    }
    CPPUNIT_ASSERT(selector.choose(*make(0, frame), at(frame * 33ms)) == Choice::layer);
    CPPUNIT_ASSERT(selector.wants_keyframe() == 1);
    CPPUNIT_ASSERT(selector.choose(*make(1, frame, true), at(frame * 33ms)) == Choice::start);
    CPPUNIT_ASSERT_EQUAL(1, selector.substream());
  }
  void a_still_picture_does_not_fall_back() {
    LayerSelector selector = running(10);
    for (uint32_t frame = 10; frame < 20; ++frame) {  // one frame a second
      for (uint8_t s = 0; s < 3; ++s) {
        const Choice choice = selector.choose(*make(s, frame), at(frame * 1s));
        CPPUNIT_ASSERT(choice == (s == 2 ? Choice::forward : Choice::layer));
        CPPUNIT_ASSERT(!selector.wants_keyframe());
      }
    }
  }
  void a_returning_substream_is_wanted_again() {
    LayerSelector selector = running(10);
    for (uint32_t frame = 10; frame < 40; ++frame)
      for (uint8_t s = 0; s < 2; ++s) selector.choose(*make(s, frame, frame == 30), at(frame * 33ms));
    CPPUNIT_ASSERT_EQUAL(1, selector.substream());
    CPPUNIT_ASSERT(selector.choose(*make(2, 40), at(40 * 33ms)) == Choice::layer);
    CPPUNIT_ASSERT(selector.wants_keyframe() == 2);
    CPPUNIT_ASSERT(selector.choose(*make(2, 41, true), at(41 * 33ms)) == Choice::start);
  }
  void substreams_above_the_target_never_start() {
    LayerSelector selector = LayersTest::selector(true, {.substream = 0});
    for (uint8_t s = 2; s > 0; --s) CPPUNIT_ASSERT(selector.choose(*make(s, 1, true), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.wants_keyframe() == 0);
    CPPUNIT_ASSERT(selector.choose(*make(0, 1, true), at(0s)) == Choice::start);
  }
  void a_substream_out_of_range_is_left_out() {
    LayerSelector selector = LayersTest::selector(false, {.substream = 255});
    CPPUNIT_ASSERT(selector.choose(*make(3, 1, true), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*make(255, 1, true), at(0s)) == Choice::layer);
  }

  void temporal_layers_go_down_with_the_next_picture() {
    LayerSelector selector = LayersTest::selector(false);
    selector.choose(*temporal(0, 0, false, true), at(0s));
    CPPUNIT_ASSERT(selector.choose(*temporal(1, 2), at(0s)) == Choice::forward);
    selector.set_target({.temporal = 1});
    CPPUNIT_ASSERT(selector.choose(*temporal(1, 2), at(0s)) == Choice::forward);  // the picture's other half
    CPPUNIT_ASSERT(selector.choose(*temporal(2, 1), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*temporal(3, 2, true), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT_EQUAL(1, selector.current().temporal);
  }
  void temporal_layers_go_up_at_switch_points_only() {
    LayerSelector selector = LayersTest::selector(false, {.temporal = 0});
    selector.choose(*temporal(0, 0, false, true), at(0s));
    selector.set_target({.temporal = 2});
    CPPUNIT_ASSERT(selector.choose(*temporal(1, 2, true), at(0s)) == Choice::layer);  // layer 1 is not there yet
    CPPUNIT_ASSERT(selector.choose(*temporal(2, 1), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*temporal(4, 0), at(0s)) == Choice::forward);
    rtp::PacketRef second_half = temporal(5, 1, true);
    second_half->video.frame_start = false;
    CPPUNIT_ASSERT(selector.choose(*second_half, at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*temporal(6, 1, true), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*temporal(7, 2), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*temporal(8, 2, true), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*temporal(9, 2), at(0s)) == Choice::forward);
  }
  // Dependency descriptors of L1T3: T0 is a switch point of all targets, T1 and T2 never are of their own.
  void a_switch_point_below_opens_the_layers_that_it_names() {
    LayerSelector selector = LayersTest::selector(false, {.temporal = 0});
    selector.choose(*temporal(0, 0, false, true), at(0s));
    CPPUNIT_ASSERT(selector.choose(*temporal(1, 2), at(0s)) == Choice::layer);
    selector.set_target({.temporal = 1});
    rtp::PacketRef base = temporal(2, 0);
    base->video.switch_to = 2;
    CPPUNIT_ASSERT(selector.choose(*base, at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*temporal(3, 2), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*temporal(4, 1), at(0s)) == Choice::forward);
    selector.set_target({.temporal = 2});
    CPPUNIT_ASSERT(selector.choose(*temporal(5, 2), at(0s)) == Choice::layer);
    rtp::PacketRef second_half = temporal(6, 0);
    second_half->video.switch_to = 2;
    second_half->video.frame_start = false;
    CPPUNIT_ASSERT(selector.choose(*second_half, at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*temporal(7, 2), at(0s)) == Choice::layer);
    base = temporal(8, 0);
    base->video.switch_to = 2;
    CPPUNIT_ASSERT(selector.choose(*base, at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*temporal(9, 2), at(0s)) == Choice::forward);
  }
  void a_keyframe_opens_all_temporal_layers() {
    LayerSelector selector = LayersTest::selector(false, {.temporal = 0});
    selector.choose(*temporal(0, 0, false, true), at(0s));
    selector.set_target({.temporal = 2});
    CPPUNIT_ASSERT(selector.choose(*temporal(1, 2), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.choose(*temporal(2, 0, false, true), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*temporal(3, 2), at(0s)) == Choice::forward);
  }

  void a_key_picture_opens_all_spatial_layers() {
    LayerSelector selector = LayersTest::selector(false);
    CPPUNIT_ASSERT(selector.choose(*spatial(0, 1, true), at(0s)) == Choice::waiting_keyframe);
    CPPUNIT_ASSERT(selector.choose(*spatial(1, 0, true), at(0s)) == Choice::start);
    CPPUNIT_ASSERT(selector.choose(*spatial(1, 1, true), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*spatial(1, 2, true), at(0s)) == Choice::forward);
    for (int8_t s = 0; s < 3; ++s) CPPUNIT_ASSERT(selector.choose(*spatial(2, s), at(0s)) == Choice::forward);
  }
  void spatial_layers_above_the_target_are_left_out() {
    LayerSelector selector = LayersTest::selector(false, {.spatial = 1});
    const Choice expected[] = {Choice::forward, Choice::forward, Choice::layer};
    selector.choose(*spatial(0, 0, true), at(0s));
    for (int8_t s = 1; s < 3; ++s) CPPUNIT_ASSERT(selector.choose(*spatial(0, s, true), at(0s)) == expected[s]);
    for (int8_t s = 0; s < 3; ++s) CPPUNIT_ASSERT(selector.choose(*spatial(1, s), at(0s)) == expected[s]);
    CPPUNIT_ASSERT(!selector.wants_keyframe());
    selector.set_target({.spatial = 0});
    CPPUNIT_ASSERT(selector.choose(*spatial(1, 1), at(0s)) == Choice::forward);  // the picture under way
    CPPUNIT_ASSERT(selector.choose(*spatial(2, 0), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*spatial(2, 1), at(0s)) == Choice::layer);
  }
  void the_last_forwarded_spatial_layer_ends_the_picture() {
    LayerSelector selector = LayersTest::selector(false, {.spatial = 1});
    for (uint32_t picture = 0; picture < 3; ++picture) {
      for (int8_t s = 0; s < 2; ++s) {
        rtp::PacketRef packet = spatial(picture, s, picture == 0);
        selector.choose(*packet, at(0s));
        CPPUNIT_ASSERT_EQUAL(s == 1, selector.ends_picture(*packet));
        packet->video.end_of_layer = false;
        CPPUNIT_ASSERT(!selector.ends_picture(*packet));
      }
      selector.choose(*spatial(picture, 2, picture == 0), at(0s));
    }
    rtp::PacketRef plain = make(0, 1);
    plain->video.end_of_layer = true;
    CPPUNIT_ASSERT(!LayersTest::selector(false).ends_picture(*plain));
  }
  void a_higher_spatial_layer_asks_for_a_keyframe() {
    LayerSelector selector = LayersTest::selector(false, {.spatial = 0});
    for (int8_t s = 0; s < 3; ++s) selector.choose(*spatial(0, s, true), at(0s));
    selector.set_target({.spatial = 2});
    CPPUNIT_ASSERT(selector.choose(*spatial(1, 0), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(!selector.wants_keyframe());
    CPPUNIT_ASSERT(selector.choose(*spatial(1, 1), at(0s)) == Choice::layer);
    CPPUNIT_ASSERT(selector.wants_keyframe() == 0);
    for (int8_t s = 0; s < 3; ++s) CPPUNIT_ASSERT(selector.choose(*spatial(2, s, true), at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(!selector.wants_keyframe());
  }
  void a_spatial_layer_without_history_can_be_entered() {
    LayerSelector selector = LayersTest::selector(false);
    selector.choose(*spatial(0, 0, true), at(0s));
    selector.choose(*spatial(1, 0), at(0s));
    rtp::PacketRef entry = spatial(1, 1);
    entry->video.inter_picture = false;
    CPPUNIT_ASSERT(selector.choose(*entry, at(0s)) == Choice::forward);
    CPPUNIT_ASSERT(selector.choose(*spatial(1, 2), at(0s)) == Choice::layer);
  }
  void layers_are_reported_as_they_go_on() {
    LayerSelector selector = running(3);
    CPPUNIT_ASSERT((selector.current() == CurrentLayers{.substream = 2}));
    LayerSelector svc = LayersTest::selector(false, {.spatial = 1});
    for (int8_t s = 0; s < 3; ++s) svc.choose(*spatial(0, s, true), at(0s));
    CPPUNIT_ASSERT((svc.current() == CurrentLayers{.spatial = 1, .spatial_layers = 3}));
    LayerSelector vp8 = LayersTest::selector(false, {.temporal = 1});
    for (uint32_t frame = 0; frame < 4; ++frame) {
      constexpr int8_t layers[] = {0, 2, 1, 2};
      vp8.choose(*temporal(frame, layers[frame], false, frame == 0), at(0s));
    }
    CPPUNIT_ASSERT((vp8.current() == CurrentLayers{.temporal = 1, .temporal_layers = 3}));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(LayersTest);

}  // namespace
}  // namespace cardea::media
