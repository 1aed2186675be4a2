#include "hrtf.hpp"

#include <mysofa.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

namespace cardea::spatialaudio {
namespace {

constexpr size_t longest_filter = history_size + 1;
constexpr size_t fade = 32;         // samples, at the end of a filter that is cut
constexpr size_t taper_from = 576;  // bins: from 18 kHz to 20 kHz the filters fade out, so that they stay short
constexpr size_t alike_to = 128;    // bins: delays are told by what is below 4 kHz
constexpr double ring_gap = 6;      // degrees: where rings are further apart, one is made between them
constexpr double ring_step = 5;     // degrees: elsewhere between made rings, and within them at the horizon
constexpr size_t level_from = 10, level_to = 256;  // bins, 0.3 to 8 kHz: there a sound from the front keeps its level
constexpr double largest_delay = 36;               // samples: more than any head has; the rendering is exact up to it

struct FreeHrtf {
  void operator()(MYSOFA_HRTF* hrtf) const { mysofa_free(hrtf); }
};

void inverse(Signal& signal) {
  std::swap(signal.re, signal.im);
  kernels().transform(signal);
  std::swap(signal.re, signal.im);
}

// The delay of a filter: where it is most like its own minimum-phase form, which begins at once. In samples, with the
// fraction by a parabola through the highest values.
double delay_of(const Signal& spectrum) {
  constexpr size_t half = transform_size / 2;
  Signal work;
  for (size_t k = 0; k < transform_size; ++k) {
    work.re[k] = std::log(std::max(std::hypot(spectrum.re[k], spectrum.im[k]), 1e-6f)) / transform_size;
    work.im[k] = 0;
  }
  inverse(work);  // the cepstrum; folded to its first half it is that of minimum phase
  for (size_t n = 1; n < half; ++n) work.re[n] *= 2;
  for (size_t n = half + 1; n < transform_size; ++n) work.re[n] = 0;
  work.im.fill(0);
  kernels().transform(work);
  for (size_t k = 0; k < transform_size; ++k) {
    // high frequencies follow the ear's folds: left in, the best match jumps from one of them to the next
    const size_t bin = std::min(k, transform_size - k);
    const double kept =
        bin < alike_to ? 0.5 + 0.5 * std::cos(std::numbers::pi * static_cast<double>(bin) / alike_to) : 0;
    const double size = kept * std::exp(work.re[k]), c = size * std::cos(work.im[k]), s = -size * std::sin(work.im[k]);
    const double re = spectrum.re[k] * c - spectrum.im[k] * s, im = spectrum.re[k] * s + spectrum.im[k] * c;
    work.re[k] = static_cast<float>(re);
    work.im[k] = static_cast<float>(im);
  }
  inverse(work);
  const auto highest = static_cast<size_t>(std::max_element(work.re.begin(), work.re.end()) - work.re.begin());
  const double before = work.re[(highest + transform_size - 1) % transform_size], at = work.re[highest],
               after = work.re[(highest + 1) % transform_size];
  const double curve = before - 2 * at + after;
  const double whole = highest < half ? static_cast<double>(highest) : static_cast<double>(highest) - transform_size;
  return whole + (curve < 0 ? 0.5 * (before - after) / curve : 0);
}

struct Unit {
  double x, y, z;
};
Unit unit(double azimuth, double elevation) {
  const double a = azimuth * std::numbers::pi / 180, e = elevation * std::numbers::pi / 180;
  return {std::cos(e) * std::cos(a), std::cos(e) * std::sin(a), std::sin(e)};
}
double angle_between(Unit a, Unit b) {
  return std::acos(std::clamp(a.x * b.x + a.y * b.y + a.z * b.z, -1.0, 1.0)) * 180 / std::numbers::pi;
}

}  // namespace

// The file's filters, aligned, each with its direction.
struct Hrtf::Measured {
  struct Exact {
    EarSpectrum ears{};
    double delay_left = 0, delay_right = 0;
  };
  std::vector<Exact> filters;
  std::vector<double> azimuths, elevations;
  double scale = 1;  // so that what is in front keeps its level

  // Adds what is measured around a direction, the nearer the more.
  Exact around(double azimuth, double elevation) const {
    const Unit wanted = unit(azimuth, elevation);
    std::vector<double> angles;
    for (size_t i = 0; i < filters.size(); ++i)
      angles.push_back(angle_between(wanted, unit(azimuths[i], elevations[i])));
    const auto nearest = static_cast<size_t>(std::min_element(angles.begin(), angles.end()) - angles.begin());
    if (angles[nearest] < 0.1) return filters[nearest];
    const double reach = 1.8 * angles[nearest];
    double total = 0;
    for (double& angle : angles) {
      angle = angle < reach ? std::pow(1 - angle / reach, 2) : 0;
      total += angle;
    }
    Exact blend;
    for (size_t i = 0; i < filters.size(); ++i) {
      if (angles[i] == 0) continue;
      const auto weight = static_cast<float>(angles[i] / total);
      const auto add = [&](const BinBlock& from, BinBlock& to) {
        kernels().mix(from.re, weight, to.re);
        kernels().mix(from.im, weight, to.im);
      };
      for (size_t b = 0; b < bin_blocks; ++b) {
        add(filters[i].ears[b].left, blend.ears[b].left);
        add(filters[i].ears[b].right, blend.ears[b].right);
      }
      blend.delay_left += weight * filters[i].delay_left;
      blend.delay_right += weight * filters[i].delay_right;
    }
    return blend;
  }

  // How many directions an elevation has if they stand evenly around the head with one in front; 0: they do not.
  size_t even_ring(double elevation) const {
    std::vector<double> found;
    for (size_t i = 0; i < filters.size(); ++i)
      if (std::abs(elevations[i] - elevation) < 0.05) found.push_back(azimuths[i]);
    std::sort(found.begin(), found.end());
    for (size_t i = 0; i < found.size(); ++i)
      if (std::abs(found[i] - 360.0 * static_cast<double>(i) / static_cast<double>(found.size())) > 0.1) return 0;
    return found.size();
  }
};

Result<Hrtf> Hrtf::load(const std::string& path) {
  int code = 0;
  const std::unique_ptr<MYSOFA_HRTF, FreeHrtf> file(mysofa_load(path.c_str(), &code));
  if (!file) return Error{0, path + " cannot be read as a SOFA file (libmysofa's error " + std::to_string(code) + ")"};
  if (mysofa_check(file.get()) != MYSOFA_OK || file->R != 2 || file->M == 0 || file->N == 0)
    return Error{0, path + " holds no head-related impulse responses for two ears"};
  mysofa_tospherical(file.get());
  const double rate = file->DataSamplingRate.values[0];
  if (mysofa_resample(file.get(), sample_rate) != MYSOFA_OK) return Error{0, path + " cannot be resampled to 48 kHz"};

  // the whole spectrum of each ear, and its delay
  Measured measured;
  const size_t count = file->M, taps = std::min<size_t>(file->N, longest_filter);
  const bool own_delays = file->DataDelay.elements == count * 2;
  std::vector<Signal> spectra(count * 2);
  std::vector<double> delays(count * 2), told(count * 2);
  for (size_t i = 0; i < count * 2; ++i) {
    const float* taps_of = file->DataIR.values + i * file->N;
    Signal& spectrum = spectra[i];
    spectrum.re.fill(0);
    spectrum.im.fill(0);
    std::copy_n(taps_of, taps, spectrum.re.begin());
    if (taps < file->N)
      for (size_t n = 0; n < fade; ++n) spectrum.re[taps - 1 - n] *= static_cast<float>(n) / static_cast<float>(fade);
    kernels().transform(spectrum);
    told[i] = file->DataDelay.elements == 0 ? 0 : file->DataDelay.values[own_delays ? i : i % 2] * sample_rate / rate;
    delays[i] = delay_of(spectrum);
  }
  double middle = 0, told_middle = 0;
  for (size_t i = 0; i < count * 2; ++i) {
    middle += delays[i] / static_cast<double>(count * 2);
    told_middle += told[i] / static_cast<double>(count * 2);
  }
  for (size_t m = 0; m < count; ++m) {
    Measured::Exact filter;
    for (size_t ear = 0; ear < 2; ++ear) {
      const Signal& spectrum = spectra[m * 2 + ear];
      const double shift = std::clamp(delays[m * 2 + ear] - middle, -largest_delay, largest_delay);
      for (size_t k = 0; k < bins; ++k) {
        const double turn = 2 * std::numbers::pi * static_cast<double>(k) * shift / transform_size;
        const double kept = k < taper_from
                                ? 1
                                : 0.5 + 0.5 * std::cos(std::numbers::pi * static_cast<double>(k - taper_from) /
                                                       static_cast<double>(bins - taper_from));
        const double re = spectrum.re[k], im = spectrum.im[k], c = std::cos(turn) * kept, s = std::sin(turn) * kept;
        BinBlock& block = ear == 0 ? filter.ears[k / lanes].left : filter.ears[k / lanes].right;
        block.re[k % lanes] = static_cast<float>(re * c - im * s);
        block.im[k % lanes] = static_cast<float>(re * s + im * c);
      }
      const double delay = std::clamp(shift + told[m * 2 + ear] - told_middle, -largest_delay, largest_delay);
      (ear == 0 ? filter.delay_left : filter.delay_right) = delay;
    }
    measured.filters.push_back(filter);
    // SOFA counts azimuth counter-clockwise
    const double azimuth = std::fmod(720.0 - file->SourcePosition.values[m * 3], 360.0);
    measured.azimuths.push_back(azimuth > 359.95 ? 0 : azimuth);
    measured.elevations.push_back(file->SourcePosition.values[m * 3 + 1]);
  }

  std::vector<double> elevations = measured.elevations;
  std::sort(elevations.begin(), elevations.end());
  elevations.erase(
      std::unique(elevations.begin(), elevations.end(), [](double a, double b) { return std::abs(a - b) < 0.05; }),
      elevations.end());
  const Measured::Exact front = measured.around(0, 0);
  double power = 0;
  for (size_t k = level_from; k < level_to; ++k)
    for (const BinBlock* ear : {&front.ears[k / lanes].left, &front.ears[k / lanes].right})
      power += (std::pow(ear->re[k % lanes], 2) + std::pow(ear->im[k % lanes], 2)) / (2.0 * (level_to - level_from));
  if (power <= 0) return Error{0, path + " lets nothing through from the front"};
  measured.scale = 1 / std::sqrt(power);

  Hrtf hrtf;
  const bool even = std::all_of(elevations.begin(), elevations.end(),
                                [&](double elevation) { return measured.even_ring(elevation) > 0; });
  if (even) {
    for (size_t i = 0; i < elevations.size(); ++i) {
      const size_t here = measured.even_ring(elevations[i]);
      hrtf.add_ring(measured, elevations[i], here);
      if (i + 1 < elevations.size() && elevations[i + 1] - elevations[i] > ring_gap)
        hrtf.add_ring(measured, (elevations[i] + elevations[i + 1]) / 2,
                      std::max(here, measured.even_ring(elevations[i + 1])));
    }
  } else {
    for (double elevation = std::max(-90.0, elevations.front()); elevation <= elevations.back(); elevation += ring_step)
      hrtf.add_ring(measured, elevation,
                    static_cast<size_t>(
                        std::max(1.0, std::round(360 / ring_step * std::cos(elevation * std::numbers::pi / 180)))));
  }

  return hrtf;
}

void Hrtf::add_ring(const Measured& from, double elevation, size_t count) {
  rings_.push_back({static_cast<float>(elevation), filters_.size(), count});
  for (size_t i = 0; i < count; ++i) {
    const Measured::Exact exact = from.around(360.0 * static_cast<double>(i) / static_cast<double>(count), elevation);
    Filter filter{.delay_left = static_cast<float>(exact.delay_left),
                  .delay_right = static_cast<float>(exact.delay_right)};
    float left = 0, right = 0;
    for (const EarBlock& block : exact.ears) {
      left = std::max({left, kernels().peak(block.left.re), kernels().peak(block.left.im)});
      right = std::max({right, kernels().peak(block.right.re), kernels().peak(block.right.im)});
    }
    const auto write = [](const std::array<float, lanes>& values, float most, std::array<int16_t, lanes>& to) {
      for (size_t lane = 0; lane < lanes; ++lane)
        to[lane] = most > 0 ? static_cast<int16_t>(std::lround(values[lane] / most * INT16_MAX)) : int16_t{0};
    };
    for (size_t b = 0; b < bin_blocks; ++b) {
      write(exact.ears[b].left.re, left, filter.ears[b].left_re);
      write(exact.ears[b].left.im, left, filter.ears[b].left_im);
      write(exact.ears[b].right.re, right, filter.ears[b].right_re);
      write(exact.ears[b].right.im, right, filter.ears[b].right_im);
    }
    filter.scale_left = static_cast<float>(left * from.scale / INT16_MAX);
    filter.scale_right = static_cast<float>(right * from.scale / INT16_MAX);
    filters_.push_back(filter);
  }
}

const Hrtf::Ring& Hrtf::ring_at(float elevation) const {
  const auto above = std::lower_bound(rings_.begin(), rings_.end(), elevation,
                                      [](const Ring& ring, float wanted) { return ring.elevation < wanted; });
  if (above == rings_.begin()) return *above;
  const auto below = std::prev(above);
  if (above == rings_.end()) return *below;
  return above->elevation - elevation < elevation - below->elevation ? *above : *below;
}

Ray Hrtf::towards(float azimuth, float elevation, float gain) const {
  const Ring& ring = ring_at(elevation);
  const auto count = static_cast<float>(ring.count);
  const float turn = (azimuth < 0 ? azimuth + 360 : azimuth) / 360 * count;
  const float whole = std::floor(turn), part = turn - whole;
  const size_t first = static_cast<size_t>(whole) % ring.count, second = (first + 1) % ring.count;
  const Filter &a = filters_[ring.first + first], &b = filters_[ring.first + second];
  return {.filters = {&a.ears, &b.ears},
          .left_weights = {gain * (1 - part) * a.scale_left, gain * part * b.scale_left},
          .right_weights = {gain * (1 - part) * a.scale_right, gain * part * b.scale_right},
          .delay_left = a.delay_left + part * (b.delay_left - a.delay_left),
          .delay_right = a.delay_right + part * (b.delay_right - a.delay_right)};
}

}  // namespace cardea::spatialaudio
