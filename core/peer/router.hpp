// Where receivers meet senders: a table receiver -> sinks and the inverse, for all peers of one worker and for mirrors
// of receivers on other workers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "cardea/ids.hpp"
#include "media/history.hpp"
#include "peer/output.hpp"
#include "peer/peer_connection.hpp"
#include "peer/peer_table.hpp"

namespace cardea::peer {

// A keyframe that a receiver on another worker is asked for.
struct UpstreamRequest {
  ReceiverId from;
  int substream = -1;
};

class Router {
public:
  // `own`: the worker's index; receivers of others are mirrors. The table outlives this.
  Router(PeerTable& peers, uint16_t own, Duration history_age);

  // Routes. False: one of the two ends is gone.
  bool forward(ReceiverId from, SenderId to, Time now);
  bool stop_forward(SenderId to);
  // Packets of the receiver are to be copied to another worker, or no longer.
  bool mirror(ReceiverId from, uint16_t to_worker, bool on);
  // A renegotiation of a peer. The routes of lines whose place is used anew are taken away; those of a line that goes
  // on stay, also where it has a new sender.
  void update(PeerConnection& peer, std::unique_ptr<sdp::PeerPlan> plan, Time now, Output& out);
  // Takes away all rows of a peer, before the peer goes.
  void close(PeerConnection& peer);

  // A packet of a local receiver, to each of its sinks. Returns who wants a copy; the span holds until the next call.
  struct Copies {
    std::span<const uint16_t> workers;
    std::optional<uint32_t> common_offset;  // of its substream's clock, see ReceiveStream: goes with the copy
  };
  Copies deliver(const rtp::SharedPacket& packet, PeerConnection& from, Time now, Output& out);
  // A packet of another worker's receiver: kept for NACKs, then to each sink here.
  void deliver_mirrored(const rtp::SharedPacket& packet, ReceiverId from, std::optional<uint32_t> common_offset,
                        Time now, Output& out);

  // What a client said of media that we send to it.
  void answer(PeerConnection& peer, const Feedback& feedback, Time now, Output& out);

  void pause(RtpSender& sender, bool paused, Time now);
  void set_layers(RtpSender& sender, const Layers& layers, Time now);
  // Of a receiver here or elsewhere; -1: all its layers.
  void request_keyframe(ReceiverId of, int substream, Time now);

  // Lets go of old packets of mirrors that fell silent. About once a second.
  void expire(Time now);

  // Peers with packets queued this turn, in the order they got the first.
  std::vector<PeerConnection*>& waiting() { return waiting_; }
  // Keyframes to ask other workers for; the owner empties it.
  std::vector<UpstreamRequest>& upstream() { return upstream_; }
  size_t rows() const { return rows_.size(); }

private:
  struct Sink {
    RtpSender* sender;
    PeerConnection* peer;
  };
  // A receiver on another worker, as far as it is known here.
  struct Mirrored {
    std::array<std::unique_ptr<media::History>, RtpReceiver::max_substreams> history;
    std::array<Time, RtpReceiver::max_substreams + 1> asked{};  // for a keyframe; the last: of all layers
  };
  struct Row {
    std::vector<Sink> sinks;
    std::vector<uint16_t> mirrors;                                // workers
    std::array<uint32_t, RtpReceiver::max_substreams> streams{};  // Packet::stream of each layer's last; 0: none came
    std::unique_ptr<Mirrored> mirrored;
  };

  static void fetch_ahead(std::span<const Sink> sinks, size_t at, MediaKind kind);
  void fan_out(Row& row, ReceiverId from, const rtp::SharedPacket& packet, std::optional<uint32_t> common_offset,
               Time now, Output& out);
  void settle(RtpSender& sender, const rtp::Packet& packet, ReceiverId from, std::optional<Drop> drop, Time now,
              Output& out);
  static bool begins_anew(Row& row, const rtp::Packet& packet);
  void resend(PeerConnection& peer, RtpSender& sender, uint16_t seq, Time now, Output& out);
  rtp::SharedPacket recent(ReceiverId from, const media::Origin& origin);
  void take_from_row(RtpSender& sender);
  void stop(RtpSender& sender);
  void drop_row(ReceiverId from);
  void drop_if_empty(ReceiverId from);
  void note_waiting(PeerConnection& peer, size_t before) {
    if (before == 0 && !peer.queue().empty()) waiting_.push_back(&peer);
  }

  // given
  PeerTable& peers_;
  const uint16_t own_;
  const Duration history_age_;
  // state
  std::unordered_map<ReceiverId, Row> rows_;
  std::vector<PeerConnection*> waiting_;
  std::vector<UpstreamRequest> upstream_;
};

}  // namespace cardea::peer
