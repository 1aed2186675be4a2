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

}  // namespace

LiteAgent::LiteAgent(StunCodec& codec, sdp::IceCredentials local, Duration consent_timeout)
    : codec_(codec), consent_timeout_(consent_timeout) {
  locals_.push_back(std::move(local));
}

LiteAgent::Checked LiteAgent::receive(Bytes datagram, const Address& from, Time now, Outbox& out) {
  Checked checked;
  auto ufrag = StunCodec::local_ufrag(datagram);
  if (!ufrag) return checked.drop = Drop::malformed, checked;
  auto local = std::find_if(locals_.begin(), locals_.end(), [&](const auto& each) { return each.ufrag == *ufrag; });
  if (local == locals_.end()) return checked.drop = Drop::unknown_source, checked;

  auto [drop, request, unknown_attribute] = codec_.verify(datagram, local->pwd);
  if (drop) return checked.drop = drop, checked;
  Bytes reply;
  if (unknown_attribute)
    reply = codec_.unknown_attributes();
  else if (request.controlled)
    // RFC 8445 section 7.3.1.1 compares tie-breakers; ours is zero, for a lite agent can only be the controlled one.
    reply = codec_.error(487);
  else
    reply = codec_.success(from);
  if (!reply.empty()) out.send(from, reply);
  if (unknown_attribute || request.controlled || reply.empty()) return checked.drop = Drop::malformed, checked;

  if (locals_.size() > 1 && local == locals_.begin()) {
    locals_.pop_back();  // the restart is over
    for (auto& remote : remotes_) remote.nominates = false;
  }
  note(request, from, now, checked);
  return checked;
}

void LiteAgent::note(const BindingRequest& request, const Address& from, Time now, Checked& checked) {
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
    checked.added = from;
  }
  remote->priority = request.priority;
  remote->checked = now;
  remote->nominates = request.use_candidate;
  if (request.use_candidate) remote->nominated = now;
  last_check_ = now;

  bool lost = state_ != State::connected || !selected_;
  if (lost || (from != *selected_ && prefers(*remote, now))) {
    checked.path_changed = selected_ != from;
    selected_ = from;
  }
  state_ = State::connected;
}

bool LiteAgent::prefers(const Remote& candidate, Time now) const {
  auto current =
      std::find_if(remotes_.begin(), remotes_.end(), [&](const Remote& each) { return each.address == *selected_; });
  if (current == remotes_.end() || now - current->checked >= path_dies) return true;
  if (!candidate.nominates) return false;
  return !current->nominates || candidate.priority >= current->priority ||
         now - current->nominated >= nomination_stands;
}

void LiteAgent::tick(Time now) {
  if (now >= next_deadline()) state_ = State::failed;
}

Time LiteAgent::next_deadline() const { return state_ == State::connected ? last_check_ + consent_timeout_ : never; }

bool LiteAgent::knows(const Address& address) const {
  return std::any_of(remotes_.begin(), remotes_.end(), [&](const Remote& each) { return each.address == address; });
}

LiteAgent::Remote* LiteAgent::find(const Address& address) {
  for (auto& remote : remotes_)
    if (remote.address == address) return &remote;
  return nullptr;
}

void LiteAgent::restart(sdp::IceCredentials local) {
  if (locals_.front() == local) return;
  locals_.insert(locals_.begin(), std::move(local));
  // A second restart before the first was used: the peer may still check with what it used last.
  if (locals_.size() > 2) locals_.erase(locals_.begin() + 1);
}

}  // namespace cardea::ice
