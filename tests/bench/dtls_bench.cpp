// How long so many DTLS handshakes take when all begin at once: all servers on one thread, all clients on another, no
// sockets, no ICE, no SDP between. The floor under "a thousand peers join at once".
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "bench/bench.hpp"
#include "cardea/mailbox.hpp"
#include "secure/dtls.hpp"

namespace cardea {
namespace {

struct Letter {
  size_t peer;
  std::vector<uint8_t> bytes;
};

// One side: `count` endpoints, run until each is connected.
class Side {
public:
  Side(sdp::DtlsRole role, size_t count)
      : role_(role), certificate_(*secure::Certificate::make()), context_(*secure::DtlsContext::make(certificate_)),
        ends_(count) {}

  // `other` outlives the call.
  void run(Side& other) {
    std::vector<Letter> letters;
    for (size_t i = 0; role_ == sdp::DtlsRole::client && i < ends_.size(); ++i) {
      open(i, other);
      ends_[i]->start(address_, Clock::now(), out_);
      flush(i, other);
    }
    const double began = bench::cpu_ns();
    while (connected_ < ends_.size()) {
      pollfd waiting{mailbox_.fd(), POLLIN, 0};
      if (poll(&waiting, 1, 10'000) <= 0) return;
      mailbox_.take(letters);
      for (const Letter& letter : letters) {
        if (!ends_[letter.peer]) open(letter.peer, other);
        secure::Dtls& end = *ends_[letter.peer];
        const bool before = end.state() == secure::Dtls::State::connected;
        end.receive(letter.bytes, address_, Clock::now(), out_);
        flush(letter.peer, other);
        if (before || end.state() != secure::Dtls::State::connected) continue;
        end.release();
        ++connected_;
      }
    }
    cpu_ns_ = bench::cpu_ns() - began;
  }
  double cpu_ns() const { return cpu_ns_; }
  size_t connected() const { return connected_; }

private:
  void open(size_t i, const Side& other) { ends_[i].emplace(*context_, role_, other.context_->fingerprint()); }
  void flush(size_t i, Side& other) {
    for (size_t k = 0; k < out_.size(); ++k) {
      const Bytes bytes = out_[k].bytes;
      other.mailbox_.post({i, {bytes.begin(), bytes.end()}});
    }
    out_.clear();
  }

  sdp::DtlsRole role_;
  secure::Certificate certificate_;
  std::unique_ptr<secure::DtlsContext> context_;
  std::vector<std::optional<secure::Dtls>> ends_;
  Mailbox<Letter> mailbox_;
  Address address_;
  Outbox out_;
  size_t connected_ = 0;
  double cpu_ns_ = 0;
};

}  // namespace
}  // namespace cardea

int main(int argc, char** argv) {
  using namespace cardea;
  const size_t count = argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : 1000;
  Side servers(sdp::DtlsRole::server, count), clients(sdp::DtlsRole::client, count);
  const Time began = Clock::now();
  std::thread thread([&] { servers.run(clients); });
  clients.run(servers);
  thread.join();
  if (servers.connected() < count || clients.connected() < count) {
    std::fprintf(stderr, "%zu and %zu of %zu connected\n", servers.connected(), clients.connected(), count);
    return 1;
  }
  std::printf("%zu DTLS handshakes, servers on one thread, clients on another\n", count);
  std::printf("CPU time of the servers %.0f ms, from the first to the last %.0f ms\n", servers.cpu_ns() / 1e6,
              static_cast<double>(to_us(Clock::now() - began)) / 1000);
}
