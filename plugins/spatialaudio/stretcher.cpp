#include "stretcher.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace cardea::spatialaudio {
namespace {

// [fraction in 1/128][tap]: a sinc, windowed by Hann.
constexpr size_t fractions = 128;
struct SincTable {
  std::array<std::array<float, Stretcher::taps>, fractions + 1> rows{};
  SincTable() {
    constexpr double half = Stretcher::taps / 2.0;
    for (size_t f = 0; f <= fractions; ++f) {
      double sum = 0;
      for (size_t i = 0; i < Stretcher::taps; ++i) {
        const double x = static_cast<double>(i) - (half - 1) - static_cast<double>(f) / fractions;
        const double sinc = x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
        const double window = std::abs(x) >= half ? 0 : 0.5 + 0.5 * std::cos(std::numbers::pi * x / half);
        rows[f][i] = static_cast<float>(sinc * window);
        sum += sinc * window;
      }
      for (float& tap : rows[f]) tap = static_cast<float>(tap / sum);
    }
  }
};
const SincTable sinc;

}  // namespace

float Stretcher::sample(const float* samples, double fraction) {
  const double row = fraction * fractions;
  const auto first = static_cast<size_t>(row);
  const auto part = static_cast<float>(row - static_cast<double>(first));
  const auto &a = sinc.rows[first], &b = sinc.rows[first + 1];
  float sum = 0;
  for (size_t i = 0; i < taps; ++i) sum += samples[i] * (a[i] + part * (b[i] - a[i]));
  return sum;
}

}  // namespace cardea::spatialaudio
