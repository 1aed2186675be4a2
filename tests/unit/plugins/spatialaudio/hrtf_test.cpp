#include <cppunit/extensions/HelperMacros.h>
#include <mysofa.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "sounds.hpp"

namespace cardea::spatialaudio {
namespace {

using test::kemar;

std::array<std::vector<float>, 2> response(float azimuth, float elevation) {
  return test::response(kemar().towards(azimuth, elevation, 1));
}

constexpr double low = 300, high = 8000;

struct Compared {
  double worst_level_db = 0, worst_time_us = 0, worst_spectrum_db = 0;
};

class HrtfTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HrtfTest);
  CPPUNIT_TEST(every_measured_direction_sounds_as_measured);
  CPPUNIT_TEST(between_measured_directions_level_and_time_lie_between);
  CPPUNIT_TEST(what_is_on_the_right_is_louder_and_earlier_at_the_right_ear);
  CPPUNIT_TEST(a_file_that_is_missing_or_no_sofa_file_is_an_error);
  CPPUNIT_TEST_SUITE_END();

  void every_measured_direction_sounds_as_measured() {
    int code = 0;
    MYSOFA_HRTF* file = mysofa_load(CARDEA_KEMAR, &code);
    CPPUNIT_ASSERT(file);
    mysofa_tospherical(file);
    CPPUNIT_ASSERT_EQUAL(MYSOFA_OK + 0, mysofa_resample(file, sample_rate));
    CPPUNIT_ASSERT_EQUAL(710u, file->M);
    Compared worst;
    for (unsigned m = 0; m < file->M; ++m) {
      const float* place = file->SourcePosition.values + m * 3;
      const auto ears = response(static_cast<float>(wrapped(-place[0])), place[1]);
      std::array<std::vector<float>, 2> measured;
      for (unsigned ear = 0; ear < 2; ++ear) {
        const float* from = file->DataIR.values + (m * 2 + ear) * file->N;
        measured[ear].assign(from, from + file->N);
      }
      const double level = test::level_difference_db(ears[0], ears[1], low, high) -
                           test::level_difference_db(measured[0], measured[1], low, high);
      const double time =
          test::time_difference_us(ears[0], ears[1]) - test::time_difference_us(measured[0], measured[1]);
      worst.worst_level_db = std::max(worst.worst_level_db, std::abs(level));
      worst.worst_time_us = std::max(worst.worst_time_us, std::abs(time));
      for (size_t ear = 0; ear < 2; ++ear)
        worst.worst_spectrum_db =
            std::max(worst.worst_spectrum_db, test::spectrum_difference_db(ears[ear], measured[ear], low, high));
    }
    mysofa_free(file);
    test::tell("worst of 710 directions: level difference %.3f dB, time difference %.2f us, spectrum %.3f dB RMS\n",
               worst.worst_level_db, worst.worst_time_us, worst.worst_spectrum_db);
    CPPUNIT_ASSERT(worst.worst_level_db <= 0.7);
    CPPUNIT_ASSERT(worst.worst_time_us <= 20);
    CPPUNIT_ASSERT(worst.worst_spectrum_db <= 1);
  }

  void between_measured_directions_level_and_time_lie_between() {
    // behind the head, in its shadow, sound comes around both sides and levels change quickly
    for (float azimuth = -177.5f; azimuth < 180; azimuth += 5) {
      const auto before = response(azimuth - 2.5f, 0), at = response(azimuth, 0), after = response(azimuth + 2.5f, 0);
      const auto level = [](const auto& ears) { return test::level_difference_db(ears[0], ears[1], low, high); };
      const auto time = [](const auto& ears) { return test::time_difference_us(ears[0], ears[1]); };
      CPPUNIT_ASSERT_DOUBLES_EQUAL((level(before) + level(after)) / 2, level(at), std::abs(azimuth) < 100 ? 1.0 : 3.5);
      CPPUNIT_ASSERT_DOUBLES_EQUAL((time(before) + time(after)) / 2, time(at), 25);
    }
  }

  void what_is_on_the_right_is_louder_and_earlier_at_the_right_ear() {
    const auto right = response(90, 0), left = response(-90, 0), front = response(0, 0);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(11.8, test::level_difference_db(right[1], right[0], low, high), 3);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(test::level_difference_db(right[1], right[0], low, high),
                                 test::level_difference_db(left[0], left[1], low, high), 0.1);
    CPPUNIT_ASSERT(test::time_difference_us(right[0], right[1]) > 600);
    CPPUNIT_ASSERT(test::time_difference_us(left[0], left[1]) < -600);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0, test::level_difference_db(front[0], front[1], low, high), 0.1);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0, test::time_difference_us(front[0], front[1]), 5);
  }

  void a_file_that_is_missing_or_no_sofa_file_is_an_error() {
    CPPUNIT_ASSERT(!Hrtf::load("/nonexistent.sofa"));
    CPPUNIT_ASSERT(!Hrtf::load("/etc/passwd"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(HrtfTest);

}  // namespace
}  // namespace cardea::spatialaudio
