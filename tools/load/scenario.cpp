#include "scenario.hpp"

#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <future>
#include <stdexcept>

#include "base/clock.hpp"
#include "cardea/text.hpp"

namespace cardea::load {

struct Scenario::Room {
  uint64_t id = 0;
  std::vector<Member*> publishers, subscribers;
  uint32_t up = 0;       // publishers with media up
  uint32_t begun = 0;    // subscribers
  uint32_t sampled = 0;  // subscribers that check
};

struct Scenario::Member {
  Room* room = nullptr;
  uint64_t handle = 0, feed = 0;
  Time began{};
  bool counted = false;
  std::unique_ptr<Publisher> publisher;
  std::unique_ptr<Subscriber> subscriber;
};

namespace {

std::unique_ptr<secure::DtlsContext> make_dtls(const std::string& srtp) {
  auto certificate = secure::Certificate::make();
  if (!certificate) throw std::runtime_error(certificate.error().reason);
  auto context = secure::DtlsContext::make(*certificate);
  if (!context) throw std::runtime_error(context.error().reason);
  const char* profile = srtp == "cm80"     ? "SRTP_AES128_CM_SHA1_80"
                        : srtp == "gcm256" ? "SRTP_AEAD_AES_256_GCM"
                        : srtp == "gcm128" ? "SRTP_AEAD_AES_128_GCM"
                                           : throw std::runtime_error("srtp is gcm128, gcm256 or cm80");
  SSL_CTX_set_tlsext_use_srtp((*context)->native(), profile);
  return std::move(*context);
}

}  // namespace

void prepare(Shared& shared, const Options& options) {
  if (auto status = secure::init_srtp(secure::CipherChoice::automatic); !status)
    throw std::runtime_error(status.error().reason);
  shared.dtls = make_dtls(options.srtp);
  shared.gro = options.gro;
  auto engine = secure::make_cipher_engine(secure::CipherChoice::automatic);
  if (!engine) throw std::runtime_error(engine.error().reason);
  shared.cipher = std::move(*engine);
}

std::string refusal(JsonView reply) {
  if (reply["error"]) return std::string(reply["error"]["reason"].string());
  return std::string(reply["plugindata"]["data"]["error"].string());
}

Scenario::Scenario(const Options& options)
    : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)), signalling_(options.url) {
  prepare(shared_, options);
  watch(signalling_.fd(), nullptr);
}

Scenario::~Scenario() {
  members_.clear();
  close(epoll_);
}

void Scenario::watch(int fd, Member* member) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = member;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

std::string Scenario::local(bool bulk) {
  if (options_.bind.empty()) return "127.0.0.1";
  if (!bulk || options_.bind.size() == 1) return options_.bind.front();
  return options_.bind[1 + bulk_addresses_++ % (options_.bind.size() - 1)];
}

void Scenario::turn(Duration at_most) {
  std::array<epoll_event, 256> events;
  const int count =
      epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(to_ms(at_most)));
  now_ = Clock::now();
  for (int i = 0; i < count; ++i) {
    auto* member = static_cast<Member*>(events[static_cast<size_t>(i)].data.ptr);
    if (member == nullptr) continue;  // signalling comes last: it may end members
    if (member->publisher) member->publisher->receive(now_);
    if (!member->subscriber) continue;
    member->subscriber->receive(now_);
    if (member->counted || !member->subscriber->has_media()) continue;
    member->counted = true;
    ++outcome_.joined;
    last_media_ = member->subscriber->first_media();
    outcome_.join.add(last_media_ - member->began);
  }
  for (auto& room : rooms_)
    for (Member* member : room->publishers) member->publisher->tick(now_);
  if (now_ >= next_timers_) {
    next_timers_ = now_ + 10ms;
    for (auto& room : rooms_)
      for (Member* member : room->subscribers) member->subscriber->tick(now_);
  }
  begin_joins();
  churn(now_);
  signalling_.handle();
  if (!signalling_.open()) throw std::runtime_error("the server closed the connection");
  if (!failure_.empty()) throw std::runtime_error(failure_);
}

bool Scenario::wait(Duration at_most, const char* what, bool (Scenario::*done)()) {
  const Time end = Clock::now() + at_most;
  while (!(this->*done)()) {
    turn(1ms);
    if (now_ > end)
      throw std::runtime_error(text("waited ", to_ms(at_most), " ms in vain until ", what, "; ", outcome_.joined,
                                    " of ", to_join_, " subscribers have media"));
  }
  return true;
}

bool Scenario::all_up() {
  return std::all_of(rooms_.begin(), rooms_.end(), [&](auto& room) { return room->up == options_.publishers; });
}

bool Scenario::all_joined() { return outcome_.joined == to_join_; }

void Scenario::open_session() {
  bool open = false;
  signalling_.request(Json::object("janus", "create"), [&](JsonView reply) {
    signalling_.set_session(static_cast<uint64_t>(reply["data"]["id"].integer()));
    open = true;
  });
  for (int i = 0; i < 5000 && !open; ++i) turn(1ms);
  if (!open) throw std::runtime_error("no session");
}

void Scenario::create_rooms() {
  uint32_t created = 0;
  for (uint32_t i = 0; i < options_.rooms; ++i) {
    rooms_.push_back(std::make_unique<Room>());
    rooms_.back()->id = options_.first_room + i;
  }
  signalling_.request(Json::object("janus", "attach", "plugin", options_.plugin), [&](JsonView reply) {
    if (!reply["data"]) {
      failure_ = "attach: " + refusal(reply);
      return;
    }
    const auto handle = static_cast<uint64_t>(reply["data"]["id"].integer());
    for (auto& room : rooms_) {
      Json body = Json::object("request", "create", "room", room->id, "publishers", options_.publishers, "audiocodec",
                               "opus", "videocodec", "vp8", "bitrate", 0);
      signalling_.request(Json::object("janus", "message", "handle_id", handle, "body", std::move(body)),
                          [&](JsonView) { ++created; });  // one that exists from a run before is as good
    }
  });
  for (int i = 0; i < 10000 && created < rooms_.size(); ++i) turn(1ms);
  if (created < rooms_.size()) throw std::runtime_error("rooms were not created");
}

void Scenario::begin_publisher(Room& room) {
  auto& member = *members_.emplace_back(std::make_unique<Member>());
  member.room = &room;
  member.publisher = std::make_unique<Publisher>(shared_, options_, local(false));
  room.publishers.push_back(&member);
  watch(member.publisher->peer().fd(), &member);
  signalling_.request(Json::object("janus", "attach", "plugin", options_.plugin), [&](JsonView reply) {
    attached_publisher(member, static_cast<uint64_t>(reply["data"]["id"].integer()));
  });
}

void Scenario::attached_publisher(Member& member, uint64_t handle) {
  member.handle = handle;
  signalling_.listen(handle, [this, &member](JsonView event) {
    if (event["janus"].string() != "webrtcup") return;
    ++member.room->up;
    member.publisher->start(now_);
  });
  Json join = Json::object("request", "join", "room", member.room->id, "ptype", "publisher", "display", "load");
  signalling_.request(Json::object("janus", "message", "handle_id", handle, "body", std::move(join)),
                      [this, &member](JsonView reply) {
                        JsonView data = reply["plugindata"]["data"];
                        if (data["videoroom"].string() != "joined") {
                          failure_ = "join: " + refusal(reply);
                          return;
                        }
                        member.feed = static_cast<uint64_t>(data["id"].integer());
                        Json jsep = Json::object("type", "offer", "sdp", member.publisher->offer());
                        signalling_.request(Json::object("janus", "message", "handle_id", member.handle, "body",
                                                         Json::object("request", "publish"), "jsep", std::move(jsep)),
                                            [this, &member](JsonView event) {
                                              auto remote = sdp::parse(event["jsep"]["sdp"].string());
                                              if (!remote || !member.publisher->peer().connect(*remote, now_))
                                                failure_ = "publish: " + refusal(event);
                                            });
                      });
}

void Scenario::begin_subscriber(Room& room) {
  auto& member = *members_.emplace_back(std::make_unique<Member>());
  // The sample is spread over the order of joining: servers serve the last one last.
  const uint32_t stride = options_.first > 0 ? 1 : std::max(1U, options_.subscribers / std::max(1U, options_.sample));
  const bool checks = room.sampled < options_.sample && room.begun++ % stride == stride / 2;
  if (checks) ++room.sampled;
  member.room = &room;
  member.began = now_;
  member.subscriber = std::make_unique<Subscriber>(shared_, options_, local(!checks), checks, outcome_.received);
  room.subscribers.push_back(&member);
  watch(member.subscriber->peer().fd(), &member);
  if (first_attach_ == Time{}) first_attach_ = now_;
  signalling_.request(Json::object("janus", "attach", "plugin", options_.plugin), [&](JsonView reply) {
    attached_subscriber(member, static_cast<uint64_t>(reply["data"]["id"].integer()));
  });
}

void Scenario::attached_subscriber(Member& member, uint64_t handle) {
  member.handle = handle;
  Json streams = Json::array();
  for (Member* publisher : member.room->publishers) streams.append(Json::object("feed", publisher->feed));
  Json join =
      Json::object("request", "join", "room", member.room->id, "ptype", "subscriber", "streams", std::move(streams));
  signalling_.request(Json::object("janus", "message", "handle_id", handle, "body", std::move(join)),
                      [this, &member](JsonView reply) {
                        std::string answer = member.subscriber->answer(reply["jsep"]["sdp"].string(), now_);
                        if (answer.empty()) {
                          failure_ = "subscribe: " + refusal(reply);
                          return;
                        }
                        signalling_.request(Json::object("janus", "message", "handle_id", member.handle, "body",
                                                         Json::object("request", "start"), "jsep",
                                                         Json::object("type", "answer", "sdp", answer)),
                                            [](JsonView) {});
                      });
}

void Scenario::begin_joins() {
  while (joining_next_ < to_join_ && now_ >= next_join_) {
    begin_subscriber(*rooms_[joining_next_++ % rooms_.size()]);
    if (options_.join_rate > 0) next_join_ = std::max(next_join_, now_ - 10ms) + Duration(1s) / options_.join_rate;
  }
}

void Scenario::churn(Time now) {
  if (now < next_churn_) return;
  next_churn_ += Duration(1s) / options_.churn;
  // The oldest subscriber outside the sample that is complete goes, and another one comes.
  Room& room = *rooms_[outcome_.churned % rooms_.size()];
  auto leaver = std::find_if(room.subscribers.begin(), room.subscribers.end(),
                             [](Member* m) { return m->counted && !m->subscriber->checks(); });
  if (leaver == room.subscribers.end()) return;
  Member* member = *leaver;
  room.subscribers.erase(leaver);
  signalling_.request(Json::object("janus", "detach", "handle_id", member->handle), [](JsonView) {});
  members_.remove_if([&](const auto& one) { return one.get() == member; });
  ++outcome_.churned;
  begin_subscriber(room);
}

uint64_t Scenario::sent_times_subscribers() const {
  uint64_t sum = 0;
  for (const auto& room : rooms_)
    for (const Member* publisher : room->publishers)
      sum += publisher->publisher->packets_sent() * room->subscribers.size();
  return sum;
}

void Scenario::run_signalling(Outcome& outcome) {
  // `signalling` requests are always under way: the cheapest one that a plugin answers.
  uint64_t handle = 0;
  signalling_.request(Json::object("janus", "attach", "plugin", options_.plugin),
                      [&](JsonView reply) { handle = static_cast<uint64_t>(reply["data"]["id"].integer()); });
  while (handle == 0) turn(1ms);
  bool over = false;
  std::function<void(JsonView)> next = [&](JsonView) {
    ++outcome.requests;
    if (over) return;
    signalling_.request(
        Json::object("janus", "message", "handle_id", handle, "body", Json::object("request", "exists", "room", 1234)),
        next);
  };
  for (uint32_t i = 0; i < options_.signalling; ++i) next(JsonView());
  const ProcessUse before = process_use(options_.pid);
  outcome.requests = 0;
  const Time began = Clock::now();
  while (Clock::now() - began < options_.measure) turn(1ms);
  outcome.cpu_seconds = process_use(options_.pid).cpu_seconds - before.cpu_seconds;
  outcome.seconds = static_cast<double>(to_us(Clock::now() - began)) / 1e6;
  const uint64_t counted = outcome.requests;
  over = true;
  while (signalling_.pending() > 0) turn(1ms);
  outcome.requests = counted;
}

// Some join before the others and tell what those do to media that flows.
void Scenario::join_first() {
  to_join_ = options_.rooms * std::min(options_.first, options_.subscribers);
  wait(options_.join_timeout, "the first subscribers have media", &Scenario::all_joined);
  for (const Time end = now_ + options_.warm_up; now_ < end;) turn(1ms);
  outcome_.join.clear();
  first_attach_ = {};
  measure(true);
}

// In a child, while media flows on.
void Scenario::run_command() {
  auto status = std::async(std::launch::async, [this] { return std::system(options_.after_join.c_str()); });
  while (status.wait_for(0s) != std::future_status::ready) turn(1ms);
  if (status.get() != 0) throw std::runtime_error("the command after joining failed: " + options_.after_join);
}

void Scenario::measure(bool on) {
  for (auto& room : rooms_)
    for (Member* member : room->subscribers) member->subscriber->measure(on);
}

Outcome Scenario::run() {
  const ProcessUse at_first = process_use(options_.pid);
  outcome_.resident_before = at_first.resident_bytes;
  outcome_.descriptors_before = at_first.descriptors;
  open_session();
  if (options_.signalling > 0) {
    run_signalling(outcome_);
    return std::move(outcome_);
  }
  create_rooms();
  for (auto& room : rooms_)
    for (uint32_t i = 0; i < options_.publishers; ++i) begin_publisher(*room);
  wait(options_.join_timeout, "all publishers are up", &Scenario::all_up);
  if (options_.first > 0) join_first();
  next_join_ = now_;
  to_join_ = options_.rooms * options_.subscribers;
  const double before_joins = process_use(options_.pid).cpu_seconds;
  wait(options_.join_timeout, "all subscribers have media", &Scenario::all_joined);
  outcome_.joining_cpu_seconds = process_use(options_.pid).cpu_seconds - before_joins;
  outcome_.all_joined = last_media_ - first_attach_;
  if (options_.first > 0) {
    for (const Time end = now_ + 300ms; now_ < end;) turn(1ms);
    measure(false);
    outcome_.early = std::exchange(outcome_.received, {});
  }
  if (!options_.after_join.empty()) run_command();
  for (const Time end = now_ + options_.warm_up; now_ < end;) turn(1ms);

  measure(true);
  const ProcessUse before = process_use(options_.pid), own_before = process_use(getpid());
  outcome_.resident_with_all = before.resident_bytes;
  outcome_.descriptors_with_all = before.descriptors;
  const uint64_t sent_before = sent_times_subscribers();
  const Time began = now_;
  if (options_.churn > 0) next_churn_ = now_;
  while (now_ - began < options_.measure) turn(1ms);
  const ProcessUse after = process_use(options_.pid);
  outcome_.cpu_seconds = after.cpu_seconds - before.cpu_seconds;
  outcome_.resident_measured = after.resident_bytes;
  outcome_.descriptors_measured = after.descriptors;
  outcome_.own_cpu_seconds = process_use(getpid()).cpu_seconds - own_before.cpu_seconds;
  outcome_.forwarded = sent_times_subscribers() - sent_before;
  outcome_.seconds = static_cast<double>(to_us(now_ - began)) / 1e6;
  next_churn_ = never;
  for (const Time end = now_ + 300ms; now_ < end;) turn(1ms);  // what is on its way, and NACKs
  outcome_.publishers = options_.rooms * options_.publishers;
  outcome_.subscribers = to_join_;
  for (const auto& member : members_)
    if (member->subscriber) outcome_.received.undecryptable += member->subscriber->peer().undecryptable();

  bool destroyed = false;
  signalling_.request(Json::object("janus", "destroy"), [&](JsonView) { destroyed = true; });
  for (const Time end = now_ + 5s; now_ < end && !destroyed;) turn(1ms);
  for (const Time end = now_ + 500ms; now_ < end;) turn(1ms);
  const ProcessUse at_last = process_use(options_.pid);
  outcome_.resident_after = at_last.resident_bytes;
  outcome_.descriptors_after = at_last.descriptors;
  return std::move(outcome_);
}

}  // namespace cardea::load
