// The arithmetic of a mix, in vectors of 4, 8 or 16 floats. It is compiled for several instruction sets; the best that
// the machine has is chosen when the module is loaded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cardea::spatialaudio {

inline constexpr size_t sample_rate = 48000;
inline constexpr size_t frame_size = 960;       // samples of a tick of 20 ms
inline constexpr size_t transform_size = 1536;  // overlap-save: room for a frame and filters of up to 577 samples
inline constexpr size_t history_size = transform_size - frame_size;
inline constexpr size_t lanes = 16;
inline constexpr size_t bins = 640;  // up to 20 kHz; above is silence
inline constexpr size_t bin_blocks = bins / lanes;

// Sixteen frequencies side by side.
struct alignas(64) BinBlock {
  std::array<float, lanes> re, im;
};
using Spectrum = std::array<BinBlock, bin_blocks>;

// The same at both ears.
struct EarBlock {
  BinBlock left, right;
};
using EarSpectrum = std::array<EarBlock, bin_blocks>;
// A filter, as whole numbers to be scaled: a mix reads hundreds of them, and half the memory is half the time.
struct alignas(64) FilterBlock {
  std::array<int16_t, lanes> left_re, left_im, right_re, right_im;
};
using EarFilter = std::array<FilterBlock, bin_blocks>;
using BinTable = std::array<float, bins>;

struct alignas(64) Signal {  // a complex signal, or two real ones
  std::array<float, transform_size> re, im;
};
using Frame = std::array<float, frame_size>;

// One source for one listener: a blend of two neighbouring filters, delayed at each ear by some samples (which may be
// negative, and any fraction), times what the air takes.
struct Ray {
  const Spectrum* source = nullptr;
  const EarFilter* filters[2] = {};
  float left_weights[2] = {}, right_weights[2] = {};
  float delay_left = 0, delay_right = 0;  // samples
  float air = 0;                          // 0 none .. 1 as shaped by `loss`
};

struct Kernels {
  const char* name;
  // Fourier transform in place, without scaling.
  void (*transform)(Signal& signal);
  // The spectra of two real signals out of the transform of one as real, the other as imaginary part.
  void (*split)(const Signal& transformed, Spectrum& of_real, Spectrum& of_imaginary);
  // Adds rays to a sum. loss: what air = 1 takes, per bin.
  void (*add)(std::span<const Ray> rays, const BinTable& loss, EarSpectrum& sum);
  // The inverse transform of a sum, both ears at once: the right one in `re`, the left one in `im`.
  void (*inverse)(const EarSpectrum& sum, Signal& ears);
  // Adds the last frame_size samples of both ears to interleaved samples, from `begin` to `end`, times a gain that goes
  // linearly between the two. begin and end are multiples of 16.
  void (*fade)(const Signal& ears, size_t begin, size_t end, float from, float to, float* out);
  // to += gain * from
  void (*mix)(std::span<const float> from, float gain, std::span<float> to);
  // The largest absolute sample.
  float (*peak)(std::span<const float> samples);
};

// "avx512", "avx2" or "plain"; none: the best that this machine runs.
const Kernels* kernels_named(const char* name);
const Kernels& kernels();

}  // namespace cardea::spatialaudio
