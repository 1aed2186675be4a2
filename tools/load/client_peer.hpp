// A WebRTC peer as cheap as it gets: a socket of its own, ICE checks, DTLS, SRTP. What it does with media is its
// owner's business.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/outbox.hpp"
#include "base/random.hpp"
#include "cardea/time.hpp"
#include "ice/stun.hpp"
#include "sdp/description.hpp"
#include "secure/cipher.hpp"
#include "secure/dtls.hpp"
#include "secure/srtp.hpp"

namespace cardea::load {

// What all peers share.
struct Shared {
  SystemRandom random;
  std::unique_ptr<secure::DtlsContext> dtls;
  std::unique_ptr<secure::CipherEngine> cipher;
  ice::StunCodec stun;
  std::vector<uint8_t> slab = std::vector<uint8_t>(65536);
  bool gro = true;
};

class ClientPeer {
public:
  // Binds a UDP socket to `local` (any port); throws std::runtime_error if it cannot. `controlling`: we made the offer.
  ClientPeer(Shared& shared, const std::string& local, bool controlling);
  ~ClientPeer();
  ClientPeer(const ClientPeer&) = delete;

  int fd() const { return fd_; }
  const sdp::IceCredentials& credentials() const { return local_; }

  // The server's description: credentials, fingerprint and a candidate to talk to. False if there is none that we can
  // reach.
  bool connect(const sdp::Description& remote, Time now);

  // Reads all that waits. rtp(bytes) gets decrypted RTP packets, rtcp(bytes) decrypted RTCP.
  using Packets = std::function<void(MutableBytes packet)>;
  void receive(Time now, const Packets& rtp, const Packets& rtcp);
  void tick(Time now);

  // For data channels: `take` gets the records of application data, inside receive().
  void use_data(std::function<void(Bytes record)> take) { take_record_ = std::move(take); }
  void send_record(Bytes record, Time now);

  // From now on the kernel notes when a datagram came; arrived() tells it inside receive(), else when we read.
  void note_arrivals();
  Time arrived() const { return arrived_; }

  bool up() const { return srtp_.has_value(); }
  bool failed() const { return dtls_ && dtls_->state() == secure::Dtls::State::failed; }
  uint64_t undecryptable() const { return undecryptable_; }

  // Sends a plain RTP packet (header_size bytes of it header) with the index its stream has reached.
  void send_rtp(Bytes packet, size_t header_size, uint64_t index);
  void send_rtcp(Bytes packet);

  // From now on the kernel drops RTP but for one packet in so many (0: all of it); STUN, DTLS and RTCP go through.
  void thin_out(uint32_t one_of);

private:
  void check(Time now);
  void on_stun(MutableBytes datagram, const sockaddr_storage& from, socklen_t from_size);
  void flush();
  size_t read_control(msghdr& header, size_t got);

  // given
  Shared& shared_;
  bool controlling_;
  // owned
  int fd_ = -1;
  std::optional<secure::Dtls> dtls_;
  std::optional<secure::SrtpSession> srtp_;
  std::unique_ptr<secure::SendKey> key_;
  // state
  sdp::IceCredentials local_, remote_;
  sockaddr_storage to_{};
  socklen_t to_size_ = 0;
  Address path_;
  Time next_check_ = never;
  Time arrived_{};
  bool answered_ = false;
  Outbox out_;
  std::function<void(Bytes)> take_record_;
  uint64_t undecryptable_ = 0;
};

}  // namespace cardea::load
