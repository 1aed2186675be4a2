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
    : settings_(settings), random_(random),
      auth_(settings.general.api_secret, settings.general.token_auth ? settings.general.token_auth_secret : ""),
      now_(now), next_sweep_(now + sweep_interval) {}

Gateway::~Gateway() {
  stop();
  files_.stop();
  // These hold functions of the plugins.
  timers_.clear();
  calls_.take(calls_taken_);
  calls_taken_.clear();
}

Plugin* Gateway::add_plugin(const CardeaModule& door) {
  LoadedPlugin loaded;
  loaded.door = &door;
  loaded.services = std::make_unique<PluginServices>(
      PluginServices::Core{peers_, timers_, random_, auth_, now_, settings_.general.state_folder, calls_, files_},
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
    if (ready >= 0) turn(Clock::now());
    sleeps_until_ = next_deadline();
  }
}

// On a transport's thread. It never waits for a turn of others: those may wait for it to end.
void Gateway::take_turn() {
  std::unique_lock lock(turns_, std::try_to_lock);
  if (!lock) return inbox_.wake();
  turn(Clock::now());
  if (next_deadline() < sleeps_until_) inbox_.alarm();  // a timer was set that the control thread does not know of
}

Time Gateway::next_deadline() const { return std::min(timers_.next_deadline(), next_sweep_); }

void Gateway::turn(Time now) {
  now_ = now;
  events_.take(events_taken_);
  for (const worker::WorkerEvent& event : events_taken_) {
    on_event(event);
    settle();
  }
  inbox_.take(requests_taken_);
  for (size_t i = 0; i < requests_taken_.size(); ++i) {
    Incoming& incoming = requests_taken_[i];
    switch (incoming.what) {
    case Incoming::What::opened: on_opened(incoming); break;
    case Incoming::What::gone: on_gone(incoming.from); break;
    case Incoming::What::request: receive(std::move(incoming)); break;
    }
    settle();
    if ((i + 1) % requests_at_once == 0) flush_transports();
  }
  calls_.take(calls_taken_);
  for (const auto& call : calls_taken_) {
    call();
    settle();
  }
  TimerId newest = timers_.newest();
  while (auto call = timers_.take(now_, newest)) {
    call();
    settle();
  }
  if (now_ >= next_sweep_) sweep();
  if (peers_) peers_->flush_data();
  flush_transports();
}

void Gateway::flush_transports() {
  for (LoadedTransport& loaded : transports_) loaded.transport->flush();
}

// Requests

void Gateway::receive(Incoming in) {
  Transport& transport = *transports_[in.from.transport].transport;
  auto envelope = open_envelope(in.request);
  if (!envelope) {
    transport.send(in.from.id, in.tag, error_reply(envelope.error(), named_session(in.request), std::nullopt));
    return;
  }
  if (auto opened = opened_.find(in.from); opened != opened_.end()) {
    in.address = opened->second.address;
    if (opened->second.lasts == Lasts::one_request) opened_.erase(opened);
  }
  auto reply = in.api == Api::client ? client_request(in, *envelope) : admin_request(in, *envelope);
  if (!reply) reply = error_reply(reply.error(), envelope->session, envelope->transaction);
  transport.send(in.from.id, in.tag, std::move(*reply));
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
    if (ClientHandle* handle = find_handle(peers_->owner(peer))) handle->on_data(*told);
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
  if (ClientHandle* handle = find_handle(peers_->owner(peer))) handle->on_peer(peer_event);
}

// Sessions and handles

void Gateway::own(Session& session, Connection connection) {
  session.owner = connection;
  owned_[connection].insert(session.id);
  transports_[connection.transport].transport->session_owned(connection.id, session.id);
}

void Gateway::disown(Session& session) {
  if (!session.owner) return;
  auto all = owned_.find(*session.owner);
  if (all != owned_.end()) {
    all->second.erase(session.id);
    if (all->second.empty()) owned_.erase(all);
  }
  session.owner.reset();
}

void Gateway::on_opened(const Incoming& incoming) { opened_[incoming.from] = {incoming.address, incoming.lasts}; }

void Gateway::on_gone(Connection connection) {
  opened_.erase(connection);
  auto found = owned_.find(connection);
  if (found == owned_.end()) return;
  std::set<SessionId> sessions = std::move(found->second);
  owned_.erase(found);
  for (SessionId id : sessions) {
    sessions_[id]->owner.reset();
    if (settings_.general.reclaim_session_timeout == 0) end_session(id, Farewell::none);
  }
}

void Gateway::sweep() {
  next_sweep_ = now_ + sweep_interval;
  const Duration timeout = std::chrono::seconds(settings_.general.session_timeout);
  const Duration reclaim = std::chrono::seconds(settings_.general.reclaim_session_timeout);
  std::vector<SessionId> over;
  for (const auto& [id, session] : sessions_) {
    Duration idle = now_ - session->last_activity;
    if ((timeout > Duration::zero() && idle >= timeout) || (!session->owner && idle >= reclaim)) over.push_back(id);
  }
  for (SessionId id : over) {
    end_session(id, Farewell::timeout);
    settle();
  }
  if (uint64_t dropped = inbox_.take_dropped(); dropped > 0)
    log::error("control", dropped, " requests were dropped: too many are waiting");
  limits_.sweep(now_);
}

void Gateway::end_handle(ClientHandle& handle) {
  HandleId id = handle.id();
  Session& session = *sessions_.at(handle.session_id());
  Json detached = handle.notice("detached");
  handles_.erase(id);
  session.handles.erase(id);
  turn_.outgoing.push_back(Notice{session.id, std::move(detached)});
}

void Gateway::end_session(SessionId id, Farewell farewell) {
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  std::unique_ptr<Session> session = std::move(found->second);
  sessions_.erase(found);  // its events are dropped from here on
  for (auto& [handle, owned] : session->handles) handles_.erase(handle);
  session->handles.clear();
  if (session->owner) {
    Connection owner = *session->owner;
    Transport& transport = *transports_[owner.transport].transport;
    if (farewell == Farewell::timeout) transport.send(owner.id, {}, envelope("timeout", id, std::nullopt));
    transport.session_over(owner.id, id, false);
  }
  disown(*session);
}

ClientHandle* Gateway::find_handle(HandleId id) const {
  auto found = handles_.find(id);
  return found == handles_.end() ? nullptr : found->second;
}

// The end of a turn

void Gateway::settle() {
  for (;;) {
    if (!turn_.outgoing.empty()) {
      auto next = std::move(turn_.outgoing.front());
      turn_.outgoing.pop_front();
      if (auto* pushed = std::get_if<Pushed>(&next)) {
        deliver(std::move(*pushed));
      } else if (const auto* negotiated = std::get_if<Negotiated>(&next)) {
        if (ClientHandle* handle = find_handle(negotiated->handle)) handle->on_negotiated();
      } else {
        auto& notice = std::get<Notice>(next);
        if (auto session = sessions_.find(notice.session); session != sessions_.end())
          send(*session->second, std::move(notice.message));
      }
    } else if (!turn_.endings.empty()) {
      if (peers_) peers_->flush();
      Ending ending = std::move(turn_.endings.front());
      turn_.endings.pop_front();
      ClientHandle* handle = find_handle(ending.handle);
      if (ending.of == Ending::Of::session)
        end_session(ending.session, Farewell::none);
      else if (handle != nullptr && ending.of == Ending::Of::handle)
        end_handle(*handle);
      else if (handle != nullptr)
        handle->hang_up(ending.reason);
    } else {
      break;
    }
  }
  if (peers_) peers_->flush();
}

void Gateway::deliver(Pushed pushed) {
  ClientHandle* handle = find_handle(pushed.handle);
  if (handle == nullptr) return;
  Json event = handle->event(std::move(pushed.event));
  send(*sessions_.at(handle->session_id()), std::move(event));
}

void Gateway::send(const Session& session, Json message) {
  if (session.owner) transports_[session.owner->transport].transport->send(session.owner->id, {}, std::move(message));
}

void Gateway::stop() {
  std::lock_guard lock(turns_);
  if (!std::exchange(started_, false)) return;
  for (const auto& [id, handle] : handles_) handle->hang_up("Gateway stops");
  settle();
  while (!sessions_.empty()) {
    end_session(sessions_.begin()->first, Farewell::timeout);
    settle();
  }
  for (; transports_started_ > 0; --transports_started_) transports_[transports_started_ - 1].transport->stop();
  for (; plugins_started_ > 0; --plugins_started_) {
    const LoadedPlugin& loaded = plugins_[plugins_started_ - 1];
    guarded(loaded.door->package, [&] { loaded.plugin->stop(); });
  }
  files_.stop();
  // The workers may go now: what plugins still hold of them leads nowhere.
  house_.reset();
  peers_.reset();
}

}  // namespace cardea::control
