#include "control/limits.hpp"

#include <utility>

#include "cardea/log.hpp"
#include "cardea/text.hpp"
#include "control/envelope.hpp"

namespace cardea::control {
namespace {

constexpr std::array<std::string_view, 4> in_words{"sessions", "handles", "peer connections", "m-lines"};
// Of all addresses beyond Limits::max_addresses.
constexpr ClientAddress others{ClientAddress::Family::none, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

Error too_many(size_t what, std::string_view where, uint32_t bound) {
  // 472 is what clients know for a gateway that takes no more sessions.
  const bool session = what == static_cast<size_t>(Counted::sessions);
  return {session ? code::draining : code::too_many, text("Too many ", in_words[what], where, ": ", bound, " at most")};
}

}  // namespace

Limits::Limits(const LimitSettings& settings) : settings_(settings) {
  for (const std::string& network : settings.exempt)
    if (auto parsed = Network::parse(network)) exempt_.push_back(*parsed);
}

Limits::Bound Limits::bound(size_t what) const {
  const LimitSettings& s = settings_;
  switch (static_cast<Counted>(what)) {
  case Counted::sessions: return {0, s.sessions_per_address, s.sessions};
  case Counted::handles: return {s.handles_per_session, s.handles_per_address, s.handles};
  case Counted::peers: return {s.peers_per_session, s.peers_per_address, s.peers};
  case Counted::mlines: return {s.mlines_per_session, s.mlines_per_address, s.mlines};
  }
  return {};
}

Limits::Address& Limits::at(const ClientAddress& address) {
  auto found = addresses_.find(address);
  if (found != addresses_.end()) return found->second;
  const ClientAddress& key = addresses_.size() < max_addresses ? address : others;
  const bool exempt = std::any_of(exempt_.begin(), exempt_.end(), [&](const Network& n) { return n.contains(key); });
  const auto per_second = static_cast<double>(settings_.requests_per_address);
  const auto per_minute = static_cast<double>(settings_.guesses_per_minute);
  const TokenBucket guesses{per_minute / 60, per_minute};
  return addresses_
      .try_emplace(key, Address{exempt, {}, {per_second, per_second * burst_seconds}, {guesses, guesses, guesses}})
      .first->second;
}

Status Limits::Share::set(Counted counted, size_t count) {
  const auto what = static_cast<size_t>(counted);
  const Bound bound = limits_.bound(what);
  auto over = [&](uint32_t used, uint32_t most) { return most != 0 && used - own_[what] + count > most; };
  if (count > own_[what]) {
    Status status;
    if (!address_.exempt && over(session_[what], bound.per_session))
      status = too_many(what, " in this session", bound.per_session);
    else if (!address_.exempt && over(address_.used[what], bound.per_address))
      status = too_many(what, " from this address", bound.per_address);
    else if (over(limits_.used_[what], bound.in_all))
      status = too_many(what, " in all", bound.in_all);
    if (!status) {
      ++limits_.refused_.counted[what];
      return status;
    }
  }
  resize(what, static_cast<uint32_t>(count));
  return {};
}

void Limits::Share::resize(size_t what, uint32_t count) {
  for (uint32_t* used : {&session_[what], &address_.used[what], &limits_.used_[what]})
    *used = *used - own_[what] + count;
  own_[what] = count;
}

Status Limits::request(const ClientAddress& by, TokenBucket* session, Time now) {
  Address& address = at(by);
  if (address.exempt) return {};
  const bool too_fast_here = !address.requests.take(now);
  if (!too_fast_here && (session == nullptr || session->take(now))) return {};
  ++refused_.requests;
  last_refused_ = by;
  return too_fast_here
             ? Error{code::too_many, text("Too many requests from this address: ", settings_.requests_per_address,
                                          " per second at most")}
             : Error{code::too_many, text("Too many requests in this session: ", settings_.requests_per_session,
                                          " per second at most")};
}

bool Limits::may_guess(const ClientAddress& by, Secret at_what, Time now) {
  auto found = addresses_.find(by);
  if (found == addresses_.end() && addresses_.size() >= max_addresses) found = addresses_.find(others);
  if (found == addresses_.end() || found->second.guesses[static_cast<size_t>(at_what)].has_one(now)) return true;
  ++refused_.guesses;
  last_refused_ = by;
  return false;
}

void Limits::guess_failed(const ClientAddress& by, Secret at_what, Time now) {
  at(by).guesses[static_cast<size_t>(at_what)].take(now);
  ++refused_.failed_guesses;
  last_refused_ = by;
}

void Limits::sweep(Time now) {
  std::erase_if(addresses_, [&](const auto& one) {
    const Address& address = one.second;
    return address.used == Usage{} && address.requests.full(now) &&
           std::all_of(address.guesses.begin(), address.guesses.end(),
                       [&](const TokenBucket& bucket) { return bucket.full(now); });
  });
  if (refused_ == logged_) return;
  if (const uint64_t wrong = refused_.failed_guesses - logged_.failed_guesses; wrong > 0)
    log::warn("limits", wrong, " wrong secrets, pins or tokens; the last one refused came from ", last_refused_.text());
  if (const uint64_t slowed = refused_.guesses - logged_.guesses; slowed > 0)
    log::warn("limits", slowed, " secrets, pins or tokens not looked at; the last ones came from ",
              last_refused_.text());
  if (const uint64_t requests = refused_.requests - logged_.requests; requests > 0)
    log::warn("limits", requests, " requests refused, too many at a time; the last one came from ",
              last_refused_.text());
  for (size_t i = 0; i < in_words.size(); ++i)
    if (const uint64_t refused = refused_.counted[i] - logged_.counted[i]; refused > 0)
      log::warn("limits", refused, " more ", in_words[i], " refused: too many");
  logged_ = refused_;
}

Json Limits::describe() const {
  Json used = Json::object(), refused = Json::object();
  for (size_t i = 0; i < counted_names.size(); ++i) {
    used.set(counted_names[i], used_[i]);
    refused.set(counted_names[i], refused_.counted[i]);
  }
  refused.set("requests", refused_.requests).set("guesses", refused_.guesses);
  return Json::object("used", std::move(used), "refused", std::move(refused), "wrong_secrets", refused_.failed_guesses,
                      "addresses", addresses_.size());
}

}  // namespace cardea::control
