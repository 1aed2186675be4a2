// The core's services as one plugin sees them.
#pragma once

#include <string>

#include "base/random.hpp"
#include "cardea/mailbox.hpp"
#include "cardea/plugin.hpp"
#include "control/auth.hpp"
#include "control/files_thread.hpp"
#include "control/peers.hpp"
#include "control/timers.hpp"

namespace cardea::control {

// Makes the folder for a module's own files below `folder`. "" if there is none, or it cannot be made.
std::string make_state_folder(const std::string& folder, std::string_view package);

// Calls from any thread into a control turn.
using Calls = Mailbox<std::function<void()>>;

class PluginServices final : public Services {
public:
  // `peers` is empty until the workers run: until then routes and the like go nowhere.
  struct Core {
    const std::unique_ptr<Peers>& peers;
    Timers& timers;
    Random& random;
    const Auth& auth;
    const Time& now;
    const Time& wall;  // as the real clock says
    const std::string& state_folder;
    Calls& calls;
    FilesThread& files;
  };
  PluginServices(Core core, std::string package) : core_(core), package_(std::move(package)) {}

  void forward(ReceiverId from, SenderId to) override;
  void stop_forward(SenderId to) override;
  void pause(SenderId to, bool paused) override;
  void mute(ReceiverId from, bool muted) override;
  void set_layers(SenderId to, const Layers& layers) override;
  void set_playout_delay(SenderId to, std::optional<PlayoutDelay> delay) override;
  void set_bitrate_cap(PeerId peer, uint32_t bitrate_bps) override;
  void request_keyframe(ReceiverId from) override;
  void detect_talking(ReceiverId from, std::optional<TalkDetection> how) override;
  std::unique_ptr<Processor> start_processor(std::unique_ptr<MediaProcessor> machine,
                                             std::optional<uint64_t> affinity) override;
  TimerId after(Duration delay, std::function<void()> call) override;
  void cancel(TimerId timer) override { core_.timers.cancel(timer); }
  void post(std::function<void()> call) override;
  uint64_t random() override { return core_.random.u64(); }
  Time now() const override { return core_.now; }
  const std::string& state_folder() const override;
  void save(std::string path, std::string content, std::function<void(Status)> done) override;
  bool tokens_are_signed() const override { return core_.auth.signs_tokens(); }
  bool token_grants(std::string_view token, std::string_view realm, std::string_view descriptor) const override {
    return core_.auth.grants(token, realm, descriptor, core_.wall);
  }

private:
  void tell(PeerId peer, worker::Command command);

  Core core_;
  const std::string package_;
  mutable std::optional<std::string> own_folder_;  // once asked for
};

}  // namespace cardea::control
