// Sounds to render, and measures of what came out.
#pragma once

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "geometry.hpp"
#include "hrtf.hpp"

namespace cardea::spatialaudio::test {

// Debian's head, loaded once.
const Hrtf& kemar();

// What comes out for a click: the impulse responses of both ears.
std::array<std::vector<float>, 2> response(Ray ray);

// The power spectrum on a fine grid, and its mean between two frequencies.
double power(std::span<const float> signal, double from_hz, double to_hz);
// How much louder the first is, in dB.
double level_difference_db(std::span<const float> first, std::span<const float> second, double from_hz, double to_hz);
// How much later the first is, by the highest correlation below 1.5 kHz, in microseconds.
double time_difference_us(std::span<const float> first, std::span<const float> second);
// RMS difference of two spectra in dB over all bins, their mean difference left out.
double spectrum_difference_db(std::span<const float> first, std::span<const float> second, double from_hz,
                              double to_hz);
double rms(std::span<const float> signal);

// Prints numbers where CARDEA_TELL is set.
__attribute__((format(printf, 1, 2))) inline void tell(const char* format, ...) {
  if (!std::getenv("CARDEA_TELL")) return;
  va_list values;
  va_start(values, format);
  std::printf("# ");
  std::vprintf(format, values);
  va_end(values);
}

}  // namespace cardea::spatialaudio::test
