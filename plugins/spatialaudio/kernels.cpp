#include "kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

namespace cardea::spatialaudio {
namespace {

// The transform of 1536 points is 16 columns of 96 points each, then 96 rows of 16.
constexpr size_t rows = transform_size / lanes;

struct Twiddles {
  std::array<float, rows> cos{}, sin{};                               // e^(-2 pi i k / 96)
  alignas(64) std::array<std::array<float, lanes>, rows> re{}, im{};  // [k][column]: e^(-2 pi i column k / 1536)

  Twiddles() {
    for (size_t k = 0; k < rows; ++k) {
      const double angle = -2 * std::numbers::pi * static_cast<double>(k) / rows;
      cos[k] = static_cast<float>(std::cos(angle));
      sin[k] = static_cast<float>(std::sin(angle));
      for (size_t column = 0; column < lanes; ++column) {
        const double turn = -2 * std::numbers::pi * static_cast<double>(column * k) / transform_size;
        re[k][column] = static_cast<float>(std::cos(turn));
        im[k][column] = static_cast<float>(std::sin(turn));
      }
    }
  }
};
const Twiddles twiddles;

}  // namespace

#define CARDEA_INLINE inline __attribute__((always_inline))

namespace plain {
constexpr size_t width = 4;
#include "kernels_body.hpp"
constexpr Kernels table{"plain", transform, split, add, inverse, fade, mix, peak};
}  // namespace plain

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CARDEA_X86_KERNELS
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
constexpr size_t width = 8;
#include "kernels_body.hpp"
constexpr Kernels table{"avx2", transform, split, add, inverse, fade, mix, peak};
}  // namespace avx2
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,prefer-vector-width=512")
namespace avx512 {
constexpr size_t width = 16;
#include "kernels_body.hpp"
constexpr Kernels table{"avx512", transform, split, add, inverse, fade, mix, peak};
}  // namespace avx512
#pragma GCC pop_options
#endif

const Kernels* kernels_named(const char* name) {
  const auto asked = [&](const Kernels& table) { return !name || std::strcmp(name, table.name) == 0; };
#ifdef CARDEA_X86_KERNELS
  if (asked(avx512::table) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return &avx512::table;
  if (asked(avx2::table) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2::table;
#endif
  return asked(plain::table) ? &plain::table : nullptr;
}

const Kernels& kernels() {
  static const Kernels& best = *kernels_named(nullptr);
  return best;
}

}  // namespace cardea::spatialaudio
