#include "voice.hpp"

#include <opus/opus.h>

#include <algorithm>
#include <cmath>

namespace cardea::spatialaudio {
namespace {

constexpr int64_t jump = 96000;           // timestamps this far apart belong to a new stream
constexpr size_t longest_frame = 5760;    // 120 ms, the most an Opus packet holds (RFC 6716 section 2.1.4)
constexpr size_t longest_made_up = 4800;  // 100 ms of concealment, then silence
constexpr uint8_t silent_level = 60;      // -60 dBov and quieter is silence
constexpr uint32_t quiet_after = 20;      // silent packets, then they are not decoded any more
constexpr float quiet = 1e-6f;            // mean square: -60 dBFS
constexpr uint32_t hold = 15;             // quiet frames, then a voice is silent
constexpr double latest_ms = 3;           // packets shall come this much before they are needed
constexpr double spare_ms = 2;            // and could then be played this much sooner
constexpr double spare_range_ms = 4;      // more or less than it by this much changes the pace
constexpr double most_pace = 0.02;        // of speech; a third of a semitone
constexpr double silent_pace = 0.25;      // of silence
constexpr Duration most_first_wait = 100ms;
// loudness: speech between these levels (mean square: -30 and -16 dBFS) is left alone
constexpr float softest = 1e-3f, loudest = 2.5e-2f;
constexpr float most_gain = 4;          // 12 dB up, or down
constexpr float gain_step = 1.000576f;  // 0.25 dB a second
constexpr float level_step = 0.0066f;   // 3 s
constexpr size_t ramp_samples = 240;    // 5 ms: a voice begins and ends with it

}  // namespace

void Voice::FreeDecoder::operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }

Voice::Voice(const VoiceSettings& settings) : settings_(settings) {
  int error = 0;
  decoder_.reset(opus_decoder_create(sample_rate, 1, &error));
  queued_ = taken_ = Stretcher::taps;
}
Voice::~Voice() = default;

void Voice::receive(const PacketView& packet) {
  ++counters_.packets;
  counters_.bytes += packet.payload.size();
  if (packet.restarted) restart();
  // widened by the way that is shorter from the newest
  const int64_t timestamp =
      begun_ ? last_timestamp_ + static_cast<int32_t>(packet.timestamp - static_cast<uint32_t>(last_timestamp_))
             : packet.timestamp;
  if (begun_ && std::abs(timestamp - last_timestamp_) > jump) restart();
  begun_ = true;
  last_timestamp_ = std::max(last_timestamp_, timestamp);
  if (!playing_ && first_arrival_ == Time{}) {
    first_arrival_ = packet.arrival;
    next_ = timestamp;
  }
  if (!packet.red) return insert({packet.seq, timestamp, packet.audio_level, false, packet.payload}, packet.arrival);
  const auto blocks = red_.read(packet.payload);
  if (blocks.empty()) {
    ++counters_.dropped[static_cast<size_t>(VoiceDrop::malformed)];
    return;
  }
  for (const RedBlock& block : blocks.first(blocks.size() - 1)) {
    if (block.payload_type != blocks.back().payload_type || block.data.empty()) continue;
    // what is there already, or played, is the usual case and no drop
    const int64_t earlier = timestamp - block.offset;
    if (playing_ && earlier >= next_) buffer_.insert({packet.seq - 1, earlier, std::nullopt, true, block.data}, next_);
  }
  insert({packet.seq, timestamp, packet.audio_level, false, blocks.back().data}, packet.arrival);
}

void Voice::insert(const VoicePacket& packet, Time arrival) {
  if (packet.payload.empty() ||
      opus_packet_get_nb_samples(packet.payload.data(), static_cast<int>(packet.payload.size()), sample_rate) <= 0) {
    ++counters_.dropped[static_cast<size_t>(VoiceDrop::malformed)];
    return;
  }
  if (playing_) note_arrival(packet.timestamp, arrival);
  VoiceDrop drop = buffer_.insert(packet, next_);
  if (drop == VoiceDrop::too_far) {
    restart();
    begun_ = true;
    last_timestamp_ = next_ = packet.timestamp;
    first_arrival_ = arrival;
    drop = buffer_.insert(packet, next_);
  }
  ++counters_.dropped[static_cast<size_t>(drop)];
}

// A packet is needed at the tick in whose frame it begins, and begins some way into that frame. It could be played
// sooner by that way, without being needed at an earlier tick; and by whole ticks, if it came a whole tick early.
// Counting it as if it came a little later makes room before it comes too late, when clocks drift.
void Voice::note_arrival(int64_t timestamp, Time arrival) {
  constexpr auto frame = static_cast<int64_t>(frame_size);
  const int64_t ahead = timestamp - playing_at();
  const int64_t ticks = ahead >= 0 ? ahead / frame : -((-ahead + frame - 1) / frame);
  const double into_ms = static_cast<double>(ahead - ticks * frame) / (sample_rate / 1000);
  const double early_ms = static_cast<double>((last_tick_ + (ticks + 1) * 20ms - arrival).count()) / 1e6;
  const double spare = into_ms + 20 * std::floor((early_ms - latest_ms) / 20);
  slack_ms_[slacks_++ % remembered] = static_cast<float>(spare - paced_ms_);
  delay_ms_ += (early_ms + into_ms - delay_ms_) / (slacks_ < 16 ? static_cast<double>(slacks_) : 16);
}

void Voice::restart() {
  buffer_.clear();
  playing_ = begun_ = skipped_ = false;
  first_arrival_ = {};
  slacks_ = 0;
  stalled_ = made_up_ = 0;
}

// What is played is forgotten, but for what the interpolation looks back on.
void Voice::make_room(size_t samples) {
  if (queued_ + samples <= queue_size) return;
  const size_t kept = taken_ - Stretcher::taps;
  std::copy(queue_.begin() + static_cast<long>(kept), queue_.begin() + static_cast<long>(queued_), queue_.begin());
  queued_ -= kept;
  taken_ = Stretcher::taps;
}

void Voice::decode(const VoicePacket* packet, size_t samples, bool fec) {
  make_room(longest_frame);
  const int made = opus_decode_float(decoder_.get(), packet ? packet->payload.data() : nullptr,
                                     packet ? static_cast<int>(packet->payload.size()) : 0, queue_.data() + queued_,
                                     static_cast<int>(samples), fec ? 1 : 0);
  if (made <= 0) return add_silence(samples);
  queued_ += static_cast<size_t>(made);
}

void Voice::add_silence(size_t samples) {
  make_room(samples);
  std::fill_n(queue_.begin() + static_cast<long>(queued_), samples, 0.0f);
  queued_ += samples;
}

void Voice::play(const VoicePacket& packet) {
  const auto samples = static_cast<size_t>(
      opus_packet_get_nb_samples(packet.payload.data(), static_cast<int>(packet.payload.size()), sample_rate));
  quiet_packets_ = packet.level && *packet.level >= silent_level ? quiet_packets_ + 1 : 0;
  if (quiet_packets_ > quiet_after) {
    add_silence(samples);
    skipped_ = true;
  } else {
    skipped_ = false;  // the decoder goes on from the silence it knew last
    decode(&packet, samples, false);
  }
  if (packet.earlier) counters_.mended += samples;
  frame_samples_ = samples;
  last_seq_ = packet.seq;
  next_ = packet.timestamp + static_cast<int64_t>(samples);
  stalled_ = made_up_ = 0;
  buffer_.played(next_);
}

bool Voice::fill(Time now, size_t samples) {
  if (!playing_) {
    const auto first = buffer_.from(INT64_MIN);
    if (!first) return false;
    float low = 1e9f, high = -1e9f;
    for (size_t i = 0; i < std::min(slacks_, remembered); ++i) {
      low = std::min(low, slack_ms_[i]);
      high = std::max(high, slack_ms_[i]);
    }
    const Duration jitter = high > low ? Duration(static_cast<int64_t>((high - low) * 1e6)) : Duration{};
    if (now - first_arrival_ < std::min<Duration>(jitter, most_first_wait)) return false;
    playing_ = true;
    next_ = first->timestamp;
    last_seq_ = first->seq - 1;
  }
  while (queued_ - taken_ < samples) {
    if (const auto packet = buffer_.at(next_)) {
      play(*packet);
      continue;
    }
    const auto following = buffer_.from(next_);
    if (!following) {
      // Nothing there: made up for a while, and what comes late is played still, so that the delay grows.
      if (made_up_ >= longest_made_up || (!speaking_ && made_up_ > 0) || skipped_) {
        playing_ = false;
        first_arrival_ = {};
        add_silence(samples - (queued_ - taken_));
        return true;
      }
      decode(nullptr, frame_samples_, false);
      stalled_ += frame_samples_;
      made_up_ += frame_samples_;
      if (speaking_) counters_.concealed += frame_samples_;
      continue;
    }
    auto gap = static_cast<size_t>(following->timestamp - next_);
    if (const size_t filled = std::min(gap, stalled_)) {  // what was made up stood for this
      next_ += static_cast<int64_t>(filled);
      stalled_ -= filled;
      continue;
    }
    if (following->seq == last_seq_ + 1) {  // nothing lost: the other side was silent
      gap = std::min<size_t>(gap, frame_size);
      add_silence(gap);
      next_ += static_cast<int64_t>(gap);
      continue;
    }
    if (gap > longest_made_up) {
      next_ = following->timestamp;
      continue;
    }
    const size_t missing = std::min(gap, frame_samples_);
    const bool fec = gap <= frame_samples_ && following->payload.size() > 1 && !(following->payload[0] & 0x80);
    if (fec) {
      decode(&*following, missing, true);
      counters_.mended += missing;
    } else {
      decode(nullptr, missing, false);
      if (speaking_) counters_.concealed += missing;
    }
    made_up_ += missing;
    next_ += static_cast<int64_t>(missing);
  }
  return true;
}

// Faster when even the latest packets come early, slower when they come late.
double Voice::pace() {
  const size_t count = std::min(slacks_, remembered);
  if (count < 8) return 1;
  if (++judged_ % 8 == 0 || pace_ != 1) {
    std::array<float, remembered> sorted;
    std::copy_n(slack_ms_.begin(), count, sorted.begin());
    const size_t low = count >= 50 ? 1 : 0;  // one in fifty may come late
    std::nth_element(sorted.begin(), sorted.begin() + low, sorted.begin() + static_cast<long>(count));
    const double error = sorted[low] + paced_ms_ - spare_ms;
    const double limit = speaking_ ? most_pace : silent_pace;
    // a change once begun goes on to the middle
    if (std::abs(error) < (pace_ == 1 ? spare_range_ms : 0.5))
      pace_ = 1;
    else
      pace_ = 1 + std::clamp(error / 1000, -limit, limit);
  }
  return pace_;
}

bool Voice::tick(Time now, Frame& frame) {
  const bool spoke = speaking_;
  last_tick_ = now;
  const double rate = playing_ ? pace() : 1;
  const double wanted = fraction_ + rate * static_cast<double>(frame_size);
  if (!fill(now, static_cast<size_t>(std::ceil(wanted)))) {
    speaking_ = false;
    return false;
  }
  // the interpolation looks `taps` samples back: its middle is that much behind what is taken
  const float* from = queue_.data() + taken_ - Stretcher::taps;
  if (rate == 1 && fraction_ == 0) {
    std::copy_n(from + Stretcher::taps / 2 - 1, frame_size, frame.begin());
  } else {
    double position = fraction_;
    for (float& sample : frame) {
      const auto whole = static_cast<size_t>(position);
      sample = Stretcher::sample(from + whole, position - static_cast<double>(whole));
      position += rate;
    }
  }
  const auto taken = static_cast<size_t>(wanted);
  fraction_ = wanted - static_cast<double>(taken);
  taken_ += taken;
  paced_ms_ -= (rate - 1) * 20;
  speaking_ = judge(frame);
  if (!speaking_ && !spoke) return false;
  counters_.samples += frame_size;
  even(frame);
  for (size_t i = 0; i < ramp_samples && speaking_ != spoke; ++i) {
    const float part = static_cast<float>(i) / ramp_samples;
    if (speaking_)
      frame[i] *= part;
    else
      frame[frame_size - 1 - i] *= part;
  }
  return true;
}

bool Voice::judge(std::span<const float> frame) {
  float sum = 0;
  for (float sample : frame) sum += sample * sample;
  sum /= static_cast<float>(frame.size());
  if (!(sum > quiet)) return ++quiet_frames_ < hold && speaking_;
  quiet_frames_ = 0;
  if (sum > quiet * 10) level_ += (sum - level_) * (level_ == 0 ? 1 : level_step);
  return true;
}

void Voice::even(Frame& frame) {
  if (!settings_.even_loudness || level_ == 0) return;
  const float now = level_ * gain_ * gain_;
  const float step = now < softest ? gain_step : now > loudest ? 1 / gain_step : 1;
  gain_ = std::clamp(gain_ * step, 1 / most_gain, most_gain);
  if (gain_ != 1)
    for (float& sample : frame) sample *= gain_;
}

}  // namespace cardea::spatialaudio
