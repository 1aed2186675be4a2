// What a burst of media costs where the caches know nothing of it any more, as between two bursts of a small house on a
// shared machine: a voice packet or a picture of six packets to 200 subscribers, and before each of them another use of
// the caches. Sent as frames, or where that is not allowed by the UDP socket.
//
//   burst_bench [FROM TO]     addresses: ours, and the subscribers', for instance one whose device swallows all
#include <algorithm>
#include <cstdio>
#include <vector>

#include "bench/bench.hpp"
#include "unit/peer/house.hpp"
#include "worker/egress.hpp"
#include "worker/udp_socket.hpp"

namespace cardea {
namespace {

constexpr size_t subscribers = 200;
constexpr size_t voice_size = 120, picture_size = 1050, picture_packets = 6;
constexpr size_t rounds = 400;

double cpu_us() { return bench::cpu_ns() / 1e3; }

struct Spent {
  std::vector<double> routing, sending;
  void tell(const char* what) {
    std::sort(routing.begin(), routing.end());
    std::sort(sending.begin(), sending.end());
    const auto at = [](const std::vector<double>& all, size_t share) { return all[all.size() * share / 100]; };
    std::printf("%-16s routing %7.1f us (a quarter below %.1f)   sending %7.1f us (a quarter below %.1f)\n", what,
                at(routing, 50), at(routing, 25), at(sending, 50), at(sending, 25));
  }
};

class Bench {
public:
  Bench(const char* own, const char* to) : house_({}, "auto", "SRTP_AEAD_AES_128_GCM") {
    sdp::MlinePlan voice = test::audio_line("a", Direction::recvonly),
                   picture = test::video_line("v", Direction::recvonly);
    voice.ssrcs.push_back({8, std::nullopt});
    picture.ssrcs.push_back({9, std::nullopt});
    publisher_ = &house_.join({voice, picture});
    for (uint32_t i = 0; i < subscribers; ++i) {
      test::Member& member = house_.join({test::audio_line("a", Direction::sendonly, 5000 + i),
                                          test::video_line("v", Direction::sendonly, 10000 + 2 * i)},
                                         *Address::parse(to, static_cast<uint16_t>(20000 + i)));
      house_.router->forward({publisher_->id, 0}, {member.id, 0}, house_.now);
      house_.router->forward({publisher_->id, 1}, {member.id, 1}, house_.now);
    }
    worker::SocketOptions options;
    sockets_.push_back(*worker::UdpSocket::bind(*Address::parse(own, 0), 0, options));
    auto frames = worker::FrameSender::make(options.send_buffer, 0);
    egress_ = std::make_unique<worker::Egress>(*house_.engine, sockets_, 0.03, frames ? std::move(*frames) : nullptr);
  }

  const char* way() const { return egress_->frames() > 0 ? "frames" : "UDP socket"; }

  void run(bool cold) {
    Spent voice, picture;
    for (size_t round = 0; round < rounds; ++round) {
      if (cold) other_.pass();
      burst(voice_packet(), voice);
      if (round % 5 >= 3) continue;
      if (cold) other_.pass();
      burst(picture_packets_of(), picture);
    }
    std::printf("by %s\n", way());
    voice.tell(cold ? "voice, cold" : "voice, warm");
    picture.tell(cold ? "picture, cold" : "picture, warm");
  }

private:
  std::vector<std::vector<uint8_t>> voice_packet() {
    test::Client::Rtp rtp;
    rtp.ssrc = 8;
    rtp.seq = static_cast<rtp::SeqNo>(voice_seq_++);
    rtp.timestamp = static_cast<uint32_t>(960 * voice_seq_);
    rtp.payload = std::vector<uint8_t>(voice_size, 3);
    return {publisher_->client->protect(rtp)};
  }
  std::vector<std::vector<uint8_t>> picture_packets_of() {
    std::vector<std::vector<uint8_t>> all;
    for (size_t i = 0; i < picture_packets; ++i) {
      test::Client::Rtp rtp;
      rtp.ssrc = 9;
      rtp.payload_type = test::vp8_type;
      rtp.marker = i + 1 == picture_packets;
      rtp.seq = static_cast<rtp::SeqNo>(picture_seq_++);
      rtp.timestamp = 3000 * picture_;
      rtp.payload = test::vp8_payload(picture_size, picture_ == 0, static_cast<uint16_t>(picture_));
      all.push_back(publisher_->client->protect(rtp));
    }
    ++picture_;
    return all;
  }

  void burst(std::vector<std::vector<uint8_t>> datagrams, Spent& spent) {
    peer::PeerConnection& from = *house_.peer(*publisher_);
    const double begin = cpu_us();
    for (std::vector<uint8_t>& bytes : datagrams) {
      Datagram datagram{publisher_->client->address(), bytes};
      peer::Received received = from.receive(datagram, house_.now, house_.output);
      if (received.packet) house_.router->deliver(received.packet, from, house_.now, house_.output);
    }
    const double routed = cpu_us();
    egress_->send_all(house_.router->waiting());
    egress_->flush();
    const double sent = cpu_us();
    spent.routing.push_back(routed - begin);
    spent.sending.push_back(sent - routed);
    house_.now += 12ms;
    house_.output.clear();
  }

  test::House house_;
  test::Member* publisher_ = nullptr;
  std::vector<worker::UdpSocket> sockets_;
  std::unique_ptr<worker::Egress> egress_;
  bench::OtherUse other_;
  uint32_t voice_seq_ = 0, picture_seq_ = 0, picture_ = 0;
};

}  // namespace
}  // namespace cardea

int main(int argc, char** argv) {
  const bool given = argc > 2;
  cardea::Bench bench(given ? argv[1] : "127.0.0.1", given ? argv[2] : "127.0.0.1");
  for (const bool cold : {false, true, false, true}) bench.run(cold);
}
