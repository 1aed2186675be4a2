// What a forwarded packet costs: one publisher, 200 subscribers with keys and addresses of their own on loopback, where
// nobody reads. From the publisher's datagram to the kernel: decryption, routing, rewriting, encryption, sending.
// Beside it a bare loop that only encrypts and sends the same runs: what crypto and kernel take by themselves.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/bench.hpp"
#include "unit/peer/house.hpp"
#include "worker/egress.hpp"
#include "worker/udp_socket.hpp"

namespace cardea {
namespace {

constexpr size_t subscribers = 200;
constexpr size_t payload_size = 1160;
constexpr size_t packets_per_run = 3000;

// Sockets that exist and are never read: their buffers are full after a moment, and the kernel drops.
class BlackHoles {
public:
  BlackHoles() {
    for (size_t i = 0; i < subscribers; ++i) {
      const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      const int small = 2048;
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof address;
      if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) std::exit(1);
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
      fds_.push_back(fd);
      addresses.push_back(*Address::parse("127.0.0.1", ntohs(address.sin_port)));
    }
  }
  ~BlackHoles() {
    for (int fd : fds_) close(fd);
  }
  std::vector<Address> addresses;

private:
  std::vector<int> fds_;
};

struct Setting {
  const char* engine;
  const char* profile;
  bool gso;
  size_t run;  // packets of the publisher collected in one turn
};

std::vector<worker::UdpSocket> make_socket(bool gso) {
  worker::SocketOptions options;
  options.gso = gso;
  std::vector<worker::UdpSocket> sockets;
  sockets.push_back(*worker::UdpSocket::bind(*Address::parse("127.0.0.1", 0), 0, options));
  return sockets;
}

struct Result {
  double ns = 0;
  double achieved_run = 0;
};

Result whole_path(const Setting& setting, const BlackHoles& holes) {
  test::House house({}, setting.engine, setting.profile);
  sdp::MlinePlan in = test::video_line("0", Direction::recvonly);
  in.ssrcs.push_back({9, std::nullopt});
  test::Member& publisher = house.join({in});
  for (uint32_t i = 0; i < subscribers; ++i) {
    test::Member& member = house.join({test::video_line("v", Direction::sendonly, 1000 + 2 * i)}, holes.addresses[i]);
    house.router->forward({publisher.id, 0}, {member.id, 0}, house.now);
  }
  std::vector<worker::UdpSocket> sockets = make_socket(setting.gso);
  worker::Egress egress(*house.engine, sockets, 0.03, nullptr);
  std::vector<std::vector<uint8_t>> datagrams;
  for (size_t i = 0; i < packets_per_run; ++i) {
    test::Client::Rtp rtp;
    rtp.ssrc = 9;
    rtp.payload_type = test::vp8_type;
    rtp.seq = static_cast<rtp::SeqNo>(i);
    rtp.timestamp = static_cast<uint32_t>(3000 * (i / 5));
    rtp.payload = test::vp8_payload(payload_size, i == 0, static_cast<uint16_t>(i / 5));
    datagrams.push_back(publisher.client->protect(rtp));
  }
  peer::PeerConnection& from = *house.peer(publisher);
  const size_t warm_up = packets_per_run / 3;
  double began = 0;
  uint64_t packets_before = 0, runs_before = 0;
  for (size_t at = 0; at + setting.run <= packets_per_run; at += setting.run) {
    if (began == 0 && at >= warm_up) {
      began = bench::cpu_ns();
      packets_before = egress.counters().packets;
      runs_before = egress.counters().runs;
    }
    for (size_t i = at; i < at + setting.run; ++i) {
      Datagram datagram{publisher.client->address(), datagrams[i]};
      peer::Received received = from.receive(datagram, house.now, house.output);
      if (received.packet) house.router->deliver(received.packet, from, house.now, house.output);
    }
    egress.send_all(house.router->waiting());
    egress.flush();
    house.now += Duration(5ms) * static_cast<int64_t>(setting.run) / 5;
  }
  const double spent = bench::cpu_ns() - began;
  const auto packets = static_cast<double>(egress.counters().packets - packets_before);
  return {spent / packets, packets / static_cast<double>(egress.counters().runs - runs_before)};
}

double bare_loop(const Setting& setting, const BlackHoles& holes) {
  auto engine = *secure::make_cipher_engine(*secure::parse_cipher_choice(setting.engine));
  std::vector<worker::UdpSocket> sockets = make_socket(setting.gso);
  const bool gcm = std::string_view(setting.profile).find("GCM") != std::string_view::npos;
  std::vector<std::unique_ptr<secure::SendKey>> keys;
  SeededRandom random(3);
  for (size_t i = 0; i < subscribers; ++i) {
    secure::SrtpKeys made;
    made.profile = gcm ? secure::SrtpProfile::aead_aes_128_gcm : secure::SrtpProfile::aes128_cm_sha1_80;
    random.fill(made.local);
    keys.push_back(engine->make_key(made));
  }
  std::vector<std::vector<uint8_t>> plain(setting.run, std::vector<uint8_t>(payload_size, 7));
  constexpr size_t header_size = 20;
  const size_t segment = header_size + payload_size + secure::tag_size(keys[0]->profile());
  std::vector<uint8_t> arena(worker::UdpSocket::batch * setting.run * (segment + 16));
  std::vector<secure::SealJob> jobs;
  std::vector<std::array<uint8_t, header_size>> headers(worker::UdpSocket::batch * setting.run);
  uint64_t packets = 0, index = 0;
  const double began = bench::cpu_ns();
  while (packets < packets_per_run * subscribers / 2) {
    for (size_t first = 0; first < subscribers; first += worker::UdpSocket::batch) {
      const size_t last = std::min(first + worker::UdpSocket::batch, subscribers);
      jobs.clear();
      uint8_t* out = arena.data();
      for (size_t i = first; i < last; ++i) {
        for (size_t k = 0; k < setting.run; ++k, out += segment) {
          auto& header = headers[jobs.size()];
          store_u32(header.data() + 8, static_cast<uint32_t>(i));
          jobs.push_back({keys[i].get(), index + k, static_cast<uint32_t>(i), header.data(), header_size,
                          plain[k].data(), payload_size, out});
        }
      }
      engine->seal(jobs);
      for (size_t i = first; i < last; ++i)
        sockets[0].queue(holes.addresses[i],
                         Bytes(arena).subspan((i - first) * setting.run * segment, setting.run * segment), segment);
      sockets[0].flush();
      packets += jobs.size();
    }
    index += setting.run;
  }
  return (bench::cpu_ns() - began) / static_cast<double>(packets);
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

void measure(const Setting& setting, const BlackHoles& holes) {
  std::vector<double> whole, bare;
  double achieved = 0;
  for (int i = 0; i < 3; ++i) {
    const Result one = whole_path(setting, holes);
    whole.push_back(one.ns);
    achieved = one.achieved_run;
    bare.push_back(bare_loop(setting, holes));
  }
  std::printf("%-5s %-24s %-7s %4zu %9.1f %12.0f %12.0f %7.2f\n", setting.engine, setting.profile,
              setting.gso ? "gso" : "single", setting.run, achieved, median(whole), median(bare),
              median(whole) / median(bare));
  std::fflush(stdout);
}

}  // namespace
}  // namespace cardea

// fanout_bench [ENGINE [PROFILE]]: of one only.
int main(int argc, char** argv) {
  using namespace cardea;
  const auto wanted = [&](int place, const char* one) { return argc <= place || std::string_view(argv[place]) == one; };
  const BlackHoles holes;
  std::printf("CPU ns per forwarded packet, %zu subscribers, %zu bytes of payload, loopback, nobody reads\n",
              subscribers, payload_size);
  std::printf("%-5s %-24s %-7s %4s %9s %12s %12s %7s\n", "", "profile", "sending", "turn", "run", "whole path",
              "bare loop", "ratio");
  for (const char* engine : {"auto", "evp"})
    for (const char* profile : {"SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"})
      for (const bool gso : {true, false})
        for (const size_t run : {size_t{1}, size_t{2}, size_t{5}, size_t{10}})
          if ((gso || run == 5) && wanted(1, engine) && wanted(2, profile)) measure({engine, profile, gso, run}, holes);
}
