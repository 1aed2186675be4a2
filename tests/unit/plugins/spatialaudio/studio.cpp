#include "studio.hpp"

#include <opus/opus.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <numbers>
#include <random>

namespace {
size_t allocations = 0;
}

// Counts what is allocated, for the promise that a tick allocates nothing.
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto step = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (size + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace cardea::spatialaudio::test {

Sound noise(unsigned seed, float level) {
  auto random = std::make_shared<std::mt19937>(seed);
  return [random, level](size_t) { return level * (static_cast<float>((*random)()) / 2147483648.0f - 1); };
}

Sound tone(double hz, float level) {
  return [hz, level](size_t sample) {
    return level * static_cast<float>(std::sin(2 * std::numbers::pi * hz * static_cast<double>(sample) / sample_rate));
  };
}

Studio::Studio(const MixerSettings& settings)
    : mixer(settings, settings.mode == MixMode::spatial ? &kemar() : nullptr) {}

Studio::~Studio() {
  for (auto& [who, mouth] : mouths_)
    if (mouth.encoder) opus_encoder_destroy(mouth.encoder);
  for (auto& [who, ears] : ears_) opus_decoder_destroy(ears.decoder);
}

void Studio::join(SourceId who, const Pose& pose, ParticipantSettings settings) {
  mixer.join(who, settings, pose);
  if (settings.listens && !ears_.contains(who)) {
    int error = 0;
    ears_[who].decoder = opus_decoder_create(sample_rate, 2, &error);
  }
}

void Studio::says(SourceId who, Sound sound) {
  Mouth& mouth = mouths_[who];
  mouth.sound = std::move(sound);
  if (!mouth.encoder) {
    int error = 0;
    mouth.encoder = opus_encoder_create(sample_rate, 1, fec ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO, &error);
    opus_encoder_ctl(mouth.encoder, OPUS_SET_BITRATE(fec ? 40000 : 128000));
    opus_encoder_ctl(mouth.encoder, OPUS_SET_INBAND_FEC(fec ? 1 : 0));
    opus_encoder_ctl(mouth.encoder, OPUS_SET_PACKET_LOSS_PERC(fec ? 20 : 0));
    if (fec) opus_encoder_ctl(mouth.encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    mouth.next_ms = elapsed_ms_ + 7;
  }
}

void Studio::run(size_t ticks, const std::function<void(size_t)>& before) {
  for (size_t n = 0; n < ticks; ++n, ++ticks_) {
    if (before) before(ticks_);
    const double until = elapsed_ms_ + 20;
    for (auto& [who, mouth] : mouths_) {
      for (; mouth.next_ms < until; mouth.next_ms += 20 / (1 + clock_ppm * 1e-6), ++mouth.frame) {
        if (!mouth.sound) continue;
        Frame frame;
        for (size_t i = 0; i < frame_size; ++i) frame[i] = mouth.sound(mouth.frame * frame_size + i);
        std::vector<uint8_t> packet(1275);
        packet.resize(
            static_cast<size_t>(opus_encode_float(mouth.encoder, frame.data(), frame_size, packet.data(), 1275)));
        const Way way = network ? network(who, mouth.frame) : Way{};
        const Time arrives = now + Duration(static_cast<int64_t>((mouth.next_ms - elapsed_ms_) * 1e6)) + way.late;
        std::vector<uint8_t> payload = packet;
        if (red) {
          payload.resize(1400);
          payload.resize(write_red(111, mouth.before, frame_size, packet, payload));
        }
        if (!way.lost)
          flying_.push_back({arrives,
                             who,
                             {.red = red,
                              .seq = static_cast<int64_t>(mouth.frame),
                              .timestamp = static_cast<uint32_t>(mouth.frame * frame_size),
                              .arrival = arrives},
                             payload});
        mouth.before = packet;
      }
    }
    std::stable_sort(flying_.begin(), flying_.end(),
                     [](const InFlight& a, const InFlight& b) { return a.arrives < b.arrives; });
    size_t arrived = 0;
    for (; arrived < flying_.size() && flying_[arrived].arrives < now + 20ms; ++arrived) {
      InFlight& one = flying_[arrived];
      one.view.payload = one.payload;
      mixer.on_packet(one.who, one.view, one.arrives, *this);
    }
    flying_.erase(flying_.begin(), flying_.begin() + static_cast<long>(arrived));
    now += 20ms;
    elapsed_ms_ = until;
    for (auto& [who, ears] : ears_) {  // so that what is kept here does not count
      ears.samples.reserve(ears.samples.size() + 4 * frame_size);
      ears.packets.reserve(ears.packets.size() + 4);
    }
    const size_t counted = allocations;
    mixer.on_tick(now, *this);
    tick_allocations += allocations - counted;
  }
}

void Studio::send(const MediaPacket& packet) {
  // Decoding and keeping is the test's own: not counted.
  const size_t counted = allocations;
  Ears& ears = ears_.at(packet.output);
  std::span<const uint8_t> payload = packet.payload;
  RedReader reader;
  if (packet.red) payload = reader.read(payload).back().data;
  std::array<float, frame_size * 2> frame;
  if (opus_decode_float(ears.decoder, payload.data(), static_cast<int>(payload.size()), frame.data(), frame_size, 0) ==
      static_cast<int>(frame_size))
    ears.samples.insert(ears.samples.end(), frame.begin(), frame.end());
  ears.packets.emplace_back(payload.begin(), payload.end());
  allocations = counted;
}

void Studio::forget() {
  for (auto& [who, ears] : ears_) {
    ears.samples.clear();
    ears.packets.clear();
  }
}

std::vector<float> Studio::heard(SourceId who, size_t channel) const {
  std::vector<float> result;
  const auto& samples = ears_.at(who).samples;
  for (size_t i = channel; i < samples.size(); i += 2) result.push_back(samples[i]);
  return result;
}

}  // namespace cardea::spatialaudio::test
