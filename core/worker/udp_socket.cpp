#include "worker/udp_socket.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "cardea/text.hpp"

namespace cardea::worker {
namespace {

socklen_t to_system(const Address& address, sockaddr_storage& out) {
  if (address.v6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out);
    *v6 = {};
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    std::memcpy(&v6->sin6_addr, address.ip.data(), 16);
    return sizeof *v6;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
  *v4 = {};
  v4->sin_family = AF_INET;
  v4->sin_port = htons(address.port);
  std::memcpy(&v4->sin_addr, address.ip.data(), 4);
  return sizeof *v4;
}

Address from_system(const sockaddr_storage& in, uint8_t socket) {
  Address address;
  address.socket = socket;
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

void set_option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

// Buffers beyond net.core.rmem_max need CAP_NET_ADMIN; without it the largest allowed is taken.
void set_buffer(int fd, int forced, int plain, uint32_t bytes) {
  int value = static_cast<int>(std::min<uint32_t>(bytes, 1u << 30));
  if (setsockopt(fd, SOL_SOCKET, forced, &value, sizeof value) != 0)
    setsockopt(fd, SOL_SOCKET, plain, &value, sizeof value);
}

size_t datagrams_in(Bytes bytes, size_t segment) { return segment == 0 ? 1 : (bytes.size() + segment - 1) / segment; }

}  // namespace

Result<UdpSocket> UdpSocket::bind(const Address& local, uint8_t number, const SocketOptions& options) {
  int fd = socket(local.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error{0, text("no UDP socket for ", local.text(), ": ", std::generic_category().message(errno))};
  if (local.v6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer);
  if (options.dscp != 0)
    set_option(fd, local.v6 ? IPPROTO_IPV6 : IPPROTO_IP, local.v6 ? IPV6_TCLASS : IP_TOS, options.dscp << 2);
  // Path MTU discovery would make the kernel refuse what is a little too long for one hop; fragments get through.
  if (!local.v6) set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  sockaddr_storage address{};
  socklen_t size = to_system(local, address);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) {
    int error = errno;
    close(fd);
    if (error == EADDRINUSE) return Error{error, text("UDP port ", local.port, " on ", local.ip_text(), " is in use")};
    return Error{error, text("cannot bind UDP ", local.text(), ": ", std::generic_category().message(error))};
  }
  size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  int one = 1, zero = 0;
  bool gro = options.gro && setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof one) == 0;
  bool gso = options.gso && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &zero, sizeof zero) == 0;
  return UdpSocket(fd, from_system(address, number), number, gso, gro);
}

UdpSocket::UdpSocket(int fd, const Address& local, uint8_t number, bool gso, bool gro)
    : fd_(fd), slabs_(std::make_unique<Slabs>()), local_(local), number_(number), gso_(gso), gro_(gro) {}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), slabs_(std::move(other.slabs_)), local_(other.local_), number_(other.number_),
      gso_(other.gso_), gro_(other.gro_) {}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) close(fd_);
}

size_t UdpSocket::fill() {
  std::array<mmsghdr, batch> headers{};
  std::array<iovec, batch> parts{};
  std::array<sockaddr_storage, batch> from;
  alignas(cmsghdr) std::array<std::array<uint8_t, CMSG_SPACE(sizeof(int))>, batch> controls;
  for (size_t i = 0; i < batch; ++i) {
    parts[i] = {slabs_->bytes.data() + i * slab_size, slab_size};
    msghdr& header = headers[i].msg_hdr;
    header.msg_name = &from[i];
    header.msg_namelen = sizeof from[i];
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
    if (gro_) {
      header.msg_control = controls[i].data();
      header.msg_controllen = controls[i].size();
    }
  }
  int got = recvmmsg(fd_, headers.data(), batch, MSG_DONTWAIT, nullptr);
  // An ICMP error of an earlier send surfaces here once; the next call reads on.
  if (got <= 0) return 0;
  for (size_t i = 0; i < static_cast<size_t>(got); ++i) {
    Received& received = received_[i];
    received.from = from_system(from[i], number_);
    received.size = headers[i].msg_len;
    received.segment = std::max<size_t>(received.size, 1);
    for (cmsghdr* c = CMSG_FIRSTHDR(&headers[i].msg_hdr); c != nullptr; c = CMSG_NXTHDR(&headers[i].msg_hdr, c)) {
      if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO) continue;
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      if (segment > 0) received.segment = static_cast<size_t>(segment);
    }
  }
  return static_cast<size_t>(got);
}

void UdpSocket::queue(const Address& to, Bytes bytes, size_t segment) {
  if (segment == 0 || segment >= bytes.size()) return append(to, bytes, 0);
  size_t at_once = gso_ ? std::min(max_segments, max_message / segment) : 1;
  for (size_t at = 0; at < bytes.size(); at += at_once * segment) {
    Bytes part = bytes.subspan(at, std::min(at_once * segment, bytes.size() - at));
    append(to, part, part.size() > segment ? segment : 0);
  }
}

void UdpSocket::append(const Address& to, Bytes bytes, size_t segment) {
  if (outgoing_count_ == batch) flush();
  Outgoing& message = outgoing_[outgoing_count_++];
  message.to_size = to_system(to, message.to);
  message.bytes = bytes;
  message.segment = segment;
}

size_t UdpSocket::prepare(std::array<mmsghdr, batch>& headers, std::array<iovec, batch>& parts) {
  for (size_t i = 0; i < outgoing_count_; ++i) {
    Outgoing& message = outgoing_[i];
    parts[i] = {const_cast<uint8_t*>(message.bytes.data()), message.bytes.size()};
    msghdr& header = headers[i].msg_hdr;
    header = {};
    header.msg_name = &message.to;
    header.msg_namelen = message.to_size;
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
    if (message.segment == 0) continue;
    header.msg_control = message.control.data();
    header.msg_controllen = message.control.size();
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    auto size = static_cast<uint16_t>(message.segment);
    std::memcpy(CMSG_DATA(control), &size, sizeof size);
  }
  return outgoing_count_;
}

void UdpSocket::flush() {
  if (outgoing_count_ == 0) return;
  std::array<mmsghdr, batch> headers;
  std::array<iovec, batch> parts;
  size_t count = prepare(headers, parts);
  for (size_t at = 0; at < count;) {
    int sent = sendmmsg(fd_, headers.data() + at, static_cast<unsigned>(count - at), MSG_DONTWAIT);
    if (sent > 0) {
      for (size_t i = at; i < at + static_cast<size_t>(sent); ++i)
        datagrams_sent_ += datagrams_in(outgoing_[i].bytes, outgoing_[i].segment);
      messages_sent_ += static_cast<uint64_t>(sent);
      at += static_cast<size_t>(sent);
      continue;
    }
    const Outgoing& refused = outgoing_[at];
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      for (; at < count; ++at) queue_full_ += datagrams_in(outgoing_[at].bytes, outgoing_[at].segment);
      break;
    }
    if (refused.segment != 0 && (errno == EINVAL || errno == EIO || errno == EMSGSIZE)) {
      // The device or the route takes no such run: the same datagrams one by one, and no more runs if the kernel cannot
      // at all.
      if (errno == EIO) gso_ = false;
      send_singly(refused);
    } else {
      unreachable_ += datagrams_in(refused.bytes, refused.segment);
    }
    ++at;
  }
  outgoing_count_ = 0;
}

void UdpSocket::send_singly(const Outgoing& message) {
  for (size_t at = 0; at < message.bytes.size(); at += message.segment) {
    Bytes one = message.bytes.subspan(at, std::min(message.segment, message.bytes.size() - at));
    ssize_t sent = sendto(fd_, one.data(), one.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&message.to),
                          message.to_size);
    if (sent < 0) {
      ++unreachable_;
    } else {
      ++datagrams_sent_;
      ++messages_sent_;
    }
  }
}

std::vector<Address> host_addresses(bool ipv6) {
  std::vector<Address> all;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return all;
  for (ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    int family = one->ifa_addr->sa_family;
    if (family != AF_INET && (family != AF_INET6 || !ipv6)) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    Address address = from_system(storage, 0);
    address.port = 0;
    if (!address.loopback() && !address.link_local()) all.push_back(address);
  }
  freeifaddrs(list);
  return all;
}

}  // namespace cardea::worker
