#include "worker/frame.hpp"

#include <cstring>
#include <span>

#include "base/bytes.hpp"

namespace cardea::worker {
namespace {

constexpr uint8_t udp_protocol = 17, hop_limit = 64;
constexpr uint8_t needs_checksum = 1, segments_udp = 5;  // VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_UDP_L4
// Bytes of a run that the kernel copies in less time than it takes to lend it the pages.
constexpr size_t cheaper_copied = 512;
constexpr size_t ethernet_size = 14, virtio_size = 10, udp_size = 8;

// The virtio header has the host's byte order here.
void store_native(uint8_t* at, size_t value) {
  const auto short_value = static_cast<uint16_t>(value);
  std::memcpy(at, &short_value, sizeof short_value);
}

// RFC 1071, not yet inverted.
uint16_t sum(uint32_t start, std::span<const uint8_t> bytes) {
  for (size_t i = 0; i < bytes.size(); i += 2) start += load_u16(bytes.data() + i);
  while (start >> 16 != 0) start = (start & 0xffff) + (start >> 16);
  return static_cast<uint16_t>(start);
}

void write_ipv4(uint8_t* at, const Address& from, const Address& to, const FrameRun& run) {
  std::memset(at, 0, 20);
  at[0] = 0x45;
  at[1] = static_cast<uint8_t>(run.dscp << 2);
  store_u16(at + 2, static_cast<uint16_t>(20 + udp_size + run.size));
  store_u16(at + 4, run.id);
  at[8] = hop_limit;
  at[9] = udp_protocol;
  std::memcpy(at + 12, from.ip.data(), 4);
  std::memcpy(at + 16, to.ip.data(), 4);
  store_u16(at + 10, static_cast<uint16_t>(~sum(0, {at, 20})));
}

void write_ipv6(uint8_t* at, const Address& from, const Address& to, const FrameRun& run) {
  std::memset(at, 0, 8);
  store_u16(at, static_cast<uint16_t>(0x6000 | (run.dscp << 6)));
  store_u16(at + 4, static_cast<uint16_t>(udp_size + run.size));
  at[6] = udp_protocol;
  at[7] = hop_limit;
  std::memcpy(at + 8, from.ip.data(), 16);
  std::memcpy(at + 24, to.ip.data(), 16);
}

}  // namespace

void write_frame_headers(uint8_t* at, const Link& link, const Address& from, const Address& to, const FrameRun& run) {
  const bool v6 = to.v6;
  const size_t ip_size = ip_headers_size(v6) - udp_size, address_size = v6 ? 16 : 4;
  std::memset(at, 0, virtio_size);
  at[0] = needs_checksum;
  if (run.size > run.segment) {
    at[1] = segments_udp;
    store_native(at + 4, run.segment);
  }
  // What counts as header is copied.
  store_native(at + 2,
               ethernet_size + ip_size + udp_size + (link.loopback() || run.size <= cheaper_copied ? run.size : 0));
  store_native(at + 6, ethernet_size + ip_size);
  store_native(at + 8, 6);  // of the checksum in the UDP header
  uint8_t* const ethernet = at + virtio_size;
  std::memcpy(ethernet, link.destination.data(), 6);
  std::memcpy(ethernet + 6, link.source.data(), 6);
  store_u16(ethernet + 12, v6 ? 0x86dd : 0x0800);
  uint8_t* const ip = ethernet + ethernet_size;
  if (v6)
    write_ipv6(ip, from, to, run);
  else
    write_ipv4(ip, from, to, run);
  uint8_t* const udp = ip + ip_size;
  store_u16(udp, from.port);
  store_u16(udp + 2, to.port);
  store_u16(udp + 4, static_cast<uint16_t>(udp_size + run.size));
  // Source and destination stand together at the end of the IP header.
  store_u16(udp + 6, sum(static_cast<uint32_t>(udp_protocol + udp_size + run.size),
                         {ip + ip_size - 2 * address_size, 2 * address_size}));
}

}  // namespace cardea::worker
