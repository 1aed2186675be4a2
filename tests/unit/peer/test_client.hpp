// A WebRTC client without a network, for tests: it checks with STUN, is the client of DTLS, and speaks SRTP and SRTCP.
// Datagrams are handed over by the test.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/outbox.hpp"
#include "base/random.hpp"
#include "ice/stun.hpp"
#include "rtp/build.hpp"
#include "rtp/packet.hpp"
#include "rtp/rtcp.hpp"
#include "sdp/peer_plan.hpp"
#include "secure/cipher.hpp"
#include "secure/dtls.hpp"
#include "secure/srtp.hpp"

namespace cardea::test {

// One m-line as the gateway's plan has it.
sdp::MlinePlan audio_line(std::string mid, Direction direction, uint32_t ssrc = 0);
sdp::MlinePlan video_line(std::string mid, Direction direction, uint32_t ssrc = 0);  // VP8 with RTX, NACK, PLI
// A plan of these lines; credentials are "<name>-ufrag" and "<name>-password-of-22-letters". Client and gateway have
// one certificate.
sdp::PeerPlan plan_of(const std::string& name, std::vector<sdp::MlinePlan> mlines, const sdp::Fingerprint& fingerprint);

inline constexpr uint8_t opus_type = 111, vp8_type = 96, rtx_type = 97;

std::vector<uint8_t> stun_check(const sdp::IceCredentials& theirs, bool nominate, uint32_t priority = 1);
// A VP8 payload with a descriptor of 15-bit picture id, TL0PICIDX and TID, `size` bytes in all.
std::vector<uint8_t> vp8_payload(size_t size, bool keyframe, uint16_t picture_id, uint8_t tl0 = 0, uint8_t tid = 0);

class Client {
public:
  // What goes into one packet.
  struct Rtp {
    uint32_t ssrc = 0;
    uint8_t payload_type = opus_type;
    rtp::SeqNo seq = 0;
    uint32_t timestamp = 0;
    bool marker = false;
    std::vector<uint8_t> payload;
    rtp::ExtensionValues extensions;
  };
  struct Got {
    uint32_t ssrc;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t timestamp;
    bool marker;
    std::vector<uint8_t> payload;  // without padding
    std::string mid;
  };

  Client(secure::DtlsContext& dtls, secure::CipherEngine& engine, Address address);

  // The first flight of DTLS, once STUN was answered.
  void start_dtls(Time now);
  // Or be the server of it.
  void answer_dtls(secure::DtlsContext& dtls) { dtls_ = secure::Dtls(dtls, sdp::DtlsRole::server, dtls.fingerprint()); }
  void receive(Bytes datagram, Time now);
  void tick(Time now);

  void send_rtp(const Rtp& rtp);
  std::vector<uint8_t> protect(const Rtp& rtp);
  void send_rtcp(const std::function<void(ByteWriter&)>& write);
  void close();

  bool connected() const { return dtls_.state() == secure::Dtls::State::connected; }
  secure::Dtls& dtls() { return dtls_; }
  const Address& address() const { return address_; }
  // What it wants sent, oldest first; the test empties it.
  std::vector<std::vector<uint8_t>>& outbox() { return outbox_; }

  // What came
  std::vector<Got> packets;
  size_t stun_replies = 0, bad = 0;
  size_t plis = 0, firs = 0, nacks = 0, sender_reports = 0, receiver_reports = 0, transport_feedbacks = 0, rembs = 0;
  std::vector<uint16_t> nacked;
  uint32_t pli_ssrc = 0;
  uint64_t remb_bps = 0;
  std::vector<rtp::ReportBlock> blocks;
  std::optional<rtp::SenderInfo> sender_info;
  std::string cname;
  uint64_t bytes = 0;

  // Its ICE credentials. With them it answers checks; without it is not there for who asks.
  sdp::IceCredentials own;
  size_t asked = 0;  // checks that came

  // Ids it uses and reads with.
  sdp::ExtensionMap extensions;

private:
  void flush(Outbox& out);
  void ready();
  void receive_stun(Bytes datagram);
  void receive_rtcp(MutableBytes datagram);

  secure::CipherEngine& engine_;
  Address address_;
  secure::Dtls dtls_;
  std::optional<secure::SrtpSession> srtp_;
  std::unique_ptr<secure::SendKey> key_;
  rtp::PacketPool pool_;
  ice::StunCodec stun_;
  std::vector<std::vector<uint8_t>> outbox_;
};

}  // namespace cardea::test
