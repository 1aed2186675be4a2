// Media from the peer on one m-line: up to three simulcast layers, each with its numbers, statistics, missing packets
// and history.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/drop.hpp"
#include "media/activity.hpp"
#include "media/history.hpp"
#include "media/keyframe_requests.hpp"
#include "media/nack_tracker.hpp"
#include "media/receive_stream.hpp"
#include "media/slow_link.hpp"
#include "media/talk_detector.hpp"
#include "peer/output.hpp"
#include "peer/settings.hpp"
#include "peer/ssrc_directory.hpp"
#include "rtp/av1.hpp"
#include "rtp/rtcp.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::peer {

class RtpReceiver {
public:
  static constexpr size_t max_substreams = SsrcDirectory::max_substreams;

  // Of the plan it keeps copies. streams: counts all streams that the peer's receivers ever had; it outlives this.
  RtpReceiver(ReceiverId id, const sdp::MlinePlan& plan, const PeerSettings& settings, uint32_t& streams);

  // A renegotiation of the same line, see same_line(). A line that is closed forgets its streams.
  void update(const sdp::MlinePlan& plan, Output& out);
  // Its streams end, and that is told.
  void close(Output& out);

  // A decrypted packet whose header and extensions were read, at its place. It is counted, made whole (number, codec,
  // layer, stream) and kept for NACKs; what is not to go on has a name.
  std::optional<Drop> receive(const rtp::PacketRef& packet, const StreamPlace& place, Time now, Output& out);

  void sender_report(uint8_t substream, const rtp::SenderInfo& info, Time now);
  // Somebody needs a keyframe of this layer; -1: of each.
  void request_keyframe(int substream, Time now);
  void mute(bool muted) { muted_ = muted; }
  void detect_talking(const std::optional<TalkDetection>& how);

  // Time has passed: media events.
  void tick(Time now, Output& out);
  // Requests that are due, NACK and PLI or FIR, as much as fits.
  void write_feedback(ByteWriter& out, uint32_t our_ssrc, Duration rtt, Time now);
  // Report blocks of the layers that have come; about once a second. Returns how many.
  size_t report(std::span<rtp::ReportBlock> into, Time now, Output& out);
  Time next_deadline() const;

  // The recent packets of a layer; nullptr: it never came.
  const media::History* history(uint8_t substream) const;
  std::optional<uint32_t> ssrc(uint8_t substream) const;  // none: it has not come
  const ReceiverId& id() const { return id_; }
  bool simulcast() const { return simulcast_; }
  bool open() const { return open_; }
  MediaKind kind() const { return kind_; }
  // Round trip as NACKs and their answers tell it; none yet.
  std::optional<Duration> rtt() const { return rtt_; }
  bool receiving() const { return activity_.receiving(); }
  // The statistics of a layer, for the admin API and tests.
  const media::ReceiveStream* stream(uint8_t substream) const;

private:
  // What of a negotiated payload type is needed here.
  struct Payload {
    uint8_t type = 0;
    std::optional<uint8_t> rtx, red;
    CodecType codec = CodecType::opus;
    uint32_t clock_hz = 0;
    bool nack = false, pli = false, fir = false;
  };
  struct Substream {
    Substream(const PeerSettings& settings, uint32_t stream_number)
        : number(stream_number), history(std::max<Duration>(settings.min_nack_queue, 1s)),
          slow_link(settings.slowlink_threshold) {}
    const uint32_t number;  // Packet::stream
    uint32_t ssrc = 0;
    bool known = false;  // ssrc is
    media::SequenceWidener widener;
    media::ReceiveStream stream;
    media::NackTracker nack;
    media::History history;
    media::KeyframeRequests keyframes;
    media::SlowLink slow_link;
    std::unique_ptr<rtp::DependencyReader> dependencies;  // with the extension only: it is large
    rtp::SeqNo probe = -1;                                // asked for once, at probe_at: tells the round trip
    Time probe_at{};
    uint8_t fir_seq = 0;
  };

  Substream& substream(uint8_t index);
  std::optional<Drop> make_whole(rtp::Packet& packet, Substream& from, const StreamPlace& place);
  void apply(const sdp::MlinePlan& plan);
  const Payload* payload_of(rtp::Packet& packet) const;
  void listen(const rtp::Packet& packet, Output& out);
  void note_recovery(Substream& from, rtp::SeqNo seq, Time now);
  void tell(uint8_t index, bool receiving, int seconds, Output& out) const;
  bool asks_for_lost() const;

  // given
  const ReceiverId id_;
  const PeerSettings& settings_;
  const MediaKind kind_;
  uint32_t& streams_;
  // owned
  std::array<std::unique_ptr<Substream>, max_substreams> substreams_;
  // state
  std::vector<Payload> payloads_;
  bool open_ = false;
  bool simulcast_ = false;
  media::Activity activity_;
  std::optional<media::TalkDetector> talk_;
  std::optional<Duration> rtt_;
  Time expire_at_{};
  bool muted_ = false;
};

}  // namespace cardea::peer
