#include "peer/peer_connection.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cardea::peer {

PeerConnection::PeerConnection(PeerId id, std::unique_ptr<sdp::PeerPlan> plan, PeerContext& context, Time now)
    : id_(id), agent_({context.stun, context.random, id.slot}, plan->local, plan->remote, context.settings.ice_timeout),
      context_(context), plan_(std::move(plan)),
      dtls_(context.dtls, plan_->dtls_role, plan_->remote_fingerprint, context.dtls_settings),
      twcc_(context.settings.twcc_period), rtcp_ssrc_(context.random.u32() | 1),
      connect_until_(now + context.settings.connect_timeout) {
  Output none;
  apply_plan({}, now, none);
  want_tick(connect_until_);
}

void PeerConnection::apply_plan(std::span<const sdp::MlinePlan> before, Time now, Output& out) {
  const auto count = static_cast<uint16_t>(std::min<size_t>(plan_->mlines.size(), 0xffff));
  receivers_.resize(count);
  senders_.resize(count);
  sender_mlines_.clear();
  for (uint16_t i = 0; i < count; ++i) {
    follow_line(i, i < before.size() && sdp::same_line(before[i], plan_->mlines[i]), out);
    if (senders_[i]) sender_mlines_[senders_[i]->ssrc()] = i;
  }
  ssrcs_.update(before, plan_->mlines);
  deadline_ = compute_deadline();
  want_tick(now);
}

// A receiver lives as long as its line, and a sender as long as the line's SSRC.
void PeerConnection::follow_line(uint16_t index, bool same, Output& out) {
  const sdp::MlinePlan& mline = plan_->mlines[index];
  std::unique_ptr<RtpReceiver>& receiver = receivers_[index];
  std::unique_ptr<RtpSender>& sender = senders_[index];
  if (receiver && !same) {
    receiver->close(out);
    receiver.reset();
  }
  std::unique_ptr<RtpSender> before;
  if (sender && (!same || !sender->goes_on(mline))) before = std::move(sender);
  if (before) std::erase_if(queue_, [&](const Outgoing& waiting) { return waiting.sender == before.get(); });
  if (mline.kind == MediaKind::data) return;
  if (receiver)
    receiver->update(mline, out);
  else if (receives(mline.direction))
    receiver = std::make_unique<RtpReceiver>(ReceiverId{id_, index}, mline, context_.settings, streams_);
  if (sender)
    sender->update(mline);
  else if (sends(mline.direction))
    sender =
        std::make_unique<RtpSender>(SenderId{id_, index}, mline, context_.settings.slowlink_threshold, context_.random);
  if (sender && before && same) sender->take_wishes(*before);
}

void PeerConnection::empty_queue() {
  queue_.clear();
  report_.reset();
}

void PeerConnection::update(std::unique_ptr<sdp::PeerPlan> plan, Time now, Output& out) {
  if (over_ || plan->mlines.size() < plan_->mlines.size()) return;  // m-lines are never taken away
  std::unique_ptr<sdp::PeerPlan> before = std::exchange(plan_, std::move(plan));
  agent_.set_remote(plan_->remote);
  if (plan_->local != before->local) {
    agent_.restart(plan_->local);
    if (failed_until_ != never) failed_until_ = now + context_.settings.ice_timeout + context_.settings.ice_grace;
  }
  if (plan_->remote_fingerprint != before->remote_fingerprint) {
    if (before->remote_fingerprint.digest.empty()) {
      dtls_.expect(plan_->remote_fingerprint);
    } else {
      // RFC 8842 section 4: another fingerprint is another DTLS association.
      srtp_.reset();
      send_key_.reset();
      empty_queue();
      dtls_ = secure::Dtls(context_.dtls, plan_->dtls_role, plan_->remote_fingerprint, context_.dtls_settings);
      connect_until_ = now + context_.settings.connect_timeout;
      flights_to_.reset();
      held_.clear();
    }
  }
  apply_plan(before->mlines, now, out);
  follow_data(before->data, out);
}

Received PeerConnection::receive(Datagram& datagram, Time now, Output& out) {
  Received received;
  if (over_) return received;
  switch (rtp::wire_of(datagram.bytes)) {
  case rtp::Wire::stun: receive_stun(datagram, now, received, out); break;
  case rtp::Wire::dtls: receive_dtls(datagram, now, received, out); break;
  case rtp::Wire::rtp: receive_rtp(datagram, now, received, out); break;
  case rtp::Wire::rtcp: receive_rtcp(datagram, now, received, out); break;
  case rtp::Wire::junk: out.drops.count(Drop::malformed); break;
  }
  return received;
}

void PeerConnection::receive_stun(Datagram& datagram, Time now, Received& received, Output& out) {
  ice::LiteAgent::Checked checked = agent_.receive(datagram.bytes, datagram.from, now, out.datagrams);
  if (checked.drop) return out.drops.count(*checked.drop);
  received.heard = checked.heard;
  received.removed = checked.removed;
  follow_ice(now, out);
  came_by_path(checked.heard == path(), now, out);
  follow_dtls(now, out);
  want_tick(compute_deadline());
}

bool PeerConnection::wants_start() const {
  return !over_ && path() && plan_->dtls_role == sdp::DtlsRole::client && !dtls_.started() &&
         dtls_.state() == secure::Dtls::State::handshaking;
}

void PeerConnection::start_dtls(Time now, Output& out) {
  if (!wants_start()) return;
  with_flight([&](Outbox& flight) { dtls_.start(*path(), now, flight); }, now, out);
  follow_dtls(now, out);
  want_tick(compute_deadline());
}

// Handshakes send much for little: to a path that is not proven goes what is allowed, the rest waits.
template <class Step>
void PeerConnection::with_flight(Step step, Time now, Output& out, bool repeats) {
  Outbox flight;
  step(flight);
  if (repeats && !flight.empty()) held_.clear();  // it is in the flight again
  for (size_t i = 0; i < flight.size(); ++i) held_.emplace_back(flight[i].bytes.begin(), flight[i].bytes.end());
  send_held(now, out);
}

void PeerConnection::send_held(Time now, Output& out) {
  size_t sent = 0;
  while (sent < held_.size() && agent_.allows(held_[sent].size())) {
    if (!flights_to_) flights_to_ = Flights{*path(), true};
    flights_to_->all = flights_to_->all && flights_to_->to == *path();
    out.datagrams.send(*path(), held_[sent++]);
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(sent));
  if (!held_.empty()) agent_.hurry(now);
}

// To a path that is not proven a flight is repeated only when something came from there, and only within what it
// allows.
void PeerConnection::came_by_path(bool path, Time now, Output& out) {
  if (!path || over_ || dtls_.state() != secure::Dtls::State::handshaking) return;
  if (!agent_.proven() && dtls_.next_deadline() <= now)
    with_flight([&](Outbox& flight) { dtls_.tick(*this->path(), now, flight); }, now, out, true);
  send_held(now, out);
}

void PeerConnection::receive_dtls(Datagram& datagram, Time now, Received& received, Output& out) {
  if (!agent_.knows(datagram.from)) return out.drops.count(Drop::unknown_source);
  if (dtls_.state() == secure::Dtls::State::handshaking) {
    agent_.came(datagram.from, datagram.bytes.size());
    with_flight([&](Outbox& flight) { dtls_.receive(datagram.bytes, *path(), now, flight); }, now, out);
    came_by_path(datagram.from == path(), now, out);
  } else {
    dtls_.receive(datagram.bytes, *path(), now, out.datagrams);
  }
  follow_dtls(now, out);
  received.records = dtls_.records();
  want_tick(compute_deadline());
}

// Says when a path is lost, and ends the peer if none comes back.
void PeerConnection::follow_ice(Time now, Output& out) {
  switch (agent_.state()) {
  case ice::LiteAgent::State::checking: break;
  case ice::LiteAgent::State::connected: failed_until_ = never; break;
  case ice::LiteAgent::State::failed:
    if (failed_until_ == never) {
      failed_until_ = now + context_.settings.ice_grace;
      if (up_) out.events.push_back(IceFailed{id_});
    } else if (now >= failed_until_) {
      end("ICE failed", out);
    }
    break;
  }
}

void PeerConnection::follow_dtls(Time now, Output& out) {
  if (over_) return;
  switch (dtls_.state()) {
  case secure::Dtls::State::handshaking: break;
  case secure::Dtls::State::connected:
    if (connect_until_ == never) break;
    // Whoever did the handshake has read our flights: a path that got them all is proven, another has to answer.
    if (!agent_.proven() && flights_to_ && flights_to_->all && flights_to_->to == path()) agent_.prove(now);
    if (!agent_.proven()) return agent_.hurry(now);
    send_held(now, out);
    // Without use_srtp there is no media; data channels need none.
    if (const bool media = dtls_.keys().has_value(); media ? !start_srtp() : !plan_->data)
      return end("DTLS error", out);
    connect_until_ = never;
    report_at_ = now + report_interval / 2 + Duration(context_.random.below(report_interval.count() / 2));
    hurry();
    dtls_.release();
    if (!std::exchange(up_, true)) out.events.push_back(PeerUp{id_});
    if (plan_->data) start_data(out);
    break;
  case secure::Dtls::State::closed:
  case secure::Dtls::State::failed: end(dtls_.reason().empty() ? "DTLS error" : dtls_.reason(), out); break;
  }
}

void PeerConnection::start_data(Output& out) const {
  const sdp::DataPlan& plan = *plan_->data;
  out.data.push_back({id_, data::AssociationPlan{.dtls_client = plan_->dtls_role == sdp::DtlsRole::client,
                                                 .peer_port = plan.sctp_port,
                                                 .max_message_size = plan.max_message_size}});
}

// A renegotiation on a connected peer brought data channels, moved them to another port, or took them away.
void PeerConnection::follow_data(const std::optional<sdp::DataPlan>& before, Output& out) const {
  if (over_ || connect_until_ != never) return;
  if (plan_->data && (!before || before->sctp_port != plan_->data->sctp_port)) start_data(out);
  if (before && !plan_->data) out.data.push_back({id_, std::nullopt});
}

bool PeerConnection::start_srtp() {
  Result<secure::SrtpSession> session = secure::SrtpSession::make(*dtls_.keys());
  if (!session) return false;
  srtp_ = std::move(*session);
  send_key_ = context_.cipher.make_key(*dtls_.keys());
  dtls_.forget_keys();
  return send_key_ != nullptr;
}

void PeerConnection::end(std::string_view reason, Output& out) {
  if (std::exchange(over_, true)) return;
  empty_queue();
  out.events.push_back(PeerDown{id_, std::string(reason)});
}

void PeerConnection::close(Output& out) {
  if (over_) return;
  if (path()) dtls_.close(*path(), out.datagrams);
  empty_queue();
  over_ = true;
}

// Where a packet belongs, its extensions read as that m-line numbers them.
std::optional<StreamPlace> PeerConnection::place_of(rtp::Packet& packet) {
  if (auto place = ssrcs_.find(packet.ssrc)) {
    rtp::parse_extensions(packet, plan_->mlines[place->mline].extensions);
    return place;
  }
  rtp::parse_extensions(packet, ssrcs_.any_extensions());
  return ssrcs_.learn(packet, plan_->mlines);
}

void PeerConnection::receive_rtp(Datagram& datagram, Time now, Received& received, Output& out) {
  if (!srtp_) return out.drops.count(Drop::not_ready);
  if (datagram.bytes.size() > rtp::Packet::capacity) return out.drops.count(Drop::too_large);
  rtp::PacketRef packet = context_.packets.get();
  std::memcpy(packet->bytes.data(), datagram.bytes.data(), datagram.bytes.size());
  size_t size = datagram.bytes.size();
  if (auto drop = srtp_->unprotect(MutableBytes(packet->bytes).first(size), size)) return out.drops.count(*drop);
  packet->size = static_cast<uint16_t>(size);
  if (auto drop = rtp::parse(*packet)) return out.drops.count(*drop);
  std::optional<StreamPlace> place = place_of(*packet);
  if (packet->extensions.transport_seq) twcc_.arrived(*packet->extensions.transport_seq, now);
  RtpReceiver* receiver = place ? this->receiver(place->mline) : nullptr;
  if (receiver == nullptr) return out.drops.count(Drop::unknown_ssrc);
  const bool was_receiving = receiver->receiving();
  const std::optional<Drop> drop = receiver->receive(packet, *place, now, out);
  if (!was_receiving && receiver->receiving() && receiver->kind() == MediaKind::video && takes_remb()) {
    remb_.start(now);
    want_tick(remb_.next_deadline());
  }
  want_tick(std::min(receiver->next_deadline(), twcc_.next_deadline()));
  if (drop) return out.drops.count(*drop);
  received.packet = std::move(packet);
}

void PeerConnection::tick(Time now, Output& out) {
  if (over_) return;
  agent_.tick(now, out.datagrams);
  follow_ice(now, out);
  if (!over_ && path() && agent_.proven() && dtls_.next_deadline() <= now) {
    dtls_.tick(*path(), now, out.datagrams);
    follow_dtls(now, out);
  }
  if (!over_ && now >= connect_until_)
    end(agent_.state() == ice::LiteAgent::State::connected ? "DTLS timeout" : "ICE failed", out);
  if (over_) return;
  for (auto& receiver : receivers_)
    if (receiver && receiver->next_deadline() <= now) receiver->tick(now, out);
  if (srtp_ && path()) {
    send_feedback(now, out);
    send_transport_feedback(now, out);
    send_remb(now, out);
    if (now >= report_at_) send_reports(now, out);
  }
  deadline_ = compute_deadline();
}

Time PeerConnection::compute_deadline() const {
  if (over_) return never;
  Time deadline = std::min({agent_.next_deadline(), connect_until_, failed_until_});
  if (!path()) return deadline;
  if (agent_.proven()) deadline = std::min(deadline, dtls_.next_deadline());
  if (!srtp_) return deadline;
  deadline = std::min({deadline, twcc_.next_deadline(), remb_.next_deadline()});
  for (const auto& receiver : receivers_)
    if (receiver) deadline = std::min(deadline, receiver->next_deadline());
  return deadline;
}

void PeerConnection::want_tick(Time at) {
  if (at >= deadline_) return;
  deadline_ = at;
  hurry();
}

// The owner is to ask for the deadlines again.
void PeerConnection::hurry() {
  if (std::exchange(hurried_, true)) return;
  context_.hurried.push_back(id_);
}

void PeerConnection::request_keyframe(uint16_t mline, int substream, Time now) {
  RtpReceiver* wanted = receiver(mline);
  if (wanted == nullptr) return;
  wanted->request_keyframe(substream, now);
  want_tick(wanted->next_deadline());
}

void PeerConnection::set_bitrate_cap(uint32_t bitrate_bps, Time now) {
  remb_.set_cap(bitrate_bps, now);
  want_tick(remb_.next_deadline());
}

bool PeerConnection::send_record(Bytes record, Time now, Output& out) {
  return path() && dtls_.send(record, *path(), now, out.datagrams);
}

}  // namespace cardea::peer
