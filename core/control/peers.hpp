// The control thread's view of all peer connections: where each lives and whose it is, and the commands to the workers,
// which are kept until the end of the control turn.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.hpp"
#include "base/random.hpp"
#include "control/placement.hpp"
#include "control/routes.hpp"
#include "sdp/negotiation.hpp"
#include "worker/data_commands.hpp"
#include "worker/worker.hpp"

namespace cardea::control {

// What all our descriptions say of us.
struct LocalMedia {
  sdp::Fingerprint fingerprint;
  std::vector<std::vector<Address>> candidates;  // of each worker, as advertised
  std::string origin_address = "127.0.0.1";
};

class Peers {
public:
  // The workers outlive this: those of media, which peers are placed on, and behind them the processor threads.
  Peers(std::vector<worker::Worker*> workers, LocalMedia local, Random& random, worker::DataDoor* data = nullptr,
        size_t processors = 0);

  // A new id; its worker hears of it by create().
  PeerId open(HandleId owner, std::optional<uint64_t> affinity);
  sdp::LocalParameters local_parameters(PeerId peer);
  sdp::IceCredentials new_credentials();
  // These two go to the worker at once: what is kept for the end of the turn may name the peer's new lines.
  void create(PeerId peer, const sdp::PeerPlan& plan);
  void update(PeerId peer, const sdp::PeerPlan& plan);
  void close(PeerId peer);   // the worker is told, if it knows the peer
  void forget(PeerId peer);  // the worker has forgotten it already

  // A plugin's own media, on a processor thread. None: there is no such thread.
  PeerId start_processor(std::unique_ptr<MediaProcessor> machine, std::optional<uint64_t> affinity);
  void stop_processor(PeerId processor);

  bool alive(PeerId id) const { return home(id).alive(id); }
  HandleId owner(PeerId peer) const;  // none if the peer is gone

  void forward(ReceiverId from, SenderId to);
  void stop_forward(SenderId to) { routes_.stop(to, commands_); }
  // For the worker of a live peer, at the end of the turn; dropped if the peer is gone.
  void tell(PeerId peer, worker::Command command);
  void flush();
  // For the data thread, before anything that is told to workers later, and at the end of the turn at the latest.
  void tell_data(worker::DataCommand command);
  void flush_data();
  bool has_data() const { return data_ != nullptr; }

  void note(const worker::WorkerStats& stats);
  void note(const data::DataStats& stats) { data_stats_ = stats; }
  void note(const worker::PeersDataStats& stats);
  const data::DataStats& data_stats() const { return data_stats_; }
  // Null: the peer has had no data channels yet, or is gone.
  const data::PeerDataStats* data_stats(PeerId peer) const;
  // Of all workers, processor threads too.
  const std::vector<worker::WorkerStats>& stats() const { return stats_; }
  size_t media_workers() const { return workers_.size() - processor_threads_; }
  uint32_t count() const { return placement_.peers(); }
  const Routes& routes() const { return routes_; }
  const LocalMedia& local() const { return local_; }

private:
  static constexpr size_t max_batch = 256;  // then the data thread may begin

  struct Known {
    HandleId owner;
    bool created = false;
    std::optional<data::PeerDataStats> data{};
  };
  void drop(PeerId peer);
  bool is_processor(PeerId id) const { return id.worker >= media_workers(); }
  const Placement& home(PeerId id) const { return is_processor(id) ? processors_ : placement_; }

  // given
  std::vector<worker::Worker*> workers_;
  LocalMedia local_;
  Random& random_;
  worker::DataDoor* const data_;  // none: no data channels
  const size_t processor_threads_;
  // state
  Placement placement_, processors_;
  Routes routes_;
  std::unordered_map<PeerId, Known> known_;
  Commands commands_;
  std::vector<worker::DataCommand> data_commands_;
  std::vector<worker::WorkerStats> stats_;
  data::DataStats data_stats_;
};

}  // namespace cardea::control
