// The end of a mix: a limiter that keeps true peaks below -1 dBFS, and the codec. Any number of listeners may share
// one. It can be copied in the middle of a stream: who leaves a shared mix takes a copy, and its decoder notices
// nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "kernels.hpp"

struct OpusEncoder;

namespace cardea::spatialaudio {

struct MixFormat {
  uint8_t channels = 2;
  uint32_t bitrate = 64000;
  constexpr bool operator==(const MixFormat&) const = default;
};

inline constexpr size_t max_encoded = 1275;  // an Opus frame (RFC 6716 section 3.2.1)

// Looks ahead by one step of 1 ms: the gain falls before the peak comes, and rises slowly after it. The frame itself is
// in memory that all mixes of a thread use in turn.
class Limiter {
public:
  static constexpr float ceiling = 0.891f;              // -1 dBFS
  static constexpr size_t step = 48, ahead = step + 8;  // samples: the delay of the limiter
  struct alignas(64) Work {
    std::array<float, (frame_size + ahead) * 2> samples;
  };

  void start(size_t channels);
  // Where the next frame is mixed to, interleaved: zero at first.
  std::span<float> begin(Work& work) const;
  // The frame to send, which is an earlier one by the limiter's delay.
  std::span<const float> end(Work& work);

private:
  void limit(Work& work);
  float needed(const Work& work, size_t from) const;

  size_t channels_ = 2;
  float gain_ = 1, next_needed_ = 1;
  std::array<float, ahead * 2> waiting_{};
};

class MixEncoder {
public:
  MixEncoder();
  ~MixEncoder();
  MixEncoder(MixEncoder&&) noexcept;

  void start(const MixFormat& format);
  void copy(const MixEncoder& from);
  const MixFormat& format() const { return format_; }
  void set_complexity(int complexity);

  // Where the next frame is mixed to, interleaved; zero at first.
  std::span<float> begin(Limiter::Work& work) const { return limiter_.begin(work); }
  // Encodes that frame; `alone`: so that it can be decoded without those before.
  void encode(Limiter::Work& work, bool alone);
  // Instead of both: a frame of silence. Costs nothing from the third in a row on.
  void encode_silence(Limiter::Work& work, bool alone);
  std::span<const uint8_t> encoded() const { return {packets_[newest_].data(), sizes_[newest_]}; }
  std::span<const uint8_t> encoded_before() const { return {packets_[1 - newest_].data(), sizes_[1 - newest_]}; }

private:
  struct FreeEncoder {
    void operator()(OpusEncoder* encoder) const;
  };
  static constexpr uint32_t flushed = 2;  // silent frames, then limiter and codec hold nothing any more

  std::unique_ptr<OpusEncoder, FreeEncoder> encoder_;  // room for stereo, whichever it is
  Limiter limiter_;
  MixFormat format_{};
  int complexity_ = -1;
  bool alone_ = false;
  uint32_t silent_ = flushed;
  std::array<std::array<uint8_t, max_encoded>, 2> packets_{};
  std::array<size_t, 2> sizes_{};
  size_t newest_ = 0;
};

}  // namespace cardea::spatialaudio
