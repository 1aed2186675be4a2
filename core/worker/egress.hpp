// Sends what the peers' senders have queued: subscriber by subscriber, put together by peer/assembly, encrypted from
// the shared plaintext into a reused buffer (or straight into a frame), whole runs handed to the kernel.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "peer/assembly.hpp"
#include "peer/peer_connection.hpp"
#include "secure/cipher.hpp"
#include "worker/frame_sender.hpp"
#include "worker/run_planner.hpp"
#include "worker/udp_socket.hpp"

namespace cardea::worker {

struct EgressCounters {
  uint64_t packets = 0;  // of media
  uint64_t bytes = 0;    // with SRTP, without UDP and IP
  uint64_t runs = 0;     // messages handed to the kernel
};

class Egress {
public:
  // Engine and sockets outlive this; Address::socket is an index into the sockets. padding_waste: see RunPlanner.
  // frames: none if all goes by the sockets.
  Egress(secure::CipherEngine& engine, std::span<UdpSocket> sockets, double padding_waste,
         std::unique_ptr<FrameSender> frames);

  // Sends all that is queued at these peers and empties their queues, and this list. What was sent is in the kernel
  // after flush().
  void send_all(std::vector<peer::PeerConnection*>& waiting);
  // A datagram that is ready: STUN, DTLS, RTCP. The bytes must stay until flush().
  void send(const Address& to, Bytes datagram);
  void flush();

  const EgressCounters& counters() const { return counters_; }
  uint64_t frames() const { return frames_ ? frames_->runs() : 0; }  // of the runs
  uint64_t unreachable() const { return frames_ ? frames_->unreachable() : 0; }

private:
  // About the second level cache's share that output may take: 32 messages of five full packets.
  static constexpr size_t arena_size = 320 * 1024;
  static constexpr size_t max_datagram = 2304;  // header, payload, padding and tag are never more
  static constexpr size_t max_jobs = 256;       // that wait for one seal()
  static constexpr size_t max_media = RunPlanner::max_packets - 1;

  struct Message {
    Address to;
    size_t at = 0, size = 0, segment = 0;
  };

  void send(peer::PeerConnection& peer);
  void send_some(peer::PeerConnection& peer, std::span<const peer::Outgoing> queued, const rtp::Packet* report);
  void write_run(peer::PeerConnection& peer, const RunPlanner::Run& run);
  uint8_t* begin_frame(const peer::PeerConnection& peer, const RunPlanner::Run& run);
  size_t write_packet(const secure::SendKey& key, size_t item, uint8_t* out);
  size_t seal(const secure::SendKey& key, const peer::Assembly& assembly, uint8_t padding, uint8_t* out);
  void seal_pending();
  void hand_over();

  // given
  secure::CipherEngine& engine_;
  std::span<UdpSocket> sockets_;
  // owned
  std::unique_ptr<FrameSender> frames_;
  std::vector<uint8_t> arena_;
  std::vector<secure::SealJob> jobs_;
  std::vector<Message> messages_;
  // state
  RunPlanner planner_;
  // What is looked at together: media, and behind it perhaps a report.
  std::array<peer::Assembly, max_media> media_;
  std::array<RunPlanner::Item, RunPlanner::max_packets> items_;
  size_t media_count_ = 0;
  Bytes report_;
  size_t used_ = 0;     // of the arena
  size_t longest_ = 0;  // packet of the peer that was sent to last: those of the next are alike, mostly
  EgressCounters counters_;
};

}  // namespace cardea::worker
