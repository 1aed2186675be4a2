#include <cppunit/extensions/HelperMacros.h>

#include "media/forwarder.hpp"
#include "unit/media/forwarding.hpp"
#include "unit/media/packets.hpp"

namespace cardea::media {
namespace {

using test::at, test::forward, test::Forwarded;

class ForwarderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ForwarderTest);
  CPPUNIT_TEST(it_is_small);
  CPPUNIT_TEST(audio_goes_on_from_the_first_packet);
  CPPUNIT_TEST(video_waits_for_a_keyframe);
  CPPUNIT_TEST(a_pause_drops_by_name_and_leaves_no_gap);
  CPPUNIT_TEST(another_source_goes_on_from_its_keyframe);
  CPPUNIT_TEST(a_nack_leads_back_to_the_packet);
  CPPUNIT_TEST(a_keyframe_whose_first_packet_came_late_is_entered);
  CPPUNIT_TEST(the_marker_follows_the_layer);
  CPPUNIT_TEST(changes_of_layers_are_told_once);
  CPPUNIT_TEST_SUITE_END();

  rtp::PacketPool pool_;
  SeededRandom random_{7};

  rtp::PacketRef video(rtp::SeqNo seq, bool keyframe = false, uint8_t substream = 0) {
    rtp::PacketRef packet = test::packet(pool_, seq);
    packet->substream = substream;
    packet->video.keyframe = keyframe;
    packet->video.frame_start = true;
    return packet;
  }
  rtp::PacketRef audio(rtp::SeqNo seq) {
    rtp::PacketRef packet = test::packet(pool_, seq);
    packet->codec = CodecType::opus;
    return packet;
  }

public:
  void it_is_small() { CPPUNIT_ASSERT(sizeof(Forwarder) < 600); }

  void audio_goes_on_from_the_first_packet() {
    Forwarder forwarder(MediaKind::audio, false, random_);
    CPPUNIT_ASSERT(!forwarder.wants_keyframe());
    const Forwarded first = forward(forwarder, *audio(70000), at(0s));
    CPPUNIT_ASSERT(first && !first->marker && first->picture_id == -1);
    CPPUNIT_ASSERT_EQUAL(first->seq + 2, forward(forwarder, *audio(70002), at(0s))->seq);
    CPPUNIT_ASSERT_EQUAL(first->seq + 1, forward(forwarder, *audio(70001), at(0s))->seq);
    CPPUNIT_ASSERT(forward(forwarder, *audio(69999), at(0s)).error() == Drop::too_old);
    CPPUNIT_ASSERT(!forwarder.take_change());
  }
  void video_waits_for_a_keyframe() {
    Forwarder forwarder(MediaKind::video, false, random_);
    CPPUNIT_ASSERT(forwarder.wants_keyframe() == -1);
    CPPUNIT_ASSERT(forward(forwarder, *video(70000), at(0s)).error() == Drop::waiting_keyframe);
    CPPUNIT_ASSERT(forwarder.wants_keyframe() == 0);
    CPPUNIT_ASSERT(forward(forwarder, *video(70001, true), at(0s)));
    CPPUNIT_ASSERT(!forwarder.wants_keyframe());
    CPPUNIT_ASSERT(forward(forwarder, *video(70002), at(0s)));
  }
  void a_pause_drops_by_name_and_leaves_no_gap() {
    for (MediaKind kind : {MediaKind::audio, MediaKind::video}) {
      Forwarder forwarder(kind, false, random_);
      const rtp::SeqNo first = forward(forwarder, *video(70000, true), at(0s))->seq;
      forwarder.pause(true);
      CPPUNIT_ASSERT(forward(forwarder, *video(70001, true), at(0s)).error() == Drop::paused);
      CPPUNIT_ASSERT(!forwarder.wants_keyframe());
      forwarder.pause(false);
      CPPUNIT_ASSERT_EQUAL(kind == MediaKind::video, forwarder.wants_keyframe() == 0);
      CPPUNIT_ASSERT_EQUAL(kind == MediaKind::audio, forward(forwarder, *video(70002), at(0s)).has_value());
      CPPUNIT_ASSERT_EQUAL(first + (kind == MediaKind::audio ? 2 : 1),
                           forward(forwarder, *video(70003, true), at(0s))->seq);
    }
  }
  void another_source_goes_on_from_its_keyframe() {
    Forwarder forwarder(MediaKind::video, false, random_);
    const rtp::SeqNo first = forward(forwarder, *video(70000, true), at(0s))->seq;
    forwarder.switch_source(false);
    CPPUNIT_ASSERT(forward(forwarder, *video(90000), at(0s)).error() == Drop::waiting_keyframe);
    CPPUNIT_ASSERT_EQUAL(first + 1, forward(forwarder, *video(90001, true), at(0s))->seq);
    CPPUNIT_ASSERT(!forwarder.origin(first));
  }
  void a_nack_leads_back_to_the_packet() {
    Forwarder forwarder(MediaKind::video, false, random_);
    rtp::SeqNo out = 0;
    for (rtp::SeqNo seq = 70000; seq < 140000; ++seq) out = forward(forwarder, *video(seq, seq == 70000), at(0s))->seq;
    CPPUNIT_ASSERT(forwarder.sent(static_cast<uint16_t>(out)) == out);
    CPPUNIT_ASSERT(forwarder.sent(static_cast<uint16_t>(out - 60000)) == out - 60000);
    CPPUNIT_ASSERT((forwarder.origin(out - 3) == Origin{0, 139996}));
    CPPUNIT_ASSERT(forwarder.again(out - 3, *video(139996))->seq == out - 3);
    CPPUNIT_ASSERT(!forwarder.again(out - 3, *video(139997)));
    Forwarder young(MediaKind::video, false, random_);
    const rtp::SeqNo first = forward(young, *video(1, true), at(0s))->seq;
    CPPUNIT_ASSERT(!young.sent(static_cast<uint16_t>(first + 1)) ||
                   !young.origin(*young.sent(static_cast<uint16_t>(first + 1))));
  }
  void a_keyframe_whose_first_packet_came_late_is_entered() {
    Forwarder forwarder(MediaKind::video, true, random_);
    const rtp::SeqNo first = forward(forwarder, *video(70000, true, 0), at(0s))->seq;
    for (rtp::SeqNo seq : {5001, 5002})
      CPPUNIT_ASSERT(forward(forwarder, *video(seq, false, 2), at(0s)).error() == Drop::layer);
    CPPUNIT_ASSERT_EQUAL(first + 1, forward(forwarder, *video(5000, true, 2), at(0s))->seq);
    // The rest of the frame has its place, and can be asked for.
    CPPUNIT_ASSERT_EQUAL(first + 4, forward(forwarder, *video(5003, false, 2), at(0s))->seq);
    CPPUNIT_ASSERT((forwarder.origin(first + 2) == Origin{2, 5001}));
  }
  void the_marker_follows_the_layer() {
    Forwarder forwarder(MediaKind::video, false, random_);
    forwarder.set_layers({.spatial = 0});
    rtp::SeqNo seq = 70000;
    for (int picture = 0; picture < 3; ++picture) {
      for (int8_t s = 0; s < 2; ++s) {
        rtp::PacketRef packet = video(seq++, picture == 0 && s == 0);
        packet->codec = CodecType::vp9;
        packet->timestamp = static_cast<uint32_t>(picture) * 3000;
        packet->video.spatial = s;
        packet->video.spatial_layers = 2;
        packet->video.inter_picture = picture > 0;
        packet->video.end_of_layer = true;
        packet->marker = s == 1;
        const Forwarded forwarded = forward(forwarder, *packet, at(0s));
        CPPUNIT_ASSERT_EQUAL(s == 0, forwarded.has_value());
        if (!forwarded) continue;
        CPPUNIT_ASSERT(picture == 0 || forwarded->marker);
        CPPUNIT_ASSERT(forwarder.again(forwarded->seq, *packet) == *forwarded);
      }
    }
  }
  void changes_of_layers_are_told_once() {
    Forwarder forwarder(MediaKind::video, true, random_);
    CPPUNIT_ASSERT(!forwarder.take_change());
    forward(forwarder, *video(1, true, 0), at(0s));
    CPPUNIT_ASSERT(forwarder.take_change() == CurrentLayers{.substream = 0});
    CPPUNIT_ASSERT(!forwarder.take_change());
    forward(forwarder, *video(9000, true, 2), at(0s));
    CPPUNIT_ASSERT(forwarder.take_change() == CurrentLayers{.substream = 2});
    forwarder.pause(true);
    CPPUNIT_ASSERT(!forwarder.take_change());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ForwarderTest);

}  // namespace
}  // namespace cardea::media
