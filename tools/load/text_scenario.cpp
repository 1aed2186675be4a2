#include "text_scenario.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/clock.hpp"
#include "cardea/text.hpp"
#include "scenario.hpp"

namespace cardea::load {
namespace {

constexpr uint32_t per_socket_with_media = 1000;  // these say little on it
constexpr Duration settling = 5s;                 // for what is on its way at the end

Duration interval(double per_second) { return Duration(static_cast<int64_t>(1e9 / per_second)); }

}  // namespace

TextScenario::TextScenario(const Options& options, const TextOptions& text)
    : options_(options), text_(text), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  prepare(shared_, options);
  if (!text.api) data_ = std::make_unique<DataSide>();
  const uint32_t per_socket = text.api ? std::max(1U, text.per_socket) : per_socket_with_media;
  for (uint32_t i = 0; i < text.members; i += per_socket) {
    sockets_.push_back(std::make_unique<Signalling>(options.url));
    watch(sockets_.back()->fd(), nullptr);
  }
  for (uint32_t i = 0; i < text.members; ++i) {
    members_.push_back(std::make_unique<TextMember>(i, options_, text_, shared_, data_.get(), *sockets_[i / per_socket],
                                                    outcome_.received));
    if (data_) watch(members_.back()->fd(), members_.back().get());
  }
  counted_.resize(members_.size());
}

TextScenario::~TextScenario() {
  members_.clear();
  close(epoll_);
}

void TextScenario::watch(int fd, TextMember* member) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = member;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void TextScenario::turn(Duration at_most) {
  std::array<epoll_event, 256> events;
  const int count =
      epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(to_ms(at_most)));
  now_ = Clock::now();
  for (int i = 0; i < count; ++i)
    if (auto* member = static_cast<TextMember*>(events[static_cast<size_t>(i)].data.ptr)) member->receive(now_);
  for (auto& socket : sockets_) {
    socket->handle();
    if (!socket->open()) throw std::runtime_error("the server closed the connection");
  }
  if (now_ >= next_timers_) {
    next_timers_ = now_ + 10ms;
    for (auto& member : members_) member->tick(now_);
    check_members();
  }
  if (talking_) say_and_show();
  if (data_) move_data();
}

void TextScenario::run_for(Duration time) {
  for (const Time end = Clock::now() + time; Clock::now() < end;) turn(1ms);
}

// Packets and events between associations, sockets and members, until nobody has anything left to say.
void TextScenario::move_data() {
  if (data_->stack.next_deadline() <= now_) data_->stack.tick(now_);
  do {
    data_->stack.take_stirred(stirred_);
    for (uint64_t number : stirred_) members_[number]->stirred(now_);
    const data::Records packets = data_->output.packets.take();
    packets.for_each([&](PeerId peer, Bytes packet) { members_[peer.slot]->send_record(packet, now_); });
  } while (tell_events());
}

bool TextScenario::tell_events() {
  std::vector<data::DataEvent> events = std::exchange(data_->output.events, {});
  for (data::DataEvent& event : events) members_[data::peer_of(event).slot]->on_event(event, now_);
  return !events.empty() || !data_->output.packets.empty();
}

void TextScenario::say_and_show() {
  for (uint32_t i = 0; i < next_said_.size(); ++i)
    for (; now_ >= next_said_[i]; next_said_[i] += interval(text_.rate)) members_[i]->say(now_);
  for (uint32_t i = 0; i < next_shown_.size(); ++i)
    for (; now_ >= next_shown_[i]; next_shown_[i] += interval(text_.moves))
      if (!members_[i]->stalled()) members_[i]->show(now_);
}

void TextScenario::check_members() {
  for (size_t i = 0; i < members_.size(); ++i) {
    TextMember& member = *members_[i];
    if (!member.failure().empty()) throw std::runtime_error(member.failure());
    if (!member.over() || counted_[i]) continue;
    if (!member.stalled()) throw std::runtime_error(text("member ", i, ": the server closed its peer connection"));
    counted_[i] = true;
    ++outcome_.stalled_closed;
    outcome_.stalled_for.add(member.over_at() - stalled_at_);
  }
}

void TextScenario::open_sessions() {
  size_t open = 0;
  for (auto& socket : sockets_)
    socket->request(Json::object("janus", "create"), [&](JsonView reply) {
      socket->set_session(static_cast<uint64_t>(reply["data"]["id"].integer()));
      ++open;
    });
  for (int i = 0; i < 5000 && open < sockets_.size(); ++i) turn(1ms);
  if (open < sockets_.size()) throw std::runtime_error("no session");
}

void TextScenario::create_room() {
  bool created = false;
  Signalling& first = *sockets_.front();
  first.request(Json::object("janus", "attach", "plugin", text_.plugin), [&](JsonView reply) {
    if (!reply["data"]) throw std::runtime_error("attach: " + refusal(reply));
    Json body = Json::object("request", "create", "room", text_.room);
    first.request(Json::object("janus", "message", "handle_id", reply["data"]["id"].integer(), "body", std::move(body)),
                  [&](JsonView) { created = true; });  // one that exists from a run before is as good
  });
  for (int i = 0; i < 5000 && !created; ++i) turn(1ms);
  if (!created) throw std::runtime_error("the room was not created");
}

void TextScenario::join_all() {
  const Time end = Clock::now() + options_.join_timeout;
  size_t attached = 0, joined = 0;
  Time next_join = Clock::now();
  while (joined < members_.size()) {
    for (; attached < members_.size() && Clock::now() >= next_join; ++attached) {
      members_[attached]->attach();
      if (options_.join_rate > 0) next_join += interval(options_.join_rate);
    }
    turn(1ms);
    joined = 0;
    for (size_t i = 0; i < attached; ++i) {
      if (!members_[i]->joined()) continue;
      ++joined;
      if (counted_[i]) continue;
      counted_[i] = true;
      outcome_.join.add(now_ - members_[i]->began());
    }
    if (now_ > end) throw std::runtime_error(text(joined, " of ", members_.size(), " members have joined, too late"));
  }
  std::fill(counted_.begin(), counted_.end(), false);
}

// The last ones fall silent: they read nothing more, but keep their consent.
void TextScenario::stall() {
  stalled_at_ = now_;
  for (size_t i = members_.size() - std::min<size_t>(text_.stalled, members_.size()); i < members_.size(); ++i) {
    members_[i]->stall();
    epoll_ctl(epoll_, EPOLL_CTL_DEL, members_[i]->fd(), nullptr);
  }
}

bool TextScenario::all_heard() const {
  for (const auto& member : members_)
    for (uint32_t speaker = 0; speaker < text_.speakers && !member->stalled(); ++speaker)
      if (member->heard(speaker) < members_[speaker]->said()) return false;
  return true;
}

TextOutcome TextScenario::run() {
  outcome_.resident_before = process_use(options_.pid).resident_bytes;
  open_sessions();
  create_room();
  join_all();
  now_ = Clock::now();
  if (text_.stalled > 0 && data_) stall();
  // Everybody in a rhythm of its own.
  for (uint32_t i = 0; i < std::min(text_.speakers, text_.members) && text_.rate > 0; ++i)
    next_said_.push_back(now_ + interval(text_.rate) * i / text_.speakers);
  for (uint32_t i = 0; i < text_.members && text_.moves > 0; ++i)
    next_shown_.push_back(now_ + interval(text_.moves) * i / text_.members);
  talking_ = true;
  run_for(options_.warm_up);

  for (auto& member : members_) member->measure(true);
  const auto sum = [&](auto what) {
    uint64_t all = 0;
    for (const auto& member : members_) all += what(*member);
    return all;
  };
  const uint64_t said = sum([](const TextMember& one) { return one.said(); });
  const uint64_t shown = sum([](const TextMember& one) { return one.shown(); });
  const ProcessUse before = process_use(options_.pid), own = process_use(getpid());
  outcome_.resident_with_all = before.resident_bytes;
  began_ = Clock::now();
  while (Clock::now() - began_ < options_.measure) {
    run_for(std::min<Duration>(options_.measure, 500ms));
    outcome_.resident_most = std::max(outcome_.resident_most, process_use(options_.pid).resident_bytes);
  }
  outcome_.cpu_seconds = process_use(options_.pid).cpu_seconds - before.cpu_seconds;
  outcome_.own_cpu_seconds = process_use(getpid()).cpu_seconds - own.cpu_seconds;
  outcome_.seconds = static_cast<double>(to_us(Clock::now() - began_)) / 1e6;
  talking_ = false;
  const uint64_t reading = sum([](const TextMember& one) { return one.stalled() ? 0 : 1; });
  outcome_.said = sum([](const TextMember& one) { return one.said(); }) - said;
  outcome_.shown = sum([](const TextMember& one) { return one.shown(); }) - shown;
  outcome_.expected = outcome_.said * reading;
  outcome_.expected_states = outcome_.shown * reading;

  for (const Time end = Clock::now() + settling; Clock::now() < end && !all_heard();) turn(1ms);
  if (text_.moves > 0) run_for(200ms);
  for (const auto& member : members_)
    for (uint32_t speaker = 0; speaker < next_said_.size() && !member->stalled(); ++speaker)
      outcome_.missing += members_[speaker]->said() - member->heard(speaker);
  outcome_.refused = sum([](const TextMember& one) { return one.refused(); });
  if (text_.stalled > 0 && data_)
    for (const Time end = Clock::now() + options_.join_timeout;
         Clock::now() < end && outcome_.stalled_closed < text_.stalled;)
      turn(5ms);
  size_t destroyed = 0;
  for (auto& socket : sockets_) socket->request(Json::object("janus", "destroy"), [&](JsonView) { ++destroyed; });
  for (const Time end = Clock::now() + 5s; Clock::now() < end && destroyed < sockets_.size();) {
    for (auto& socket : sockets_) socket->handle();
    usleep(1000);
  }
  return std::move(outcome_);
}

}  // namespace cardea::load
