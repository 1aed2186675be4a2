#include <cppunit/extensions/HelperMacros.h>

#include <cmath>
#include <random>

#include "studio.hpp"

namespace cardea::spatialaudio {
namespace {

using test::rms, test::Studio, test::tone;

MixerSettings plain() { return {.mode = MixMode::plain, .voice = {.even_loudness = false}}; }

class VoiceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(VoiceTest);
  CPPUNIT_TEST(a_red_payload_is_read_and_written);
  CPPUNIT_TEST(broken_red_is_refused);
  CPPUNIT_TEST(red_mends_single_losses);
  CPPUNIT_TEST(fec_mends_single_losses);
  CPPUNIT_TEST(bursts_are_concealed_and_do_not_last);
  CPPUNIT_TEST(the_delay_follows_the_jitter);
  CPPUNIT_TEST(clocks_that_drift_apart_are_brought_together);
  CPPUNIT_TEST(rubbish_is_dropped_by_name);
  CPPUNIT_TEST(loudness_is_evened_slowly);
  CPPUNIT_TEST(a_stream_that_begins_anew_is_heard);
  CPPUNIT_TEST_SUITE_END();

  void a_red_payload_is_read_and_written() {
    const std::vector<uint8_t> earlier{1, 2, 3}, newest{4, 5};
    std::array<uint8_t, 64> to;
    const size_t size = write_red(111, earlier, 960, newest, to);
    CPPUNIT_ASSERT_EQUAL(size_t{10}, size);
    RedReader reader;
    const auto blocks = reader.read({to.data(), size});
    CPPUNIT_ASSERT_EQUAL(size_t{2}, blocks.size());
    CPPUNIT_ASSERT_EQUAL(uint8_t{111}, blocks[0].payload_type);
    CPPUNIT_ASSERT_EQUAL(960u, blocks[0].offset);
    CPPUNIT_ASSERT(std::ranges::equal(earlier, blocks[0].data));
    CPPUNIT_ASSERT(std::ranges::equal(newest, blocks[1].data));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, write_red(111, earlier, 0x4000, newest, to));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, write_red(111, earlier, 960, newest, std::span(to).first(9)));
  }

  void broken_red_is_refused() {
    RedReader reader;
    CPPUNIT_ASSERT(reader.read({}).empty());
    const std::vector<uint8_t> cut{0x80 | 111, 0, 0};
    CPPUNIT_ASSERT(reader.read(cut).empty());
    const std::vector<uint8_t> too_long{0x80 | 111, 15, 3, 255, 111, 1, 2};
    CPPUNIT_ASSERT(reader.read(too_long).empty());
    const std::vector<uint8_t> endless(100, 0x80);
    CPPUNIT_ASSERT(reader.read(endless).empty());
  }

  static double concealed(const Studio& studio) {
    const VoiceCounters& counters = studio.mixer.voice(1)->counters();
    return 100.0 * static_cast<double>(counters.concealed) / static_cast<double>(counters.samples);
  }
  // Steps far above those of the tone: cracks.
  static size_t cracks(const std::vector<float>& heard, double hz) {
    const double steepest = 2 * std::sin(M_PI * hz / sample_rate) * 0.3 * 2.5;
    size_t count = 0;
    for (size_t i = 1; i < heard.size(); ++i) count += std::abs(heard[i] - heard[i - 1]) > steepest;
    return count;
  }
  static void people(Studio& studio) {
    studio.join(0, {}, {.format = {.channels = 1}});
    studio.join(1, {}, {.listens = false});
  }

  void mended(bool red) {
    Studio studio(plain());
    studio.red = red;
    studio.fec = !red;
    auto random = std::make_shared<std::mt19937>(4);
    size_t lost = 0;
    studio.network = [random, &lost](SourceId, size_t) {
      const bool gone = (*random)() % 100 < 5;
      lost += gone;
      return Studio::Way{.lost = gone};
    };
    people(studio);
    studio.says(1, tone(440));
    studio.run(1000);
    test::tell("5 %% lost (%zu), %s: %.2f %% concealed, %llu samples mended\n", lost, red ? "RED" : "FEC",
               concealed(studio), static_cast<unsigned long long>(studio.mixer.voice(1)->counters().mended));
    CPPUNIT_ASSERT(lost > 30);
    CPPUNIT_ASSERT(concealed(studio) <= 1);
    CPPUNIT_ASSERT(studio.mixer.voice(1)->counters().mended > 20 * frame_size);
    const auto heard = studio.heard(0, 0);
    CPPUNIT_ASSERT(rms(heard) > 0.15);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, cracks(heard, 440));
  }
  void red_mends_single_losses() { mended(true); }
  void fec_mends_single_losses() { mended(false); }

  void bursts_are_concealed_and_do_not_last() {
    Studio studio(plain());
    studio.network = [](SourceId, size_t frame) { return Studio::Way{.lost = frame % 50 < 5 && frame > 50}; };
    people(studio);
    studio.says(1, tone(440));
    studio.run(500);
    CPPUNIT_ASSERT(concealed(studio) < 11);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, cracks(studio.heard(0, 0), 440));
    CPPUNIT_ASSERT(studio.mixer.voice(1)->delay() < 60ms);
  }

  void the_delay_follows_the_jitter() {
    Studio studio(plain());
    auto random = std::make_shared<std::mt19937>(5);
    auto most = std::make_shared<uint32_t>(0);
    studio.network = [random, most](SourceId, size_t) {
      return Studio::Way{.late = std::chrono::milliseconds(*most ? (*random)() % *most : 0)};
    };
    people(studio);
    studio.says(1, tone(440));
    studio.run(150);
    const Duration calm = studio.mixer.voice(1)->delay();
    *most = 60;
    studio.run(500);
    const uint64_t before = studio.mixer.voice(1)->counters().concealed;
    studio.run(500);
    const uint64_t while_jittering = studio.mixer.voice(1)->counters().concealed - before;
    const Duration jittering = studio.mixer.voice(1)->delay();
    *most = 0;
    studio.run(500);
    const Duration again = studio.mixer.voice(1)->delay();
    test::tell("delay %.1f ms; with 60 ms of jitter %.1f ms and %.2f %% concealed; again without %.1f ms\n",
               static_cast<double>(calm.count()) / 1e6, static_cast<double>(jittering.count()) / 1e6,
               100.0 * static_cast<double>(while_jittering) / (500.0 * frame_size),
               static_cast<double>(again.count()) / 1e6);
    CPPUNIT_ASSERT(calm < 25ms);
    CPPUNIT_ASSERT(jittering > 25ms && jittering < 80ms);
    CPPUNIT_ASSERT(while_jittering <= 500 * frame_size * 3 / 100);
    CPPUNIT_ASSERT(again < 25ms);
  }

  void clocks_that_drift_apart_are_brought_together() {
    for (double ppm : {300.0, -300.0}) {
      Studio studio(plain());
      studio.clock_ppm = ppm;
      people(studio);
      studio.says(1, tone(440));
      studio.run(3000);  // a minute: 18 ms apart without correction
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, studio.mixer.voice(1)->counters().concealed);
      CPPUNIT_ASSERT(studio.mixer.voice(1)->delay() < 30ms);
      CPPUNIT_ASSERT_EQUAL(size_t{0}, cracks(studio.heard(0, 0), 440));
    }
  }

  void rubbish_is_dropped_by_name() {
    Voice voice({});
    Frame frame;
    const Time now{std::chrono::hours(1)};
    const auto give = [&](std::vector<uint8_t> payload, uint32_t timestamp, bool red = false) {
      voice.receive({.red = red, .seq = timestamp / 960, .timestamp = timestamp, .arrival = now, .payload = payload});
    };
    const auto dropped = [&](VoiceDrop why) { return voice.counters().dropped[static_cast<size_t>(why)]; };
    give({}, 0);
    give({0xff, 0xff, 0xff}, 960);
    give({1, 2, 3}, 960, true);
    CPPUNIT_ASSERT(dropped(VoiceDrop::malformed) >= 1);
    give(std::vector<uint8_t>(4000, 0x78), 1920);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, dropped(VoiceDrop::too_big));
    give({0x78, 1, 2, 3}, 1920);
    give({0x78, 1, 2, 3}, 1920);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, dropped(VoiceDrop::duplicate));
    std::mt19937 random(1);
    Time at = now;
    for (int i = 0; i < 3000; ++i) {
      std::vector<uint8_t> payload(random() % 200);
      for (uint8_t& byte : payload) byte = static_cast<uint8_t>(random());
      give(payload, random() % 7 == 0 ? random() : static_cast<uint32_t>(i) * 960, random() % 3 == 0);
      voice.tick(at += 20ms, frame);
      for (float sample : frame) CPPUNIT_ASSERT(std::isfinite(sample));
    }
  }

  void loudness_is_evened_slowly() {
    Studio studio({.mode = MixMode::plain});
    people(studio);
    studio.says(1, tone(440, 0.01f));  // -43 dBFS
    studio.run(50);
    studio.forget();
    studio.run(25);
    const double first = rms(studio.heard(0, 0));
    studio.run(2500);
    studio.forget();
    studio.run(25);
    const double later = rms(studio.heard(0, 0));
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.00707, first, 0.001);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(12, 20 * std::log10(later / first), 1.5);
  }

  void a_stream_that_begins_anew_is_heard() {
    Studio studio(plain());
    people(studio);
    studio.says(1, tone(440));
    studio.run(50);
    studio.mixer.clear_voice(1);
    studio.run(20);
    studio.forget();
    studio.run(20);
    CPPUNIT_ASSERT(rms(studio.heard(0, 0)) > 0.15);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(VoiceTest);

}  // namespace
}  // namespace cardea::spatialaudio
