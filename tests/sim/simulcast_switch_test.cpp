// A simulcast publisher, the gateway's machines and one subscriber whose wishes change: what it gets is one stream that
// a decoder can follow.
#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <map>

#include "media/forwarder.hpp"
#include "media/keyframe_requests.hpp"
#include "media/nack_tracker.hpp"
#include "media/receive_stream.hpp"
#include "rtp/ntp.hpp"
#include "sim/link.hpp"
#include "sim/source.hpp"
#include "sim/world.hpp"
#include "unit/media/forwarding.hpp"

namespace cardea::sim {
namespace {

struct Got {
  rtp::SharedPacket packet;
  media::Rewritten as;
  Time when;
};

struct Simulcast {
  Simulcast(uint64_t seed, double loss, bool reports)
      : uplink(world, seed, {.loss = loss, .clean_for = 200ms, .delay = 20ms, .jitter = 5ms},
               [this](rtp::PacketRef packet) { at_gateway(std::move(packet)); }),
        requests(world, seed + 100, {.delay = 20ms}, [this](int substream) { asked_for_keyframe(substream); }),
        random(seed), with_reports(reports), sources{Source(pool, seed * 3, 0, 1), Source(pool, seed * 3 + 1, 1, 2),
                                                     Source(pool, seed * 3 + 2, 2, 4)},
        forwarder(MediaKind::video, true, random) {}

  void run() {
    world.every(100ms / 3, [this] {
      for (uint8_t s = 0; s < 3; ++s) {
        if (s == 2 && world.elapsed() >= 10s && world.elapsed() < 15s) continue;  // no bandwidth for it
        for (const rtp::PacketRef& packet : sources[s].frame(world.now(), world.elapsed())) uplink.send(packet);
      }
      return world.elapsed() < 30s;
    });
    world.every(10ms, [this] { return tick(), world.elapsed() < 30s; });
    world.every(700ms, [this] { return change_wishes(), world.elapsed() < 29s; });
    world.run(32s);
  }

  void change_wishes() {
    if (world.elapsed() < 2s || (world.elapsed() > 9s && world.elapsed() < 16s)) {
      forwarder.set_layers({});
      return;
    }
    if (random.below(8) == 0) {
      forwarder.pause(!forwarder.paused());
    } else if (forwarder.paused()) {
      forwarder.pause(false);
    }
    Layers layers;
    layers.substream = static_cast<uint8_t>(random.below(3));
    layers.temporal = static_cast<uint8_t>(random.below(3));
    forwarder.set_layers(layers);
  }
  void asked_for_keyframe(int substream) {
    for (int s = 0; s < 3; ++s)
      if (substream < 0 || substream == s) sources[static_cast<size_t>(s)].want_keyframe();
  }
  void tick() {
    if (with_reports && world.elapsed() % 1s == 0ms) {
      for (uint8_t s = 0; s < 3; ++s) {
        received[s].sender_report(rtp::to_ntp64(world.now()), sources[s].timestamp_at(world.elapsed()), 90000,
                                  world.now());
        forwarder.align(s, *received[s].common_offset());
      }
    }
    for (size_t s = 0; s < 3; ++s) {
      if (keyframes[s].due(world.now())) requests.send(static_cast<int>(s));
      for (rtp::SeqNo lost : nack[s].due(world.now(), 50ms))
        uplink.send(sources[s].again(static_cast<uint16_t>(lost)));  // asked for and sent without a way back
    }
  }
  void at_gateway(rtp::PacketRef packet) {
    const size_t s = packet->substream;
    if (!packet->recovered) {
      packet = sources[s].again(static_cast<uint16_t>(packet->seq));
      packet->recovered = false;
    }
    packet->seq = wideners[s].widen(static_cast<uint16_t>(packet->seq));
    packet->arrival = world.now();
    if (!nack[s].arrived(packet->seq, world.now())) return;
    if (packet->video.keyframe) keyframes[s].keyframe_arrived();
    const media::test::Forwarded as = media::test::forward(forwarder, *packet, world.now());
    if (auto layers = forwarder.take_change()) changes.push_back(*layers);
    if (as) {
      CPPUNIT_ASSERT((forwarder.origin(as->seq) == media::Origin{packet->substream, packet->seq}));
      CPPUNIT_ASSERT(got.emplace(as->seq, Got{packet, *as, world.now()}).second);
    } else if (auto wanted = forwarder.wants_keyframe()) {
      for (int i = 0; i < 3; ++i)
        if (*wanted < 0 || *wanted == i) keyframes[static_cast<size_t>(i)].request(world.now());
    }
  }
  const FrameFacts& facts(const Got& one) const { return sources[one.packet->substream].facts(one.packet->ssrc); }

  rtp::PacketPool pool;
  World world;
  Link<rtp::PacketRef> uplink;
  Link<int> requests;
  SeededRandom random;
  bool with_reports;
  std::array<Source, 3> sources;
  // the gateway
  std::array<media::SequenceWidener, 3> wideners;
  std::array<media::NackTracker, 3> nack;
  std::array<media::ReceiveStream, 3> received;
  std::array<media::KeyframeRequests, 3> keyframes;
  media::Forwarder forwarder;
  // what is judged
  std::map<rtp::SeqNo, Got> got;
  std::vector<CurrentLayers> changes;
};

// A decoder's view of what it needs for a frame: the frames of its substream that came before.
class Decoder {
public:
  bool can_decode(const FrameFacts& frame, uint8_t substream) {
    if (frame.keyframe) {
      substream_ = substream;
      newest_.fill(-1);
    } else if (substream != substream_) {
      return false;
    }
    bool ok = true;
    // Lower layers as the encoder had them, and, unless it is a switch point, the layer itself.
    for (int t = 0; t <= frame.temporal; ++t) {
      const auto i = static_cast<size_t>(t);
      if (t == 0 && !frame.keyframe) ok = ok && newest_[0] >= 0;
      if (t > 0 && t == frame.temporal && !frame.switch_up && seen_layer(frame, i) && newest_[i] < 0) ok = false;
    }
    newest_[static_cast<size_t>(frame.temporal)] = frame.number;
    last_key_ = frame.keyframe ? frame.number : last_key_;
    return ok;
  }

private:
  // After a keyframe the pattern begins anew: the first frame of a layer leans on the lower ones only.
  bool seen_layer(const FrameFacts& frame, size_t layer) const {
    return frame.number > last_key_ + (layer == 1 ? 2 : 1);
  }
  int substream_ = -1;
  uint32_t last_key_ = 0;
  std::array<int64_t, 3> newest_{-1, -1, -1};
};

class SimulcastSwitchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SimulcastSwitchTest);
  CPPUNIT_TEST(a_decoder_can_follow_every_switch);
  CPPUNIT_TEST(switches_survive_losses);
  CPPUNIT_TEST(a_layer_that_stops_is_replaced_and_comes_back);
  CPPUNIT_TEST(capture_times_are_kept_with_sender_reports);
  CPPUNIT_TEST(it_begins_low_and_goes_up_at_once);
  CPPUNIT_TEST_SUITE_END();

  static constexpr uint64_t seeds = 6;

public:
  void a_decoder_can_follow_every_switch() {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      Simulcast call(seed, 0, seed % 2 == 0);
      call.run();
      Decoder decoder;
      const Got* before = nullptr;
      int switches = 0;
      for (const auto& [seq, one] : call.got) {
        const bool frame_start = one.packet->video.frame_start;
        if (before != nullptr) {
          const bool switched = one.packet->substream != before->packet->substream;
          switches += switched ? 1 : 0;
          CPPUNIT_ASSERT_EQUAL(before->as.seq + 1, one.as.seq);
          CPPUNIT_ASSERT(!switched || one.packet->video.keyframe);
          CPPUNIT_ASSERT(frame_start ? media::later(one.as.timestamp, before->as.timestamp)
                                     : one.as.timestamp == before->as.timestamp);
          CPPUNIT_ASSERT_EQUAL((before->as.picture_id + (frame_start ? 1 : 0)) & 0x7fff, one.as.picture_id);
          // TL0PICIDX goes on with frames of the lowest layer, KEYIDX with keyframes.
          const bool lowest = frame_start && one.packet->video.temporal == 0;
          CPPUNIT_ASSERT_EQUAL((before->as.tl0_pic_idx + (lowest ? 1 : 0)) & 0xff, int{one.as.tl0_pic_idx});
        }
        if (frame_start) CPPUNIT_ASSERT(decoder.can_decode(call.facts(one), one.packet->substream));
        before = &one;
      }
      CPPUNIT_ASSERT(switches > 8);
      CPPUNIT_ASSERT(call.got.size() > 1500);
    }
  }
  void switches_survive_losses() {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      Simulcast call(seed, 0.05, seed % 2 == 0);
      call.run();
      const Got* before = nullptr;
      int switches = 0;
      size_t holes = 0;
      for (const auto& [seq, one] : call.got) {
        if (before != nullptr) {
          const bool switched = one.packet->substream != before->packet->substream;
          switches += switched ? 1 : 0;
          holes += static_cast<size_t>(one.as.seq - before->as.seq - 1);
          CPPUNIT_ASSERT(!switched || one.packet->video.keyframe);
          CPPUNIT_ASSERT(!media::later(before->as.timestamp, one.as.timestamp));
          CPPUNIT_ASSERT_EQUAL(before->as.timestamp == one.as.timestamp, before->as.picture_id == one.as.picture_id);
        }
        before = &one;
      }
      CPPUNIT_ASSERT(switches > 8);
      // What the subscriber will not get: ends of pictures left out, and what a late keyframe had in its train.
      CPPUNIT_ASSERT(holes * 20 < call.got.size());
    }
  }
  void a_layer_that_stops_is_replaced_and_comes_back() {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      Simulcast call(seed, 0, false);
      call.run();
      bool lower = false, back = false;
      Time last = call.world.at(9500ms);
      for (const auto& [seq, one] : call.got) {
        if (one.when < last || one.when > call.world.at(16s)) continue;
        CPPUNIT_ASSERT(one.when - last < 450ms);  // fallback 250 ms, a request and a frame
        last = one.when;
        if (one.when > call.world.at(10500ms) && one.when < call.world.at(15s)) {
          CPPUNIT_ASSERT_EQUAL(1, int{one.packet->substream});
          lower = true;
        }
        back = back || (one.when > call.world.at(15s) && one.packet->substream == 2);
      }
      CPPUNIT_ASSERT(lower && back);
    }
  }
  void capture_times_are_kept_with_sender_reports() {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      for (bool reports : {true, false}) {
        Simulcast call(seed, 0, reports);
        call.run();
        std::optional<uint32_t> offset;
        for (const auto& [seq, one] : call.got) {
          const FrameFacts& facts = call.facts(one);
          const uint32_t captured = media::ticks(facts.captured - call.world.at(0s), 90000);
          // The first report comes after the first packets.
          if (one.when < call.world.at(2s)) continue;
          if (!offset) offset = one.as.timestamp - captured;
          const auto apart = static_cast<int32_t>(one.as.timestamp - captured - *offset);
          CPPUNIT_ASSERT(std::abs(apart) < (reports ? 20 : 100 * 90));
        }
      }
    }
  }
  void it_begins_low_and_goes_up_at_once() {
    Simulcast call(1, 0, false);
    call.run();
    CPPUNIT_ASSERT(!call.changes.empty());
    CPPUNIT_ASSERT_EQUAL(0, call.changes.front().substream);
    const auto top = std::find_if(call.changes.begin(), call.changes.end(),
                                  [](const CurrentLayers& layers) { return layers.substream == 2; });
    CPPUNIT_ASSERT(top != call.changes.end() && top - call.changes.begin() <= 2);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SimulcastSwitchTest);

}  // namespace
}  // namespace cardea::sim
