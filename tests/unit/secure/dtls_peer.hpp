// The other end of a DTLS connection for tests: OpenSSL used directly, with what browsers differ in as settings, and a
// clock that both ends believe.
#pragma once

#include <openssl/ssl.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "secure/certificate.hpp"
#include "secure/dtls.hpp"
#include "secure/dtls_io.hpp"

namespace cardea::secure {

// What OpenSSL takes for the time of day in this program.
Time virtual_now();
void set_virtual_now(Time now);

struct PeerSettings {
  bool client = true;
  bool rsa = false;
  uint16_t mtu = 1200;
  size_t padding = 0;  // bytes that make the hello longer, as post-quantum key shares do
  std::string profiles = "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
  std::string suites = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
  std::string groups = "X25519:P-256";
};

class OpenSslPeer {
public:
  explicit OpenSslPeer(const PeerSettings& settings);

  using Datagrams = std::vector<std::vector<uint8_t>>;
  Datagrams start() { return advance(); }
  Datagrams receive(Bytes datagram);
  Datagrams tick();  // retransmits if OpenSSL's timer has run out
  std::optional<Duration> timeout() const;

  Datagrams write(std::string_view record);
  Datagrams shutdown();
  Datagrams renegotiate();
  std::vector<std::string> received;  // application data

  bool connected() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  bool failed() const { return failed_; }
  bool closed() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  const sdp::Fingerprint& fingerprint() const { return certificate_.fingerprint(); }
  SrtpKeys keys() const;
  void expect(const sdp::Fingerprint& fingerprint) { io_->expected = fingerprint; }

private:
  Datagrams advance();
  Datagrams take();
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  Certificate certificate_;
  bool client_;
  std::unique_ptr<DtlsIo> io_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool failed_ = false;
};

}  // namespace cardea::secure
