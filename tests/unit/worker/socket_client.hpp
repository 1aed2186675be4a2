// test::Client on a real UDP socket on loopback.
#pragma once

#include <functional>
#include <memory>

#include "unit/peer/test_client.hpp"

namespace cardea::test {

class SocketClient {
public:
  // port: of the worker, on 127.0.0.1.
  SocketClient(secure::DtlsContext& dtls, secure::CipherEngine& engine, uint16_t port);
  ~SocketClient();
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  // Sends what waits and takes what comes until `done` says so; false: it did not within two seconds.
  bool until(const std::function<bool()>& done, Duration most = 2s);
  // STUN and DTLS.
  bool connect(const sdp::IceCredentials& theirs);
  void send(const std::vector<uint8_t>& datagram);
  void pump(int timeout_ms);

  Client client;
  // Every datagram of RTP that came, as it was on the wire.
  std::vector<std::vector<uint8_t>> wire;

private:
  int fd_;
};

}  // namespace cardea::test
