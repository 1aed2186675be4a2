// Sends every stream back to where it came from: the smallest whole plugin. Start from here.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cardea/module.hpp"
#include "cardea/requests.hpp"

namespace example {

using namespace cardea;

// The request {"request": "configure", "audio": true, "video": true}; an offer may come with it.
struct Configure {
  bool audio = true, video = true;
};
constexpr auto configure_fields =
    std::tuple{optional("audio", &Configure::audio), optional("video", &Configure::video)};

// One client. It is destroyed when the client leaves: the destructor is the tear-down.
class Echo final : public Attachment {
public:
  Echo(Handle& client, Services& services) : client_(client), services_(services) {}

  Reply handle(Message message) override { return verbs.run(*this, message); }
  void on_media_up() override { connect(); }
  // A renegotiation: the core knows the new lines now.
  void on_negotiated() override {
    if (client_.media_up()) connect();
  }
  void on_media_down(std::string_view) override { mids_.clear(); }

private:
  Result<Event> configure(const Configure& wanted, const Message& message) {
    Event event{Json::object("echo", "event", "result", "ok")};
    if (message.offer) event.jsep = accept(*message.offer, wanted);
    return event;
  }

  // Lines that are left out of the answer are refused.
  AnswerPlan accept(const Offer& offer, const Configure& wanted) {
    AnswerPlan plan{.name = "Echo"};
    mids_.clear();
    for (const Section& section : offer.sections) {
      const bool open = section.kind == MediaKind::audio ? wanted.audio : wanted.video;
      if (section.rejected || section.codecs.empty() || section.direction != Direction::sendrecv || !open) continue;
      AnswerSection& answer = plan.sections.emplace_back();
      answer.mid = section.mid;
      answer.direction = Direction::sendrecv;
      answer.codec = section.codecs.front();
      mids_.push_back(section.mid);
    }
    return plan;
  }

  void connect() {
    for (const std::string& mid : mids_) {
      auto from = client_.receiver(mid);
      auto to = client_.sender(mid);
      if (from && to) services_.forward(*from, *to);
    }
  }

  static inline const auto verbs = Verbs<Echo>({.unknown = 413, .missing = 411, .invalid = 412}, "echo")
                                       .event("configure", configure_fields, &Echo::configure);

  // given
  Handle& client_;
  Services& services_;
  // state
  std::vector<std::string> mids_;  // of the lines that are echoed
};

class EchoPlugin final : public Plugin {
public:
  explicit EchoPlugin(Services& services) : services_(services) {}
  Result<std::unique_ptr<Attachment>> attach(Handle& client) override {
    return std::unique_ptr<Attachment>(std::make_unique<Echo>(client, services_));
  }

private:
  // given
  Services& services_;
};

}  // namespace example

CARDEA_PLUGIN(example::EchoPlugin, "example.plugin.echo", "1.0", "Sends every stream back to its sender");
