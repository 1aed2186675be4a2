#include "control/gateway.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "cardea/log.hpp"

namespace cardea::control {
namespace {

constexpr size_t requests_at_once = 64;  // their replies leave before more are looked at
constexpr Duration sweep_interval = 1s;  // sessions end at most this late

}  // namespace

Gateway::Gateway(const Settings& settings, Random& random, Time now)
    : settings_(settings), random_(random), limits_(settings_.limits),
      auth_(settings.general.api_secret, settings.general.token_auth, settings.general.token_auth_secret), now_(now),
      wall_(now),
      sessions_(settings_.general, transports_, limits_, random_), context_{settings_,   auth_,  limits_,
                                                                            sessions_,   turn_,  plugins_,
                                                                            transports_, peers_, house_,
                                                                            now_,        wall_,  accepts_sessions_,
                                                                            log_},
      client_api_(context_), admin_api_(context_, calls_), next_sweep_(now + sweep_interval) {}

Gateway::~Gateway() {
  stop();
  files_.stop();
  admin_api_.stop();
  // These hold functions of the plugins.
  timers_.clear();
  calls_.take(calls_taken_);
  calls_taken_.clear();
}

Plugin* Gateway::add_plugin(const CardeaModule& door) {
  LoadedPlugin loaded;
  loaded.door = &door;
  loaded.services =
      std::make_unique<PluginServices>(PluginServices::Core{peers_, timers_, random_, auth_, now_, wall_,
                                                            settings_.general.state_folder, calls_, files_},
                                       door.package);
  void* made = door.create(static_cast<Services*>(loaded.services.get()), log::sink.load());
  if (made == nullptr) return nullptr;
  loaded.plugin.reset(static_cast<Plugin*>(made));
  return plugins_.emplace_back(std::move(loaded)).plugin.get();
}

Transport* Gateway::add_transport(const CardeaModule& door) {
  LoadedTransport loaded;
  loaded.door = &door;
  auto make_folder = [this, &door] { return make_state_folder(settings_.general.state_folder, door.package); };
  loaded.host = std::make_unique<TransportDoor>(
      inbox_, transports_.size(), [this] { take_turn(); }, make_folder, settings_.general.pages_folder,
      !settings_.general.admin_secret.empty());
  void* made = door.create(static_cast<TransportHost*>(loaded.host.get()), log::sink.load());
  if (made == nullptr) return nullptr;
  loaded.transport.reset(static_cast<Transport*>(made));
  return transports_.emplace_back(std::move(loaded)).transport.get();
}

void Gateway::use_media(std::vector<worker::Worker*> workers, LocalMedia local, worker::DataDoor* data,
                        size_t processors) {
  peers_ = std::make_unique<Peers>(std::move(workers), std::move(local), random_, data, processors);
  house_ = std::make_unique<House>(House{.peers = *peers_,
                                         .turn = turn_,
                                         .random = random_,
                                         .limits = limits_,
                                         .now = now_,
                                         .opaque_id_in_api = settings_.general.opaqueid_in_api,
                                         .media_seconds = settings_.media.no_media_timer > 1});
}

Status Gateway::start() {
  std::lock_guard lock(turns_);
  for (LoadedPlugin& loaded : plugins_) {
    Status status = Error{0, text(loaded.door->package, " failed")};
    guarded(loaded.door->package, [&] { status = loaded.plugin->start(); });
    if (!status) return status;
    ++plugins_started_;
    settle();
  }
  started_ = true;
  for (LoadedTransport& loaded : transports_) {
    if (Status status = loaded.transport->start(); !status) return status;
    ++transports_started_;
  }
  return {};
}

void Gateway::run(int stop_fd) {
  std::array<pollfd, 4> fds{pollfd{inbox_.fd(), POLLIN, 0}, pollfd{events_.fd(), POLLIN, 0},
                            pollfd{calls_.fd(), POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
  std::unique_lock lock(turns_);
  sleeps_until_ = next_deadline();
  while ((fds.back().revents & POLLIN) == 0) {
    // Rounded up: a deadline that is half a millisecond away is not worth a spin.
    int64_t wait_ms = std::clamp<int64_t>(to_ms(sleeps_until_ - Clock::now()) + 1, 0, 60'000);
    lock.unlock();
    const int ready = poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
    lock.lock();
    if (ready >= 0) turn(Clock::now(), Clock::wall());
    sleeps_until_ = next_deadline();
  }
}

// On a transport's thread. It never waits for a turn of others: those may wait for it to end.
void Gateway::take_turn() {
  std::unique_lock lock(turns_, std::try_to_lock);
  if (!lock) return inbox_.wake();
  turn(Clock::now(), Clock::wall());
  if (next_deadline() < sleeps_until_) inbox_.alarm();  // a timer was set that the control thread does not know of
}

Time Gateway::next_deadline() const { return std::min(timers_.next_deadline(), next_sweep_); }

// One thing that a turn does, with all that it causes. What is thrown, by whatever it is (there may be no more memory),
// ends this one thing and no other.
template <class What>
void Gateway::step(What&& what) {
  guarded("control", what);
  settle();
}

void Gateway::turn(Time now, Time wall) {
  now_ = now;
  wall_ = wall;
  events_.take(events_taken_);
  for (const worker::WorkerEvent& event : events_taken_) step([&] { on_event(event); });
  inbox_.take(requests_taken_);
  for (size_t i = 0; i < requests_taken_.size(); ++i) {
    step([&] { take(requests_taken_[i]); });
    if ((i + 1) % requests_at_once == 0) flush_transports();
  }
  calls_.take(calls_taken_);
  for (const auto& call : calls_taken_) step(call);
  calls_taken_.clear();
  TimerId newest = timers_.newest();
  while (auto call = timers_.take(now_, newest)) step(call);
  if (now_ >= next_sweep_) sweep();
  if (peers_) guarded("control", [this] { peers_->flush_data(); });
  flush_transports();
}

void Gateway::flush_transports() {
  for (LoadedTransport& loaded : transports_) guarded(loaded.door->package, [&] { loaded.transport->flush(); });
}

// What transports bring

void Gateway::take(Incoming& in) {
  switch (in.what) {
  case Incoming::What::opened: opened_[in.from] = {in.address, in.lasts}; break;
  case Incoming::What::gone: on_gone(in.from); break;
  case Incoming::What::request:
  case Incoming::What::too_many: receive(in); break;
  }
}

void Gateway::receive(Incoming& in) {
  if (auto opened = opened_.find(in.from); opened != opened_.end()) {
    in.address = opened->second.address;
    if (opened->second.lasts == Lasts::one_request) opened_.erase(opened);
  }
  Transport& transport = *transports_[in.from.transport].transport;
  auto refuse = [&](const Error& error, std::optional<std::string_view> transaction) {
    transport.send(in.from.id, in.tag, error_reply(error, named_session(in.request), transaction));
  };
  if (in.what == Incoming::What::too_many)
    return refuse({code::too_many, "Too many requests of this connection wait, some were dropped"}, std::nullopt);
  auto envelope = open_envelope(in.request);
  if (!envelope) return refuse(envelope.error(), std::nullopt);
  auto reply = answer(in, *envelope);
  if (!reply) return refuse(reply.error(), envelope->transaction);
  if (*reply) transport.send(in.from.id, in.tag, std::move(**reply));
}

Result<std::optional<Json>> Gateway::answer(const Incoming& in, const Envelope& envelope) {
  Result<std::optional<Json>> reply = Error{code::unknown_error, "The gateway failed at this request"};
  guarded("control", [&] {
    if (in.api == Api::admin) {
      reply = admin_api_.answer(in, envelope);
    } else {
      auto answered = client_api_.answer(in, envelope);
      if (answered)
        reply = std::optional(std::move(*answered));
      else
        reply = answered.error();
    }
  });
  return reply;
}

void Gateway::on_gone(Connection connection) {
  opened_.erase(connection);
  for (SessionId id : sessions_.disown(connection)) sessions_.end(id, Sessions::Farewell::none);
}

// Worker events

void Gateway::on_event(const worker::WorkerEvent& event) {
  if (const auto* stats = std::get_if<worker::WorkerStats>(&event)) {
    peers_->note(*stats);
    return;
  }
  if (const auto* stats = std::get_if<data::DataStats>(&event)) {
    peers_->note(*stats);
    return;
  }
  if (const auto* stats = std::get_if<worker::PeersDataStats>(&event)) {
    peers_->note(*stats);
    return;
  }
  if (const auto* told = std::get_if<data::DataEvent>(&event)) {
    const PeerId peer = data::peer_of(*told);
    if (ClientHandle* handle = sessions_.find(peers_->owner(peer))) handle->on_data(*told);
    if (const size_t weight = data::weight(*told); weight > 0) peers_->tell_data(worker::EventsTaken{peer, weight});
    return;
  }
  if (const auto* call = std::get_if<worker::ProcessorCall>(&event)) {
    if (peers_->alive(call->processor)) guarded("processor", call->call);
    return;
  }
  const auto& peer_event = std::get<peer::PeerEvent>(event);
  PeerId peer = std::visit(
      [](const auto& one) {
        if constexpr (requires { one.receiver; })
          return one.receiver.peer;
        else if constexpr (requires { one.sender; })
          return one.sender.peer;
        else
          return one.peer;
      },
      peer_event);
  if (ClientHandle* handle = sessions_.find(peers_->owner(peer))) handle->on_peer(peer_event);
}

void Gateway::sweep() {
  next_sweep_ = now_ + sweep_interval;
  for (SessionId id : sessions_.overdue(now_)) step([&] { sessions_.end(id, Sessions::Farewell::timeout); });
  if (uint64_t dropped = inbox_.take_dropped(); dropped > 0)
    log::error("control", dropped, " requests were dropped: too many are waiting");
  limits_.sweep(now_);
}

// The end of a turn

void Gateway::settle() {
  while (!turn_.outgoing.empty() || !turn_.endings.empty()) guarded("control", [this] { settle_one(); });
  if (peers_) guarded("control", [this] { peers_->flush(); });
}

void Gateway::settle_one() {
  if (!turn_.outgoing.empty()) {
    auto next = std::move(turn_.outgoing.front());
    turn_.outgoing.pop_front();
    if (auto* pushed = std::get_if<Pushed>(&next)) {
      deliver(std::move(*pushed));
    } else if (const auto* negotiated = std::get_if<Negotiated>(&next)) {
      if (ClientHandle* handle = sessions_.find(negotiated->handle)) handle->on_negotiated();
    } else {
      auto& notice = std::get<Notice>(next);
      if (const Session* session = sessions_.find(notice.session)) sessions_.send(*session, std::move(notice.message));
    }
    return;
  }
  const Ending ending = std::move(turn_.endings.front());
  turn_.endings.pop_front();
  if (peers_) peers_->flush();
  end(ending);
}

void Gateway::end(const Ending& ending) {
  ClientHandle* handle = sessions_.find(ending.handle);
  if (ending.of == Ending::Of::session)
    sessions_.end(ending.session, Sessions::Farewell::none);
  else if (handle != nullptr && ending.of == Ending::Of::handle)
    sessions_.end(*handle, turn_);
  else if (handle != nullptr)
    handle->hang_up(ending.reason);
}

void Gateway::deliver(Pushed pushed) {
  ClientHandle* handle = sessions_.find(pushed.handle);
  if (handle == nullptr) return;
  const std::optional<std::string> transaction = pushed.event.transaction;
  Status described;
  Json event = handle->event(std::move(pushed.event), described);
  const Session& session = *sessions_.find(handle->session_id());
  sessions_.send(session, std::move(event));
  // The plugin's words went out without its offer or answer: the client has to know.
  if (!described) {
    Json error = error_reply(described.error(), session.id, transaction);
    sessions_.send(session, std::move(error.set("sender", handle->id().value)));
  }
}

void Gateway::stop() {
  std::lock_guard lock(turns_);
  if (!std::exchange(started_, false)) return;
  for (const auto& [id, session] : sessions_.all())
    for (const auto& [number, handle] : session->handles) handle->ask_to_hang_up("Gateway stops");
  settle();
  while (sessions_.count() > 0)
    step([this] { sessions_.end(sessions_.all().begin()->first, Sessions::Farewell::timeout); });
  for (; transports_started_ > 0; --transports_started_) transports_[transports_started_ - 1].transport->stop();
  for (; plugins_started_ > 0; --plugins_started_) {
    const LoadedPlugin& loaded = plugins_[plugins_started_ - 1];
    guarded(loaded.door->package, [&] { loaded.plugin->stop(); });
  }
  admin_api_.stop();
  files_.stop();
  // The workers may go now: what plugins still hold of them leads nowhere.
  house_.reset();
  peers_.reset();
}

}  // namespace cardea::control
