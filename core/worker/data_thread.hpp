// The thread of all data channels: usrsctp's state is the process's, so every association lives here. Packets come from
// the workers and go back to them; messages go to the control thread and come from it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cardea/mailbox.hpp"
#include "data/association.hpp"
#include "worker/commands.hpp"
#include "worker/data_commands.hpp"
#include "worker/event_loop.hpp"
#include "worker/worker.hpp"

namespace cardea::worker {

class DataThread final : public DataDoor {
public:
  // Packets that wait beyond this are dropped: the thread is then seconds behind.
  static constexpr size_t max_waiting_bytes = 32 << 20;

  DataThread(data::SctpSettings settings, Mailbox<WorkerEvent>& events);
  ~DataThread();
  DataThread(const DataThread&) = delete;
  DataThread& operator=(const DataThread&) = delete;

  // The workers outlive the thread.
  void start(std::vector<Worker*> workers);
  void stop();
  void post(DataCommand command) override;
  void post_all(std::vector<DataCommand>& commands) override { (void)mailbox_.post_all(commands); }

private:
  static constexpr Duration stats_interval = 1s;
  static constexpr Duration longest_hold = 10ms;
  static constexpr uint64_t busy_above = 50;  // messages sent from one tick to the next, that is within 10 ms

  void run();
  template <class Step>
  void guarded(PeerId peer, Step step);  // what it throws ends the peer's association, or only the step
  void turn();
  void tick();
  void flush();
  void tell_stats();
  template <class Function>
  void with(PeerId peer, Function&& function);  // counts a stale one
  void handle(StartData& command);
  void handle(StopData& command);
  void handle(data::Records& records);
  void flush_packets();
  void handle(SendMessage& command);
  void handle(OpenChannel& command);
  void handle(CloseChannel& command);
  void handle(EventsTaken& command);

  // given
  const data::SctpSettings settings_;
  Mailbox<WorkerEvent>& events_;
  std::vector<Worker*> workers_;
  // owned
  Mailbox<DataCommand> mailbox_;
  EventLoop loop_;
  std::unique_ptr<data::SctpStack> stack_;
  std::unordered_map<PeerId, std::unique_ptr<data::Association>> associations_;
  std::thread thread_;
  // state: the thread's, but for the atomics
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> waiting_bytes_{0};
  std::atomic<uint64_t> dropped_packets_{0};
  Time now_{};
  data::Output output_;
  std::vector<DataCommand> commands_;
  std::vector<WorkerEvent> told_;
  std::vector<uint64_t> stirred_;
  PeersDataStats news_;  // of peers that ended since the last report
  // By the number that the stack knows. The association may not be made yet.
  struct Owner {
    PeerId peer;
    data::Association* association = nullptr;
  };
  std::unordered_map<uint64_t, Owner> owners_;
  uint64_t sent_before_ = 0;  // messages, at the last tick
  bool busy_ = false;         // messages wait for the tick and share packets
  uint64_t next_number_ = 0;
  Time stats_at_{};
};

}  // namespace cardea::worker
