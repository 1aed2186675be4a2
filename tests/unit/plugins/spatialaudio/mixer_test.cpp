#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "studio.hpp"

namespace cardea::spatialaudio {
namespace {

using test::level_difference_db, test::noise, test::rms, test::Studio, test::time_difference_us, test::tone;

constexpr double low = 300, high = 8000;

double db(double ratio) { return 20 * std::log10(ratio); }
Pose standing(double x, double y, double heading = 0) { return {{x, y, 0}, {heading, 0, 0}}; }
MixerSettings settings(SceneSettings scene = {}) {
  return {.scene = std::move(scene), .voice = {.even_loudness = false}};
}

// How loud each of several tones is, by correlation.
double loudness_of(std::span<const float> signal, double hz) {
  double re = 0, im = 0;
  for (size_t i = 0; i < signal.size(); ++i) {
    const double angle = 2 * M_PI * hz * static_cast<double>(i) / sample_rate;
    const double window = 0.5 - 0.5 * std::cos(2 * M_PI * static_cast<double>(i) / static_cast<double>(signal.size()));
    re += signal[i] * window * std::cos(angle);
    im += signal[i] * window * std::sin(angle);
  }
  return 4 * std::hypot(re, im) / static_cast<double>(signal.size());
}

class MixerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MixerTest);
  CPPUNIT_TEST(a_voice_is_heard_from_where_it_is_after_the_codec);
  CPPUNIT_TEST(twice_as_far_is_6_db_quieter);
  CPPUNIT_TEST(a_wall_takes_what_it_says_and_one_of_40_db_everything);
  CPPUNIT_TEST(moves_neither_click_nor_zip);
  CPPUNIT_TEST(a_turn_of_the_head_is_heard_within_60_ms);
  CPPUNIT_TEST(nobody_hears_himself);
  CPPUNIT_TEST(a_plain_mix_is_the_sum_of_the_others);
  CPPUNIT_TEST(listeners_who_hear_the_same_share_one_mix);
  CPPUNIT_TEST(who_leaves_a_shared_mix_hears_no_click);
  CPPUNIT_TEST(a_crowd_is_heard_with_few_mixes_and_walls_hold_in_it);
  CPPUNIT_TEST(silence_costs_nothing_and_is_sent);
  CPPUNIT_TEST(a_sum_too_loud_is_limited);
  CPPUNIT_TEST(a_tick_allocates_nothing);
  CPPUNIT_TEST(who_leaves_is_heard_no_more_and_its_number_can_be_used_again);
  CPPUNIT_TEST(a_late_tick_is_made_up_for_and_a_long_pause_is_not);
  CPPUNIT_TEST_SUITE_END();

  void a_voice_is_heard_from_where_it_is_after_the_codec() {
    for (double azimuth : {0.0, 45.0, -45.0, 90.0, -90.0}) {
      Studio studio(settings());
      studio.join(0, standing(0, 0));
      const double angle = azimuth * M_PI / 180;
      studio.join(1, standing(2 * std::sin(angle), -2 * std::cos(angle)), {.listens = false});
      studio.says(1, noise(1));
      studio.run(25);
      studio.forget();
      studio.run(75);
      const auto left = studio.heard(0, 0), right = studio.heard(0, 1);
      // what the head measured does to the same noise
      const Ray ray = test::kemar().towards(static_cast<float>(azimuth), 0, 1);
      const auto ears = test::response(ray);
      const double level = level_difference_db(right, left, low, high),
                   measured = level_difference_db(ears[1], ears[0], low, high);
      const double time = time_difference_us(left, right), measured_time = time_difference_us(ears[0], ears[1]);
      test::tell("azimuth %4.0f: level difference %6.2f dB (measured %6.2f), time difference %6.1f us (%6.1f)\n",
                 azimuth, level, measured, time, measured_time);
      CPPUNIT_ASSERT_DOUBLES_EQUAL(measured, level, 1.0);
      CPPUNIT_ASSERT_DOUBLES_EQUAL(measured_time, time, 45);
    }
  }

  void twice_as_far_is_6_db_quieter() {
    double before = 0;
    for (double distance : {1.0, 2.0, 4.0, 8.0, 16.0}) {
      Studio studio(settings());
      studio.join(0, standing(0, 0));
      studio.join(1, standing(0, -distance), {.listens = false});
      studio.says(1, noise(2));
      studio.run(20);
      studio.forget();
      studio.run(50);
      const double level = rms(studio.heard(0, 0));
      test::tell("distance %4.0f m: %6.2f dB\n", distance, db(level));
      if (before > 0) CPPUNIT_ASSERT_DOUBLES_EQUAL(6, db(before / level), 0.5);
      before = level;
    }
  }

  void a_wall_takes_what_it_says_and_one_of_40_db_everything() {
    std::map<double, double> levels;
    for (double loss : {0.0, 30.0, 40.0}) {
      SceneSettings scene;
      if (loss > 0) scene.walls.push_back({-5, -1, 5, -1, loss});
      Studio studio(settings(scene));
      studio.join(0, standing(0, 0));
      studio.join(1, standing(0, -2), {.listens = false});
      studio.says(1, noise(3, 0.3f));
      studio.run(20);
      studio.forget();
      studio.run(50);
      levels[loss] = rms(studio.heard(0, 0));
    }
    CPPUNIT_ASSERT_DOUBLES_EQUAL(30, db(levels[0] / levels[30]), 1);
    CPPUNIT_ASSERT(levels[40] < 1e-9);  // the decoder's own dither against denormals
  }

  // No step above three times the level around, and no lines 50 Hz and multiples of it beside a tone.
  static void assert_even(const std::vector<float>& heard, double hz, const char* what) {
    const size_t around = 480;
    for (size_t i = around; i + around < heard.size(); i += 7) {
      const double local = rms(std::span(heard).subspan(i - around, 2 * around));
      CPPUNIT_ASSERT_MESSAGE(what, std::abs(heard[i + 1] - heard[i]) <= 3 * local + 1e-4);
    }
    double worst = 0;
    const double middle = loudness_of(heard, hz);
    for (int k = 1; k <= 8; ++k)
      for (int side : {-1, 1}) worst = std::max(worst, loudness_of(heard, hz + side * 50.0 * k) / middle);
    test::tell("%s: lines at multiples of the tick rate %.1f dB\n", what, db(worst));
    CPPUNIT_ASSERT_MESSAGE(what, db(worst) <= -40);
  }

  void moves_neither_click_nor_zip() {
    for (double hz : {400.0, 1000.0, 3000.0}) {
      {  // somebody walks by at 2 m/s, told 20 times a second
        Studio studio(settings());
        studio.join(0, standing(0, 0));
        studio.join(1, standing(-3, -2), {.listens = false});
        studio.says(1, tone(hz));
        studio.run(20);
        studio.forget();
        studio.run(100, [&](size_t tick) {
          if (tick % 5 == 0 || tick % 5 == 2)
            studio.mixer.move(1, standing(-3 + 0.04 * (static_cast<double>(tick) - 20), -2), studio.now);
        });
        assert_even(studio.heard(0, 0), hz, "walking by, left");
        assert_even(studio.heard(0, 1), hz, "walking by, right");
      }
      {  // the listener turns at 180 degrees a second
        Studio studio(settings());
        studio.join(0, standing(0, 0));
        studio.join(1, standing(0, -2), {.listens = false});
        studio.says(1, tone(hz));
        studio.run(20);
        studio.forget();
        studio.run(50, [&](size_t tick) {
          if (tick % 5 == 0 || tick % 5 == 2)
            studio.mixer.move(0, standing(0, 0, 3.6 * (static_cast<double>(tick) - 20) - 90), studio.now);
        });
        assert_even(studio.heard(0, 0), hz, "turning, left");
      }
    }
  }

  void a_turn_of_the_head_is_heard_within_60_ms() {
    Studio studio(settings());
    studio.join(0, standing(0, 0));
    studio.join(1, standing(0, -2), {.listens = false});
    studio.says(1, noise(5));
    studio.run(30);
    studio.mixer.move(0, standing(0, 0, 60), studio.now);
    studio.forget();
    studio.run(3);
    const auto left = studio.heard(0, 0), right = studio.heard(0, 1);
    // the last 20 ms of the first 60
    const double level =
        level_difference_db(std::span(left).last(frame_size), std::span(right).last(frame_size), low, high);
    CPPUNIT_ASSERT(level > 5);
  }

  void nobody_hears_himself() {
    Studio studio(settings());
    studio.join(0, standing(0, 0));
    studio.join(1, standing(1, 0));
    studio.says(0, tone(500));
    studio.says(1, tone(1700));
    studio.run(25);
    studio.forget();
    studio.run(50);
    CPPUNIT_ASSERT(db(loudness_of(studio.heard(0, 0), 500) / loudness_of(studio.heard(0, 1), 1700)) < -40);
    CPPUNIT_ASSERT(db(loudness_of(studio.heard(1, 1), 1700) / loudness_of(studio.heard(1, 0), 500)) < -40);
  }

  void a_plain_mix_is_the_sum_of_the_others() {
    Studio studio({.mode = MixMode::plain, .voice = {.even_loudness = false}});
    for (SourceId who = 0; who < 4; ++who) studio.join(who, {}, {.format = {.channels = 1}});
    studio.says(0, tone(500, 0.2f));
    studio.says(1, tone(1100, 0.1f));
    studio.run(25);
    studio.forget();
    studio.run(50);
    const auto of_0 = studio.heard(0, 0), of_1 = studio.heard(1, 0), of_2 = studio.heard(2, 0);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.2, loudness_of(of_2, 500), 0.01);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.1, loudness_of(of_2, 1100), 0.01);
    CPPUNIT_ASSERT(loudness_of(of_0, 500) < 0.002);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.1, loudness_of(of_0, 1100), 0.01);
    CPPUNIT_ASSERT(loudness_of(of_1, 1100) < 0.001);
    // three mixes: without the one, without the other, and for all who only listen
    CPPUNIT_ASSERT_EQUAL(3u, studio.mixer.counters().mixes);
    CPPUNIT_ASSERT(studio.packets(2) == studio.packets(3));
  }

  void listeners_who_hear_the_same_share_one_mix() {
    Studio studio(settings());
    for (SourceId who = 0; who < 20; ++who) studio.join(who, standing(0, 0, who < 10 ? 0 : 90));
    studio.join(20, standing(2, 0), {.listens = false});
    studio.says(20, noise(6));
    studio.run(50);
    CPPUNIT_ASSERT_EQUAL(2u, studio.mixer.counters().mixes);
    CPPUNIT_ASSERT(studio.packets(0) == studio.packets(9));
    CPPUNIT_ASSERT(studio.packets(0) != studio.packets(10));
  }

  void who_leaves_a_shared_mix_hears_no_click() {
    Studio studio(settings());
    for (SourceId who = 0; who < 3; ++who) studio.join(who, standing(0, 0));
    studio.join(3, standing(0, -2), {.listens = false});
    studio.says(3, tone(1000));
    studio.run(25);
    studio.forget();
    // one looks away and back again, in and out of the mix of the others
    studio.run(60, [&](size_t tick) {
      if (tick == 40) studio.mixer.move(1, standing(0, 0, 2), studio.now);
      if (tick == 60) studio.mixer.move(1, standing(0, 0, 0), studio.now);
    });
    const auto heard = studio.heard(1, 0);
    const double level = rms(heard);
    double steepest = 0;
    for (size_t i = 1; i < heard.size(); ++i) steepest = std::max<double>(steepest, std::abs(heard[i] - heard[i - 1]));
    CPPUNIT_ASSERT(steepest < 0.3 * level);  // a tone of 1 kHz has 0.185
    CPPUNIT_ASSERT_EQUAL(1u, studio.mixer.counters().mixes);
  }

  void a_crowd_is_heard_with_few_mixes_and_walls_hold_in_it() {
    SceneSettings scene;
    scene.walls.push_back({5, -50, 5, 50, 60});
    MixerSettings crowd = settings(scene);
    crowd.mixes = 40;
    Studio studio(crowd);
    // one voice west of the wall, one east of it; listeners everywhere
    for (SourceId who = 0; who < 400; ++who)
      studio.join(who, standing(who % 20 * 0.5, who / 20 * 0.5, who * 37 % 360 - 180));
    studio.join(400, standing(2, -8), {.listens = false});
    studio.join(401, standing(8, -8), {.listens = false});
    studio.says(400, tone(500));
    studio.says(401, tone(1700));
    studio.run(20);
    studio.forget();
    studio.run(25);
    CPPUNIT_ASSERT(studio.mixer.counters().mixes <= 40);
    CPPUNIT_ASSERT(studio.mixer.counters().coarseness > 0);
    for (SourceId who = 0; who < 400; who += 7) {
      const bool west = who % 20 * 0.5 < 5;
      const auto left = studio.heard(who, 0), right = studio.heard(who, 1);
      const double own = loudness_of(left, west ? 500 : 1700) + loudness_of(right, west ? 500 : 1700),
                   other = loudness_of(left, west ? 1700 : 500) + loudness_of(right, west ? 1700 : 500);
      CPPUNIT_ASSERT(own > 0.001);
      CPPUNIT_ASSERT(db(other / own) < -50);
    }
  }

  void silence_costs_nothing_and_is_sent() {
    Studio studio(settings());
    studio.join(0, standing(0, 0));
    studio.join(1, standing(1, 0));
    studio.says(1, noise(8));
    studio.run(20);
    studio.says(1, [](size_t) { return 0.0f; });
    studio.run(40);
    const uint64_t before = studio.mixer.counters().encoded;
    studio.forget();
    studio.run(50);
    CPPUNIT_ASSERT_EQUAL(before, studio.mixer.counters().encoded);
    CPPUNIT_ASSERT_EQUAL(0u, studio.mixer.counters().speaking);
    CPPUNIT_ASSERT_EQUAL(size_t{50}, studio.packets(0).size());
    CPPUNIT_ASSERT(studio.packets(0).back().size() <= 8);
    CPPUNIT_ASSERT(rms(studio.heard(0, 0)) < 1e-5);
    // and who speaks again is heard as before
    studio.says(1, noise(9));
    studio.run(20);
    studio.forget();
    studio.run(20);
    CPPUNIT_ASSERT(rms(studio.heard(0, 0)) > 0.01);
  }

  void a_sum_too_loud_is_limited() {
    Studio studio({.mode = MixMode::plain, .voice = {.even_loudness = false}});
    for (SourceId who = 0; who < 6; ++who) {
      studio.join(who, {}, {.listens = who == 0});
      if (who > 0) studio.says(who, tone(300 + 170.0 * who, 0.9f));
    }
    studio.run(20);
    studio.forget();
    studio.run(50);
    const auto heard = studio.heard(0, 0);
    const auto most = std::abs(
        *std::max_element(heard.begin(), heard.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    CPPUNIT_ASSERT(most <= 1.0f);  // 0.89 and what the codec adds
    CPPUNIT_ASSERT(rms(heard) > 0.2);
  }

  void a_tick_allocates_nothing() {
    Studio studio(settings());
    for (SourceId who = 0; who < 10; ++who) {
      studio.join(who, standing(who, 0));
      if (who < 4) studio.says(who, noise(who));
    }
    studio.run(3);
    studio.tick_allocations = 0;
    studio.run(100, [&](size_t tick) {
      studio.mixer.move(static_cast<SourceId>(tick % 10), standing(static_cast<double>(tick % 13), 1), studio.now);
    });
    CPPUNIT_ASSERT_EQUAL(size_t{0}, studio.tick_allocations);
  }

  void who_leaves_is_heard_no_more_and_its_number_can_be_used_again() {
    Studio studio(settings());
    studio.join(0, standing(0, 0));
    studio.join(1, standing(1, 0), {.listens = false});
    studio.says(1, noise(10));
    studio.run(20);
    studio.mixer.leave(1);
    studio.run(10);
    studio.forget();
    studio.run(10);
    CPPUNIT_ASSERT(rms(studio.heard(0, 0)) < 1e-5);
    studio.join(1, standing(0, -3), {.listens = false});
    studio.run(10);
    studio.forget();
    studio.run(10);
    CPPUNIT_ASSERT(rms(studio.heard(0, 0)) > 0.005);
    studio.mixer.leave(77);  // who is not there
    studio.mixer.move(77, {}, studio.now);
  }

  void a_late_tick_is_made_up_for_and_a_long_pause_is_not() {
    Studio studio(settings());
    studio.join(0, standing(0, 0));
    studio.run(5);
    studio.forget();
    studio.now += 40ms;
    studio.run(1);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, studio.packets(0).size());
    studio.forget();
    studio.now += 10s;
    studio.run(1);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, studio.packets(0).size());
    CPPUNIT_ASSERT(studio.mixer.counters().missed >= 499);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(MixerTest);

}  // namespace
}  // namespace cardea::spatialaudio
