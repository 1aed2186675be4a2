// A core without network, for the logic of plugins: handles that record what is pushed, services that record routes and
// run timers when told. Peer connections come up and go down as the test says.
#pragma once

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cardea/plugin.hpp"

namespace cardea::test {

class FakeServices final : public Services {
public:
  void forward(ReceiverId from, SenderId to) override { routes[to] = from; }
  void stop_forward(SenderId to) override { routes.erase(to); }
  void pause(SenderId to, bool yes) override { set(paused, to, yes); }
  void mute(ReceiverId from, bool yes) override { set(muted, from, yes); }
  void set_layers(SenderId to, const Layers& how) override { layers[to] = how; }
  void set_playout_delay(SenderId to, std::optional<PlayoutDelay> delay) override { delays[to] = delay; }
  void set_bitrate_cap(PeerId peer, uint32_t bitrate_bps) override { caps[peer] = bitrate_bps; }
  void request_keyframe(ReceiverId from) override { keyframes.push_back(from); }
  void detect_talking(ReceiverId from, std::optional<TalkDetection> how) override { talk[from] = how; }
  // The test is the processor's thread: it calls the machines.
  std::unique_ptr<Processor> start_processor(std::unique_ptr<MediaProcessor> machine,
                                             std::optional<uint64_t> /*affinity*/) override {
    const PeerId id{1000, 1, ++last_processor};
    machines[id] = std::move(machine);
    return std::make_unique<FakeProcessor>(*this, id);
  }
  TimerId after(Duration delay, std::function<void()> call) override {
    TimerId id{++last_timer};
    timers[id] = {time + delay, std::move(call)};
    return id;
  }
  void cancel(TimerId timer) override { timers.erase(timer); }
  void post(std::function<void()> call) override { after(Duration::zero(), std::move(call)); }
  void save(std::string path, std::string content, std::function<void(Status)> done) override {
    ++saves;
    if (!folder.empty() && !save_fails) std::ofstream(folder + "/" + path) << content;
    files[path] = std::move(content);
    if (done)
      post([done = std::move(done), status = save_fails ? Status(Error{0, "The disk is full"}) : Status()] {
        done(status);
      });
  }
  uint64_t random() override {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
  }
  Time now() const override { return time; }
  const std::string& state_folder() const override { return folder; }
  bool tokens_are_signed() const override { return signed_tokens; }
  bool token_grants(std::string_view token, std::string_view realm, std::string_view descriptor) const override {
    return token == std::string(realm) + "/" + std::string(descriptor);
  }

  // Time passes; what is due runs.
  void advance(Duration duration) {
    const Time end = time + duration;
    for (;;) {
      auto next = std::min_element(timers.begin(), timers.end(),
                                   [](auto& a, auto& b) { return a.second.first < b.second.first; });
      if (next == timers.end() || next->second.first > end) break;
      time = std::max(time, next->second.first);
      auto call = std::move(next->second.second);
      timers.erase(next);
      call();
    }
    time = end;
  }
  // The core withdraws the routes of a peer that is gone.
  void forget(PeerId peer) {
    std::erase_if(routes, [&](auto& route) { return route.first.peer == peer || route.second.peer == peer; });
  }

  std::map<SenderId, ReceiverId> routes;
  std::set<SenderId> paused;
  std::set<ReceiverId> muted;
  std::map<SenderId, Layers> layers;
  std::map<SenderId, std::optional<PlayoutDelay>> delays;
  std::map<PeerId, uint32_t> caps;
  std::vector<ReceiverId> keyframes;
  std::map<ReceiverId, std::optional<TalkDetection>> talk;
  std::map<TimerId, std::pair<Time, std::function<void()>>> timers;
  Time time{};
  uint64_t last_timer = 0, seed = 88172645463325252u;
  uint32_t last_peer = 0;
  std::string folder;
  std::map<std::string, std::string> files;  // that were saved
  bool save_fails = false;
  size_t saves = 0;
  bool signed_tokens = false;

  std::map<PeerId, std::unique_ptr<MediaProcessor>> machines;
  uint32_t last_processor = 0;

private:
  struct FakeProcessor final : Processor {
    struct Nowhere final : MediaOut {
      void send(const MediaPacket&) override {}
      void request_keyframe(uint16_t) override {}
      void post(std::function<void()> call) override { call(); }
    };
    FakeProcessor(FakeServices& s, PeerId i) : services(s), id(i) {}
    ~FakeProcessor() override { services.machines.erase(id); }
    SenderId input(uint16_t index) const override { return {id, index}; }
    ReceiverId output(uint16_t index) const override { return {id, index}; }
    void post(std::function<void(MediaProcessor&, Time, MediaOut&)> call) override {
      Nowhere out;
      call(*services.machines.at(id), services.time, out);
    }
    FakeServices& services;
    const PeerId id;
  };
  template <class Id>
  static void set(std::set<Id>& all, Id id, bool yes) {
    if (yes)
      all.insert(id);
    else
      all.erase(id);
  }
};

class FakeHandle final : public Handle {
public:
  explicit FakeHandle(uint64_t number) : number_(number) {}

  HandleId id() const override { return {number_}; }
  SessionId session_id() const override { return {session}; }
  const std::string& plugin_name() const override { return name; }
  const std::string& opaque_id() const override { return opaque; }
  void push(Event event) override { pushed.push_back(std::move(event)); }
  std::optional<ReceiverId> receiver(std::string_view mid) const override {
    auto line = index(mid);
    if (!line) return std::nullopt;
    return ReceiverId{peer, *line};
  }
  std::optional<SenderId> sender(std::string_view mid) const override {
    auto line = index(mid);
    if (!line) return std::nullopt;
    return SenderId{peer, *line};
  }
  bool media_up() const override { return up; }
  bool send_data(const DataMessage& message) override {
    if (data_full) return false;
    data.push_back(message);
    return true;
  }
  void place_with(uint64_t to) override { affinity = to; }
  void hang_up() override { hang_up_asked = true; }
  void detach() override { detach_asked = true; }
  void open_data(const DataChannel& channel) override { channels.push_back(channel); }
  void close_data(std::string_view label) override {
    std::erase_if(channels, [&](const DataChannel& channel) { return channel.label == label; });
  }

  bool may_guess() override { return guesses_left > 0; }
  void guess_failed() override { --guesses_left; }

  std::string name = "janus.plugin.videoroom", opaque;
  std::vector<Event> pushed;
  std::vector<DataMessage> data;
  std::vector<DataChannel> channels;
  PeerId peer;
  std::vector<std::string> mids;  // of the current peer connection
  bool up = false, hang_up_asked = false, detach_asked = false;
  bool data_full = false;  // send_data() refuses
  uint64_t affinity = 0;
  uint64_t session = 1;
  int guesses_left = 1000;

private:
  std::optional<uint16_t> index(std::string_view mid) const {
    for (size_t i = 0; peer && i < mids.size(); ++i)
      if (mids[i] == mid) return static_cast<uint16_t>(i);
    return std::nullopt;
  }

  uint64_t number_;
};

// One client at its handle, and the core between the two.
class Client {
public:
  using Attach = std::function<std::unique_ptr<Attachment>(Handle&)>;
  Client(FakeServices& services, uint64_t number, const Attach& attach) : handle(number), services_(services) {
    attachment = attach(handle);
  }
  ~Client() { detach(); }
  void detach() {
    if (!attachment) return;
    drop("");
    attachment.reset();
  }

  // Sends a message and lets the turn end. The reply's data: of the success, or of the event with the transaction;
  // what was pushed meanwhile is in `news`.
  Json ask(Json body, std::optional<Offer> offer = {}, std::optional<Answer> answer = {}) {
    if (offer) negotiating_ = true;
    if (answer) {
      agree(*answer);
      negotiated_ = true;
    }
    Reply reply = attachment->handle({std::move(body), "t1", std::move(offer), std::move(answer)});
    asynchronous = reply.asynchronous;
    Json data;
    if (reply.error) data = Json::object("core_error", reply.error->code);
    if (!reply.asynchronous && reply.data) data = std::move(reply.data);
    collect();
    if (reply.event) {
      data = reply.event->data.copy();
      take(reply.event->jsep);
    }
    end_turn();
    return data;
  }
  Json ask(const char* body, std::optional<Offer> offer = {}, std::optional<Answer> answer = {}) {
    return ask(std::move(*Json::parse(body)), std::move(offer), std::move(answer));
  }

  void end_turn() {
    if (std::exchange(negotiated_, false)) attachment->on_negotiated();
    services_.advance(Duration::zero());
    collect();
    if (std::exchange(handle.hang_up_asked, false)) drop("Close PC");
    collect();
  }

  void come_up() {
    handle.up = true;
    attachment->on_media_up();
    end_turn();
  }
  void drop(std::string_view why) {
    handle.up = false;
    const PeerId peer = std::exchange(handle.peer, {});
    handle.mids.clear();
    services_.forget(peer);
    if (std::exchange(negotiating_, false)) attachment->on_media_down(why);
    collect();
  }

  // Agrees to our last offer as a browser would.
  Answer answer() const {
    Answer answer;
    const auto& plan = std::get<OfferPlan>(jsep);
    for (const OfferSection& line : plan.sections) {
      Section section{.mid = line.mid, .kind = line.kind};
      section.direction = reversed(line.direction);
      if (line.codec) section.codecs = {*line.codec};
      answer.sections.push_back(std::move(section));
    }
    return answer;
  }
  bool offered() const { return std::holds_alternative<OfferPlan>(jsep); }
  bool answered() const { return std::holds_alternative<AnswerPlan>(jsep); }
  const OfferPlan& offer() const { return std::get<OfferPlan>(jsep); }
  const AnswerPlan& plan() const { return std::get<AnswerPlan>(jsep); }
  // The news so far, as text; then they are old.
  std::string told() {
    std::string all;
    for (const Json& one : std::exchange(news, {})) all += one.text() + "\n";
    return all;
  }
  void forget_news() { news.clear(); }

  FakeHandle handle;
  std::unique_ptr<Attachment> attachment;
  std::vector<Json> news;
  std::vector<std::optional<std::string>> news_transactions;
  Jsep jsep;  // the last one that came
  bool asynchronous = false;

private:
  void collect() {
    for (Event& event : std::exchange(handle.pushed, {})) {
      news.push_back(std::move(event.data));
      news_transactions.push_back(event.transaction);
      take(event.jsep);
    }
  }
  void take(Jsep& from) {
    if (from.index() == 0) return;
    jsep = std::move(from);
    negotiating_ = true;
    if (!answered()) return;
    begin_peer();
    negotiated_ = true;
    handle.mids.clear();
    for (const AnswerSection& line : plan().sections) handle.mids.push_back(line.mid);
  }
  void agree(const Answer& answer) {
    begin_peer();
    handle.mids.clear();
    for (const Section& line : answer.sections) handle.mids.push_back(line.mid);
  }
  void begin_peer() {
    if (!handle.peer) handle.peer = PeerId{0, 1, ++services_.last_peer};
  }

  FakeServices& services_;
  bool negotiating_ = false, negotiated_ = false;
};

inline Section section(std::string mid, MediaKind kind, std::vector<Codec> codecs,
                       Direction direction = Direction::sendonly) {
  Section section{.mid = std::move(mid), .kind = kind, .direction = direction, .codecs = std::move(codecs)};
  section.extensions = {Extension::mid, Extension::rid, Extension::audio_level, Extension::transport_cc,
                        Extension::abs_send_time};
  section.extension_ids[static_cast<size_t>(Extension::audio_level)] = 1;
  return section;
}
// Opus and VP8, as a browser offers them.
inline Offer camera(bool simulcast = false) {
  Offer offer;
  offer.sections.push_back(section("0", MediaKind::audio, {{CodecType::opus, "minptime=10;useinbandfec=1"}}));
  offer.sections.push_back(section("1", MediaKind::video,
                                   {{CodecType::vp8, ""},
                                    {CodecType::vp9, "profile-id=0"},
                                    {CodecType::h264, "profile-level-id=42e01f;packetization-mode=1"}}));
  if (simulcast) offer.sections.back().rids = {"l", "m", "h"};
  return offer;
}

}  // namespace cardea::test
