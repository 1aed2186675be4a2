#include "control/services.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cardea/log.hpp"
#include "control/handle.hpp"

namespace cardea::control {

namespace {

class RunningProcessor final : public Processor {
public:
  RunningProcessor(const std::unique_ptr<Peers>& peers, PeerId id) : peers_(peers), id_(id) {}
  ~RunningProcessor() override {
    if (peers_) peers_->stop_processor(id_);
  }
  SenderId input(uint16_t index) const override { return {id_, index}; }
  ReceiverId output(uint16_t index) const override { return {id_, index}; }
  void post(std::function<void(MediaProcessor&, Time, MediaOut&)> call) override {
    if (peers_) peers_->tell(id_, worker::CallProcessor{id_, std::move(call)});
  }

private:
  const std::unique_ptr<Peers>& peers_;  // empty once the workers are gone
  const PeerId id_;
};

}  // namespace

std::string make_state_folder(const std::string& folder, std::string_view package) {
  if (folder.empty()) return {};
  std::string own = folder + "/" + std::string(package);
  std::error_code error;
  std::filesystem::create_directories(own, error);
  if (!error && ::access(own.c_str(), W_OK) == 0) return own;
  log::info("control", own, " cannot be written: nothing is kept between runs");
  return {};
}

void PluginServices::tell(PeerId peer, worker::Command command) {
  if (core_.peers) core_.peers->tell(peer, std::move(command));
}

void PluginServices::forward(ReceiverId from, SenderId to) {
  if (core_.peers) core_.peers->forward(from, to);
}
void PluginServices::stop_forward(SenderId to) {
  if (core_.peers) core_.peers->stop_forward(to);
}
void PluginServices::pause(SenderId to, bool paused) { tell(to.peer, worker::Pause{to, paused}); }
void PluginServices::mute(ReceiverId from, bool muted) { tell(from.peer, worker::Mute{from, muted}); }
void PluginServices::set_layers(SenderId to, const Layers& layers) { tell(to.peer, worker::SetLayers{to, layers}); }
void PluginServices::set_playout_delay(SenderId to, std::optional<PlayoutDelay> delay) {
  tell(to.peer, worker::SetPlayoutDelay{to, delay});
}
void PluginServices::set_bitrate_cap(PeerId peer, uint32_t bitrate_bps) {
  tell(peer, worker::SetBitrateCap{peer, bitrate_bps});
}
void PluginServices::request_keyframe(ReceiverId from) { tell(from.peer, worker::RequestKeyframe{from}); }
void PluginServices::detect_talking(ReceiverId from, std::optional<TalkDetection> how) {
  tell(from.peer, worker::DetectTalking{from, how});
}

std::unique_ptr<Processor> PluginServices::start_processor(std::unique_ptr<MediaProcessor> machine,
                                                           std::optional<uint64_t> affinity) {
  const PeerId id = core_.peers ? core_.peers->start_processor(std::move(machine), affinity) : PeerId{};
  return std::make_unique<RunningProcessor>(core_.peers, id);
}

TimerId PluginServices::after(Duration delay, std::function<void()> call) {
  return core_.timers.at(core_.now + delay, [this, call = std::move(call)] { guarded(package_, call); });
}

void PluginServices::post(std::function<void()> call) {
  core_.calls.post([this, call = std::move(call)] { guarded(package_, call); });
}

void PluginServices::save(std::string path, std::string content, std::function<void(Status)> done) {
  auto tell = [this, done = std::move(done)](Status status) {
    if (done) post([done, status = std::move(status)] { done(status); });
  };
  if (state_folder().empty()) return tell(Error{0, "There is no state folder"});
  const std::filesystem::path inside(path);
  if (path.empty() || inside.is_absolute() || std::find(inside.begin(), inside.end(), "..") != inside.end())
    return tell(Error{0, text(path, ": is no path inside the state folder")});
  if (Status status = core_.files.save(text(state_folder(), "/", path), std::move(content), tell); !status)
    tell(std::move(status));
}

const std::string& PluginServices::state_folder() const {
  if (!own_folder_) own_folder_ = make_state_folder(core_.state_folder, package_);
  return *own_folder_;
}

}  // namespace cardea::control
