// One publisher: its offer, its packets in time, what it keeps for NACKs.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "client_peer.hpp"
#include "options.hpp"
#include "payload.hpp"

namespace cardea::load {

// As in a=fingerprint: "AB:CD:...".
std::string fingerprint_text(const sdp::Fingerprint& fingerprint);

class Publisher {
public:
  Publisher(Shared& shared, const Options& options, const std::string& local);

  std::string offer() const;
  ClientPeer& peer() { return peer_; }

  // Sends what is due. Nothing goes out before start().
  void start(Time now);
  void tick(Time now);
  void receive(Time now);

  uint64_t packets_sent() const { return packets_sent_; }
  uint64_t bytes_sent() const { return bytes_sent_; }
  uint64_t keyframes_asked() const { return keyframes_asked_; }

private:
  static constexpr size_t kept = 1024;
  struct Stream {
    uint32_t ssrc = 0;
    uint8_t payload_type = 0;
    uint64_t next = 0x10000 + 100;  // widened: rollover counter above 16 bits
    uint64_t packets = 0, octets = 0;
    std::vector<std::vector<uint8_t>> history = std::vector<std::vector<uint8_t>>(kept);
  };

  void send_audio();
  void send_frame(Time now);
  void send(Stream& stream, uint32_t timestamp, bool marker, Bytes payload);
  void resend(uint16_t seq);
  void report(Time now);
  void on_rtcp(Bytes packet);

  // given
  const Options& options_;
  // owned
  ClientPeer peer_;
  std::string fingerprint_;
  // state
  Stream audio_, video_;
  uint32_t rtx_ssrc_;
  uint64_t rtx_next_ = 0x10000 + 100;
  bool started_ = false, keyframe_wanted_ = true;
  Duration audio_phase_{}, video_phase_{};  // people do not speak in step
  Time began_{}, next_audio_ = never, next_frame_ = never, next_report_ = never;
  uint16_t picture_id_ = 0;
  uint8_t tl0_ = 0;
  uint64_t numbers_ = 0, packets_sent_ = 0, bytes_sent_ = 0, keyframes_asked_ = 0;
};

}  // namespace cardea::load
