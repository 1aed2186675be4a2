// What the engine of the spatial audio room costs, fed with prepared packets: private mixes, a crowd that shares them,
// a plain mix room. CPU time of this thread, so that other work on the machine counts as little as possible.
//
//   spatial_bench [ticks]
#include <opus/opus.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "bench/bench.hpp"
#include "mixer.hpp"

namespace cardea::spatialaudio {
namespace {

constexpr Time start{std::chrono::hours(1)};

// Speech-like sound as Opus packets: noise and a voice's harmonics, in syllables.
class Script {
public:
  explicit Script(unsigned seed, size_t frames) {
    int error = 0;
    OpusEncoder* encoder = opus_encoder_create(sample_rate, 1, OPUS_APPLICATION_VOIP, &error);
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(32000));
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> noise(-1, 1);
    const double pitch = 100 + static_cast<double>(seed % 7) * 20;
    float breath = 0;
    Frame frame;
    for (size_t n = 0; n < frames; ++n) {
      for (size_t i = 0; i < frame_size; ++i) {
        const double t = static_cast<double>(n * frame_size + i) / sample_rate;
        breath = 0.7f * breath + 0.3f * noise(random);
        double voice = 0;
        for (int k = 1; k <= 12; ++k) voice += std::sin(2 * std::numbers::pi * pitch * k * t) / k;
        const double syllable = 0.3 + 0.7 * std::pow(std::sin(std::numbers::pi * 4 * t + seed), 2);
        frame[i] = static_cast<float>(syllable * (0.08 * voice + 0.05 * static_cast<double>(breath)));
      }
      std::array<uint8_t, 1275> packet;
      const int size = opus_encode_float(encoder, frame.data(), frame_size, packet.data(), packet.size());
      packets.emplace_back(packet.begin(), packet.begin() + size);
    }
    opus_encoder_destroy(encoder);
  }
  std::vector<std::vector<uint8_t>> packets;
};

struct Counting final : MediaOut {
  void send(const MediaPacket& packet) override {
    ++packets;
    bytes += packet.payload.size();
  }
  void request_keyframe(uint16_t) override {}
  void post(std::function<void()>) override {}
  uint64_t packets = 0, bytes = 0;
};

struct Case {
  std::string name;
  MixMode mode = MixMode::spatial;
  size_t people = 300, talking = 24;
  double side = 20;     // metres of the square that people stand in
  double facing = 360;  // degrees that headings are spread over
  double stage = 0;     // talkers stand this far in front instead of among the people; 0: among them
  bool moving = false;  // everybody walks and turns, told 20 times a second
  uint32_t mixes = 500;
  uint8_t channels = 2;
};

void run(const Case& what, const Hrtf& hrtf, size_t ticks) {
  std::vector<Script> scripts;
  for (size_t i = 0; i < what.talking; ++i) scripts.emplace_back(static_cast<unsigned>(i + 1), 100);
  Mixer mixer({.mode = what.mode, .mixes = what.mixes}, &hrtf);
  std::mt19937 random(7);
  std::uniform_real_distribution<double> part(0, 1);
  std::vector<Pose> poses;
  for (size_t i = 0; i < what.people; ++i) {
    Pose pose{{part(random) * what.side, part(random) * what.side, 0}, {(part(random) - 0.5) * what.facing, 0, 0}};
    if (i < what.talking && what.stage > 0) pose.position.y = -what.stage;
    poses.push_back(pose);
    mixer.join(static_cast<SourceId>(i), {.format = {.channels = what.channels}}, pose);
  }
  Counting out;
  std::vector<double> times;
  Time now = start;
  MixerCounters before;
  const size_t warm = 50;
  for (size_t n = 0; n < ticks + warm; ++n) {
    if (n == warm) {
      before = mixer.counters();
      out = {};
    }
    double spent = 0;
    const auto timed = [&](auto call) {
      const double begin = bench::cpu_ns();
      call();
      spent += bench::cpu_ns() - begin;
    };
    timed([&] {
      for (size_t i = 0; i < what.talking; ++i) {
        const auto& payload = scripts[i].packets[n % scripts[i].packets.size()];
        mixer.on_packet(static_cast<uint16_t>(i),
                        {.seq = static_cast<int64_t>(n),
                         .timestamp = static_cast<uint32_t>(n * frame_size),
                         .arrival = now + 3ms,
                         .audio_level = 20,
                         .payload = payload},
                        now + 3ms, out);
      }
    });
    if (what.moving && n % 5 < 2)
      for (size_t i = n % 5; i < what.people; i += 2) {
        poses[i].orientation.heading += 9;  // 180 degrees a second
        poses[i].position.x += 0.05;
        timed([&] { mixer.move(static_cast<SourceId>(i), poses[i], now); });
      }
    now += 20ms;
    timed([&] { mixer.on_tick(now, out); });
    if (n >= warm) times.push_back(spent / 1e6);
  }
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (double time : times) sum += time;
  const MixerCounters& after = mixer.counters();
  const auto count = static_cast<double>(times.size());
  std::printf(
      "%-62s %6.2f ms median  %6.2f p99  %5.2f cores  %6.1f mixes  %6.1f packets a tick, %.0f kbit/s  coarse %u\n",
      what.name.c_str(), times[times.size() / 2], times[times.size() * 99 / 100], sum / count / 20,
      static_cast<double>(after.encoded - before.encoded) / count, static_cast<double>(out.packets) / count,
      static_cast<double>(out.bytes) * 8 / static_cast<double>(std::max<uint64_t>(1, out.packets)) / 20,
      after.coarseness);
}

}  // namespace
}  // namespace cardea::spatialaudio

int main(int argc, char** argv) {
  using namespace cardea::spatialaudio;
  const size_t ticks = argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : 500;
  const char* file = std::getenv("CARDEA_SOFA");
  const auto hrtf = Hrtf::load(file ? file : "/usr/share/libmysofa/default.sofa");
  if (!hrtf) {
    std::fprintf(stderr, "%s\n", hrtf.error().reason.c_str());
    return 1;
  }
  std::printf("kernels: %s\n", kernels().name);
  run({.name = "300 private mixes, 24 talking, 8 audible"}, *hrtf, ticks);
  run({.name = "300 private mixes, all walking and turning", .moving = true}, *hrtf, ticks);
  run({.name = "500 private mixes, 24 talking, 8 audible", .people = 500}, *hrtf, ticks);
  run({.name = "2,000 before a stage, 10 talking, facing it",
       .people = 2000,
       .talking = 10,
       .side = 20,
       .facing = 40,
       .stage = 15,
       .mixes = 400},
      *hrtf, ticks);
  run({.name = "2,000 in a square of 20 m, looking anywhere, 24 talking", .people = 2000, .mixes = 400}, *hrtf, ticks);
  run({.name = "2,000 before a stage, all walking and turning",
       .people = 2000,
       .talking = 10,
       .facing = 40,
       .stage = 15,
       .moving = true,
       .mixes = 400},
      *hrtf, ticks);
  run({.name = "mix room of 200, 5 talking, mono", .mode = MixMode::plain, .people = 200, .talking = 5, .channels = 1},
      *hrtf, ticks);
  run({.name = "mix room of 200, 5 talking, stereo", .mode = MixMode::plain, .people = 200, .talking = 5}, *hrtf,
      ticks);
}
