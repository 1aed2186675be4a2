// A thread of plugins' own media (cardea/processor.hpp): it stands among the workers, so that packets come to it and go
// from it by the same rings and the same commands, but has no socket. Its machines are made by plugins: what they throw
// ends the machine, and how long they take delays nobody but those on the same thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "cardea/mailbox.hpp"
#include "cardea/processor.hpp"
#include "rtp/packet.hpp"
#include "worker/event_loop.hpp"
#include "worker/packet_ring.hpp"
#include "worker/worker.hpp"

namespace cardea::worker {

class ProcessorThread final : public Worker {
public:
  // index: among all workers; it follows those of the media workers. Events outlive the thread.
  ProcessorThread(uint16_t index, Mailbox<WorkerEvent>& events);
  ~ProcessorThread() override;

  void start(const std::vector<Worker*>& all) override;
  void stop() override;
  void post(Command command) override { mailbox_.post(std::move(command)); }
  uint16_t port() const override { return 0; }
  PacketRing* ring_from(uint16_t worker) override { return worker < rings_.size() ? rings_[worker].get() : nullptr; }

private:
  static constexpr Duration stats_interval = 1s;
  // Packets wait in their rings this long at most: a machine looks at them when it ticks, and a wake-up for each would
  // cost more than the packets.
  static constexpr Duration longest_wait = 5ms;
  static constexpr size_t max_packets = 4096;    // of one ring in one turn
  static constexpr size_t max_events = 16'384;   // that wait for control: beyond it calls are dropped
  static constexpr uint16_t max_outputs = 4096;  // of one machine
  static constexpr Duration keyframe_gap = 100ms;

  // One running machine, and what it is given to ask for.
  class Machine final : public MediaOut {
  public:
    Machine(ProcessorThread& thread, PeerId id, std::unique_ptr<MediaProcessor> made)
        : thread_(thread), id_(id), made_(std::move(made)) {}

    void send(const MediaPacket& packet) override;
    void request_keyframe(uint16_t input) override;
    void post(std::function<void()> call) override;

    PeerId id() const { return id_; }
    MediaProcessor& made() { return *made_; }
    Time next_deadline() const { return failed ? never : deadline_; }

    struct Input {
      ReceiverId from;
      Time asked{};  // for a keyframe
    };
    struct Output {
      rtp::SeqNo seq = 0;
      uint32_t ssrc = 0;
      std::vector<uint16_t> to;  // workers
    };
    std::map<uint16_t, Input> inputs;
    std::vector<Output> outputs;  // as far as anybody listened to one
    bool failed = false;          // it threw: to be forgotten

    // Calls into the machine. What it throws ends it.
    template <class Call>
    void guarded(Call&& call);

  private:
    // given
    ProcessorThread& thread_;
    const PeerId id_;
    // owned
    std::unique_ptr<MediaProcessor> made_;
    // state
    Time deadline_ = never;
  };
  struct Sink {
    Machine* machine;
    uint16_t input;
    std::array<uint32_t, 4> streams;  // of each layer, that came last; 0: none
  };

  void run();
  void turn();
  Time wake_at() const;
  void run_commands();
  void take_packets();
  void deliver(const MirroredPacket& packet);
  void tick();
  void forget_failed();
  void tell_stats();

  void handle(StartProcessor& command);
  void handle(CallProcessor& command);
  void handle(ClosePeer& command);
  void handle(Forward& command);
  void handle(StopForward& command);
  void handle(Mirror& command);
  void handle(RequestKeyframe& command);
  template <class Other>
  void handle(Other& command);  // for media workers only

  Machine* find(PeerId id);
  Machine::Output* output(ReceiverId id);
  void listen(Machine& machine, uint16_t input, ReceiverId from);
  void ignore(Machine& machine, uint16_t input);
  void remove(PeerId id);

  // given
  const uint16_t index_;
  Mailbox<WorkerEvent>& events_;
  std::vector<Worker*> all_;
  // owned
  Mailbox<Command> mailbox_;
  std::vector<std::unique_ptr<PacketRing>> rings_;  // by the worker that writes; this thread's own too
  EventLoop loop_;
  SystemRandom random_;
  std::unordered_map<PeerId, std::unique_ptr<Machine>> machines_;
  std::thread thread_;
  // state: the thread's, but for the atomic
  std::atomic<bool> stopping_{false};
  Time now_{};
  std::unordered_map<ReceiverId, std::vector<Sink>> sinks_;
  std::vector<Command> commands_;
  rtp::Packet outgoing_;
  std::vector<bool> sent_to_;  // workers, in this turn
  WorkerStats stats_;
  Time stats_at_{};
  Duration busy_{};
};

}  // namespace cardea::worker
