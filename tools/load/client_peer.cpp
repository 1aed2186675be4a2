#include "client_peer.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/udp.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "base/clock.hpp"
#include "cardea/text.hpp"
#include "rtp/parse.hpp"

namespace cardea::load {
namespace {

constexpr Duration first_checks = 50ms;
constexpr Duration consent_checks = 2500ms;

socklen_t to_system(const Address& address, sockaddr_storage& out) {
  out = {};
  if (address.v6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    std::memcpy(&v6->sin6_addr, address.ip.data(), 16);
    return sizeof *v6;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(address.port);
  std::memcpy(&v4->sin_addr, address.ip.data(), 4);
  return sizeof *v4;
}

Address from_system(const sockaddr_storage& in) {
  Address address;
  if (in.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&in);
    address.v6 = true;
    address.port = ntohs(v6->sin6_port);
    std::memcpy(address.ip.data(), &v6->sin6_addr, 16);
  } else {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&in);
    address.port = ntohs(v4->sin_port);
    std::memcpy(address.ip.data(), &v4->sin_addr, 4);
  }
  return address;
}

// One for all requests: its answers are recognised by being success responses, and not verified.
StunAgent& stun_client() {
  static StunAgent agent = [] {
    StunAgent made;
    static const uint16_t known[] = {
        STUN_ATTRIBUTE_USERNAME,           STUN_ATTRIBUTE_MESSAGE_INTEGRITY, STUN_ATTRIBUTE_PRIORITY,
        STUN_ATTRIBUTE_USE_CANDIDATE,      STUN_ATTRIBUTE_ICE_CONTROLLED,    STUN_ATTRIBUTE_ICE_CONTROLLING,
        STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, STUN_ATTRIBUTE_FINGERPRINT,       0};
    stun_agent_init(
        &made, known, STUN_COMPATIBILITY_RFC5389,
        static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT));
    return made;
  }();
  return agent;
}

}  // namespace

ClientPeer::ClientPeer(Shared& shared, const std::string& local, bool controlling)
    : shared_(shared), controlling_(controlling) {
  local_ = {shared.random.word(4), shared.random.word(22)};
  auto address = Address::parse(local, 0);
  if (!address) throw std::runtime_error("not an address: " + local);
  fd_ = socket(address->v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_storage storage;
  socklen_t size = to_system(*address, storage);
  if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    if (fd_ >= 0) close(fd_);
    throw std::runtime_error("cannot bind a UDP socket on " + local);
  }
  int one = 1, buffer = 1 << 20;
  if (shared.gro) setsockopt(fd_, SOL_UDP, UDP_GRO, &one, sizeof one);
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
}

ClientPeer::~ClientPeer() {
  if (dtls_) dtls_->close(path_, out_), flush();
  close(fd_);
}

bool ClientPeer::connect(const sdp::Description& remote, Time now) {
  const sdp::MediaDescription* first = nullptr;
  for (const auto& media : remote.media)
    if (!media.transport.ufrag.empty() && first == nullptr) first = &media;
  if (first == nullptr || first->transport.fingerprints.empty()) return false;
  remote_ = {first->transport.ufrag, first->transport.pwd};
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &own_size);
  const Address mine = from_system(own);
  const sdp::Candidate* chosen = nullptr;
  for (const auto& candidate : first->candidates) {
    if (candidate.tcp || candidate.component != 1 || candidate.address.v6 != mine.v6) continue;
    if (chosen == nullptr ||
        (candidate.address.loopback() == mine.loopback() && chosen->address.loopback() != mine.loopback()))
      chosen = &candidate;
  }
  if (chosen == nullptr) return false;
  path_ = chosen->address;
  to_size_ = to_system(path_, to_);
  // RFC 8445 section 6.1.1: a lite agent is controlled; else the one that offers controls.
  if (remote.ice_lite) controlling_ = true;
  const bool passive = first->transport.setup == sdp::Setup::active;
  dtls_.emplace(*shared_.dtls, passive ? sdp::DtlsRole::server : sdp::DtlsRole::client,
                first->transport.fingerprints.front());
  next_check_ = now;
  tick(now);
  return true;
}

void ClientPeer::check(Time now) {
  std::array<uint8_t, 512> buffer;
  StunMessage message;
  const std::string username = remote_.ufrag + ":" + local_.ufrag;
  size_t size = stun_usage_ice_conncheck_create(
      &stun_client(), &message, buffer.data(), buffer.size(), reinterpret_cast<const uint8_t*>(username.data()),
      username.size(), reinterpret_cast<const uint8_t*>(remote_.pwd.data()), remote_.pwd.size(), controlling_,
      controlling_, 0x6e7f1eff, uint64_t{0x6c6f6164} << 32, nullptr, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  if (size > 0) {
    // Answers are told by their type: the agent need not remember the transaction.
    StunTransactionId id;
    stun_message_id(&message, id);
    stun_agent_forget_transaction(&stun_client(), id);
    sendto(fd_, buffer.data(), size, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to_), to_size_);
  }
  next_check_ = now + (answered_ ? consent_checks : first_checks);
}

void ClientPeer::on_stun(MutableBytes datagram, const sockaddr_storage& from, socklen_t from_size) {
  if (datagram.size() < 20) return;
  if (datagram[0] == 0x01 && datagram[1] == 0x01) {  // RFC 8489 section 5: binding success response
    answered_ = true;
    return;
  }
  if (ice::StunCodec::local_ufrag(datagram) != local_.ufrag) return;
  auto verified = shared_.stun.verify(datagram, local_.pwd);
  if (verified.drop) return;
  Bytes reply = shared_.stun.success(from_system(from));
  sendto(fd_, reply.data(), reply.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&from), from_size);
}

void ClientPeer::note_arrivals() {
  const int one = 1;
  setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
}

// The size of the datagrams that the kernel joined, and when they came.
size_t ClientPeer::read_control(msghdr& header, size_t got) {
  size_t segment = got;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
      int size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      if (size > 0) segment = static_cast<size_t>(size);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      timespec came{}, real{};
      std::memcpy(&came, CMSG_DATA(c), sizeof came);
      clock_gettime(CLOCK_REALTIME, &real);
      arrived_ = Clock::now() - Duration((real.tv_sec - came.tv_sec) * 1'000'000'000 + real.tv_nsec - came.tv_nsec);
    }
  }
  return segment;
}

void ClientPeer::receive(Time now, const Packets& rtp, const Packets& rtcp) {
  for (;;) {
    sockaddr_storage from;
    iovec part{shared_.slab.data(), shared_.slab.size()};
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(timespec))> control;
    msghdr header{};
    header.msg_name = &from;
    header.msg_namelen = sizeof from;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    ssize_t got = recvmsg(fd_, &header, MSG_DONTWAIT);
    if (got <= 0) break;
    arrived_ = now;
    const size_t segment = read_control(header, static_cast<size_t>(got));
    for (size_t at = 0; at < static_cast<size_t>(got); at += segment) {
      MutableBytes datagram(shared_.slab.data() + at, std::min(segment, static_cast<size_t>(got) - at));
      size_t size = datagram.size();
      switch (rtp::wire_of(datagram)) {
      case rtp::Wire::stun: on_stun(datagram, from, header.msg_namelen); break;
      case rtp::Wire::dtls:
        if (!dtls_) break;
        dtls_->receive(datagram, path_, now, out_);
        if (take_record_)
          for (Bytes record : dtls_->records()) take_record_(record);
        break;
      case rtp::Wire::rtp:
        if (!srtp_) break;
        if (srtp_->unprotect(datagram, size))
          ++undecryptable_;
        else
          rtp(datagram.first(size));
        break;
      case rtp::Wire::rtcp:
        if (!srtp_) break;
        if (srtp_->unprotect_rtcp(datagram, size))
          ++undecryptable_;
        else
          rtcp(datagram.first(size));
        break;
      case rtp::Wire::junk: break;
      }
    }
  }
  tick(now);
}

void ClientPeer::tick(Time now) {
  if (!dtls_) return;
  if (now >= next_check_) check(now);
  if (answered_) dtls_->start(path_, now, out_);
  if (now >= dtls_->next_deadline()) dtls_->tick(path_, now, out_);
  flush();
  if (srtp_ || dtls_->state() != secure::Dtls::State::connected) return;
  auto session = secure::SrtpSession::make(*dtls_->keys());
  if (!session) return;
  srtp_.emplace(std::move(*session));
  key_ = shared_.cipher->make_key(*dtls_->keys());
  dtls_->release();
}

void ClientPeer::send_record(Bytes record, Time now) {
  dtls_->send(record, path_, now, out_);
  flush();
}

void ClientPeer::flush() {
  for (size_t i = 0; i < out_.size(); ++i) {
    auto item = out_[i];
    sendto(fd_, item.bytes.data(), item.bytes.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to_), to_size_);
  }
  out_.clear();
}

void ClientPeer::send_rtp(Bytes packet, size_t header_size, uint64_t index) {
  if (!key_) return;
  std::array<uint8_t, 1600> out;
  const secure::SealJob job{key_.get(),
                            index,
                            load_u32(packet.data() + 8),
                            packet.data(),
                            static_cast<uint16_t>(header_size),
                            packet.data() + header_size,
                            static_cast<uint16_t>(packet.size() - header_size),
                            out.data()};
  shared_.cipher->seal({&job, 1});
  sendto(fd_, out.data(), job.sealed_size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to_), to_size_);
}

void ClientPeer::send_rtcp(Bytes packet) {
  if (!srtp_) return;
  std::array<uint8_t, 1600> out;
  if (packet.size() + secure::rtcp_trailer_size > out.size()) return;
  std::memcpy(out.data(), packet.data(), packet.size());
  size_t size = srtp_->protect_rtcp(out, packet.size());
  if (size > 0) sendto(fd_, out.data(), size, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to_), to_size_);
}

void ClientPeer::thin_out(uint32_t one_of) {
  // The filter of a UDP socket sees the UDP header first: the payload begins at 8 (RFC 7983: RTP begins with 128-191,
  // RTCP's second byte without its first bit is 64-95, RFC 5761).
  const uint32_t pass = 0xffffffff;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 128, 0, 5),  // not RTP: pass
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7f),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 64, 0, 1),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 96, 0, 1),  // below: RTCP, pass
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_RET | BPF_K, pass),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, one_of == 0 ? 1 : one_of),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one_of == 0 ? pass : 0, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, pass),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

}  // namespace cardea::load
