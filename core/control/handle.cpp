#include "control/handle.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "cardea/log.hpp"
#include "control/envelope.hpp"

namespace cardea::control {

namespace {

size_t mlines_in(std::string_view sdp) {
  size_t count = sdp.starts_with("m=") ? 1 : 0;
  for (size_t at = 0; (at = sdp.find("\nm=", at)) != std::string_view::npos; ++at) ++count;
  return count;
}

}  // namespace

ClientHandle::~ClientHandle() {
  ending_ = true;
  hang_up("Detach");
  guarded(names_.plugin, [this] { attachment_.reset(); });
}

Status ClientHandle::attach(Plugin& plugin) {
  Status status = Error{code::plugin_attach, "The plugin failed"};
  guarded(names_.plugin, [&] {
    auto attachment = plugin.attach(*this);
    if (!attachment)
      status = Error{code::plugin_attach, attachment.error().reason};
    else if (*attachment != nullptr) {
      attachment_ = std::move(*attachment);
      status = {};
    }
  });
  if (!status) ending_ = true;
  return status;
}

// Messages

Result<Json> ClientHandle::message(Json body, const std::string& transaction, std::optional<ClientJsep> jsep) {
  Message message{std::move(body), transaction, std::nullopt, std::nullopt};
  if (jsep)
    if (Status status = receive(*jsep, message); !status) return status.error();
  const bool answered = message.answer.has_value();
  Result<Json> out = Error{code::plugin_message, "The plugin failed"};
  guarded(names_.plugin, [&] { out = answer(attachment_->handle(std::move(message)), transaction); });
  if (answered) house_.turn.outgoing.push_back(Negotiated{names_.id});
  return out;
}

Status ClientHandle::receive(const ClientJsep& jsep, Message& into) {
  bool first = !negotiation_;
  if (Status begun = begin(); !begun) return begun;
  const size_t mlines = share_.get(Counted::mlines);
  Status status = share_.set(Counted::mlines, std::max(mlines, mlines_in(jsep.sdp)));
  if (!status) {
    // nothing was read
  } else if (jsep.is_offer) {
    auto offer = negotiation_->receive_offer(jsep.sdp, jsep.options);
    if (!offer) {
      status = offer.error();
    } else {
      restart_ = offer->ice_restart;
      into.offer = std::move(*offer);
    }
  } else if (auto answer = negotiation_->receive_answer(jsep.sdp, jsep.options); !answer) {
    status = answer.error();
  } else {
    into.answer = std::move(*answer);
    tell_worker();
  }
  if (status) return status;
  (void)share_.set(Counted::mlines, mlines);  // no more than before
  if (first) give_up();
  return status;
}

Result<Json> ClientHandle::answer(Reply reply, const std::string& transaction) {
  if (reply.error) return *reply.error;
  if (!reply.asynchronous) {
    if (!reply.data.is_object()) return Error{code::plugin_message, "The plugin gave no answer"};
    Json out = envelope("success", names_.session, transaction);
    out.set("sender", names_.id.value);
    if (house_.opaque_id_in_api && !names_.opaque_id.empty()) out.set("opaque_id", names_.opaque_id);
    out.set("plugindata", Json::object("plugin", names_.plugin, "data", std::move(reply.data)));
    return out;
  }
  if (reply.event) {
    reply.event->transaction = transaction;
    house_.turn.outgoing.push_back(Pushed{names_.id, std::move(*reply.event)});
  }
  Json out = envelope("ack", names_.session, transaction);
  if (!reply.hint.empty()) out.set("hint", reply.hint);
  return out;
}

void ClientHandle::push(Event event) {
  if (!ending_) house_.turn.outgoing.push_back(Pushed{names_.id, std::move(event)});
}

Json ClientHandle::notice(const char* kind) const {
  Json out = envelope(kind, names_.session, std::nullopt);
  out.set("sender", names_.id.value);
  if (house_.opaque_id_in_api && !names_.opaque_id.empty()) out.set("opaque_id", names_.opaque_id);
  return out;
}

void ClientHandle::tell_client(Json message) {
  if (!ending_) house_.turn.outgoing.push_back(Notice{names_.session, std::move(message)});
}

Json ClientHandle::event(Event event, Status& failure) {
  Json out = envelope("event", names_.session, event.transaction);
  out.set("sender", names_.id.value);
  if (house_.opaque_id_in_api && !names_.opaque_id.empty()) out.set("opaque_id", names_.opaque_id);
  if (!event.data) event.data = Json::object();
  out.set("plugindata", Json::object("plugin", names_.plugin, "data", std::move(event.data)));
  if (std::holds_alternative<std::monostate>(event.jsep)) return out;
  bool answers = std::holds_alternative<AnswerPlan>(event.jsep);
  auto sdp = describe_to_client(event.jsep);
  if (!sdp) {
    log::warn(names_.plugin, "handle ", names_.id.value, ": no SDP for its plan: ", sdp.error().reason);
    failure = sdp.error();
    return out;
  }
  Json jsep = Json::object("type", answers ? "answer" : "offer", "sdp", *sdp);
  if (negotiation_->e2ee()) jsep.set("e2ee", true);
  out.set("jsep", std::move(jsep));
  return out;
}

// Negotiation

Status ClientHandle::begin() {
  if (negotiation_) return {};
  if (Status status = share_.set(Counted::peers, 1); !status) return status;
  peer_ = house_.peers.open(names_.id, affinity_);
  negotiation_.emplace(house_.peers.local_parameters(peer_), house_.random);
  return {};
}

void ClientHandle::give_up() {
  house_.peers.close(std::exchange(peer_, PeerId{}));
  forget_peer();
}

void ClientHandle::forget_peer() {
  negotiation_.reset();
  for (Counted what : {Counted::peers, Counted::mlines}) (void)share_.set(what, 0);  // fewer are never refused
}

void ClientHandle::tell_worker() {
  if (created_)
    house_.peers.update(peer_, negotiation_->plan());
  else
    house_.peers.create(peer_, negotiation_->plan());
  created_ = true;
}

Result<std::string> ClientHandle::describe_to_client(const Jsep& jsep) {
  if (const auto* plan = std::get_if<AnswerPlan>(&jsep)) return answer_offer(*plan);
  return make_offer(std::get<OfferPlan>(jsep));
}

Result<std::string> ClientHandle::answer_offer(AnswerPlan plan) {
  if (!negotiation_) return Error{code::jsep_sdp, "there is no offer to answer"};
  if (std::exchange(restart_, false)) negotiation_->renew_credentials(house_.peers.new_credentials());
  auto sdp = negotiation_->answer(plan);
  if (!sdp) return sdp;
  tell_worker();
  house_.turn.outgoing.push_back(Negotiated{names_.id});
  return sdp;
}

void ClientHandle::on_negotiated() {
  if (negotiated()) guarded(names_.plugin, [this] { attachment_->on_negotiated(); });
}

Result<std::string> ClientHandle::make_offer(OfferPlan plan) {
  bool first = !negotiation_;
  if (Status status = begin(); !status) return status.error();
  const size_t mlines = share_.get(Counted::mlines);
  if (Status status = share_.set(Counted::mlines, std::max(mlines, plan.sections.size())); !status) {
    if (first) give_up();
    return status.error();
  }
  std::optional<sdp::IceCredentials> restart;
  if (plan.ice_restart && negotiation_->established()) restart = house_.peers.new_credentials();
  auto sdp = negotiation_->offer(plan, std::move(restart));
  if (!sdp) (void)share_.set(Counted::mlines, mlines);
  if (!sdp && first) give_up();
  return sdp;
}

bool ClientHandle::hang_up(std::string_view reason, bool worker_knows) {
  if (!negotiation_) return false;
  PeerId peer = std::exchange(peer_, PeerId{});
  worker_knows ? house_.peers.forget(peer) : house_.peers.close(peer);
  forget_peer();
  created_ = up_ = restart_ = false;
  data_ = {};
  guarded(names_.plugin, [&] { attachment_->on_media_down(reason); });
  tell_client(std::move(notice("hangup").set("reason", reason)));
  return true;
}

std::optional<ReceiverId> ClientHandle::receiver(std::string_view mid) const {
  if (!negotiation_) return std::nullopt;
  auto index = negotiation_->index_of(mid);
  if (!index) return std::nullopt;
  return ReceiverId{peer_, static_cast<uint16_t>(*index)};
}

std::optional<SenderId> ClientHandle::sender(std::string_view mid) const {
  auto same = receiver(mid);
  if (!same) return std::nullopt;
  return SenderId{same->peer, same->mline};
}

const sdp::MlinePlan* ClientHandle::mline(uint16_t index) const {
  if (!negotiation_ || index >= negotiation_->plan().mlines.size()) return nullptr;
  return &negotiation_->plan().mlines[index];
}

// What the worker tells

void ClientHandle::on_peer(const peer::PeerEvent& event) {
  std::visit([this](const auto& one) { on(one); }, event);
}

Json ClientHandle::plugin_specific() const {
  Json about;
  guarded(names_.plugin, [&] { about = attachment_->describe(); });
  return about;
}

void ClientHandle::on(const peer::PeerUp&) {
  up_ = true;
  guarded(names_.plugin, [this] { attachment_->on_media_up(); });
  tell_client(notice("webrtcup"));
}

void ClientHandle::on(const peer::PeerDown& event) { hang_up(event.reason, true); }

void ClientHandle::on(const peer::IceFailed&) { tell_client(notice("ice-failed")); }

void ClientHandle::on(const peer::MediaState& event) {
  const sdp::MlinePlan* line = mline(event.receiver.mline);
  if (line == nullptr) return;
  Json out = notice("media");
  out.set("mid", line->mid).set("type", name(line->kind)).set("receiving", event.receiving);
  if (event.substream >= 0) out.set("substream", event.substream);
  if (!event.receiving && house_.media_seconds && event.seconds > 0) out.set("seconds", event.seconds);
  tell_client(std::move(out));
}

void ClientHandle::on(const peer::SlowLinkSeen& event) {
  const sdp::MlinePlan* line = mline(event.mline);
  if (line == nullptr) return;
  SlowLink link{line->mid, line->kind, event.uplink, event.lost};
  guarded(names_.plugin, [&] { attachment_->on_slow_link(link); });
  Json out = notice("slowlink");
  out.set("mid", link.mid).set("media", name(link.kind)).set("uplink", link.uplink).set("lost", link.lost);
  tell_client(std::move(out));
}

void ClientHandle::on(const peer::LayersChanged& event) {
  guarded(names_.plugin, [&] { attachment_->on_layers(event.sender, event.now); });
}

void ClientHandle::on(const peer::Talking& event) {
  guarded(names_.plugin, [&] { attachment_->on_talking(event.receiver, event.talking, event.level); });
}

}  // namespace cardea::control
