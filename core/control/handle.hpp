// A client's handle: the one peer connection it may have, and the door between the core and the plugin's attachment.
// All calls into an attachment are made here, so that nothing a plugin throws goes further.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cardea/plugin.hpp"
#include "control/client_address.hpp"
#include "control/guarded.hpp"
#include "control/jsep.hpp"
#include "control/limits.hpp"
#include "control/peers.hpp"
#include "control/turn.hpp"
#include "data/events.hpp"
#include "peer/events.hpp"
#include "sdp/negotiation.hpp"

namespace cardea::control {

// What handles work with; owned by the gateway and longer-lived than any of them.
struct House {
  Peers& peers;
  Turn& turn;
  Random& random;
  Limits& limits;
  const Time& now;  // of the current turn
  bool opaque_id_in_api = false;
  bool media_seconds = false;  // "media" events tell how long the silence was
};

class ClientHandle final : public Handle {
public:
  struct Names {
    HandleId id;
    SessionId session;
    std::string plugin;  // as the client called it
    std::string opaque_id;
    ClientAddress address{};  // of the client
  };
  // `used`: by its session.
  ClientHandle(House& house, Names names, Usage& used)
      : house_(house), names_(std::move(names)), share_(house.limits, names_.address, used) {}
  ~ClientHandle();  // hangs up and detaches; what the plugin pushes to this handle meanwhile is lost
  ClientHandle(const ClientHandle&) = delete;
  ClientHandle& operator=(const ClientHandle&) = delete;

  Status count() { return share_.set(Counted::handles, 1); }  // 490: there are too many
  Status attach(Plugin& plugin);                              // 461

  // A client's message. The reply to the client, or a core error; the event, if any, joins the turn's queue.
  Result<Json> message(Json body, const std::string& transaction, std::optional<ClientJsep> jsep);
  // True once a description of the client is there: its candidates could be used.
  bool described() const { return negotiation_ && (negotiation_->established() || negotiation_->awaiting_plan()); }
  // For statistics: the peer connection, if there is one, and whether an offer was answered.
  PeerId peer() const { return peer_; }
  Json plugin_specific() const;  // what the plugin tells of its attachment
  bool negotiated() const { return negotiation_ && negotiation_->established(); }
  // Ends the peer connection: tells the plugin, then the client. False if there was none.
  bool hang_up(std::string_view reason, bool worker_knows = false);
  // The same at the end of the turn.
  void ask_to_hang_up(std::string reason) {
    house_.turn.endings.push_back({.of = Ending::Of::peer, .handle = names_.id, .reason = std::move(reason)});
  }

  // An exchange of offer and answer is complete: the plugin may use its lines.
  void on_negotiated();

  // What a plugin pushed, as the client gets it. This is where its plan becomes an SDP; `failure` says why there is
  // none.
  Json event(Event event, Status& failure);
  // {"janus": kind, "session_id", "sender", "opaque_id"?}
  Json notice(const char* kind) const;

  void on_peer(const peer::PeerEvent& event);
  void on_data(const data::DataEvent& event);

  // Handle
  HandleId id() const override { return names_.id; }
  SessionId session_id() const override { return names_.session; }
  const std::string& plugin_name() const override { return names_.plugin; }
  const std::string& opaque_id() const override { return names_.opaque_id; }
  void push(Event event) override;
  std::optional<ReceiverId> receiver(std::string_view mid) const override;
  std::optional<SenderId> sender(std::string_view mid) const override;
  bool media_up() const override { return up_; }
  bool send_data(const DataMessage& message) override;
  void place_with(uint64_t affinity) override { affinity_ = affinity; }
  void hang_up() override { ask_to_hang_up("Close PC"); }
  void open_data(const DataChannel& channel) override;
  void close_data(std::string_view label) override;
  bool may_guess() override { return house_.limits.may_guess(names_.address, Secret::plugin, house_.now); }
  void guess_failed() override { house_.limits.guess_failed(names_.address, Secret::plugin, house_.now); }
  void detach() override { house_.turn.endings.push_back({.of = Ending::Of::handle, .handle = names_.id}); }

private:
  Status receive(const ClientJsep& jsep, Message& into);
  Result<Json> answer(Reply reply, const std::string& transaction);
  Result<std::string> describe_to_client(const Jsep& jsep);
  Result<std::string> answer_offer(AnswerPlan plan);
  Result<std::string> make_offer(OfferPlan plan);
  Status begin();  // a negotiation, if there is none; 490: there are too many
  void give_up();
  void forget_peer();
  void tell_worker();
  void tell_client(Json message);
  const sdp::MlinePlan* mline(uint16_t index) const;

  void on(const peer::PeerUp&);
  void on(const peer::PeerDown&);
  void on(const peer::IceFailed&);
  void on(const peer::MediaState&);
  void on(const peer::SlowLinkSeen&);
  void on(const peer::LayersChanged&);
  void on(const peer::Talking&);
  void on(const data::DataUp&);
  void on(const data::DataDown&);
  void on(const data::ChannelOpened&);
  void on(const data::ChannelClosed&);
  void on(const data::MessageReceived&);
  void on(const data::MessagesLeft&);

  // given
  House& house_;
  const Names names_;
  // owned
  Limits::Share share_;
  std::unique_ptr<Attachment> attachment_;
  std::optional<sdp::Negotiation> negotiation_;
  // state
  std::optional<uint64_t> affinity_;
  PeerId peer_;  // while there is a negotiation
  bool created_ = false;
  bool up_ = false;
  bool ending_ = false;
  bool restart_ = false;  // the client's offer restarts ICE: our answer has new credentials
  // Data channels, of the current peer connection
  struct Data {
    bool up = false;
    bool refused = false;              // a message: the plugin waits for on_data_ready()
    size_t waiting = 0;                // weight of what is not sent yet
    std::vector<DataChannel> to_open;  // as soon as they are up
  } data_;
};

}  // namespace cardea::control
