// The control plane: it owns sessions, plugins and transports, the APIs that requests are asked of, and the turn.
// Requests come in from the transports, events from the media workers; a turn takes what waits, one after the other,
// and what each caused has happened before the next. Turns are taken one at a time: by the control thread (run()), or
// by the thread of a transport that brings requests, which then needs to wake nobody and to wait for nobody's answer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/random.hpp"
#include "control/admin_api.hpp"
#include "control/api_context.hpp"
#include "control/client_api.hpp"
#include "control/inbox.hpp"
#include "control/peers.hpp"
#include "control/services.hpp"
#include "control/timers.hpp"

namespace cardea::control {

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
  void use_log(LogSink& log) { log_ = &log; }  // whose level operators may change
  Status start();                              // plugins, then transports

  // The control thread: sleeps and takes turns until stop_fd is readable.
  void run(int stop_fd);
  // Everything that waits, and the timers that are due. Not by two threads at once. `wall`: what the real clock says.
  void turn(Time now, Time wall);
  Time next_deadline() const;

  // Ends all sessions, with a word to their clients, and stops the modules.
  void stop();

  // For statistics and tests.
  const Transports& transports() const { return transports_; }
  const Peers* peers() const { return peers_.get(); }
  const Limits& limits() const { return limits_; }
  size_t session_count() const { return sessions_.count(); }
  size_t handle_count() const { return sessions_.handle_count(); }
  size_t timer_count() const { return timers_.size(); }

private:
  template <class What>
  void step(What&& what);
  void take(Incoming& incoming);
  void receive(Incoming& incoming);
  Result<std::optional<Json>> answer(const Incoming& incoming, const Envelope& envelope);
  void on_event(const worker::WorkerEvent& event);
  void on_gone(Connection connection);
  void sweep();
  void flush_transports();
  void take_turn();
  void settle();
  void settle_one();
  void deliver(Pushed pushed);
  void end(const Ending& ending);

  // owned; what plugins may use while they end stands before them
  Settings settings_;  // operators change some of them
  Random& random_;
  Inbox inbox_;
  Mailbox<worker::WorkerEvent> events_;
  Calls calls_;
  Limits limits_;
  Auth auth_;
  Time now_, wall_;
  FilesThread files_;
  Timers timers_;
  Turn turn_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<House> house_;
  Plugins plugins_;
  Transports transports_;
  Sessions sessions_;
  bool accepts_sessions_ = true;
  LogSink* log_ = nullptr;
  ApiContext context_;
  ClientApi client_api_;
  AdminApi admin_api_;
  // state
  std::mutex turns_;     // held by whoever takes one, and while starting and stopping
  Time sleeps_until_{};  // the control thread, if nothing comes
  struct Opened {
    ClientAddress address;
    Lasts lasts = Lasts::until_gone;
  };
  std::map<Connection, Opened> opened_;  // the connections that there are
  Time next_sweep_;
  bool started_ = false;
  size_t plugins_started_ = 0, transports_started_ = 0;
  std::vector<Incoming> requests_taken_;
  std::vector<worker::WorkerEvent> events_taken_;
  std::vector<std::function<void()>> calls_taken_;
};

}  // namespace cardea::control
