// The engine of a room: voices in, one mix for each listener out, every 20 ms. A pure machine behind the contract of a
// MediaProcessor: packets and time are arguments, a tick allocates nothing and takes no lock.
//
// A room that needs several cores has several mixers: each gets every voice and mixes for some of the listeners.
//
// Voices are decoded and transformed once, whoever hears them; who would hear the same shares one mix and its encoding.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cardea/processor.hpp"
#include "hrtf.hpp"
#include "mix_encoder.hpp"
#include "scene.hpp"
#include "voice.hpp"

namespace cardea::spatialaudio {

enum class MixMode : uint8_t {
  spatial,  // each hears the others from where they are
  plain,    // the sum of all others
};

struct MixerSettings {
  MixMode mode = MixMode::spatial;
  SceneSettings scene{};
  VoiceSettings voice{};
  // Most different mixes of a tick. With more listeners, those who stand and look nearly alike share one.
  uint32_t mixes = 500;
  uint8_t red_payload_type = 63;  // told in RED blocks: the codec's
};

// A participant as the mixer knows it. The number is its input and its output.
struct ParticipantSettings {
  bool muted = false;
  bool listens = true;  // gets a mix here
  bool mono = false;    // both ears hear the same
  bool red = false;     // takes RED
  float volume = 1;     // of its voice
  float pan = 0;        // plain stereo mixes: -1 left .. 1 right
  Cone cone{};
  Personal personal{};
  MixFormat format{};
};

struct MixerCounters {
  uint64_t ticks = 0, missed = 0;  // missed: ticks that came too late to be made up for
  uint64_t encoded = 0;            // mixes that were rendered and encoded
  uint64_t shared = 0;             // packets that were another listener's mix
  uint32_t speaking = 0;           // now
  uint32_t mixes = 0;              // now
  uint32_t coarseness = 0;         // now: 0 exact .. 6
};

class Mixer final : public MediaProcessor {
public:
  static constexpr Duration period = 20ms;

  Mixer(MixerSettings settings, const Hrtf* hrtf);
  ~Mixer() override;

  // Between ticks. join() of a participant that is there changes its settings.
  void join(SourceId participant, const ParticipantSettings& settings, const Pose& pose);
  void leave(SourceId participant);
  // A pose that was told: it is reached in the time between the last two, at most 100 ms, so that movement is even.
  void move(SourceId participant, const Pose& pose, Time now);
  void change_scene(const SceneSettings& scene);
  void clear_voice(SourceId participant);  // forgets what was received, as after a change of codec

  void on_packet(uint16_t input, const PacketView& packet, Time now, MediaOut& out) override;
  void on_tick(Time now, MediaOut& out) override;
  Time next_deadline() const override { return due_; }

  const MixerCounters& counters() const { return counters_; }
  const Voice* voice(SourceId participant) const;

private:
  struct Talk;
  struct Participant;
  struct Mix;
  struct Key;
  struct Group;

  void tick(Time now, MediaOut& out);
  void hear(Time now);
  void walk(Time now);
  void transform();
  void sum_up();
  Key key_of(const Participant& listener, uint32_t coarseness) const;
  size_t group(uint32_t coarseness);
  void assign();
  void render_spatial(Group& group, Mix& mix);
  void render_plain(Group& group, Mix& mix);
  void send(Group& group, Mix& mix, MediaOut& out);
  int complexity() const;

  // given
  MixerSettings settings_;
  const Hrtf* hrtf_;
  // owned
  std::vector<std::unique_ptr<Participant>> participants_;  // by number
  std::vector<std::unique_ptr<Mix>> mixes_;
  // state
  Time due_ = never;
  MixerCounters counters_;
  uint32_t timestamp_ = 0;
  uint32_t coarseness_ = 0;
  uint32_t calm_ticks_ = 0;
  std::vector<SourceId> present_, listeners_, speaking_;
  std::vector<Candidate> candidates_;
  std::vector<Group> groups_;
  std::vector<uint32_t> table_;  // open addressing: index of a group + 1
  std::vector<Mix*> idle_;
  Selection selection_;
  BinTable air_loss_{};
  std::array<float, frame_size * 2> sum_{};  // plain mixes: everybody, stereo
  EarSpectrum ears_{};
  Signal signal_{};
  Frame frame_{};
  Limiter::Work work_{};
};

}  // namespace cardea::spatialaudio
