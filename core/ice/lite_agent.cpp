#include "ice/lite_agent.hpp"

#include <algorithm>
#include <utility>

namespace cardea::ice {

namespace {

// A peer that nominates every check it sends (RFC 5245's aggressive nomination) means the path of highest priority; it
// repeats itself within this time while paths are being found. One that ceases to nominate a path has left it.
constexpr Duration nomination_stands = 1s;
// A path without a check for this long is dead when others are alive: browsers check theirs every 2.5 s.
constexpr Duration path_dies = 6s;
// RFC 7675 section 5.1: a proof is good for so long. That of the path lasts as long as the path is checked.
constexpr Duration proof_lasts = 30s;
// The first path is mostly proven by DTLS before this.
constexpr Duration first_ask = 20ms;
// Asked again after this, then after twice as long; with the next check anew.
constexpr Duration ask_gap = 100ms;
constexpr uint8_t max_asks = 6;

}  // namespace

LiteAgent::LiteAgent(Self self, sdp::IceCredentials local, sdp::IceCredentials remote, Duration consent_timeout)
    : self_(self), consent_timeout_(consent_timeout), remote_(std::move(remote)), tie_breaker_(self.random.u64()) {
  locals_.push_back(std::move(local));
}

LiteAgent::Checked LiteAgent::receive(Bytes datagram, const Address& from, Time now, Outbox& out) {
  Checked checked;
  auto ufrag = StunCodec::local_ufrag(datagram);
  if (!ufrag && StunCodec::asker(datagram)) return receive_answer(datagram, from, now);
  if (!ufrag) return checked.drop = Drop::malformed, checked;
  auto local = std::find_if(locals_.begin(), locals_.end(), [&](const auto& each) { return each.ufrag == *ufrag; });
  if (local == locals_.end()) return checked.drop = Drop::unknown_source, checked;

  auto [drop, request, unknown_attribute] = self_.codec.verify(datagram, local->pwd);
  if (drop) return checked.drop = drop, checked;
  Bytes reply;
  if (unknown_attribute)
    reply = self_.codec.unknown_attributes();
  else if (request.controlled)
    // RFC 8445 section 7.3.1.1 compares tie-breakers; ours counts as zero, for a lite agent can only be controlled.
    reply = self_.codec.error(487);
  else
    reply = self_.codec.success(from);
  if (!reply.empty()) out.send(from, reply);
  if (unknown_attribute || request.controlled || reply.empty()) return checked.drop = Drop::malformed, checked;

  if (locals_.size() > 1 && local == locals_.begin()) {
    locals_.pop_back();  // the restart is over
    for (auto& remote : remotes_) remote.nominates = false;
  }
  Remote& remote = note(request, from, now, checked);
  remote.bytes_in += datagram.size();
  remote.bytes_out += reply.size();
  choose(remote, now, checked);
  return checked;
}

LiteAgent::Checked LiteAgent::receive_answer(Bytes datagram, const Address& from, Time now) {
  Checked checked;
  Remote* remote = find(from);
  // RFC 8445 section 7.2.5.2.1: an answer comes from where the request went.
  if (remote == nullptr || remote->asks == 0) return checked.drop = Drop::unknown_source, checked;
  checked.drop = StunCodec::verify_answer(datagram, remote->transaction, remote_.pwd);
  if (checked.drop) return checked;
  remote->proven = now;
  remote->ask_at = never;
  remote->asks = 0;
  checked.heard = from;
  if (from == *selected_)
    proven_ = true;
  else
    choose(*remote, now, checked);
  return checked;
}

LiteAgent::Remote& LiteAgent::note(const BindingRequest& request, const Address& from, Time now, Checked& checked) {
  Remote* remote = find(from);
  if (remote == nullptr) {
    if (remotes_.size() == max_addresses) {
      auto oldest = std::min_element(remotes_.begin(), remotes_.end(), [&](const Remote& a, const Remote& b) {
        return std::pair(a.address == selected_, a.checked) < std::pair(b.address == selected_, b.checked);
      });
      checked.removed = oldest->address;
      remotes_.erase(oldest);
    }
    remote = &remotes_.emplace_back();
    remote->address = from;
  }
  checked.heard = from;
  remote->priority = request.priority;
  remote->checked = now;
  remote->nominates = request.use_candidate;
  if (request.use_candidate) remote->nominated = now;
  return *remote;
}

// Takes the address as the path, or asks first whether the peer is there.
void LiteAgent::choose(Remote& remote, Time now, Checked& checked) {
  const bool here = selected_ == remote.address;
  const bool wanted = here || !selected_ || prefers(remote, now);
  if (!wanted) return;
  const bool known = (here && proven_) || (remote.proven && now - *remote.proven < proof_lasts);
  if (known || !proven_) select(remote, now, checked);
  if (known || remote.ask_at != never) return;
  remote.ask_at = proven_ ? now : now + first_ask;
  if (remote.asks == max_asks) remote.asks = 0;  // asked in vain, and there it is again
}

void LiteAgent::select(Remote& remote, Time now, Checked& checked) {
  checked.path_changed = selected_ != remote.address;
  if (checked.path_changed) proven_ = remote.proven && now - *remote.proven < proof_lasts;
  selected_ = remote.address;
  last_check_ = now;
  state_ = State::connected;
}

bool LiteAgent::prefers(const Remote& candidate, Time now) const {
  const Remote* current = find(*selected_);
  if (state_ != State::connected || current == nullptr || now - current->checked >= path_dies) return true;
  if (!candidate.nominates) return false;
  return !current->nominates || candidate.priority >= current->priority ||
         now - current->nominated >= nomination_stands;
}

void LiteAgent::ask(Remote& remote, Time now, Outbox& out) {
  remote.ask_at = never;
  if (remote.asks == max_asks) return;
  // A first answer that is late still counts: all of a series are one transaction (RFC 8489 section 6.2.1).
  if (remote.asks == 0) {
    store_u32(remote.transaction.data(), self_.number);
    self_.random.fill(MutableBytes(remote.transaction).subspan(4));
  }
  Bytes request =
      self_.codec.request({remote_.ufrag, remote_.pwd, locals_.front().ufrag, remote.transaction, tie_breaker_});
  if (request.empty() || !take_room(remote, request.size())) return;  // the next check brings it up again
  out.send(remote.address, request);
  remote.ask_at = now + ask_gap * (1 << remote.asks++);
}

bool LiteAgent::take_room(Remote& remote, size_t size) {
  if (remote.bytes_out + size > amplification * remote.bytes_in) return false;
  remote.bytes_out += size;
  return true;
}

void LiteAgent::prove(Time now) {
  Remote* remote = selected_ ? find(*selected_) : nullptr;
  if (remote == nullptr) return;
  remote->proven = now;
  remote->ask_at = never;
  proven_ = true;
}

void LiteAgent::hurry(Time now) {
  Remote* remote = selected_ && !proven_ ? find(*selected_) : nullptr;
  if (remote != nullptr && remote->asks == 0) remote->ask_at = now;
}

void LiteAgent::came(const Address& from, size_t size) {
  if (Remote* remote = find(from)) remote->bytes_in += size;
}

bool LiteAgent::allows(size_t size) {
  if (proven_) return true;
  Remote* remote = selected_ ? find(*selected_) : nullptr;
  return remote != nullptr && take_room(*remote, size);
}

void LiteAgent::tick(Time now, Outbox& out) {
  for (Remote& remote : remotes_)
    if (remote.ask_at <= now) ask(remote, now, out);
  if (state_ == State::connected && now >= last_check_ + consent_timeout_) state_ = State::failed;
}

Time LiteAgent::next_deadline() const {
  Time deadline = state_ == State::connected ? last_check_ + consent_timeout_ : never;
  for (const Remote& remote : remotes_) deadline = std::min(deadline, remote.ask_at);
  return deadline;
}

bool LiteAgent::knows(const Address& address) const { return find(address) != nullptr; }

bool LiteAgent::holds(const Address& address, Time now) const {
  const Remote* remote = find(address);
  return remote != nullptr && remote->proven && now - remote->checked < consent_timeout_;
}

LiteAgent::Remote* LiteAgent::find(const Address& address) {
  return const_cast<Remote*>(std::as_const(*this).find(address));
}

const LiteAgent::Remote* LiteAgent::find(const Address& address) const {
  auto found =
      std::find_if(remotes_.begin(), remotes_.end(), [&](const Remote& each) { return each.address == address; });
  return found == remotes_.end() ? nullptr : &*found;
}

void LiteAgent::restart(sdp::IceCredentials local) {
  if (locals_.front() == local) return;
  locals_.insert(locals_.begin(), std::move(local));
  // A second restart before the first was used: the peer may still check with what it used last.
  if (locals_.size() > 2) locals_.erase(locals_.begin() + 1);
}

}  // namespace cardea::ice
