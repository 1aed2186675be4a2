#include "secure/dtls_io.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>

namespace cardea::secure {

namespace {

DtlsIo& io_of(BIO* bio) { return *static_cast<DtlsIo*>(BIO_get_data(bio)); }

int write_datagram(BIO* bio, const char* bytes, int size) {
  DtlsIo& io = io_of(bio);
  const auto* from = reinterpret_cast<const uint8_t*>(bytes);
  io.outgoing.insert(io.outgoing.end(), from, from + size);
  io.sizes.push_back(static_cast<size_t>(size));
  return size;
}

int read_datagram(BIO* bio, char* into, int room) {
  DtlsIo& io = io_of(bio);
  BIO_clear_retry_flags(bio);
  if (io.incoming.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  size_t size = std::min(io.incoming.size(), static_cast<size_t>(room));
  std::memcpy(into, io.incoming.data(), size);
  io.incoming = {};
  return static_cast<int>(size);
}

long control(BIO* bio, int command, long, void*) {
  switch (command) {
  case BIO_CTRL_FLUSH: return 1;
  case BIO_CTRL_PENDING: return static_cast<long>(io_of(bio).incoming.size());
  default: return 0;  // among them the path's MTU and overhead, which Dtls has set
  }
}

const BIO_METHOD* method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
    BIO_meth_set_write(fresh, write_datagram);
    BIO_meth_set_read(fresh, read_datagram);
    BIO_meth_set_ctrl(fresh, control);
    return fresh;
  }();
  return made;
}

const EVP_MD* digest_of(sdp::HashType hash) {
  switch (hash) {
  case sdp::HashType::sha1: return EVP_sha1();
  case sdp::HashType::sha256: return EVP_sha256();
  case sdp::HashType::sha384: return EVP_sha384();
  case sdp::HashType::sha512: return EVP_sha512();
  }
  return EVP_sha256();
}

}  // namespace

BIO* DtlsIo::make_bio(DtlsIo& io) {
  BIO* bio = BIO_new(method());
  BIO_set_data(bio, &io);
  BIO_set_init(bio, 1);
  return bio;
}

bool DtlsIo::matches(const X509* certificate) const {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  return certificate != nullptr && X509_digest(certificate, digest_of(expected.hash), digest, &size) == 1 &&
         std::equal(digest, digest + size, expected.digest.begin(), expected.digest.end());
}

// RFC 8122 section 5: the fingerprint alone decides. Nothing else of the peer's certificate is looked at, so no chain
// is built from what a stranger sent.
int DtlsIo::verify(X509_STORE_CTX* store, void*) {
  const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const DtlsIo& io = of(ssl);
  bool right = io.expected.digest.empty() || io.matches(X509_STORE_CTX_get0_cert(store));
  X509_STORE_CTX_set_error(store, right ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return right ? 1 : 0;
}

void DtlsIo::inform(const SSL* ssl, int where, int what) {
  if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT) return;
  if ((what >> 8) == SSL3_AL_FATAL || (what & 0xff) == SSL_AD_CLOSE_NOTIFY) of(ssl).alerted = true;
}

unsigned int DtlsIo::retransmit_after(SSL* ssl, unsigned int previous_us) {
  const DtlsIo& io = of(ssl);
  if (previous_us == 0) return static_cast<unsigned int>(to_us(io.first_retransmit));
  return std::min(previous_us * 2, static_cast<unsigned int>(to_us(io.longest_retransmit)));
}

}  // namespace cardea::secure
