// Included by kernels.cpp once for each instruction set, inside a namespace with the `width` of its vectors: no include
// guard, nothing but inline arithmetic.

using V = float __attribute__((vector_size(width * sizeof(float))));
struct C {
  V re, im;
};

CARDEA_INLINE C plus(const C& a, const C& b) { return {a.re + b.re, a.im + b.im}; }
CARDEA_INLINE C minus(const C& a, const C& b) { return {a.re - b.re, a.im - b.im}; }
CARDEA_INLINE C times(const C& a, const C& b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
CARDEA_INLINE C times(const C& a, float cos, float sin) { return {a.re * cos - a.im * sin, a.re * sin + a.im * cos}; }
CARDEA_INLINE C minus_i(const C& a) { return {a.im, -a.re}; }

CARDEA_INLINE V load(const float* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
CARDEA_INLINE void store(float* to, const V& value) { __builtin_memcpy(to, &value, sizeof value); }
CARDEA_INLINE C load(const BinBlock& block, size_t at) { return {load(&block.re[at]), load(&block.im[at])}; }
CARDEA_INLINE void store(BinBlock& block, size_t at, const C& value) {
  store(&block.re[at], value.re);
  store(&block.im[at], value.im);
}

// Exchanges the blocks beside the diagonal of two rows: the blocks are `size` wide.
template <size_t size, size_t... lane>
CARDEA_INLINE void exchange(V& a, V& b, std::index_sequence<lane...>) {
  const V above = __builtin_shufflevector(a, b, ((lane & size) ? width + lane - size : lane)...);
  b = __builtin_shufflevector(a, b, ((lane & size) ? width + lane : lane + size)...);
  a = above;
}
template <size_t size>
CARDEA_INLINE void transpose_step(V* square) {
  for (size_t i = 0; i < width; ++i)
    if ((i & size) == 0) exchange<size>(square[i], square[i | size], std::make_index_sequence<width>());
}
// Rows become columns, by exchanging ever smaller blocks.
template <size_t size = width / 2>
CARDEA_INLINE void transpose(V* square) {
  transpose_step<size>(square);
  if constexpr (size > 1) transpose<size / 2>(square);
}

template <size_t... lane>
CARDEA_INLINE V reversed(const V& value, std::index_sequence<lane...>) {
  return __builtin_shufflevector(value, value, (width - 1 - lane)...);
}
CARDEA_INLINE V reversed(const V& value) { return reversed(value, std::make_index_sequence<width>()); }

template <size_t... lane>
CARDEA_INLINE void store_interleaved(float* to, const V& a, const V& b, std::index_sequence<lane...>) {
  store(to, load(to) + __builtin_shufflevector(a, b, ((lane % 2 ? width : 0) + lane / 2)...));
  store(to + width,
        load(to + width) + __builtin_shufflevector(a, b, ((lane % 2 ? width : 0) + width / 2 + lane / 2)...));
}

template <size_t... lane>
CARDEA_INLINE V ramp(std::index_sequence<lane...>) {
  return V{static_cast<float>(lane)...};
}
CARDEA_INLINE V ramp() { return ramp(std::make_index_sequence<width>()); }

CARDEA_INLINE void radix4(const C& a, const C& b, const C& c, const C& d, C* out) {
  const C sum_ac = plus(a, c), diff_ac = minus(a, c), sum_bd = plus(b, d), diff_bd = minus_i(minus(b, d));
  out[0] = plus(sum_ac, sum_bd);
  out[1] = plus(diff_ac, diff_bd);
  out[2] = minus(sum_ac, sum_bd);
  out[3] = minus(diff_ac, diff_bd);
}

// One pass of a Stockham transform of 96 points: radix 4, `size` points left, `stride` transforms side by side.
template <size_t size, size_t stride>
CARDEA_INLINE void pass4(const C* from, C* to) {
  constexpr size_t quarter = size / 4;
  for (size_t p = 0; p < quarter; ++p) {
    const size_t turn = p * stride;
    for (size_t q = 0; q < stride; ++q) {
      const C* in = from + q + stride * p;
      C out[4];
      radix4(in[0], in[stride * quarter], in[2 * stride * quarter], in[3 * stride * quarter], out);
      C* at = to + q + stride * 4 * p;
      at[0] = out[0];
      for (size_t j = 1; j < 4; ++j) at[stride * j] = times(out[j], twiddles.cos[turn * j], twiddles.sin[turn * j]);
    }
  }
}

// The last pass: six points, as two of three.
template <size_t stride>
CARDEA_INLINE void pass6(const C* from, C* to) {
  constexpr float half = 0.5f, root = 0.86602540378443864676f;
  for (size_t q = 0; q < stride; ++q) {
    C parts[2][3];
    for (size_t odd = 0; odd < 2; ++odd) {
      const C a = from[q + stride * odd], b = from[q + stride * (odd + 2)], c = from[q + stride * (odd + 4)];
      const C sum = plus(b, c), across = minus(b, c);
      const C middle{a.re - sum.re * half, a.im - sum.im * half};
      const C side{across.im * root, -across.re * root};
      parts[odd][0] = plus(a, sum);
      parts[odd][1] = plus(middle, side);
      parts[odd][2] = minus(middle, side);
    }
    for (size_t k = 0; k < 3; ++k) {
      const float cos = k == 0 ? 1.0f : k == 1 ? half : -half, sin = k == 0 ? 0.0f : -root;
      const C odd = times(parts[1][k], cos, sin);
      to[q + stride * k] = plus(parts[0][k], odd);
      to[q + stride * (k + 3)] = minus(parts[0][k], odd);
    }
  }
}

CARDEA_INLINE void transform16(const C* in, C* out) {
  constexpr float cos1 = 0.92387953251128674f, sin1 = 0.38268343236508977f, diagonal = 0.70710678118654752f;
  constexpr float cosines[10] = {1, cos1, diagonal, sin1, 0, 0, -diagonal, 0, 0, -cos1};
  constexpr float sines[10] = {0, -sin1, -diagonal, -cos1, -1, 0, -diagonal, 0, 0, sin1};
  C middle[4][4];
  for (size_t b = 0; b < 4; ++b) {
    radix4(in[b], in[b + 4], in[b + 8], in[b + 12], middle[b]);
    for (size_t k = 1; k < 4; ++k)
      if (b > 0) middle[b][k] = times(middle[b][k], cosines[b * k], sines[b * k]);
  }
  for (size_t k = 0; k < 4; ++k) {
    C column[4];
    radix4(middle[0][k], middle[1][k], middle[2][k], middle[3][k], column);
    for (size_t j = 0; j < 4; ++j) out[k + 4 * j] = column[j];
  }
}

void transform(Signal& signal) {
  alignas(64) float re[transform_size], im[transform_size];
  C a[rows], b[rows];
  for (size_t column = 0; column < lanes; column += width) {
    for (size_t i = 0; i < rows; ++i)
      a[i] = {load(&signal.re[i * lanes + column]), load(&signal.im[i * lanes + column])};
    pass4<96, 1>(a, b);
    pass4<24, 4>(b, a);
    pass6<16>(a, b);
    for (size_t k = 0; k < rows; ++k) {
      const C turned = times(b[k], {load(&twiddles.re[k][column]), load(&twiddles.im[k][column])});
      store(re + k * lanes + column, turned.re);
      store(im + k * lanes + column, turned.im);
    }
  }
  for (size_t group = 0; group < rows; group += width) {
    C in[lanes], out[lanes];
    for (size_t column = 0; column < lanes; column += width) {
      V square_re[width], square_im[width];
      for (size_t i = 0; i < width; ++i) {
        square_re[i] = load(re + (group + i) * lanes + column);
        square_im[i] = load(im + (group + i) * lanes + column);
      }
      transpose(square_re);
      transpose(square_im);
      for (size_t i = 0; i < width; ++i) in[column + i] = {square_re[i], square_im[i]};
    }
    transform16(in, out);
    for (size_t k = 0; k < lanes; ++k) {
      store(&signal.re[group + rows * k], out[k].re);
      store(&signal.im[group + rows * k], out[k].im);
    }
  }
}

void split(const Signal& transformed, Spectrum& of_real, Spectrum& of_imaginary) {
  for (size_t k = 0; k < bins; k += width) {
    const V re = load(&transformed.re[k]), im = load(&transformed.im[k]);
    // the bins N - k, N - k - 1...; bin N is bin 0
    V mirror_re, mirror_im;
    if (k == 0) {
      for (size_t i = 0; i < width; ++i) {
        mirror_re[i] = transformed.re[(transform_size - i) % transform_size];
        mirror_im[i] = transformed.im[(transform_size - i) % transform_size];
      }
    } else {
      mirror_re = reversed(load(&transformed.re[transform_size - k - width + 1]));
      mirror_im = reversed(load(&transformed.im[transform_size - k - width + 1]));
    }
    store(of_real[k / lanes], k % lanes, {(re + mirror_re) * 0.5f, (im - mirror_im) * 0.5f});
    store(of_imaginary[k / lanes], k % lanes, {(im + mirror_im) * 0.5f, (mirror_re - re) * 0.5f});
  }
}

// e^(-2 pi i k delay / size) for `width` bins, and the step to the next ones.
struct Rotor {
  C now;
  float step_cos, step_sin;
};

// Sine and cosine by their series, good to 1e-6 up to 2.2 rad: a delay of 36 samples over 15 bins.
CARDEA_INLINE C circle(const V& x) {
  const V s = x * x;
  V cos = 2.08767570e-9f * s - 2.75573192e-7f;
  cos = cos * s + 2.48015873e-5f;
  cos = cos * s - 1.38888889e-3f;
  cos = cos * s + 4.16666667e-2f;
  cos = cos * s - 0.5f;
  cos = cos * s + 1.0f;
  V sin = 1.60590438e-10f * s - 2.50521084e-8f;
  sin = sin * s + 2.75573192e-6f;
  sin = sin * s - 1.98412698e-4f;
  sin = sin * s + 8.33333333e-3f;
  sin = sin * s - 1.66666667e-1f;
  sin = sin * s + 1.0f;
  return {cos, sin * x};
}

CARDEA_INLINE Rotor rotor(float delay) {
  const float angle = -6.2831853071795864769f * delay / static_cast<float>(transform_size);
  Rotor r;
  r.now = circle(ramp() * angle);
  // the step is `width` times the angle of one bin: doubled until it is there
  r.step_cos = r.now.re[1];
  r.step_sin = r.now.im[1];
  for (size_t reached = 1; reached < width; reached *= 2) {
    const float twice = r.step_cos * r.step_cos - r.step_sin * r.step_sin;
    r.step_sin = 2 * r.step_cos * r.step_sin;
    r.step_cos = twice;
  }
  return r;
}
CARDEA_INLINE void step(Rotor& r) { r.now = times(r.now, r.step_cos, r.step_sin); }

CARDEA_INLINE V load(const int16_t* from) {
  using Short = int16_t __attribute__((vector_size(width * sizeof(int16_t))));
  using Int = int32_t __attribute__((vector_size(width * sizeof(int32_t))));
  Short value;
  __builtin_memcpy(&value, from, sizeof value);
  return __builtin_convertvector(__builtin_convertvector(value, Int), V);
}

using Numbers = std::array<int16_t, lanes>;
CARDEA_INLINE V blended(const Numbers& a, const Numbers& b, const float* weights, size_t at) {
  return load(&a[at]) * weights[0] + load(&b[at]) * weights[1];
}

template <bool with_air>
CARDEA_INLINE void add_ray(const Ray& ray, const BinTable& loss, EarSpectrum& sum) {
  Rotor left = rotor(ray.delay_left), right = rotor(ray.delay_right);
  const Spectrum& source = *ray.source;
  const EarFilter &first = *ray.filters[0], &second = *ray.filters[1];
  for (size_t k = 0; k < bins; k += width) {
    const size_t block = k / lanes, at = k % lanes;
    C bin = load(source[block], at);
    if constexpr (with_air) {
      const V kept = 1.0f - load(&loss[k]) * ray.air;
      bin = {bin.re * kept, bin.im * kept};
    }
    const FilterBlock &a = first[block], &b = second[block];
    const C left_filter{blended(a.left_re, b.left_re, ray.left_weights, at),
                        blended(a.left_im, b.left_im, ray.left_weights, at)};
    const C right_filter{blended(a.right_re, b.right_re, ray.right_weights, at),
                         blended(a.right_im, b.right_im, ray.right_weights, at)};
    EarBlock& to = sum[block];
    store(to.left, at, plus(load(to.left, at), times(times(bin, left.now), left_filter)));
    store(to.right, at, plus(load(to.right, at), times(times(bin, right.now), right_filter)));
    step(left);
    step(right);
  }
}

void add(std::span<const Ray> rays, const BinTable& loss, EarSpectrum& sum) {
  for (const Ray& ray : rays) {
    if (ray.air > 0)
      add_ray<true>(ray, loss, sum);
    else
      add_ray<false>(ray, loss, sum);
  }
}

// Left and right are real, so one complex transform gives both: of left + i right. The inverse transform is the forward
// one with real and imaginary parts exchanged, on the way in and on the way out.
void inverse(const EarSpectrum& sum, Signal& ears) {
  for (size_t k = bins; k < transform_size - bins + 1; ++k) ears.re[k] = ears.im[k] = 0;
  for (size_t k = 0; k < bins; k += width) {
    const C left = load(sum[k / lanes].left, k % lanes), right = load(sum[k / lanes].right, k % lanes);
    store(&ears.im[k], left.re - right.im);
    store(&ears.re[k], left.im + right.re);
    const V mirror_re = left.re + right.im, mirror_im = right.re - left.im;
    if (k == 0) {
      ears.im[0] = left.re[0];  // bin 0 of a real signal is real
      ears.re[0] = right.re[0];
      for (size_t i = 1; i < width; ++i) {
        ears.im[transform_size - i] = mirror_re[i];
        ears.re[transform_size - i] = mirror_im[i];
      }
    } else {
      store(&ears.im[transform_size - k - width + 1], reversed(mirror_re));
      store(&ears.re[transform_size - k - width + 1], reversed(mirror_im));
    }
  }
  transform(ears);
}

void fade(const Signal& ears, size_t begin, size_t end, float from, float to, float* out) {
  const float slope = (to - from) / static_cast<float>(end - begin);
  constexpr float scale = 1.0f / static_cast<float>(transform_size);
  for (size_t i = begin; i < end; i += width) {
    const V gain = (from + slope * (ramp() + static_cast<float>(i - begin))) * scale;
    store_interleaved(out + 2 * i, load(&ears.im[history_size + i]) * gain, load(&ears.re[history_size + i]) * gain,
                      std::make_index_sequence<width>());
  }
}

void mix(std::span<const float> from, float gain, std::span<float> to) {
  size_t i = 0;
  for (; i + width <= from.size(); i += width) store(&to[i], load(&to[i]) + load(&from[i]) * gain);
  for (; i < from.size(); ++i) to[i] += from[i] * gain;
}

float peak(std::span<const float> samples) {
  V most{};
  size_t i = 0;
  for (; i + width <= samples.size(); i += width) {
    const V value = load(&samples[i]);
    const V size = value < 0.0f ? -value : value;
    most = size > most ? size : most;
  }
  float result = 0;
  for (size_t lane = 0; lane < width; ++lane) result = std::max(result, most[lane]);
  for (; i < samples.size(); ++i) result = std::max(result, std::abs(samples[i]));
  return result;
}
