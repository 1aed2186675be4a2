// What stands before a run of UDP datagrams when it goes to a network interface as one Ethernet frame, past the IP
// layer (packet(7) with PACKET_VNET_HDR): a virtio header that asks for checksum and segmentation (OASIS VIRTIO 1.1
// section 5.1.6), then Ethernet, IP (RFC 791, RFC 8200) and UDP (RFC 768). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/address.hpp"

namespace cardea::worker {

// How a next hop is reached.
struct Link {
  static constexpr int loopback_interface = 1;  // in each network namespace

  int interface = 0;                   // its index
  uint16_t mtu = 0;                    // IP bytes
  std::array<uint8_t, 6> destination;  // Ethernet addresses
  std::array<uint8_t, 6> source;

  bool loopback() const { return interface == loopback_interface; }  // to the host itself
};

struct FrameRun {
  size_t size = 0;     // bytes of all datagrams
  size_t segment = 0;  // of each but, perhaps, the last
  uint16_t id = 0;     // IPv4 identification of the first, the others follow
  uint8_t dscp = 0;
};

inline constexpr size_t max_frame_headers = 10 + 14 + 40 + 8;
constexpr size_t ip_headers_size(bool v6) { return (v6 ? 40 : 20) + 8; }  // with UDP
constexpr size_t frame_headers_size(bool v6) { return 10 + 14 + ip_headers_size(v6); }

// Writes frame_headers_size() bytes; the datagrams follow. The UDP checksum holds what the pseudo header adds to it:
// the interface, or the kernel before it, completes it for each datagram. The loopback gives a frame's memory back
// before anybody has read it: there the headers ask that all be copied.
void write_frame_headers(uint8_t* at, const Link& link, const Address& from, const Address& to, const FrameRun& run);

}  // namespace cardea::worker
