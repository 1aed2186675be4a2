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

const Link* FrameSender::link(uint32_t slot, const Address& from, const Address& to, size_t size) {
  if (slot >= known_.size()) known_.resize(slot + 1);
  Known& known = known_[slot];
  if (known.age == links_.age() && known.to == to && size <= known.size) return &known.link;
  const Link* found = from.unspecified() ? nullptr : links_.find(from, to, size);
  if (found != nullptr) known = {links_.age(), static_cast<uint16_t>(size), to, *found};
  return found;
}

uint8_t* FrameSender::begin(uint32_t slot, const Address& from, const Address& to, size_t size, size_t segment) {
  used_ = true;
  const Link* link = this->link(slot, from, to, ip_headers_size(to.v6) + segment);
  if (link == nullptr) return nullptr;
  Door& out = door(link->interface);
  if (out.rings.empty()) return nullptr;
  uint8_t* at = room(out);
  full_ = at == nullptr && out.datagrams > 0;
  if (at == nullptr) return nullptr;
  const size_t datagrams = (size + segment - 1) / segment;
  write_frame_headers(at, *link, from, to, {size, segment, id_, dscp_});
  id_ = static_cast<uint16_t>(id_ + datagrams);
  out.rings[out.filling].commit(frame_headers_size(to.v6) + size);
  out.datagrams += datagrams;
  ++runs_;
  return at + frame_headers_size(to.v6);
}

FrameSender::Door& FrameSender::door(int interface) {
  auto [found, is_new] = doors_.try_emplace(interface);
  if (!is_new) return found->second;
  Door& opened = found->second;
  for (size_t slots : ring_slots) {
    Result<FrameRing> ring = FrameRing::open(interface, slots, send_buffer_);
    if (ring) {
      opened.rings.push_back(std::move(*ring));
      continue;
    }
    log::warn("worker", "no frames on interface ", interface, ": ", ring.error().reason);
    opened.rings.clear();
    break;
  }
  return opened;
}

// Once a flush gives no room in a ring, the next one takes over until all has left.
uint8_t* FrameSender::room(Door& door) {
  uint8_t* at = door.rings[door.filling].next();
  if (at == nullptr && door.datagrams == 0 && door.filling + 1 < door.rings.size())
    at = door.rings[++door.filling].next();
  return at;
}

void FrameSender::flush() {
  if (!std::exchange(used_, false)) return;
  full_ = false;
  for (auto at = doors_.begin(); at != doors_.end();) {
    const bool there = hand_over(at->second);
    const uint64_t datagrams = std::exchange(at->second.datagrams, 0);
    if (!there) unreachable_ += datagrams;
    at = there ? std::next(at) : doors_.erase(at);
  }
  links_.refresh();
}

// False: the interface takes nothing any more. What an earlier ring still holds goes first.
bool FrameSender::hand_over(Door& door) {
  for (FrameRing& ring : door.rings) {
    if (!ring.flush()) return false;
    if (!ring.waiting()) continue;
    used_ = true;
    return true;
  }
  door.filling = 0;
  return true;
}

}  // namespace cardea::worker
