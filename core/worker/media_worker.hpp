// The thread of a media worker: sockets, commands and timers around the peers and the router, turn by turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "ice/stun.hpp"
#include "peer/output.hpp"
#include "peer/peer_connection.hpp"
#include "peer/peer_table.hpp"
#include "peer/router.hpp"
#include "peer/settings.hpp"
#include "secure/cipher.hpp"
#include "secure/dtls.hpp"
#include "worker/data_commands.hpp"
#include "worker/egress.hpp"
#include "worker/event_loop.hpp"
#include "worker/handshake_queue.hpp"
#include "worker/pace.hpp"
#include "worker/packet_ring.hpp"
#include "worker/timer_wheel.hpp"
#include "worker/udp_socket.hpp"
#include "worker/worker.hpp"

namespace cardea::worker {

class MediaWorker final : public Worker {
public:
  MediaWorker(uint16_t index, WorkerSettings settings, secure::DtlsContext& dtls, Mailbox<WorkerEvent>& events,
              DataDoor* data, std::vector<UdpSocket> sockets, std::unique_ptr<secure::CipherEngine> engine,
              std::unique_ptr<FrameSender> frames);
  ~MediaWorker() override;

  void start(const std::vector<Worker*>& all) override;
  void stop() override;
  void post(Command command) override { (void)mailbox_.post(std::move(command)); }  // unbounded
  uint16_t port() const override;
  PacketRing* ring_from(uint16_t worker) override { return worker < rings_.size() ? rings_[worker].get() : nullptr; }
  void packets_came() override;

private:
  static constexpr size_t max_batches = 128;         // received in one turn: timers and commands wait no longer
  static constexpr size_t max_mirrored = 4096;       // packets of another worker, likewise
  static constexpr Duration handshake_budget = 2ms;  // of one turn, for what puts media off
  static constexpr uint64_t worth_a_trim = 200;      // datagrams of handshakes: some fifty of them
  static constexpr size_t max_events = 16384;        // that wait for control: from here on those that may be lost are
  static constexpr Duration stats_interval = 1s;
  static constexpr Duration timer_gap = 5ms;  // timers alone do not wake more often: a thousand peers have many
  // By how much reports may be late (RFC 3550 section 6.2 wants them apart by chance): while media flows they cost no
  // wake-up of their own.
  static constexpr Duration report_slack = 50ms;
  static constexpr Duration worth_a_sleep = 50us;  // falling asleep and waking take almost as long

  // How datagrams find a peer.
  struct Doors {
    std::vector<Address> addresses;
    std::vector<std::string> ufrags;
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  // The turn
  void run();
  void sleep();
  void wait();
  void turn();
  void take_all();
  void wait_for_picture();
  void receive_all();
  void deliver(Datagram& datagram);
  void take(peer::PeerConnection& peer, Datagram& datagram);
  void take_whole(peer::PeerConnection& peer, Datagram& datagram);
  // Does it; what it throws (memory that is not there) ends the peer, or only what was being done.
  template <class Step>
  void guarded(PeerId peer, Step step) {
    try {
      step();
    } catch (const std::exception& error) {
      fail(peer, error.what());
    }
  }
  void fail(PeerId peer, const char* what);
  void tell(peer::PeerEvent&& event);
  void queue_start(const peer::PeerConnection& peer);
  void run_handshakes();
  void forward(peer::PeerConnection& peer, peer::Received& received);
  void take_mirrored();
  void run_commands();
  void run_timers();
  void schedule(const peer::PeerConnection& peer);
  void schedule_hurried();
  void take_records(const peer::PeerConnection& peer, std::span<const Bytes> records);
  void flush();
  void flush_data();
  void tell_stats();
  void give_memory_back();

  // Commands
  void handle(CreatePeer& command);
  void create(CreatePeer& command);
  void handle(UpdatePeer& command);
  void handle(ClosePeer& command);
  void handle(Forward& command);
  void handle(StopForward& command);
  void handle(Mirror& command);
  void handle(Pause& command);
  void handle(Mute& command);
  void handle(SetLayers& command);
  void handle(SetPlayoutDelay& command);
  void handle(SetBitrateCap& command);
  void handle(RequestKeyframe& command);
  void handle(DetectTalking& command);
  void handle(SendRecords& command);
  void handle(StartProcessor&) { ++stats_.stale_commands; }
  void handle(CallProcessor&) { ++stats_.stale_commands; }
  peer::RtpSender* sender(SenderId id);  // counts a stale command if there is none
  peer::RtpReceiver* receiver(ReceiverId id);

  // Peers and how they are found
  peer::PeerConnection* find(const Datagram& datagram);
  void open_door(peer::PeerConnection& peer, const Address& address);
  void shut_door(peer::PeerConnection& peer, const Address& address);
  void renew_ufrags(const peer::PeerConnection& peer);
  void remove(peer::PeerConnection& peer);

  Time reports_due() const;

  // given
  const uint16_t index_;
  const WorkerSettings settings_;
  Mailbox<WorkerEvent>& events_;
  DataDoor* const data_;
  std::vector<Worker*> all_;
  // owned
  const peer::PeerSettings peer_settings_;
  const secure::DtlsSettings dtls_settings_;
  std::vector<UdpSocket> sockets_;
  std::unique_ptr<secure::CipherEngine> engine_;
  Mailbox<Command> mailbox_;
  const int wake_fd_;
  std::vector<std::unique_ptr<PacketRing>> rings_;  // by the worker that writes
  EventLoop loop_;
  SystemRandom random_;
  ice::StunCodec stun_;
  rtp::PacketPool packets_;
  peer::PeerContext context_;
  peer::PeerTable peers_;
  peer::Router router_;
  Egress egress_;
  std::thread thread_;
  std::thread trimmer_;
  // state: the thread's, but for the two atomics
  std::atomic<bool> stopping_{false};
  std::atomic<bool> asleep_{false};  // wants wake_fd_ written when a ring gets a packet
  Time now_{};
  peer::Output output_;
  TimerWheel timers_, reports_;  // what must not wait, and what goes with media where there is some
  HandshakeQueue handshakes_;
  size_t handshakes_most_ = 0;  // that waited at once since the last statistics
  std::unordered_map<Address, PeerId> addresses_;
  std::unordered_map<std::string, PeerId, TextHash, std::equal_to<>> ufrags_;
  std::vector<Doors> doors_;  // by the peer's slot
  std::vector<Command> commands_;
  data::Records records_;        // of data channels, came in this turn
  std::vector<bool> copied_to_;  // workers that got packets this turn
  WorkerStats stats_;
  Pace pace_;
  uint64_t came_ = 0;          // media packets, those of other workers too
  bool came_now_ = false;      // some of them in this turn
  bool picture_open_ = false;  // the last one was of a picture that goes on
  Time stats_at_{};
  Duration busy_{};                                              // since the last statistics
  uint64_t handshakes_taken_ = 0, handshakes_taken_before_ = 0;  // datagrams, since memory was given back
};

}  // namespace cardea::worker
