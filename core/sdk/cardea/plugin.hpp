// The contract of a plugin: what it is told, and what it may ask for. All calls into plugins are made in control turns,
// of which there is one at a time, and all of their own calls go out from there; so a plugin needs no lock. It is not
// always the same thread that has the turn: nothing may depend on which.
//
// Plugin     one per process, made by the module door (module.hpp); owns the rooms.
// Attachment one per client handle, made by attach(); destroyed when the handle ends: its destructor is the tear-down.
// Handle     the core's side of an attachment; outlives it.
// Services   the core's side of the plugin; outlives it. Routes are declared here, packets are never seen.
//
// push, forward, hang_up, detach and the like only ask: what they cause happens at the end of the control turn, never
// inside the call that asked.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cardea/ids.hpp"
#include "cardea/json.hpp"
#include "cardea/media.hpp"
#include "cardea/module_base.hpp"
#include "cardea/processor.hpp"
#include "cardea/result.hpp"
#include "cardea/time.hpp"

namespace cardea {

// A "message" from the client.
struct Message {
  Json body;
  std::string transaction;
  std::optional<Offer> offer;  // at most one of the two
  std::optional<Answer> answer;
};

// The SDP part of an event: an answer to the offer the event answers, or an offer of ours (answered in a later
// message).
using Jsep = std::variant<std::monostate, AnswerPlan, OfferPlan>;

// What goes to the client as an "event".
struct Event {
  Json data;  // plugindata.data
  Jsep jsep{};
  std::optional<std::string> transaction{};  // only for push(): of the request this belongs to
};

// The answer to a message.
//   Reply::success   "success" with plugindata, at once
//   Reply::later     "ack" at once and the event (if any) after it, with the request's transaction
//   Reply::failure   a core error; 462 unless the plugin has a better one
// Order on the wire: the success or ack, then what was pushed meanwhile in the order of pushing, then the event.
struct Reply {
  static Reply success(Json data) { return {.data = std::move(data)}; }
  static Reply later(std::optional<Event> event, std::string hint = {}) {
    return {.asynchronous = true, .event = std::move(event), .hint = std::move(hint)};
  }
  static Reply failure(std::string reason, int code = 462) { return {.error = Error{code, std::move(reason)}}; }

  bool asynchronous = false;
  Json data{};
  std::optional<Event> event{};
  std::string hint{};
  std::optional<Error> error{};
};

// Losses of the last second passed the threshold. uplink is the server's view: true is media from us to the peer.
struct SlowLink {
  std::string mid;
  MediaKind kind = MediaKind::audio;
  bool uplink = false;
  uint32_t lost = 0;
};

class Attachment {
public:
  virtual ~Attachment() = default;
  virtual Reply handle(Message message) = 0;
  // ICE and DTLS are done. Once per peer connection, before the client's "webrtcup".
  virtual void on_media_up() {}
  // The peer connection is gone, for whatever reason, or never came up. Once per negotiation begun; the handle may
  // negotiate anew. Its ReceiverIds and SenderIds are stale from here; routes to and from them are withdrawn by the
  // core.
  virtual void on_media_down(std::string_view /*reason*/) {}
  virtual void on_data(DataMessage /*message*/) {}
  // The data channels can take (more) messages.
  virtual void on_data_ready() {}
  virtual void on_slow_link(const SlowLink& /*link*/) {}
  // The layers relayed to this sender (of this attachment's peer) changed.
  virtual void on_layers(SenderId /*sender*/, const CurrentLayers& /*now*/) {}
  // Someone began or ceased talking; only after Services::detect_talking(). level: average, 0 loud, 127 silence.
  virtual void on_talking(ReceiverId /*receiver*/, bool /*talking*/, double /*level*/) {}
  // For the admin API: plugin_specific of handle_info.
  virtual Json describe() const { return Json::object(); }
  // A data channel can be used, whoever opened it; and one is closed by the peer, or could not be opened.
  virtual void on_data_open(const DataChannel& /*channel*/) {}
  virtual void on_data_closed(std::string_view /*label*/) {}
  // An exchange of offer and answer is complete, and the core knows its lines: from here Handle::receiver() and
  // sender() name them. The answer is ours (its event was sent) or the client's (its message was handled, and the event
  // that answers that was sent). This is the place to declare routes, and to make the next offer that had to wait.
  virtual void on_negotiated() {}
};

class Handle {
public:
  virtual HandleId id() const = 0;
  virtual SessionId session_id() const = 0;
  // The name the client attached with: "cardea.plugin.x" or "janus.plugin.x".
  virtual const std::string& plugin_name() const = 0;
  virtual const std::string& opaque_id() const = 0;

  // Sends an event. With an OfferPlan a negotiation begins; the answer comes in a later message.
  virtual void push(Event event) = 0;

  // The media of an m-line of the current peer connection; none if there is no such line, or no peer connection.
  virtual std::optional<ReceiverId> receiver(std::string_view mid) const = 0;
  virtual std::optional<SenderId> sender(std::string_view mid) const = 0;
  // ICE and DTLS are done and the peer is not gone.
  virtual bool media_up() const = 0;

  // One message on a data channel; the channel is opened, reliable and ordered, when its label is new. Refused (false)
  // while the backlog is full or the data channels are not up yet: on_data_ready() follows. A message larger than
  // the peer takes is dropped and counted.
  virtual bool send_data(const DataMessage& message) = 0;

  // Peers with one affinity share a media worker where possible. Takes effect for the next peer connection.
  virtual void place_with(uint64_t affinity) = 0;
  // Closes the peer connection; the client's "hangup" gets "Close PC" as its reason. The handle stays.
  virtual void hang_up() = 0;
  // Ends the handle.
  virtual void detach() = 0;

  // Opens a data channel, unless there is one with this label: on_data_open() follows. Closes one: what was sent before
  // still arrives.
  virtual void open_data(const DataChannel& channel) = 0;
  virtual void close_data(std::string_view label) = 0;

  // A pin, secret or token of the plugin's own came with a request. False: there were too many wrong ones from the
  // client's address. Do not compare it then, whatever it is, and answer with the error of a wrong one and a text that
  // says so.
  virtual bool may_guess() = 0;
  // It was wrong. Counted by the client's address and logged.
  virtual void guess_failed() = 0;

protected:
  ~Handle() = default;
};

class Services {
public:
  // The receiver's media goes to the sender from now on, instead of what went there before. One source per sender, any
  // number of senders per receiver. A keyframe is asked for when the sender is ready for one.
  virtual void forward(ReceiverId from, SenderId to) = 0;
  virtual void stop_forward(SenderId to) = 0;
  virtual void pause(SenderId to, bool paused) = 0;    // the route stays, packets are dropped
  virtual void mute(ReceiverId from, bool muted) = 0;  // what the peer sends is dropped before any route
  virtual void set_layers(SenderId to, const Layers& layers) = 0;
  virtual void set_playout_delay(SenderId to, std::optional<PlayoutDelay> delay) = 0;
  // The most the peer may send in all, in bit/s, told to it by REMB; 0: as much as it can.
  virtual void set_bitrate_cap(PeerId peer, uint32_t bitrate_bps) = 0;
  virtual void request_keyframe(ReceiverId from) = 0;
  // Reports on_talking() of this receiver to its attachment; none switches off.
  virtual void detect_talking(ReceiverId from, std::optional<TalkDetection> how) = 0;

  // Media of the plugin's own making (processor.hpp). Processors with one affinity share a thread where possible; a
  // room that needs more than one thread starts several. The machine lives until the Processor is destroyed.
  virtual std::unique_ptr<Processor> start_processor(std::unique_ptr<MediaProcessor> machine,
                                                     std::optional<uint64_t> affinity) = 0;

  // Calls back once, in a control turn. A timer of zero delay runs in the next turn.
  virtual TimerId after(Duration delay, std::function<void()> call) = 0;
  virtual void cancel(TimerId timer) = 0;
  // Calls back once, in a control turn, in the order of posting. The one function here that any thread may call: it is
  // how a thread of the plugin's own gives results back. Nothing runs after stop().
  virtual void post(std::function<void()> call) = 0;

  virtual uint64_t random() = 0;  // cryptographic
  virtual Time now() const = 0;   // of the current control turn
  // Where the module may keep files of its own between runs (permanent rooms...); made on demand; "" if there is none.
  virtual const std::string& state_folder() const = 0;
  // Writes a file of the state folder as a whole, on the files thread: after a crash there is the old content or the
  // new one. `path` is relative to the folder, without "..". `done` is called in a control turn, with the error if it
  // was not written; it may be empty. A save that waits while another one of the same path comes is not written by
  // itself: the newest content is, and each `done` is told of that. What still waits when the gateway stops is written;
  // its `done` is not called.
  virtual void save(std::string path, std::string content, std::function<void(Status)> done) = 0;
  // Signed tokens (core.md section 7): is this the mode, and does the token grant this plugin and descriptor?
  virtual bool tokens_are_signed() const = 0;
  virtual bool token_grants(std::string_view token, std::string_view realm, std::string_view descriptor) const = 0;

protected:
  ~Services() = default;
};

class Plugin : public Module {
public:
  // An error makes the client's attach fail with 461.
  virtual Result<std::unique_ptr<Attachment>> attach(Handle& handle) = 0;
};

}  // namespace cardea
