// What the control thread (or another worker) asks of a worker. A command for a peer that is gone is counted and
// dropped, and so is one for the other kind of worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/drop.hpp"
#include "cardea/ids.hpp"
#include "cardea/media.hpp"
#include "cardea/processor.hpp"
#include "data/events.hpp"
#include "peer/events.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::worker {

struct CreatePeer {
  PeerId peer;
  std::unique_ptr<sdp::PeerPlan> plan;
};
// A renegotiation, or an ICE restart: the peer compares and changes what differs.
struct UpdatePeer {
  PeerId peer;
  std::unique_ptr<sdp::PeerPlan> plan;
};
// Sends close_notify where it can and forgets the peer; no PeerDown follows.
struct ClosePeer {
  PeerId peer;
};

// Sent to the worker of the sender. The receiver may live on another worker; then that one gets a Mirror as well.
struct Forward {
  ReceiverId from;
  SenderId to;
};
struct StopForward {
  SenderId to;
};
// Sent to the worker of the receiver: copies its packets to the ring of `to_worker`, or ceases. Control counts the
// routes and sends one Mirror per (receiver, worker).
struct Mirror {
  ReceiverId from;
  uint16_t to_worker = 0;
  bool on = true;
};

struct Pause {
  SenderId to;
  bool paused = false;
};
struct Mute {
  ReceiverId from;
  bool muted = false;
};
struct SetLayers {
  SenderId to;
  Layers layers;
};
struct SetPlayoutDelay {
  SenderId to;
  std::optional<PlayoutDelay> delay;
};
struct SetBitrateCap {
  PeerId peer;
  uint32_t bitrate_bps = 0;  // 0: none
};
struct RequestKeyframe {
  ReceiverId from;
  int substream = -1;  // -1: all
};
struct DetectTalking {
  ReceiverId from;
  std::optional<TalkDetection> how;
};

// From the data thread: SCTP packets for peers.
struct SendRecords {
  data::Records records;
};

// For processor threads. A processor has an id like a peer's, and ends with ClosePeer; its inputs are senders, its
// outputs receivers.
struct StartProcessor {
  PeerId processor;
  std::unique_ptr<MediaProcessor> machine;
};
struct CallProcessor {
  PeerId processor;
  std::function<void(MediaProcessor&, Time, MediaOut&)> call;
};

using Command = std::variant<CreatePeer, UpdatePeer, ClosePeer, Forward, StopForward, Mirror, Pause, Mute, SetLayers,
                             SetPlayoutDelay, SetBitrateCap, RequestKeyframe, DetectTalking, SendRecords,
                             StartProcessor, CallProcessor>;

// A worker's counters since it began, sent up once a second.
struct WorkerStats {
  uint16_t worker = 0;
  uint32_t peers = 0;                       // or processors
  uint64_t packets_in = 0, bytes_in = 0;    // RTP that came from peers
  uint64_t packets_out = 0, bytes_out = 0;  // RTP sent to peers
  uint64_t runs_out = 0;    // messages handed to the kernel; packets_out / runs_out is the achieved GSO run length
  uint64_t frames_out = 0;  // of the runs, those that went as Ethernet frames
  uint64_t ticks = 0;
  double tick_occupancy = 0;        // share of the last second spent working
  uint32_t handshakes_waiting = 0;  // DTLS datagrams put off for media, the most at once in the last second
  uint64_t stale_commands = 0;
  uint64_t lost_events = 0;   // that control did not keep up with, of those that another follows
  uint64_t failures = 0;      // exceptions: each has ended what was being done, mostly a peer
  std::string cipher_engine;  // "ipsec-mb avx512", "evp"
  bool gso = false;
  Drops drops;
};

// Of those peers' data channels that changed in the last second.
using PeersDataStats = std::vector<data::PeerDataStats>;

// What a processor wants to be run in a control turn, while it is there.
struct ProcessorCall {
  PeerId processor;
  std::function<void()> call;
};

// From the data thread come the three with Data in their names.
using WorkerEvent =
    std::variant<peer::PeerEvent, WorkerStats, data::DataEvent, data::DataStats, PeersDataStats, ProcessorCall>;

}  // namespace cardea::worker
