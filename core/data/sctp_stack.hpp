// The process's usrsctp, driven by one thread: associations are numbered sockets, packets go in and out as bytes. The
// library's state is global, so there is at most one stack at a time, and none of this is called from a second thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "cardea/time.hpp"
#include "data/dcep.hpp"

struct socket;

namespace cardea::data {

using Native = struct ::socket;

struct SctpSettings {
  uint16_t max_packet = 1120;  // bytes, SCTP header included: what fits a DTLS record of 1200 bytes
  // Of each association. Both hold at least one of the largest messages.
  uint32_t send_buffer = 512 * 1024;
  uint32_t receive_buffer = 512 * 1024;
  uint32_t max_message_size = 262144;
  uint16_t streams = 256;  // each way; the library allocates them all, some 100 bytes a pair
};

// Names one socket of the stack. The library knows it as its AF_CONN address: a number, never a pointer, because it may
// still send for a socket that is closed.
struct SocketId {
  uint32_t slot = 0;  // 0 names nothing
  explicit operator bool() const { return slot != 0; }
};

// How one message is to be delivered.
struct Delivery {
  bool ordered = true;
  std::optional<uint32_t> max_retransmits;
  std::optional<uint32_t> max_lifetime_ms;
};

// What a socket has to tell, in order.
struct SctpInput {
  enum class Kind : uint8_t {
    piece,      // of a message
    up,         // the association is there, or the peer began it anew (restarted)
    lost,       // it is over: the socket is of no more use
    reset,      // streams that the peer will send no more on; or ours that are reset
    streams,    // there are more of them now: the peer asked (RFC 6525 section 4.5)
    refused,    // a reset of ours was not done
    discarded,  // the message of which pieces came is given up by the peer
  };
  Kind kind = Kind::piece;
  bool restarted = false;
  // up, streams: how many streams each way
  uint16_t streams_in = 0, streams_out = 0;
  // reset: of the peer's direction (incoming), else ours
  bool incoming = false;
  std::span<const uint16_t> streams;
  // piece
  uint16_t stream = 0;
  uint32_t ppid = 0;
  bool end = false;
  Bytes bytes;
};

class SctpStack {
public:
  // Where an association's packets go, named by the caller's number. Their checksum is the caller's to write.
  using Send = std::function<void(uint64_t owner, Bytes packet)>;

  // `send` is called from within the other functions. A second stack at the same time throws.
  SctpStack(SctpSettings settings, Send send);
  ~SctpStack();
  SctpStack(const SctpStack&) = delete;
  SctpStack& operator=(const SctpStack&) = delete;

  // Begins an association with the peer's SCTP port. Nothing if the library refuses.
  SocketId open(uint64_t owner, uint16_t peer_port);
  // Aborts it. Nothing is sent or heard for it from here on.
  void close(SocketId id);

  // A packet whose checksum is right. False: none that this socket can take; the library has not seen it.
  bool receive(SocketId id, Bytes packet);
  // The next thing the socket tells; spans hold until the next call. None: all is told.
  std::optional<SctpInput> read(SocketId id);

  enum class Sent : uint8_t { done, full, failed };
  Sent send(SocketId id, uint16_t stream, Ppid ppid, Bytes message, const Delivery& how);
  // Asks the peer to forget the stream's state (RFC 6525): one request at a time. False: not now.
  bool reset(SocketId id, std::span<const uint16_t> streams);

  // Moves the library's clock. Associations may have something to tell afterwards: see take_stirred().
  void tick(Time now);
  Time next_deadline() const { return deadline_; }
  // Owners of sockets that have become readable or writable since the last call; and whether one has.
  void take_stirred(std::vector<uint64_t>& into);
  bool take_stirred(SocketId id);

  const SctpSettings& settings() const { return settings_; }
  size_t sockets() const { return open_; }

private:
  static constexpr uint16_t local_port = 5000;     // as our SDP says
  static constexpr Duration busy_period = 10ms;    // usrsctp's own granularity
  static constexpr Duration calm_period = 100ms;   // when nothing has happened for a second
  static constexpr Duration linger = 2s;           // the library's timers for sockets just closed
  static constexpr size_t resting = 256;           // closed slots wait in a queue of this length for their next use
  static constexpr size_t piece_size = 64 * 1024;  // read at once

  struct Slot {
    Native* native = nullptr;
    uint64_t owner = 0;
    uint16_t peer_port = 0;
    bool stirred = false;
  };

  static int on_output(void* address, void* bytes, size_t size, uint8_t tos, uint8_t set_df);
  static void on_upcall(Native* native, void* slot, int flags);
  Slot* find(SocketId id) { return id.slot < slots_.size() && slots_[id.slot].native ? &slots_[id.slot] : nullptr; }
  bool set_options(Native* native) const;
  void stir(uint32_t slot);
  bool take_notification(size_t size, SctpInput& out);

  // given
  const SctpSettings settings_;
  const Send send_;
  // state
  std::vector<Slot> slots_;  // 0 is never used
  std::deque<uint32_t> free_;
  size_t open_ = 0;
  std::vector<uint32_t> stirred_;
  std::vector<uint8_t> piece_;
  std::vector<uint16_t> reset_streams_;
  std::optional<Time> ticked_;
  bool active_ = false;  // since the last tick
  Time active_at_{};
  Time deadline_ = never;
};

}  // namespace cardea::data
