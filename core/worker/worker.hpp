// A worker as the control thread sees it: a thread that moves packets. A media worker has a UDP port and the peers on
// it, a processor thread has plugins' own media. Workers share nothing; commands go in, events come out, and packets go
// from one to another by rings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "cardea/mailbox.hpp"
#include "cardea/result.hpp"
#include "cardea/time.hpp"
#include "worker/commands.hpp"

namespace cardea::secure {
class DtlsContext;
}

namespace cardea::worker {

class DataDoor;
class PacketRing;

struct WorkerSettings {
  std::vector<Address> addresses;     // to bind, the worker's port in each; one socket per address
  int cpu = -1;                       // to pin to; -1: none
  Duration tick = 1500us;             // how long packets are collected under load, see Pace
  uint32_t tick_above_pps = 30000;    // packets per second in and out above which they are
  uint32_t receive_buffer = 4 << 20;  // SO_RCVBUF: hundreds of joins at once fit
  uint32_t send_buffer = 4 << 20;
  bool gso = true, gro = true;         // where the kernel allows
  bool frames = false;                 // media goes as Ethernet frames where a link is known (FrameSender)
  double padding_waste = 0.03;         // RTP padding up to this share to make a run's packets equal
  std::string cipher_engine = "auto";  // auto, ipsec-mb, evp
  Duration ice_timeout = 15s;          // silence before ice-failed
  Duration ice_grace = 5s;             // from ice-failed to "ICE failed"
  Duration connect_timeout = 30s;      // from creation to DTLS done
  Duration no_media_timer = 1s;        // 0: no media events
  uint32_t slowlink_threshold = 0;     // lost packets per second; 0: no events
  Duration twcc_period = 200ms;
  Duration min_nack_queue = 200ms;  // least age of history
  uint16_t dtls_mtu = 1200;
  uint8_t dscp = 0;
};

class Worker {
public:
  // Binds the sockets; an error is one clear line ("UDP port 10000 on 127.0.0.1 is in use"). `data` gets the packets of
  // data channels; it outlives the worker's thread.
  static Result<std::unique_ptr<Worker>> make(uint16_t index, WorkerSettings settings, secure::DtlsContext& dtls,
                                              Mailbox<WorkerEvent>& events, DataDoor* data = nullptr);
  virtual ~Worker() = default;  // stop() first

  // `all`: every worker of the house by index, this one too, for mirrored packets; they outlive the thread.
  virtual void start(const std::vector<Worker*>& all) = 0;
  // Ends every peer properly, then the thread; returns when it is over.
  virtual void stop() = 0;
  // Any thread.
  virtual void post(Command command) = 0;
  // The port that the sockets are bound to, where the settings said 0. A processor thread has none: 0.
  virtual uint16_t port() const = 0;
  // The ring that another worker writes and this one reads, by the writer's index; null: it takes no packets. After
  // start().
  virtual PacketRing* ring_from(uint16_t /*writer*/) { return nullptr; }
  // Said by a writer, at the end of its turn: the ring has more.
  virtual void packets_came() {}
};

}  // namespace cardea::worker
