// A signal between its samples, by windowed-sinc interpolation: to play a stream a little faster or slower, and to find
// peaks.
#pragma once

#include <cstddef>

namespace cardea::spatialaudio {

class Stretcher {
public:
  static constexpr size_t taps = 16;
  // The value at samples[taps / 2 - 1] + fraction (0..1), from `taps` samples.
  static float sample(const float* samples, double fraction);
};

}  // namespace cardea::spatialaudio
