#include "worker/frame_ring.hpp"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "cardea/text.hpp"

namespace cardea::worker {
namespace {

constexpr size_t block_size = 65536;
constexpr size_t frame_at = TPACKET2_HDRLEN - sizeof(sockaddr_ll);
static_assert(frame_at + FrameRing::max_frame <= FrameRing::frame_size);

Error failed(const char* what) { return Error{errno, text(what, ": ", std::generic_category().message(errno))}; }

template <class Value>
bool set(int fd, int level, int name, const Value& value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

tpacket2_hdr* header(uint8_t* slots, size_t at) {
  return reinterpret_cast<tpacket2_hdr*>(slots + at * FrameRing::frame_size);
}

}  // namespace

Result<FrameRing> FrameRing::open(int interface, size_t slots, uint32_t send_buffer) {
  // Without a protocol it receives nothing.
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("a packet socket");
  FrameRing ring(fd, slots);
  const auto bytes = static_cast<int>(send_buffer);
  if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes)) set(fd, SOL_SOCKET, SO_SNDBUF, bytes);
  tpacket_req request{};
  request.tp_block_size = block_size;
  request.tp_block_nr = static_cast<unsigned>(slots * frame_size / block_size);
  request.tp_frame_size = frame_size;
  request.tp_frame_nr = static_cast<unsigned>(slots);
  // PACKET_LOSS: a frame that the kernel does not take does not hold up those behind it.
  if (!set(fd, SOL_PACKET, PACKET_VERSION, int{TPACKET_V2}) || !set(fd, SOL_PACKET, PACKET_VNET_HDR, 1) ||
      !set(fd, SOL_PACKET, PACKET_LOSS, 1) || !set(fd, SOL_PACKET, PACKET_TX_RING, request))
    return failed("a packet socket's ring");
  void* memory = mmap(nullptr, slots * frame_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return failed("a packet socket's memory");
  ring.slots_ = static_cast<uint8_t*>(memory);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = interface;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return failed("binding a packet socket");
  return ring;
}

FrameRing::FrameRing(FrameRing&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), slots_(std::exchange(other.slots_, nullptr)), count_(other.count_),
      at_(other.at_), waiting_(other.waiting_) {}

FrameRing::~FrameRing() {
  if (slots_ != nullptr) munmap(slots_, count_ * frame_size);
  if (fd_ >= 0) close(fd_);
}

uint8_t* FrameRing::next() {
  tpacket2_hdr* slot = header(slots_, at_);
  if (__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE) return nullptr;
  return reinterpret_cast<uint8_t*>(slot) + frame_at;
}

void FrameRing::commit(size_t size) {
  tpacket2_hdr* slot = header(slots_, at_);
  slot->tp_len = static_cast<uint32_t>(size);
  __atomic_store_n(&slot->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);  // looked at within send() only
  at_ = (at_ + 1) % count_;
  waiting_ = true;
}

bool FrameRing::flush() {
  if (!waiting_) return true;
  const ssize_t sent = send(fd_, nullptr, 0, MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != EINTR) return false;
  const tpacket2_hdr* last = header(slots_, (at_ + count_ - 1) % count_);
  waiting_ = __atomic_load_n(&last->tp_status, __ATOMIC_ACQUIRE) == TP_STATUS_SEND_REQUEST;
  return true;
}

}  // namespace cardea::worker
