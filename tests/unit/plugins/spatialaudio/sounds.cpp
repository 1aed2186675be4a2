#include "sounds.hpp"

#include <cmath>
#include <complex>
#include <cstdlib>
#include <map>
#include <numbers>
#include <stdexcept>

namespace cardea::spatialaudio::test {
namespace {

constexpr size_t grid = 4096;
constexpr size_t finer = 4;

// A plain radix-2 transform in doubles: slow, and not the one under test.
void transform(std::vector<std::complex<double>>& points) {
  const size_t size = points.size();
  static std::map<size_t, std::vector<std::complex<double>>> tables;
  auto& turns = tables[size];
  for (size_t i = turns.size(); i < size / 2; ++i)
    turns.push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(size)));
  for (size_t i = 1, j = 0; i < size; ++i) {
    size_t bit = size / 2;
    for (; j & bit; bit /= 2) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(points[i], points[j]);
  }
  for (size_t length = 2; length <= size; length *= 2) {
    for (size_t begin = 0; begin < size; begin += length) {
      for (size_t i = begin; i < begin + length / 2; ++i) {
        const auto a = points[i], b = points[i + length / 2] * turns[(i - begin) * (size / length)];
        points[i] = a + b;
        points[i + length / 2] = a - b;
      }
    }
  }
}

std::vector<std::complex<double>> spectrum(std::span<const float> signal) {
  size_t size = grid;
  while (size < signal.size()) size *= 2;
  std::vector<std::complex<double>> points(size);
  for (size_t i = 0; i < signal.size(); ++i) points[i] = static_cast<double>(signal[i]);
  transform(points);
  return points;
}

double power(const std::vector<std::complex<double>>& points, double from_hz, double to_hz) {
  const double step = static_cast<double>(sample_rate) / static_cast<double>(points.size());
  const auto from = static_cast<size_t>(std::ceil(from_hz / step)), to = static_cast<size_t>(to_hz / step);
  double sum = 0;
  for (size_t k = from; k <= to; ++k) sum += std::norm(points[k]);
  return sum / static_cast<double>(to - from + 1);
}

}  // namespace

const Hrtf& kemar() {
  static const Hrtf hrtf = [] {
    Result<Hrtf> loaded = Hrtf::load(CARDEA_KEMAR);
    if (!loaded) throw std::runtime_error(loaded.error().reason);
    return *std::move(loaded);
  }();
  return hrtf;
}

std::array<std::vector<float>, 2> response(Ray ray) {
  static Signal signal;
  static Spectrum source, none;
  static EarSpectrum sum;
  static const BinTable no_loss{};
  signal.re.fill(0);
  signal.im.fill(0);
  signal.re[history_size] = 1;
  kernels().transform(signal);
  kernels().split(signal, source, none);
  ray.source = &source;
  sum = {};
  kernels().add({&ray, 1}, no_loss, sum);
  std::array<float, frame_size * 2> out{};
  kernels().inverse(sum, signal);
  kernels().fade(signal, 0, frame_size, 1, 1, out.data());
  std::array<std::vector<float>, 2> ears;
  for (size_t i = 0; i < frame_size; ++i)
    for (size_t ear = 0; ear < 2; ++ear) ears[ear].push_back(out[2 * i + ear]);
  return ears;
}

double power(std::span<const float> signal, double from_hz, double to_hz) {
  return power(spectrum(signal), from_hz, to_hz);
}

double level_difference_db(std::span<const float> first, std::span<const float> second, double from_hz, double to_hz) {
  return 10 * std::log10(power(first, from_hz, to_hz) / power(second, from_hz, to_hz));
}

double time_difference_us(std::span<const float> first, std::span<const float> second) {
  auto a = spectrum(first);
  const auto b = spectrum(second);
  const double step = static_cast<double>(sample_rate) / static_cast<double>(a.size());
  // correlated on a finer grid
  std::vector<std::complex<double>> product(a.size() * finer);
  for (size_t k = 0; static_cast<double>(k) * step < 1500; ++k) product[k] = std::conj(a[k]) * b[k];
  transform(product);  // conjugated above, so the forward transform gives the correlation of first behind second
  const size_t reach = finer * 80;
  double best = -1e300;
  long at = 0;
  const auto value = [&](long lag) {
    return product[static_cast<size_t>((lag + static_cast<long>(product.size())) % static_cast<long>(product.size()))]
        .real();
  };
  for (long lag = -static_cast<long>(reach); lag <= static_cast<long>(reach); ++lag)
    if (value(lag) > best) best = value(lag), at = lag;
  const double before = value(at - 1), after = value(at + 1);
  const double fraction = 0.5 * (before - after) / (before - 2 * best + after);
  return (static_cast<double>(at) + fraction) / finer / sample_rate * 1e6;
}

double spectrum_difference_db(std::span<const float> first, std::span<const float> second, double from_hz,
                              double to_hz) {
  const auto a = spectrum(first), b = spectrum(second);
  const double step = static_cast<double>(sample_rate) / static_cast<double>(a.size());
  std::vector<double> differences;
  double mean = 0;
  for (auto k = static_cast<size_t>(std::ceil(from_hz / step)); k <= static_cast<size_t>(to_hz / step); ++k) {
    differences.push_back(10 * std::log10(std::norm(a[k]) / std::norm(b[k])));
    mean += differences.back();
  }
  mean /= static_cast<double>(differences.size());
  double sum = 0;
  for (double difference : differences) sum += (difference - mean) * (difference - mean);
  return std::sqrt(sum / static_cast<double>(differences.size()));
}

double rms(std::span<const float> signal) {
  double sum = 0;
  for (float sample : signal) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(std::max<size_t>(1, signal.size())));
}

}  // namespace cardea::spatialaudio::test
