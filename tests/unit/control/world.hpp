// A gateway with nothing real around it: workers that note their commands, a transport that notes what it is given, and
// a plugin that does what the message's body says.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cardea/module.hpp"
#include "control/gateway.hpp"

namespace cardea::control {

struct FakeWorker final : worker::Worker {
  void start(const std::vector<Worker*>&) override {}
  void stop() override {}
  void post(worker::Command command) override {
    if (on_post) on_post(command);
    commands.push_back(std::move(command));
  }
  uint16_t port() const override { return 10000; }

  template <class T>
  std::vector<const T*> of() const {
    std::vector<const T*> all;
    for (const auto& command : commands)
      if (const T* one = std::get_if<T>(&command)) all.push_back(one);
    return all;
  }
  std::vector<worker::Command> commands;
  std::function<void(const worker::Command&)> on_post;
};

struct FakeData final : worker::DataDoor {
  void post(worker::DataCommand command) override { commands.push_back(std::move(command)); }
  void post_all(std::vector<worker::DataCommand>& all) override {
    for (worker::DataCommand& command : all) commands.push_back(std::move(command));
    all.clear();
  }

  template <class T>
  std::vector<const T*> of() const {
    std::vector<const T*> all;
    for (const auto& command : commands)
      if (const T* one = std::get_if<T>(&command)) all.push_back(one);
    return all;
  }
  std::vector<worker::DataCommand> commands;
};

struct FakeTransport final : Transport {
  struct Sent {
    ConnectionId to;
    RequestTag tag;
    Json message;
  };
  explicit FakeTransport(TransportHost& h) : host(h) {}
  Status start() override {
    if (refuses) return Error{0, "Port 1 is in use"};
    ++running;
    return {};
  }
  void stop() override { --running; }
  std::vector<std::string> addresses() const override { return {}; }
  void send(ConnectionId to, RequestTag tag, Json message) override {
    if (fails) throw std::bad_alloc();
    sent.push_back({to, tag, std::move(message)});
  }
  void session_owned(ConnectionId by, SessionId session) override {
    log.push_back(text("owned ", session.value, " by ", by.value));
  }
  void session_over(ConnectionId owner, SessionId session, bool claimed) override {
    log.push_back(text(claimed ? "claimed " : "over ", session.value, " from ", owner.value));
  }

  TransportHost& host;
  std::vector<Sent> sent;
  std::vector<std::string> log;
  bool refuses = false, fails = false;
  int running = 0;
};

struct FakePlugin;

// Does what "do" in the body says.
struct FakeAttachment final : Attachment {
  FakeAttachment(FakePlugin& p, Handle& h);
  ~FakeAttachment() override;
  Reply handle(Message message) override;
  void on_media_up() override;
  void on_media_down(std::string_view reason) override;
  void on_slow_link(const SlowLink& link) override;
  void on_layers(SenderId sender, const CurrentLayers& now) override;
  void on_talking(ReceiverId receiver, bool talking, double level) override;
  void on_data(DataMessage message) override;
  void on_data_ready() override;
  void on_data_open(const DataChannel& channel) override;
  void on_data_closed(std::string_view label) override;
  void on_negotiated() override;
  Json describe() const override { return Json::object("fake", true); }

  FakePlugin& plugin;
  Handle& client;
};

struct FakePlugin final : Plugin {
  explicit FakePlugin(Services& s) : services(s) {}
  Result<std::unique_ptr<Attachment>> attach(Handle& handle) override {
    if (handle.opaque_id() == "refused") return Error{1, "No room"};
    if (handle.opaque_id() == "throws") throw std::runtime_error("in attach");
    return std::unique_ptr<Attachment>(std::make_unique<FakeAttachment>(*this, handle));
  }
  std::optional<Json> admin(JsonView request) override {
    if (request["throw"]) throw std::runtime_error("in admin");
    if (request["silent"]) return std::nullopt;
    return Json::object("echo", Json::copy(request));
  }
  void note(std::string what) { log.push_back(std::move(what)); }

  Services& services;
  std::map<HandleId, FakeAttachment*> attachments;
  std::vector<std::string> log;
  int timers_run = 0;
  std::function<void()> on_call, on_timer;
};

inline FakeAttachment::FakeAttachment(FakePlugin& p, Handle& h) : plugin(p), client(h) {
  plugin.attachments[client.id()] = this;
}
inline FakeAttachment::~FakeAttachment() {
  plugin.note("gone");
  plugin.attachments.erase(client.id());
  client.push({Json::object("result", "never seen")});
  for (auto& [id, other] : plugin.attachments) other->client.push({Json::object("left", client.id().value)});
}
inline void FakeAttachment::on_media_up() {
  plugin.note("up");
  client.push({Json::object("result", "up")});
}
inline void FakeAttachment::on_media_down(std::string_view reason) {
  plugin.note(text("down: ", reason));
  client.push({Json::object("result", "down")});
}
inline void FakeAttachment::on_slow_link(const SlowLink& link) { plugin.note(text("slow ", link.mid, " ", link.lost)); }
inline void FakeAttachment::on_layers(SenderId sender, const CurrentLayers& now) {
  plugin.note(text("layers ", sender.mline, " ", now.substream));
}
inline void FakeAttachment::on_talking(ReceiverId receiver, bool talking, double) {
  plugin.note(text("talking ", receiver.mline, " ", talking));
}

inline void FakeAttachment::on_data(DataMessage message) {
  plugin.note(text("data ", message.label, " ", message.payload.text()));
}
inline void FakeAttachment::on_data_ready() { plugin.note("data ready"); }
inline void FakeAttachment::on_data_open(const DataChannel& channel) { plugin.note(text("data open ", channel.label)); }
inline void FakeAttachment::on_data_closed(std::string_view label) { plugin.note(text("data closed ", label)); }
inline void FakeAttachment::on_negotiated() { plugin.note(text("negotiated a:", client.receiver("a").has_value())); }

inline Reply FakeAttachment::handle(Message message) {
  std::string_view what = message.body["do"].string();
  Event event{Json::object("result", "event")};
  if (message.offer && what == "accept") {
    AnswerPlan plan{.name = "test"};
    for (const Section& section : message.offer->sections) {
      AnswerSection answer{.mid = section.mid, .direction = reversed(section.direction)};
      if (!section.codecs.empty()) answer.codec = section.codecs.front();
      plan.sections.push_back(answer);
    }
    event.jsep = std::move(plan);
    plugin.note(text("offer", message.offer->update ? " update" : "", message.offer->ice_restart ? " restart" : ""));
  }
  if (message.answer) plugin.note("answer");
  if (what == "offer") {
    OfferPlan plan{.name = "test"};
    plan.sections.push_back(
        {.mid = "a", .kind = MediaKind::audio, .direction = Direction::sendonly, .codec = Codec{CodecType::opus}});
    if (message.body["data"].boolean()) plan.sections.push_back({.mid = "d", .kind = MediaKind::data});
    plan.ice_restart = message.body["restart"].boolean();
    event.jsep = std::move(plan);
  }
  if (what == "call") plugin.on_call();
  if (what == "sync") return Reply::success(Json::object("result", "sync"));
  if (what == "empty") return Reply::success(Json());
  if (what == "fail") return Reply::failure("Not today");
  if (what == "throw") throw std::runtime_error("in handle");
  if (what == "throw badly") throw 7;
  if (what == "nothing") return Reply::later(std::nullopt, "wait");
  if (what == "push") {
    client.push({Json::object("result", "first")});
    for (auto& [id, other] : plugin.attachments)
      if (other != this) other->client.push({Json::object("result", "for another")});
    client.push({Json::object("result", "second")});
  }
  if (what == "detach") {
    client.detach();
    client.detach();  // asking twice ends it once
    client.push({Json::object("result", "still here")});
  }
  if (what == "hang up") client.hang_up();
  if (what == "detach all")
    for (auto& [id, other] : plugin.attachments) other->client.detach();
  if (what == "timer")
    plugin.services.after(std::chrono::milliseconds(message.body["ms"].integer()), [this_plugin = &plugin] {
      ++this_plugin->timers_run;
      if (this_plugin->on_timer) this_plugin->on_timer();
    });
  if (what == "forward") {
    auto from = client.receiver(message.body["mid"].string());
    auto* other = plugin.attachments[HandleId{static_cast<uint64_t>(message.body["to"].integer())}];
    auto to = other->client.sender(message.body["mid"].string());
    if (from && to) plugin.services.forward(*from, *to);
  }
  if (what == "place") client.place_with(static_cast<uint64_t>(message.body["room"].integer()));
  return Reply::later(std::move(event));
}

class World {
public:
  explicit World(Settings s = {}, uint16_t count = 1, std::string state_folder = {}) : settings(std::move(s)) {
    settings.general.state_folder = std::move(state_folder);
    for (uint16_t i = 0; i < count; ++i) workers.push_back(std::make_unique<FakeWorker>());
    gateway = std::make_unique<Gateway>(settings, random, now);
    plugin = static_cast<FakePlugin*>(gateway->add_plugin(plugin_door));
    transport = static_cast<FakeTransport*>(gateway->add_transport(transport_door));
    LocalMedia local;
    local.fingerprint.digest.assign(32, 0xab);
    std::vector<worker::Worker*> all;
    for (auto& worker : workers) {
      all.push_back(worker.get());
      local.candidates.push_back({*Address::parse("192.0.2.1", 10000)});
    }
    gateway->use_media(std::move(all), std::move(local), &data_door);
    (void)gateway->start();
  }

  // A connection comes from an address.
  void open(ConnectionId connection, const char* address, Lasts lasts = Lasts::until_gone) {
    transport->host.opened(connection, address, lasts);
  }
  // Sends a request and takes a turn. The reply; events are in `transport->sent`.
  Json ask(Json request, ConnectionId from = {1}, Api api = Api::client) {
    RequestTag tag{++last_tag};
    transport->host.receive(from, tag, api, std::move(request));
    turn();
    for (auto& one : transport->sent)
      if (one.tag == tag) return one.message.copy();
    return {};
  }
  // The same for a verb with a transaction; more members in pairs.
  template <class... Members>
  Json verb(const char* verb, Members&&... members) {
    return ask(Json::object("janus", verb, "transaction", "t", std::forward<Members>(members)...));
  }
  // Brings a request as a transport's thread does that looks at many sockets.
  void bring(Json request, ConnectionId from = {1}) {
    transport->host.hold();
    transport->host.receive(from, RequestTag{++last_tag}, Api::client, std::move(request));
    transport->host.release();
  }
  uint64_t create(ConnectionId from = {1}) {
    return id_in(ask(Json::object("janus", "create", "transaction", "t"), from));
  }
  uint64_t attach(uint64_t session, const char* opaque_id = "") {
    return id_in(verb("attach", "session_id", session, "plugin", "janus.plugin.fake", "opaque_id", opaque_id));
  }
  Json message(uint64_t session, uint64_t handle, Json body, Json jsep = {}) {
    return verb("message", "session_id", session, "handle_id", handle, "body", std::move(body), "jsep",
                std::move(jsep));
  }
  Json does(uint64_t session, uint64_t handle, const char* what, Json jsep = {}) {
    return message(session, handle, Json::object("do", what), std::move(jsep));
  }
  void event(peer::PeerEvent one) {
    gateway->worker_events().post(std::move(one));
    turn();
  }
  void event(data::DataEvent one) {
    gateway->worker_events().post(std::move(one));
    turn();
  }
  void turn() { gateway->turn(now, now + clock_ahead); }
  void pass(Duration time) {
    now += time;
    turn();
  }
  // What was sent to a connection since the last look: "reply:ack event:first hangup".
  std::string heard(ConnectionId by = {1}) {
    std::string out;
    for (auto& one : transport->sent) {
      if (one.to != by) continue;
      if (!out.empty()) out += ' ';
      if (one.tag) out += "reply:";
      out += one.message["janus"].string();
      JsonView data = one.message["plugindata"]["data"];
      if (!one.tag && data["result"]) out += ":" + std::string(data["result"].string());
      if (one.message["jsep"]) out += "+" + std::string(one.message["jsep"]["type"].string());
    }
    std::erase_if(transport->sent, [&](const auto& one) { return one.to == by; });
    return out;
  }
  FakeWorker& worker(size_t index = 0) { return *workers[index]; }
  PeerId peer_of_last_create(size_t index = 0) {
    auto all = worker(index).of<worker::CreatePeer>();
    return all.empty() ? PeerId{} : all.back()->peer;
  }

  static uint64_t id_in(JsonView reply) { return static_cast<uint64_t>(reply["data"]["id"].integer()); }
  static int code(JsonView reply) { return static_cast<int>(reply["error"]["code"].integer()); }

  Settings settings;
  SeededRandom random{7};
  Time now{std::chrono::seconds(1'800'000'000)};
  Duration clock_ahead{};  // the real clock was set by this much
  std::vector<std::unique_ptr<FakeWorker>> workers;
  FakeData data_door;
  std::unique_ptr<Gateway> gateway;
  FakePlugin* plugin = nullptr;
  FakeTransport* transport = nullptr;
  uint64_t last_tag = 0;

private:
  static inline const CardeaModule plugin_door{
      module_abi,
      cardea_plugin,
      module_toolchain,
      "cardea.plugin.fake",
      "fake.alias",
      "1.2.3",
      "A fake",
      [](void* host, void*) -> void* { return static_cast<Plugin*>(new FakePlugin(*static_cast<Services*>(host))); }};
  static inline const CardeaModule transport_door{module_abi,
                                                  cardea_transport,
                                                  module_toolchain,
                                                  "cardea.transport.fake",
                                                  nullptr,
                                                  "1.0",
                                                  "A fake",
                                                  [](void* host, void*) -> void* {
                                                    return static_cast<Transport*>(
                                                        new FakeTransport(*static_cast<TransportHost*>(host)));
                                                  }};
};

// An offer of audio (mid "a") and, if wanted, data ("d"), as a client's jsep.
inline std::string sdp_of(const std::string& ufrag, const char* setup, bool data = false,
                          const char* direction = "sendrecv") {
  std::string print;
  for (int i = 0; i < 32; ++i) print += i == 0 ? "AB" : ":AB";
  std::string out = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a" +
                    std::string(data ? " d" : "") + "\r\na=fingerprint:sha-256 " + print + "\r\n";
  std::string transport = "c=IN IP4 0.0.0.0\r\na=ice-ufrag:" + ufrag +
                          "\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:" + setup + "\r\n";
  out += "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + transport + "a=mid:a\r\na=" + direction +
         "\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";
  if (data)
    out += "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + transport + "a=mid:d\r\na=sctp-port:5000\r\n";
  return out;
}
inline Json offer(const std::string& ufrag = "abcd", bool data = false) {
  return Json::object("type", "offer", "sdp", sdp_of(ufrag, "actpass", data));
}
inline Json answer(const std::string& ufrag = "abcd") {
  return Json::object("type", "answer", "sdp", sdp_of(ufrag, "active", false, "recvonly"));
}

}  // namespace cardea::control
