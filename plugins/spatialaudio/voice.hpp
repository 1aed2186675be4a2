// One participant's voice on its way in: packets become frames of 20 ms at 48 kHz, at the pace of the ticks. Losses are
// mended (RED, the codec's FEC) or concealed, the delay follows the jitter, clocks that drift apart are brought
// together, levels are evened. Silence costs nothing. Pure: time comes as an argument; no allocation after it is made.
#pragma once

#include <array>
#include <memory>

#include "cardea/processor.hpp"
#include "jitter_buffer.hpp"
#include "kernels.hpp"
#include "red.hpp"
#include "stretcher.hpp"

struct OpusDecoder;

namespace cardea::spatialaudio {

struct VoiceSettings {
  bool even_loudness = true;
  Duration max_delay = 400ms;
};

struct VoiceCounters {
  uint64_t packets = 0, bytes = 0;
  std::array<uint64_t, 6> dropped{};  // by VoiceDrop
  uint64_t samples = 0;               // played while somebody spoke
  uint64_t concealed = 0;             // of these, made up
  uint64_t mended = 0;                // of these, from RED or FEC
};

class Voice {
public:
  explicit Voice(const VoiceSettings& settings);
  ~Voice();

  void receive(const PacketView& packet);
  // The next frame. False: silence, and nothing was written.
  bool tick(Time now, Frame& frame);

  const VoiceCounters& counters() const { return counters_; }
  // From a packet's arrival until it is heard, on the mean of the last ones.
  Duration delay() const { return Duration(static_cast<int64_t>(delay_ms_ * 1e6)); }
  bool speaking() const { return speaking_; }

private:
  struct FreeDecoder {
    void operator()(OpusDecoder* decoder) const;
  };

  void insert(const VoicePacket& packet, Time arrival);
  void note_arrival(int64_t timestamp, Time arrival);
  void restart();
  bool fill(Time now, size_t samples);  // the queue has so many samples then; false: there is nothing to play
  void play(const VoicePacket& packet);
  void decode(const VoicePacket* packet, size_t samples, bool fec);
  void add_silence(size_t samples);
  void make_room(size_t samples);
  double pace();
  bool judge(std::span<const float> frame);
  void even(Frame& frame);
  int64_t playing_at() const { return next_ - static_cast<int64_t>(queued_ - taken_); }

  // owned
  std::unique_ptr<OpusDecoder, FreeDecoder> decoder_;
  JitterBuffer buffer_;
  RedReader red_;
  // state
  VoiceSettings settings_;
  VoiceCounters counters_;
  bool begun_ = false;          // a packet has come
  int64_t last_timestamp_ = 0;  // the newest, widened
  int64_t last_seq_ = 0;        // of what was played
  bool playing_ = false;
  int64_t next_ = 0;            // timestamp of what is decoded next
  size_t frame_samples_ = 960;  // of the last packet
  size_t stalled_ = 0;          // samples made up while nothing came: the delay grew by them
  size_t made_up_ = 0;          // in a row
  uint32_t quiet_packets_ = 0;  // in a row, by their level
  bool skipped_ = false;        // the last packet was not decoded, being silence
  Time last_tick_{};
  Time first_arrival_{};  // since nothing was playing
  // samples that are decoded and not yet played: [taken_, queued_)
  static constexpr size_t queue_size = 8192;
  std::array<float, queue_size> queue_{};
  size_t taken_ = 0, queued_ = 0;
  double fraction_ = 0;  // of a sample, beyond taken_
  // How much sooner the newest packets could have been played (see note_arrival), less what the pace took since.
  static constexpr size_t remembered = 64;
  std::array<float, remembered> slack_ms_{};
  size_t slacks_ = 0;
  double paced_ms_ = 0;
  double delay_ms_ = 0;
  double pace_ = 1;
  uint32_t judged_ = 0;
  // speaking
  bool speaking_ = false;
  uint32_t quiet_frames_ = 0;
  float level_ = 0;  // mean square of speech, slowly
  float gain_ = 1;
};

}  // namespace cardea::spatialaudio
