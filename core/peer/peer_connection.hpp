// One peer connection: ICE, DTLS and SRTP to one client, and the m-lines on it. Datagrams in; datagrams, events and
// what came for others out. Knows no other peer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/outbox.hpp"
#include "base/prefetch.hpp"
#include "base/random.hpp"
#include "ice/lite_agent.hpp"
#include "media/remb.hpp"
#include "media/twcc_receiver.hpp"
#include "peer/output.hpp"
#include "peer/rtp_receiver.hpp"
#include "peer/rtp_sender.hpp"
#include "peer/settings.hpp"
#include "peer/ssrc_directory.hpp"
#include "rtp/packet.hpp"
#include "rtp/parse.hpp"
#include "rtp/rtcp.hpp"
#include "sdp/peer_plan.hpp"
#include "secure/cipher.hpp"
#include "secure/dtls.hpp"
#include "secure/srtp.hpp"

namespace cardea::peer {

// What all peers of a worker share. Outlives them.
struct PeerContext {
  const PeerSettings& settings;
  const secure::DtlsSettings& dtls_settings;
  secure::DtlsContext& dtls;
  ice::StunCodec& stun;
  secure::CipherEngine& cipher;
  rtp::PacketPool& packets;
  Random& random;
  // Peers whose next_deadline() came nearer since the owner looked; each once.
  std::vector<PeerId> hurried;
};

// What a peer says about media that we send to it.
struct Feedback {
  enum class Kind : uint8_t { nack, keyframe };
  Kind kind = Kind::nack;
  uint16_t mline = 0;  // of the sender
  uint16_t seq = 0;    // nack: the number asked for
};

// What a datagram held for others. Spans hold until the next call.
struct Received {
  // Media, with the receiver's m-line in it. Empty: none, or dropped.
  rtp::SharedPacket packet;
  std::span<const Feedback> feedback;
  std::span<const Bytes> records;  // of data channels: SCTP packets
  // An address from which a valid check or answer of this peer came; one from which nothing of it is taken any more.
  std::optional<Address> heard, removed;
};

class alignas(64) PeerConnection {
public:
  PeerConnection(PeerId id, std::unique_ptr<sdp::PeerPlan> plan, PeerContext& context, Time now);
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  // STUN whose local ufrag is this peer's, or anything else from one of its addresses.
  Received receive(Datagram& datagram, Time now, Output& out);
  void tick(Time now, Output& out);
  Time next_deadline() const { return std::min(deadline_, report_at_); }
  // The two parts of it: what must not wait, and reports, which may go a little later, with whatever goes out then.
  Time urgent_deadline() const { return deadline_; }
  Time report_at() const { return report_at_; }

  // As the client of DTLS it has somebody to say hello to, and the owner's leave is wanted: a handshake takes long.
  bool wants_start() const;
  void start_dtls(Time now, Output& out);

  // A renegotiation or ICE restart: what is equal goes on undisturbed. It goes through Router::update(), which takes
  // away the routes of what ends.
  void update(std::unique_ptr<sdp::PeerPlan> plan, Time now, Output& out);
  // Says goodbye where it can. The peer is over.
  void close(Output& out);
  // Ended by itself; PeerDown was told. The owner forgets it.
  bool over() const { return over_; }
  bool up() const { return up_; }

  // What the router and commands reach for.
  RtpReceiver* receiver(uint16_t mline) { return mline < receivers_.size() ? receivers_[mline].get() : nullptr; }
  RtpSender* sender(uint16_t mline) { return mline < senders_.size() ? senders_[mline].get() : nullptr; }
  void request_keyframe(uint16_t mline, int substream, Time now);
  void set_bitrate_cap(uint32_t bitrate_bps, Time now);
  std::span<const std::unique_ptr<RtpReceiver>> receivers() const { return receivers_; }
  std::span<const std::unique_ptr<RtpSender>> senders() const { return senders_; }

  // Packets that wait for the end of the turn, and what sends them. The owner of the turn empties it.
  SendQueue& queue() { return queue_; }
  // RTCP, encrypted, that leaves with them: never without. Taken once.
  rtp::SharedPacket take_report() { return std::exchange(report_, {}); }
  // Asks for what queue(), send_key(), id() and path() touch, ahead of them (base/prefetch.hpp).
  void fetch() const { prefetch(this, 1); }
  const secure::SendKey* send_key() const { return send_key_.get(); }
  const std::optional<Address>& path() const { return agent_.selected(); }
  // It is proven to be there, and sends from there: nobody else can be.
  bool holds(const Address& address, Time now) const { return agent_.holds(address, now); }

  // One SCTP packet of a data channel. False: not connected, or too large.
  bool send_record(Bytes record, Time now, Output& out);
  bool has_data() const { return plan_->data.has_value(); }

  PeerId id() const { return id_; }
  const sdp::PeerPlan& plan() const { return *plan_; }
  std::span<const sdp::IceCredentials> local_credentials() const { return agent_.locals(); }
  const secure::Dtls& dtls() const { return dtls_; }

private:
  static constexpr size_t max_feedback = 1024;     // from one datagram
  static constexpr Duration report_interval = 1s;  // RFC 3550 6.2 allows less than 5 s with enough bandwidth
  static constexpr Duration assumed_rtt = 100ms;   // until something tells
  static constexpr size_t rtcp_room = 1200;        // bytes of one outgoing RTCP packet, before SRTCP
  static_assert(rtcp_room + secure::rtcp_trailer_size <= rtp::Packet::capacity);

  void receive_stun(Datagram& datagram, Time now, Received& received, Output& out);
  void receive_dtls(Datagram& datagram, Time now, Received& received, Output& out);
  void receive_rtp(Datagram& datagram, Time now, Received& received, Output& out);
  void receive_rtcp(Datagram& datagram, Time now, Received& received, Output& out);
  std::optional<StreamPlace> place_of(rtp::Packet& packet);

  void handle(const rtp::SenderReport& report, Time now);
  void handle(const rtp::ReceiverReport& report, Time now);
  void handle(const rtp::Nack& nack, Time now);
  void handle(const rtp::Pli& pli, Time now);
  void handle(const rtp::Fir& fir, Time now);
  void handle(const rtp::Bye& bye, Time now);
  template <class Unused>
  void handle(const Unused&, Time) {}  // CNAMEs, REMB and transport feedback on what we send
  void note_blocks(const rtp::Entries<rtp::ReportBlock>& blocks, Time now);
  RtpSender* sender_of(uint32_t ssrc);
  void want_keyframe(uint32_t media_ssrc);

  // What was before the plan; empty at first.
  void apply_plan(std::span<const sdp::MlinePlan> before, Time now, Output& out);
  void follow_line(uint16_t index, bool same, Output& out);
  void empty_queue();
  void follow_ice(Time now, Output& out);
  void follow_dtls(Time now, Output& out);
  template <class Step>
  void with_flight(Step step, Time now, Output& out, bool repeats = false);
  void send_held(Time now, Output& out);
  void came_by_path(bool path, Time now, Output& out);
  void start_data(Output& out) const;
  void follow_data(const std::optional<sdp::DataPlan>& before, Output& out) const;
  bool start_srtp();
  void end(std::string_view reason, Output& out);

  void send_feedback(Time now, Output& out);
  void send_transport_feedback(Time now, Output& out);
  void send_remb(Time now, Output& out);
  void send_reports(Time now, Output& out);
  void begin_rtcp(ByteWriter& out) const;
  void send_rtcp(MutableBytes buffer, size_t size, Output& out);
  void send_with_media(rtp::PacketRef packet, size_t size, Output& out);
  uint32_t any_receiver_ssrc() const;
  bool takes_remb() const;

  void want_tick(Time at);  // no later than
  void hurry();
  Time compute_deadline() const;

  // What each packet to the peer needs, in one cache line: fetch().
  SendQueue queue_;
  rtp::PacketRef report_;
  std::unique_ptr<secure::SendKey> send_key_;
  const PeerId id_;
  ice::LiteAgent agent_;
  // given
  PeerContext& context_;
  // owned
  std::unique_ptr<sdp::PeerPlan> plan_;
  secure::Dtls dtls_;
  std::optional<secure::SrtpSession> srtp_;
  std::vector<std::unique_ptr<RtpReceiver>> receivers_;  // by m-line; empty where none was ever
  std::vector<std::unique_ptr<RtpSender>> senders_;
  // state
  struct Flights {
    Address to;
    bool all = true;  // went there
  };
  std::optional<Flights> flights_to_;       // of the handshake, to paths that were not proven or were
  std::vector<std::vector<uint8_t>> held_;  // datagrams of the handshake that the path does not allow yet
  SsrcDirectory ssrcs_;
  std::unordered_map<uint32_t, uint16_t> sender_mlines_;  // by SSRC
  uint32_t streams_ = 0;                                  // that ever came in
  media::TwccReceiver twcc_;
  media::Remb remb_;
  std::vector<Feedback> feedback_;
  uint32_t rtcp_ssrc_;
  Time deadline_ = never;  // but for reports
  Time connect_until_;
  Time failed_until_ = never;  // IceFailed was told; then "ICE failed"
  Time report_at_ = never;
  bool hurried_ = false;  // is in context_.hurried
  bool up_ = false;
  bool over_ = false;

public:
  // The owner has looked at `hurried`.
  void seen_hurried() { hurried_ = false; }
};

}  // namespace cardea::peer
