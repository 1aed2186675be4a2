#include "mixer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

namespace cardea::spatialaudio {
namespace {

constexpr Duration slowest_move = 100ms, first_move = 60ms;
constexpr double jump_metres = 8;      // a pose this far away is not walked to: the sound is cross-faded there
constexpr float degrees_per_fade = 2;  // a turn is cut into cross-fades of this much, at most max_fades in a tick
constexpr size_t max_fades = 4;
constexpr int64_t most_made_up_for = 3;  // ticks
// Sharing: how far off a listener may be heard, in degrees. A step is taken when there are more different mixes than
// allowed, and taken back when there would be few for a while.
constexpr std::array<double, 7> tolerances{0, 2.5, 5, 10, 15, 22.5, 45};
constexpr uint32_t calm = 100;  // ticks

uint64_t mixed(uint64_t hash, uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
  hash *= 0xff51afd7ed558ccdu;
  return hash ^ (hash >> 32);
}

// Air takes frequencies about by their square: 0.1 dB a metre at 8 kHz.
float air_loss(size_t bin, double metres) {
  const double khz = static_cast<double>(bin) * sample_rate / transform_size / 1000;
  const double loss_db = 0.1 * metres * khz * khz / 64;
  return static_cast<float>(1 - std::pow(10.0, -loss_db / 20));
}

}  // namespace

// The sound of a participant who speaks, ready to be rendered.
struct Mixer::Talk {
  explicit Talk(const VoiceSettings& settings) : voice(settings) {}
  Voice voice;
  alignas(64) std::array<float, transform_size> window{};  // what was heard last, the newest frame at its end
  Spectrum spectrum{};
  bool ringing = false;  // the window is not silent
  bool fresh = false;    // it was silent until now
};

struct Mixer::Participant {
  SourceId number = 0;
  ParticipantSettings settings{};
  Place place{};
  Pose from{}, to{};
  Time moved{}, arrives{};  // arrives == Time{}: stands
  std::unique_ptr<Talk> talk{};
  bool speaking = false;
  Mix* mix = nullptr;  // of the last tick
  uint32_t next = 0;   // in its group: a participant's number + 1
  bool begun = false;  // a packet was sent
};

// A stream that somebody gets.
struct Mixer::Mix {
  MixEncoder encoder{};
  std::array<Heard, max_audible> heard{};  // of the last tick
  size_t heard_count = 0;
  uint64_t used = 0;  // the tick
  std::span<const Heard> before() const { return {heard.data(), heard_count}; }
};

// What decides how a mix sounds.
struct Mixer::Key {
  MixFormat format{};
  bool mono = false;
  int32_t self = -1;      // who is left out, where that makes a difference
  int32_t personal = -1;  // whose gains
  uint64_t private_zones = 0;
  uint64_t hears = 0;  // which voices may be heard at all
  Pose pose{};
  bool operator==(const Key&) const = default;

  uint64_t hash() const {
    const auto bits = [](double value) { return std::bit_cast<uint64_t>(value); };
    uint64_t h = mixed(format.channels + (uint64_t{format.bitrate} << 8) + (uint64_t{mono} << 40),
                       static_cast<uint64_t>(self + 1) | (static_cast<uint64_t>(personal + 1) << 32));
    h = mixed(mixed(h, private_zones), hears);
    h = mixed(mixed(mixed(h, bits(pose.position.x)), bits(pose.position.y)), bits(pose.position.z));
    h = mixed(h, bits(pose.orientation.heading));
    return mixed(mixed(h, bits(pose.orientation.pitch)), bits(pose.orientation.roll));
  }
};

struct Mixer::Group {
  Key key{};
  Mix* mix = nullptr;
  uint32_t first = 0;  // a participant's number + 1
  bool alone = false;  // somebody comes from another mix: the next frame must not need those before
};

Mixer::Mixer(MixerSettings settings, const Hrtf* hrtf) : settings_(std::move(settings)), hrtf_(hrtf) {
  change_scene(settings_.scene);
}
Mixer::~Mixer() = default;

void Mixer::change_scene(const SceneSettings& scene) {
  settings_.scene = scene;
  settings_.scene.audible = std::min<uint32_t>(scene.audible, max_audible);
  for (size_t bin = 0; bin < bins; ++bin) air_loss_[bin] = air_loss(bin, scene.distance.max * scene.air);
  for (const SourceId number : present_) {
    Participant& one = *participants_[number];
    one.place.stand(one.place.pose, settings_.scene);
  }
}

void Mixer::join(SourceId number, const ParticipantSettings& settings, const Pose& pose) {
  if (participants_.size() <= number) participants_.resize(number + size_t{1});
  auto& place = participants_[number];
  if (!place) {
    place = std::make_unique<Participant>();
    place->number = number;
    place->to = pose;
    place->place.stand(pose, settings_.scene);
    present_.insert(std::lower_bound(present_.begin(), present_.end(), number), number);
  }
  if (due_ == never) due_ = Time{};  // at once: the first tick sets the beat
  place->settings = settings;
  place->place.cone = settings.cone;
  const auto listener = std::lower_bound(listeners_.begin(), listeners_.end(), number);
  const bool listening = listener != listeners_.end() && *listener == number;
  if (settings.listens && !listening) listeners_.insert(listener, number);
  if (!settings.listens && listening) listeners_.erase(listener);
  // all that a tick may need is made here
  const size_t all = present_.size(), ears = listeners_.size();
  speaking_.reserve(all);
  candidates_.reserve(all);
  selection_.reserve(all);
  groups_.reserve(ears);
  idle_.reserve(ears);
  if (table_.size() < 2 * ears) table_.resize(std::bit_ceil(2 * ears + 16));
  while (mixes_.size() < ears) mixes_.push_back(std::make_unique<Mix>());
}

void Mixer::leave(SourceId number) {
  if (number >= participants_.size() || !participants_[number]) return;
  std::erase(present_, number);
  std::erase(listeners_, number);
  std::erase(speaking_, number);
  participants_[number].reset();
  if (present_.empty()) due_ = never;
}

void Mixer::clear_voice(SourceId number) {
  if (number < participants_.size() && participants_[number]) participants_[number]->talk.reset();
}

void Mixer::move(SourceId number, const Pose& pose, Time now) {
  if (number >= participants_.size() || !participants_[number]) return;
  Participant& one = *participants_[number];
  const Duration since = one.moved == Time{} ? Duration::max() : now - one.moved;
  const Duration takes = since > slowest_move ? first_move : std::max<Duration>(since, period);
  one.moved = now;
  one.to = pose;
  if (length(pose.position - one.place.pose.position) > jump_metres) {
    one.arrives = Time{};
    one.place.stand(pose, settings_.scene);
    return;
  }
  one.arrives = now + takes;
}

const Voice* Mixer::voice(SourceId number) const {
  return number < participants_.size() && participants_[number] && participants_[number]->talk
             ? &participants_[number]->talk->voice
             : nullptr;
}

void Mixer::on_packet(uint16_t input, const PacketView& packet, Time, MediaOut&) {
  if (input >= participants_.size() || !participants_[input]) return;
  Participant& one = *participants_[input];
  if (!one.talk) one.talk = std::make_unique<Talk>(settings_.voice);
  one.talk->voice.receive(packet);
}

void Mixer::on_tick(Time now, MediaOut& out) {
  if (due_ == Time{}) due_ = now;
  const int64_t late = (now - due_) / period;
  if (late > most_made_up_for) {
    counters_.missed += static_cast<uint64_t>(late);
    timestamp_ += static_cast<uint32_t>(late) * static_cast<uint32_t>(frame_size);
    due_ += late * period;
  }
  while (due_ <= now) {
    tick(due_, out);
    due_ += period;
  }
}

void Mixer::tick(Time now, MediaOut& out) {
  ++counters_.ticks;
  timestamp_ += static_cast<uint32_t>(frame_size);
  hear(now);
  walk(now);
  if (settings_.mode == MixMode::spatial)
    transform();
  else
    sum_up();
  while (group(coarseness_) > settings_.mixes && coarseness_ + 1 < tolerances.size()) ++coarseness_;
  if (coarseness_ > 0 && ++calm_ticks_ >= calm) {
    calm_ticks_ = 0;
    if (group(coarseness_ - 1) <= settings_.mixes * 3 / 4)
      --coarseness_;
    else
      group(coarseness_);
  }
  assign();
  for (Group& group : groups_) {
    if (!group.mix) continue;
    group.mix->encoder.set_complexity(complexity());
    if (settings_.mode == MixMode::spatial)
      render_spatial(group, *group.mix);
    else
      render_plain(group, *group.mix);
    send(group, *group.mix, out);
  }
  counters_.speaking = static_cast<uint32_t>(speaking_.size());
  counters_.mixes = static_cast<uint32_t>(groups_.size());
  counters_.coarseness = coarseness_;
}

// The encoder is most of the work: it does its best where there is time for it. Measured by tests/bench/spatial_bench.
int Mixer::complexity() const { return groups_.size() <= 80 ? 5 : groups_.size() <= 160 ? 2 : 0; }

void Mixer::hear(Time now) {
  speaking_.clear();
  for (const SourceId number : present_) {
    Participant& one = *participants_[number];
    one.speaking = false;
    if (!one.talk) continue;
    Talk& talk = *one.talk;
    const bool heard = talk.voice.tick(now, frame_) && !one.settings.muted && one.settings.volume > 0;
    if (!heard && !talk.ringing) continue;
    talk.fresh = !talk.ringing;
    std::copy(talk.window.begin() + frame_size, talk.window.end(), talk.window.begin());
    float* newest = talk.window.data() + history_size;
    std::fill_n(newest, frame_size, 0.0f);
    if (heard) kernels().mix(frame_, one.settings.volume, {newest, frame_size});
    // a filter is shorter than a frame: one frame of silence, and nothing rings any more
    talk.ringing = heard;
    one.speaking = true;
    speaking_.push_back(number);
  }
}

void Mixer::walk(Time now) {
  for (const SourceId number : present_) {
    Participant& one = *participants_[number];
    if (one.arrives == Time{}) continue;
    const Duration left = one.arrives - (now - period);
    const double part = left <= period ? 1 : static_cast<double>(period.count()) / static_cast<double>(left.count());
    one.place.stand(part == 1 ? one.to : between(one.place.pose, one.to, part), settings_.scene);
    if (part == 1) one.arrives = Time{};
  }
}

void Mixer::transform() {
  Spectrum unused;
  candidates_.clear();
  for (size_t i = 0; i < speaking_.size(); i += 2) {
    Talk& first = *participants_[speaking_[i]]->talk;
    const bool pair = i + 1 < speaking_.size();
    signal_.re = first.window;
    if (pair)
      signal_.im = participants_[speaking_[i + 1]]->talk->window;
    else
      signal_.im.fill(0);
    kernels().transform(signal_);
    kernels().split(signal_, first.spectrum, pair ? participants_[speaking_[i + 1]]->talk->spectrum : unused);
  }
  for (const SourceId number : speaking_) candidates_.push_back({number, &participants_[number]->place});
}

namespace {

// A voice in a plain mix: mono as it is; stereo by its pan, at constant power.
void add_plain(std::span<const float> frame, float pan, float sign, size_t channels, std::span<float> to) {
  if (channels == 1) return kernels().mix(frame, sign, to);
  const double angle = (pan + 1) * std::numbers::pi / 4;
  const auto left = sign * static_cast<float>(std::cos(angle) * std::numbers::sqrt2);
  const auto right = sign * static_cast<float>(std::sin(angle) * std::numbers::sqrt2);
  for (size_t i = 0; i < frame.size(); ++i) {
    to[2 * i] += left * frame[i];
    to[2 * i + 1] += right * frame[i];
  }
}

}  // namespace

void Mixer::sum_up() {
  sum_.fill(0);
  if (listeners_.empty()) return;
  const size_t channels = participants_[listeners_.front()]->settings.format.channels;
  for (const SourceId number : speaking_) {
    const Participant& one = *participants_[number];
    add_plain(std::span(one.talk->window).subspan(history_size), one.settings.pan, 1, channels, sum_);
  }
}

Mixer::Key Mixer::key_of(const Participant& listener, uint32_t coarseness) const {
  Key key{.format = listener.settings.format, .mono = listener.settings.mono};
  if (listener.speaking) key.self = listener.number;
  if (settings_.mode == MixMode::plain) return key;
  if (!listener.settings.personal.gains.empty() || !listener.settings.personal.ignored.empty())
    key.personal = listener.number;
  key.private_zones = listener.place.private_zones;
  key.pose = listener.place.pose;
  const double tolerance = tolerances[coarseness];
  if (tolerance == 0) return key;
  // As large a step as the nearest voice allows; and whoever may not hear a voice shares with none who may.
  const bool coarsest = coarseness + 1 == tolerances.size();  // then only how one looks counts
  double nearest = settings_.scene.distance.max;
  for (const auto& [source, place] : candidates_) {
    if (source == listener.number) continue;
    const double distance = length(place->pose.position - listener.place.pose.position);
    double gain = open_gain(listener.place, *place, distance, settings_.scene);
    if (gain > 0 && !place->on_stage)
      gain *= wall_gain(listener.place.pose.position, place->pose.position, settings_.scene.walls);
    if (gain > 0 && !coarsest) nearest = std::min(nearest, distance);
    key.hears = mixed(key.hears, gain > 0 ? 1 : 0);
  }
  const double reach = std::max(nearest, 0.5) * std::tan(tolerance * std::numbers::pi / 180) * 2;
  const double cell = std::exp2(std::floor(std::log2(reach)));
  const auto rounded = [](double value, double step) { return std::round(value / step) * step + 0.0; };
  Point& at = key.pose.position;
  at = {rounded(at.x, cell), rounded(at.y, cell), rounded(at.z, cell)};
  Orientation& looks = key.pose.orientation;
  looks = {rounded(wrapped(looks.heading), 2 * tolerance), rounded(looks.pitch, 2 * tolerance),
           rounded(looks.roll, 2 * tolerance)};
  if (looks.heading <= -180) looks.heading += 360;
  return key;
}

// Finds who hears the same. Returns how many mixes that makes.
size_t Mixer::group(uint32_t coarseness) {
  groups_.clear();
  std::fill(table_.begin(), table_.end(), 0);
  const size_t mask = table_.size() - 1;
  for (const SourceId number : listeners_) {
    Participant& listener = *participants_[number];
    const Key key = key_of(listener, coarseness);
    size_t at = key.hash() & mask;
    while (table_[at] != 0 && groups_[table_[at] - 1].key != key) at = (at + 1) & mask;
    if (table_[at] == 0) {
      groups_.push_back({.key = key});
      table_[at] = static_cast<uint32_t>(groups_.size());
    }
    Group& group = groups_[table_[at] - 1];
    listener.next = group.first;
    group.first = number + 1u;
  }
  return groups_.size();
}

// Gives each group a stream: that of one of its listeners if possible, so that most listeners keep theirs.
void Mixer::assign() {
  for (Group& group : groups_)
    for (uint32_t i = group.first; i != 0 && !group.mix; i = participants_[i - 1]->next) {
      Mix* mix = participants_[i - 1]->mix;
      if (!mix || mix->used == counters_.ticks || mix->encoder.format() != group.key.format) continue;
      mix->used = counters_.ticks;
      group.mix = mix;
    }
  idle_.clear();
  for (const auto& mix : mixes_)
    if (mix->used != counters_.ticks) idle_.push_back(mix.get());
  for (Group& group : groups_) {
    const Mix* from = nullptr;
    if (!group.mix && !idle_.empty()) {
      // a copy of what its first listener heard until now goes on where that was
      group.mix = idle_.back();
      idle_.pop_back();
      group.mix->used = counters_.ticks;
      from = participants_[group.first - 1]->mix;
      if (from && from->encoder.format() == group.key.format) {
        if (from != group.mix) {
          group.mix->encoder.copy(from->encoder);
          group.mix->heard = from->heard;
          group.mix->heard_count = from->heard_count;
        }
      } else {
        from = nullptr;
        group.mix->encoder.start(group.key.format);
        group.mix->heard_count = 0;
      }
    }
    for (uint32_t i = group.first; i != 0; i = participants_[i - 1]->next) {
      Mix*& before = participants_[i - 1]->mix;
      if (before && before != group.mix && before != from) group.alone = true;
    }
  }
  for (Group& group : groups_)
    for (uint32_t i = group.first; i != 0; i = participants_[i - 1]->next) participants_[i - 1]->mix = group.mix;
}

void Mixer::render_spatial(Group& group, Mix& mix) {
  Place place = participants_[group.first - 1]->place;
  if (coarseness_ > 0) place.stand(group.key.pose, settings_.scene);
  const Participant& one = *participants_[group.first - 1];
  const auto chosen = selection_.choose(place, one.settings.personal,
                                        static_cast<SourceId>(group.key.self < 0 ? one.number : group.key.self),
                                        candidates_, settings_.scene, mix.before());
  if (chosen.empty() && mix.heard_count == 0) {
    mix.encoder.encode_silence(work_, group.alone);
    return;
  }
  // Each voice from where it was to where it is. A voice that is heard no more fades out, a new one fades in, unless it
  // has only begun to speak.
  struct Way {
    Heard from, to;
    const Talk* talk;
  };
  std::array<Way, 2 * max_audible> ways;
  size_t count = 0;
  bool still = true;
  float widest = 0;
  const auto before = mix.before();
  for (size_t a = 0, b = 0; a < before.size() || b < chosen.size();) {
    const bool old = b == chosen.size() || (a < before.size() && before[a].source <= chosen[b].source);
    const bool now = a == before.size() || (b < chosen.size() && chosen[b].source <= before[a].source);
    const SourceId source = old ? before[a].source : chosen[b].source;
    Heard from = old ? before[a] : chosen[b], to = now ? chosen[b] : before[a];
    a += old;
    b += now;
    const Participant* speaker = source < participants_.size() ? participants_[source].get() : nullptr;
    if (!speaker || !speaker->speaking) continue;
    if (speaker->talk->fresh && now) from = to;
    if (!old && !speaker->talk->fresh) from.gain = 0;
    if (!now) to.gain = 0;
    still = still && from == to;
    widest = std::max({widest, std::abs(static_cast<float>(wrapped(to.azimuth - from.azimuth))),
                       std::abs(to.elevation - from.elevation)});
    ways[count++] = {from, to, speaker->talk.get()};
  }
  mix.heard_count = chosen.size();
  std::copy(chosen.begin(), chosen.end(), mix.heard.begin());
  if (count == 0) {
    mix.encoder.encode_silence(work_, group.alone);
    return;
  }
  const size_t fades =
      still ? 0 : std::clamp<size_t>(static_cast<size_t>(std::ceil(widest / degrees_per_fade)), 1, max_fades);
  const std::span<float> out = mix.encoder.begin(work_);
  std::array<float, frame_size * 2> both;
  float* to_both = group.key.format.channels == 2 ? out.data() : (both.fill(0), both.data());
  std::array<Ray, 2 * max_audible> rays;
  for (size_t step = 0; step <= fades; ++step) {
    const float part = fades ? static_cast<float>(step) / static_cast<float>(fades) : 1;
    size_t used = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto& [from, to, talk] = ways[i];
      const float gain = from.gain + part * (to.gain - from.gain);
      if (gain == 0) continue;
      const auto azimuth = static_cast<float>(wrapped(from.azimuth + part * wrapped(to.azimuth - from.azimuth)));
      Ray& ray = rays[used++];
      ray = hrtf_->towards(azimuth, from.elevation + part * (to.elevation - from.elevation), gain);
      ray.source = &talk->spectrum;
      ray.air = settings_.scene.air > 0 ? static_cast<float>(to.distance / settings_.scene.distance.max) : 0;
    }
    ears_ = {};
    kernels().add({rays.data(), used}, air_loss_, ears_);
    kernels().inverse(ears_, signal_);
    if (fades == 0) {
      kernels().fade(signal_, 0, frame_size, 1, 1, to_both);
      break;
    }
    const size_t length = frame_size / fades;
    if (step > 0) kernels().fade(signal_, (step - 1) * length, step * length, 0, 1, to_both);
    if (step < fades) kernels().fade(signal_, step * length, (step + 1) * length, 1, 0, to_both);
  }
  if (group.key.format.channels == 1) {
    for (size_t i = 0; i < frame_size; ++i) out[i] = (both[2 * i] + both[2 * i + 1]) / 2;
  } else if (group.key.mono) {
    for (size_t i = 0; i < frame_size; ++i) out[2 * i] = out[2 * i + 1] = (out[2 * i] + out[2 * i + 1]) / 2;
  }
  ++counters_.encoded;
  mix.encoder.encode(work_, group.alone);
}

void Mixer::render_plain(Group& group, Mix& mix) {
  if (speaking_.empty() || (speaking_.size() == 1 && group.key.self == speaking_.front())) {
    mix.encoder.encode_silence(work_, group.alone);
    return;
  }
  const std::span<float> out = mix.encoder.begin(work_);
  std::copy_n(sum_.begin(), out.size(), out.begin());
  if (group.key.self >= 0) {
    const Participant& self = *participants_[static_cast<size_t>(group.key.self)];
    add_plain(std::span(self.talk->window).subspan(history_size), self.settings.pan, -1, group.key.format.channels,
              out);
  }
  ++counters_.encoded;
  mix.encoder.encode(work_, group.alone);
}

void Mixer::send(Group& group, Mix& mix, MediaOut& out) {
  const auto newest = mix.encoder.encoded(), earlier = mix.encoder.encoded_before();
  std::array<uint8_t, max_media_payload> red;
  size_t red_size = 0;
  for (uint32_t i = group.first; i != 0; i = participants_[i - 1]->next) {
    Participant& listener = *participants_[i - 1];
    MediaPacket packet{
        .output = listener.number, .marker = !listener.begun, .timestamp = timestamp_, .payload = newest};
    if (listener.settings.red && !earlier.empty()) {
      if (red_size == 0)
        red_size = write_red(settings_.red_payload_type, earlier, static_cast<uint32_t>(frame_size), newest, red);
      if (red_size > 0) {
        packet.red = true;
        packet.payload = {red.data(), red_size};
      }
    }
    listener.begun = true;
    if (i != group.first) ++counters_.shared;
    out.send(packet);
  }
}

}  // namespace cardea::spatialaudio
