// One client's echo: every stream it sends comes back to it (protocol notes: echotest.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/layers.hpp"
#include "cardea/plugin.hpp"
#include "cardea/requests.hpp"

namespace cardea::echotest {

// The one message there is; members that are not there leave things as they are.
struct Configure : LayerWishes, DelayWishes {
  std::optional<bool> audio, video;
  std::optional<uint32_t> bitrate;
  std::optional<bool> record;
  std::optional<std::string> filename;
  std::optional<bool> svc;
  std::optional<std::string> audiocodec, videocodec, videoprofile;
  std::optional<bool> opusred;
};

class Echo final : public Attachment {
public:
  Echo(Handle& client, Services& services) : client_(client), services_(services) {}

  Reply handle(Message message) override;
  void on_negotiated() override;
  void on_media_up() override;
  void on_media_down(std::string_view reason) override;
  void on_data(DataMessage message) override;
  void on_slow_link(const SlowLink& link) override;
  void on_layers(SenderId sender, const CurrentLayers& now) override;
  Json describe() const override;

private:
  struct Line {
    std::string mid;
    MediaKind kind = MediaKind::audio;
    Codec codec;
    bool simulcast = false;
    bool svc = false;
    bool red = false;
  };

  Result<Event> configure(const Configure& wanted, const Message& message);
  AnswerPlan accept(const Offer& offer, const Configure& wanted);
  AnswerSection accept(const Section& section, const Configure& wanted);
  void connect();
  void apply_switches();
  void apply_layers();
  const Line* first(MediaKind kind) const;
  std::string video_codec() const;

  static const Verbs<Echo> verbs;

  // given
  Handle& client_;
  Services& services_;
  // state
  std::vector<Line> lines_;  // those echoed
  bool audio_ = true, video_ = true;
  bool e2ee_ = false;
  uint32_t bitrate_bps_ = 0;
  Layers layers_;
  CurrentLayers current_;
  std::optional<PlayoutDelay> delay_;
  uint64_t slow_links_ = 0;
};

}  // namespace cardea::echotest
