#include "mix_encoder.hpp"

#include <opus/opus.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "stretcher.hpp"

namespace cardea::spatialaudio {
namespace {

constexpr float release = 0.01f;  // of the gain, each step of 1 ms

}  // namespace

void Limiter::start(size_t channels) {
  channels_ = channels;
  gain_ = next_needed_ = 1;
  waiting_.fill(0);
}

std::span<float> Limiter::begin(Work& work) const {
  const auto frame = std::copy_n(waiting_.begin(), ahead * channels_, work.samples.begin());
  std::fill_n(frame, frame_size * channels_, 0.0f);
  return {frame, frame_size * channels_};
}

// The gain that a step needs. Between samples a signal can be higher than at them, in sound at most twice: where it
// matters four points are looked at (ITU-R BS.1770 annex 2).
float Limiter::needed(const Work& work, size_t from) const {
  if (kernels().peak({work.samples.data() + from * channels_, step * channels_}) < ceiling / 2) return 1;
  float most = 0;
  for (size_t channel = 0; channel < channels_; ++channel)
    for (size_t i = from; i < from + step; ++i)
      for (int quarter = 0; quarter < 4; ++quarter) {
        float around[Stretcher::taps];
        for (size_t tap = 0; tap < Stretcher::taps; ++tap)
          around[tap] = work.samples[(i + tap - Stretcher::taps / 2 + 1) * channels_ + channel];
        most = std::max(most, std::abs(Stretcher::sample(around, quarter / 4.0)));
      }
  return most > ceiling ? ceiling / most : 1;
}

void Limiter::limit(Work& work) {
  if (gain_ == 1 && next_needed_ == 1 &&
      kernels().peak({work.samples.data(), (frame_size + ahead) * channels_}) < ceiling / 2)
    return;
  for (size_t from = 0; from < frame_size; from += step) {
    const float here = next_needed_;
    next_needed_ = needed(work, from + step);
    const float to = std::min({here, next_needed_, gain_ + release * (1 - gain_) + 1e-6f});
    const float slope = (to - gain_) / step;
    for (size_t i = 0; i < step; ++i)
      for (size_t channel = 0; channel < channels_; ++channel)
        work.samples[(from + i) * channels_ + channel] *= gain_ + slope * static_cast<float>(i);
    gain_ = to;
  }
}

std::span<const float> Limiter::end(Work& work) {
  limit(work);
  std::copy_n(work.samples.begin() + static_cast<long>(frame_size * channels_), ahead * channels_, waiting_.begin());
  return {work.samples.data(), frame_size * channels_};
}

void MixEncoder::FreeEncoder::operator()(OpusEncoder* encoder) const { ::operator delete(encoder); }

MixEncoder::MixEncoder()
    : encoder_(static_cast<OpusEncoder*>(::operator new(static_cast<size_t>(opus_encoder_get_size(2))))) {}
MixEncoder::~MixEncoder() = default;
MixEncoder::MixEncoder(MixEncoder&&) noexcept = default;

void MixEncoder::start(const MixFormat& format) {
  format_ = format;
  // The delay of 2.5 ms is the least that the codec has, and a fifth of the work of its speech modes.
  opus_encoder_init(encoder_.get(), sample_rate, format.channels, OPUS_APPLICATION_RESTRICTED_LOWDELAY);
  opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(static_cast<opus_int32>(format.bitrate)));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_FORCE_CHANNELS(format.channels));
  opus_encoder_ctl(encoder_.get(), OPUS_SET_PREDICTION_DISABLED(0));
  limiter_.start(format.channels);
  complexity_ = -1;
  alone_ = false;
  silent_ = 0;
  sizes_ = {};
}

void MixEncoder::copy(const MixEncoder& from) {
  format_ = from.format_;
  // An encoder's state is one piece of memory that may be copied (opus_encoder_get_size).
  std::memcpy(encoder_.get(), from.encoder_.get(), static_cast<size_t>(opus_encoder_get_size(format_.channels)));
  limiter_ = from.limiter_;
  complexity_ = from.complexity_;
  alone_ = from.alone_;
  silent_ = from.silent_;
  packets_ = from.packets_;
  sizes_ = from.sizes_;
  newest_ = from.newest_;
}

void MixEncoder::set_complexity(int complexity) {
  if (complexity == complexity_) return;
  complexity_ = complexity;
  opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(complexity));
}

void MixEncoder::encode(Limiter::Work& work, bool alone) {
  silent_ = 0;
  if (alone != alone_) opus_encoder_ctl(encoder_.get(), OPUS_SET_PREDICTION_DISABLED(alone ? 1 : 0));
  alone_ = alone;
  newest_ = 1 - newest_;
  const int size = opus_encode_float(encoder_.get(), limiter_.end(work).data(), frame_size, packets_[newest_].data(),
                                     static_cast<opus_int32>(max_encoded));
  sizes_[newest_] = size > 0 ? static_cast<size_t>(size) : 0;
}

void MixEncoder::encode_silence(Limiter::Work& work, bool alone) {
  if (silent_ < flushed || alone) {
    const uint32_t before = silent_;
    begin(work);
    encode(work, alone);
    silent_ = std::min(before, flushed - 1) + 1;
  } else if (silent_ == flushed) {
    // From here on the last packet is sent again: codec and decoder both stand still.
    ++silent_;
    newest_ = 1 - newest_;
    packets_[newest_] = packets_[1 - newest_];
    sizes_[newest_] = sizes_[1 - newest_];
  }
}

}  // namespace cardea::spatialaudio
