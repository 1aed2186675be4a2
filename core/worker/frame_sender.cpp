#include "worker/frame_sender.hpp"

#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "cardea/log.hpp"

namespace cardea::worker {
namespace {

bool kernel_segments_frames() {
  utsname name{};
  int major = 0, minor = 0;
  if (uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  return std::pair(major, minor) >= std::pair(6, 2);
}

}  // namespace

Result<std::unique_ptr<FrameSender>> FrameSender::make(uint32_t send_buffer, uint8_t dscp) {
  if (!kernel_segments_frames()) return Error{0, "frames need Linux 6.2 or later"};
  const int allowed = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (allowed < 0) return Error{0, "frames need the right to open packet sockets (CAP_NET_RAW)"};
  close(allowed);
  Result<Links> links = Links::open();
  if (!links) return std::move(links.error());
  return std::unique_ptr<FrameSender>(new FrameSender(std::move(*links), send_buffer, dscp));
}

uint8_t* FrameSender::begin(const Address& from, const Address& to, size_t size, size_t segment) {
  used_ = true;
  const Link* link = from.unspecified() ? nullptr : links_.find(from, to, ip_headers_size(to.v6) + segment);
  if (link == nullptr) return nullptr;
  Door& out = door(link->interface);
  if (!out.ring) return nullptr;
  uint8_t* at = out.ring->next();
  full_ = at == nullptr;
  if (full_) return nullptr;
  const size_t datagrams = (size + segment - 1) / segment;
  write_frame_headers(at, *link, from, to, {size, segment, id_, dscp_});
  id_ = static_cast<uint16_t>(id_ + datagrams);
  out.ring->commit(frame_headers_size(to.v6) + size);
  out.datagrams += datagrams;
  ++runs_;
  return at + frame_headers_size(to.v6);
}

FrameSender::Door& FrameSender::door(int interface) {
  auto [found, is_new] = doors_.try_emplace(interface);
  if (!is_new) return found->second;
  Result<FrameRing> ring = FrameRing::open(interface, send_buffer_);
  if (ring)
    found->second.ring.emplace(std::move(*ring));
  else
    log::warn("worker", "no frames on interface ", interface, ": ", ring.error().reason);
  return found->second;
}

void FrameSender::flush() {
  if (!std::exchange(used_, false)) return;
  full_ = false;
  for (auto at = doors_.begin(); at != doors_.end();) {
    Door& out = at->second;
    const bool there = !out.ring || out.ring->flush();
    const uint64_t datagrams = std::exchange(out.datagrams, 0);
    if (!there) unreachable_ += datagrams;
    at = there ? std::next(at) : doors_.erase(at);
  }
  links_.refresh();
}

}  // namespace cardea::worker
