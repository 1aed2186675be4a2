// One subscriber: its answer, and what it makes of what it gets. The sample checks every packet; the others only keep
// the path alive.
#pragma once

#include <string>
#include <unordered_map>

#include "client_peer.hpp"
#include "media/nack_tracker.hpp"
#include "media/sequence.hpp"
#include "meter.hpp"
#include "options.hpp"

namespace cardea::load {

class Subscriber {
public:
  // `totals` collects for all subscribers of the sample; `checks`: this one belongs to it.
  Subscriber(Shared& shared, const Options& options, const std::string& local, bool checks, Received& totals);

  // The answer to the server's offer; empty if we cannot connect.
  std::string answer(std::string_view offer, Time now);
  ClientPeer& peer() { return peer_; }

  void receive(Time now);
  void tick(Time now);

  bool has_media() const { return packets_ > 0; }
  Time first_media() const { return first_media_; }
  // From here on the totals count.
  void measure(bool on);
  bool checks() const { return checks_; }

private:
  struct Stream {
    bool video = false;
    media::SequenceWidener widener;
    media::NackTracker nack;
    rtp::SeqNo highest = -1, measured_from = -1;
    std::unordered_map<rtp::SeqNo, Time> dropped;
    uint16_t last_reported = 0;
  };

  void on_rtp(MutableBytes packet, Time now);
  void take(Stream& stream, uint16_t seq, Bytes payload, Time now, bool again);
  void report(Time now);

  // given
  const Options& options_;
  bool checks_;
  Received& totals_;
  // owned
  ClientPeer peer_;
  std::string fingerprint_;
  // state
  std::unordered_map<uint32_t, Stream> streams_;   // by SSRC
  std::unordered_map<uint32_t, uint32_t> rtx_of_;  // RTX SSRC -> SSRC
  std::unordered_map<uint8_t, uint8_t> apt_;       // RTX payload type -> payload type
  std::unordered_map<uint8_t, bool> video_types_;
  bool measuring_ = false;
  uint64_t packets_ = 0;
  Time first_media_{}, next_report_ = never;
  uint64_t dice_ = 0x2545f4914f6cdd1d;
};

}  // namespace cardea::load
