// The control plane: every request, every session and handle, all plugins. Requests come in from the transports, events
// from the media workers; a turn takes what waits, one after the other, and what each caused has happened before the
// next. Turns are taken one at a time: by the control thread (run()), or by the thread of a transport that brings
// requests, which then needs to wake nobody and to wait for nobody's answer.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "cardea/module.hpp"
#include "control/auth.hpp"
#include "control/envelope.hpp"
#include "control/handle.hpp"
#include "control/inbox.hpp"
#include "control/limits.hpp"
#include "control/peers.hpp"
#include "control/services.hpp"
#include "control/session.hpp"
#include "control/settings.hpp"
#include "control/timers.hpp"

namespace cardea::control {

struct LoadedPlugin {
  const CardeaModule* door = nullptr;
  std::unique_ptr<PluginServices> services;
  std::unique_ptr<Plugin> plugin;
};
struct LoadedTransport {
  const CardeaModule* door = nullptr;
  std::unique_ptr<TransportDoor> host;
  std::unique_ptr<Transport> transport;
};

class Gateway {
public:
  Gateway(const Settings& settings, Random& random, Time now);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // While starting: modules first, then the media, then start(). The doors outlive this.
  // None: the module made nothing, and is forgotten.
  Plugin* add_plugin(const CardeaModule& door);
  Transport* add_transport(const CardeaModule& door);
  Mailbox<worker::WorkerEvent>& worker_events() { return events_; }
  // The last `processors` of the workers are processor threads.
  void use_media(std::vector<worker::Worker*> workers, LocalMedia local, worker::DataDoor* data = nullptr,
                 size_t processors = 0);
  Status start();  // plugins, then transports

  // The control thread: sleeps and takes turns until stop_fd is readable.
  void run(int stop_fd);
  // Everything that waits, and the timers that are due. Not by two threads at once.
  void turn(Time now);
  Time next_deadline() const;

  // Ends all sessions, with a word to their clients, and stops the transports.
  void stop();

  // For info, tests and statistics.
  const std::vector<LoadedPlugin>& plugins() const { return plugins_; }
  const std::vector<LoadedTransport>& transports() const { return transports_; }
  const Settings& settings() const { return settings_; }
  const Auth& auth() const { return auth_; }
  const Peers* peers() const { return peers_.get(); }
  size_t session_count() const { return sessions_.size(); }
  size_t handle_count() const { return handles_.size(); }
  size_t timer_count() const { return timers_.size(); }

private:
  // requests.cpp: a request, checked in the order of the protocol notes
  Result<Json> client_request(Incoming& in, const Envelope& envelope);
  Result<Json> create(const Incoming& in, const Envelope& envelope);
  Result<Json> session_request(Incoming& in, const Envelope& envelope, Session& session);
  Result<Json> handle_request(Incoming& in, const Envelope& envelope, ClientHandle& handle);
  Result<Json> attach(JsonView request, const Envelope& envelope, Session& session);
  Result<Json> message(JsonView request, const Envelope& envelope, ClientHandle& handle);
  Result<ClientHandle*> named_handle(const Envelope& envelope) const;
  void claim(Connection by, Session& session);
  const LoadedPlugin* find_plugin(std::string_view name) const;
  Status may_attach(JsonView token, const LoadedPlugin& plugin, const std::string& name) const;

  // admin.cpp: what operators ask
  Result<Json> admin_request(const Incoming& in, const Envelope& envelope);
  Result<Json> admin_of_server(const Envelope& envelope);
  Result<Json> admin_of_session(const Envelope& envelope, Session& session);
  Result<Json> admin_of_handle(const Envelope& envelope, ClientHandle& handle);
  Json info_of(const ClientHandle& handle) const;

  // gateway.cpp
  void receive(Incoming incoming);
  void on_event(const worker::WorkerEvent& event);
  void on_opened(const Incoming& incoming);
  void on_gone(Connection connection);
  void sweep();
  void flush_transports();
  void take_turn();
  void settle();
  void deliver(Pushed pushed);
  void send(const Session& session, Json message);
  void own(Session& session, Connection connection);
  void disown(Session& session);
  void end_handle(ClientHandle& handle);
  enum class Farewell { none, timeout };
  void end_session(SessionId id, Farewell farewell);
  ClientHandle* find_handle(HandleId id) const;

  // given
  const Settings& settings_;
  Random& random_;
  // owned; what plugins may use while they end stands before them
  Inbox inbox_;
  Mailbox<worker::WorkerEvent> events_;
  Calls calls_;
  Limits limits_;
  Auth auth_;
  Time now_;
  FilesThread files_;
  Timers timers_;
  Turn turn_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<House> house_;
  std::vector<LoadedPlugin> plugins_;
  std::vector<LoadedTransport> transports_;
  // state
  std::mutex turns_;     // held by whoever takes one, and while starting and stopping
  Time sleeps_until_{};  // the control thread, if nothing comes
  std::unordered_map<SessionId, std::unique_ptr<Session>> sessions_;
  std::unordered_map<HandleId, ClientHandle*> handles_;
  std::map<Connection, std::set<SessionId>> owned_;
  struct Opened {
    ClientAddress address;
    Lasts lasts = Lasts::until_gone;
  };
  std::map<Connection, Opened> opened_;
  Time next_sweep_;
  bool started_ = false;
  size_t plugins_started_ = 0, transports_started_ = 0;
  std::vector<Incoming> requests_taken_;
  std::vector<worker::WorkerEvent> events_taken_;
  std::vector<std::function<void()>> calls_taken_;
};

// The answer to "info".
Json server_info(const Gateway& gateway, std::string_view transaction);

}  // namespace cardea::control
