#include "unit/worker/socket_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "rtp/parse.hpp"

namespace cardea::test {

SocketClient::SocketClient(secure::DtlsContext& dtls, secure::CipherEngine& engine, uint16_t port)
    : client(dtls, engine, {}), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  [[maybe_unused]] int connected = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to);
}

SocketClient::~SocketClient() { close(fd_); }

void SocketClient::send(const std::vector<uint8_t>& datagram) {
  [[maybe_unused]] auto sent = ::send(fd_, datagram.data(), datagram.size(), 0);
}

void SocketClient::pump(int timeout_ms) {
  for (const auto& datagram : client.outbox()) send(datagram);
  client.outbox().clear();
  pollfd readable{fd_, POLLIN, 0};
  poll(&readable, 1, timeout_ms);
  std::array<uint8_t, 2048> buffer;
  for (;;) {
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    const Bytes datagram(buffer.data(), static_cast<size_t>(got));
    if (rtp::wire_of(datagram) == rtp::Wire::rtp) wire.emplace_back(datagram.begin(), datagram.end());
    client.receive(datagram, Clock::now());
  }
  client.tick(Clock::now());
}

bool SocketClient::until(const std::function<bool()>& done, Duration most) {
  const Time give_up = Clock::now() + most;
  while (!done()) {
    if (Clock::now() > give_up) return false;
    pump(2);
  }
  return true;
}

bool SocketClient::connect(const sdp::IceCredentials& theirs) {
  send(stun_check(theirs, true));
  if (!until([&] { return client.stun_replies > 0; })) return false;
  client.start_dtls(Clock::now());
  return until([&] { return client.connected(); });
}

}  // namespace cardea::test
