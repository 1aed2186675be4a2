// What stands between one SSL object and Dtls: a BIO that keeps datagram borders, and OpenSSL's callbacks.
#pragma once

#include <openssl/ssl.h>

#include <vector>

#include "base/bytes.hpp"
#include "cardea/time.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::secure {

struct DtlsIo {
  Bytes incoming;                 // the datagram that is being received, until it is read
  std::vector<uint8_t> outgoing;  // datagrams that wait to be sent, one behind the other
  std::vector<size_t> sizes;      // and how long each is
  sdp::Fingerprint expected;      // no digest: not known yet
  bool alerted = false;           // the peer said close_notify or a fatal alert
  Duration first_retransmit{}, longest_retransmit{};

  void clear() {
    outgoing.clear();
    sizes.clear();
  }
  bool matches(const X509* certificate) const;

  static BIO* make_bio(DtlsIo& io);
  static DtlsIo& of(const SSL* ssl) { return *static_cast<DtlsIo*>(SSL_get_app_data(ssl)); }

  static int verify(X509_STORE_CTX* store, void*);
  static void inform(const SSL* ssl, int where, int what);
  static unsigned int retransmit_after(SSL* ssl, unsigned int previous_us);
};

}  // namespace cardea::secure
