// A room without network: people who make sounds, and what each hears after the codec, in virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "mixer.hpp"
#include "sounds.hpp"

struct OpusDecoder;
struct OpusEncoder;

namespace cardea::spatialaudio::test {

using Sound = std::function<float(size_t sample)>;

Sound noise(unsigned seed, float level = 0.1f);  // white, to 20 kHz
Sound tone(double hz, float level = 0.3f);

class Studio final : public MediaOut {
public:
  explicit Studio(const MixerSettings& settings);
  ~Studio();

  void join(SourceId who, const Pose& pose, ParticipantSettings settings = {});
  void says(SourceId who, Sound sound);  // none: sends nothing
  // Runs so many ticks. `before` is called ahead of each with its number since the beginning.
  void run(size_t ticks, const std::function<void(size_t)>& before = {});
  void forget();  // what was heard until now

  // One channel of what somebody heard since forget().
  std::vector<float> heard(SourceId who, size_t channel) const;
  const std::vector<std::vector<uint8_t>>& packets(SourceId who) const { return ears_.at(who).packets; }

  // How a packet on its way in is treated: lost, or so much later.
  struct Way {
    bool lost = false;
    Duration late{};
  };
  std::function<Way(SourceId, size_t)> network{};
  bool fec = false, red = false;  // how people send
  double clock_ppm = 0;           // how fast their clocks are

  Mixer mixer;
  Time now{std::chrono::hours(1)};
  size_t tick_allocations = 0;

private:
  void send(const MediaPacket& packet) override;
  void request_keyframe(uint16_t) override {}
  void post(std::function<void()>) override {}

  struct Mouth {
    Sound sound;
    OpusEncoder* encoder = nullptr;
    size_t sample = 0, frame = 0;
    double next_ms = 0;  // since the beginning
    std::vector<uint8_t> before;
  };
  struct Ears {
    OpusDecoder* decoder = nullptr;
    std::vector<float> samples;
    std::vector<std::vector<uint8_t>> packets;
  };
  struct InFlight {
    Time arrives;
    SourceId who;
    PacketView view;
    std::vector<uint8_t> payload;
  };
  std::map<SourceId, Mouth> mouths_;
  std::map<SourceId, Ears> ears_;
  std::vector<InFlight> flying_;
  double elapsed_ms_ = 0;
  size_t ticks_ = 0;
};

}  // namespace cardea::spatialaudio::test
