// One UDP socket of a worker: datagrams in and out in batches, trains and runs taken and given whole where the kernel
// can (UDP GRO and GSO, udp(7)). Not thread-safe.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/outbox.hpp"
#include "cardea/result.hpp"

namespace cardea::worker {

struct SocketOptions {
  uint32_t receive_buffer = 4 << 20;  // bytes; the system's limit is passed where we may
  uint32_t send_buffer = 4 << 20;
  bool gso = true, gro = true;
  uint8_t dscp = 0;
};

class UdpSocket {
public:
  static constexpr size_t batch = 32;           // messages a system call, each way
  static constexpr size_t slab_size = 65536;    // a GRO train at most
  static constexpr size_t max_segments = 64;    // the kernel's bound for one GSO message
  static constexpr size_t max_message = 65000;  // below the bound of an IP datagram

  // `number` goes into the `socket` member of the addresses received. Port 0: the system chooses.
  static Result<UdpSocket> bind(const Address& local, uint8_t number, const SocketOptions& options);

  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&&) = delete;
  ~UdpSocket();

  int fd() const { return fd_; }
  const Address& local() const { return local_; }
  bool gso() const { return gso_; }

  // One system call: up to `batch` messages. visit(Datagram&) for each datagram in them; the bytes are valid until the
  // next call. Returns how many messages there were; less than `batch`: nothing waits.
  template <class Visit>
  size_t receive(Visit&& visit) {
    const size_t messages = fill();
    for (size_t i = 0; i < messages; ++i) {
      MutableBytes bytes(slabs_->bytes.data() + i * slab_size, received_[i].size);
      for (size_t at = 0; at < bytes.size(); at += received_[i].segment) {
        Datagram datagram{received_[i].from, bytes.subspan(at, std::min(received_[i].segment, bytes.size() - at))};
        visit(datagram);
      }
    }
    return messages;
  }

  // Notes one message for flush(); `bytes` must stay as they are until then. Datagrams of `segment` bytes each, the
  // last may be shorter; 0: one datagram. Flushes by itself when a batch is full.
  void queue(const Address& to, Bytes bytes, size_t segment = 0);
  void flush();

  // Counters since the beginning.
  uint64_t messages_sent() const { return messages_sent_; }
  uint64_t datagrams_sent() const { return datagrams_sent_; }
  uint64_t unreachable() const { return unreachable_; }  // datagrams the system refused to send
  uint64_t queue_full() const { return queue_full_; }    // datagrams dropped because the send buffer was full

private:
  struct Received {
    Address from;
    size_t size = 0, segment = 1;
  };
  struct Slabs {
    std::vector<uint8_t> bytes = std::vector<uint8_t>(batch * slab_size);
  };
  struct Outgoing {
    sockaddr_storage to;
    socklen_t to_size;
    Bytes bytes;
    size_t segment;  // 0: one datagram
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(uint16_t))> control;
  };

  UdpSocket(int fd, const Address& local, uint8_t number, bool gso, bool gro);
  size_t fill();
  void append(const Address& to, Bytes bytes, size_t segment);
  void send_singly(const Outgoing& message);
  size_t prepare(std::array<mmsghdr, batch>& headers, std::array<iovec, batch>& parts);

  // owned
  int fd_;
  std::unique_ptr<Slabs> slabs_;
  // state
  Address local_;
  uint8_t number_;
  bool gso_, gro_;
  std::array<Received, batch> received_{};
  std::array<Outgoing, batch> outgoing_{};
  size_t outgoing_count_ = 0;
  uint64_t messages_sent_ = 0, datagrams_sent_ = 0, unreachable_ = 0, queue_full_ = 0;
};

// Every local address of the host that a peer may reach: loopback and link-local ones are left out.
std::vector<Address> host_addresses(bool ipv6);

}  // namespace cardea::worker
