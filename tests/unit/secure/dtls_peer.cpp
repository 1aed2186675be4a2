#include "unit/secure/dtls_peer.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/time.h>

#include <array>

namespace cardea::secure {

namespace {

Time now_{1700000000s};

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

Certificate rsa_certificate() {
  static const std::pair<std::string, std::string> pems = [] {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_sign(x509, key, EVP_sha256());
    BIO *certificate = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(certificate, x509);
    PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
    X509_free(x509);
    EVP_PKEY_free(key);
    return std::pair(text_of(certificate), text_of(secret));
  }();
  return *Certificate::from_pem(pems.first, pems.second, "");
}

}  // namespace

Time virtual_now() { return now_; }
void set_virtual_now(Time now) { now_ = now; }

OpenSslPeer::OpenSslPeer(const PeerSettings& settings)
    : certificate_(settings.rsa ? rsa_certificate() : *Certificate::make()), client_(settings.client),
      io_(std::make_unique<DtlsIo>()), context_(SSL_CTX_new(DTLS_method())) {
  io_->first_retransmit = 50ms;
  io_->longest_retransmit = 2s;
  SSL_CTX* context = context_.get();
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, DtlsIo::verify, nullptr);
  SSL_CTX_set_cipher_list(context, settings.suites.c_str());
  SSL_CTX_set1_groups_list(context, settings.groups.c_str());
  if (!settings.profiles.empty()) SSL_CTX_set_tlsext_use_srtp(context, settings.profiles.c_str());
  std::vector<uint8_t> names;  // of application protocols, which nobody asks for
  for (size_t i = 0; i < settings.padding; i += 100) {
    names.push_back(99);
    names.insert(names.end(), 99, 'p');
  }
  if (!names.empty()) SSL_CTX_set_alpn_protos(context, names.data(), static_cast<unsigned int>(names.size()));
  SSL_CTX_use_certificate(context, certificate_.x509());
  SSL_CTX_use_PrivateKey(context, certificate_.key());
  ssl_.reset(SSL_new(context));
  BIO* bio = DtlsIo::make_bio(*io_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), io_.get());
  SSL_set_mtu(ssl_.get(), settings.mtu);
  DTLS_set_timer_cb(ssl_.get(), DtlsIo::retransmit_after);
  if (client_)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

OpenSslPeer::Datagrams OpenSslPeer::receive(Bytes datagram) {
  io_->incoming = datagram;
  return advance();
}

OpenSslPeer::Datagrams OpenSslPeer::advance() {
  ERR_clear_error();
  int done = 1;
  if (!connected()) done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    char record[2000];
    while ((done = SSL_read(ssl_.get(), record, sizeof record)) > 0)
      received.emplace_back(record, static_cast<size_t>(done));
  }
  int error = SSL_get_error(ssl_.get(), done);
  failed_ = failed_ || (done <= 0 && error == SSL_ERROR_SSL);
  ERR_clear_error();
  return take();
}

OpenSslPeer::Datagrams OpenSslPeer::tick() {
  DTLSv1_handle_timeout(ssl_.get());
  return take();
}

std::optional<Duration> OpenSslPeer::timeout() const {
  timeval left{};
  if (DTLSv1_get_timeout(ssl_.get(), &left) != 1) return {};
  return std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
}

OpenSslPeer::Datagrams OpenSslPeer::write(std::string_view record) {
  SSL_write(ssl_.get(), record.data(), static_cast<int>(record.size()));
  return take();
}

OpenSslPeer::Datagrams OpenSslPeer::shutdown() {
  SSL_shutdown(ssl_.get());
  return take();
}

OpenSslPeer::Datagrams OpenSslPeer::renegotiate() {
  SSL_renegotiate(ssl_.get());
  SSL_do_handshake(ssl_.get());
  ERR_clear_error();
  return take();
}

OpenSslPeer::Datagrams OpenSslPeer::take() {
  Datagrams out;
  size_t at = 0;
  for (size_t size : io_->sizes) {
    out.emplace_back(io_->outgoing.begin() + static_cast<ptrdiff_t>(at),
                     io_->outgoing.begin() + static_cast<ptrdiff_t>(at + size));
    at += size;
  }
  io_->clear();
  return out;
}

SrtpKeys OpenSslPeer::keys() const {
  SrtpKeys keys;
  keys.profile = static_cast<SrtpProfile>(SSL_get_selected_srtp_profile(ssl_.get())->id);
  size_t key = key_size(keys.profile), salt = salt_size(keys.profile);
  std::array<uint8_t, 96> block{};
  SSL_export_keying_material(ssl_.get(), block.data(), 2 * (key + salt), "EXTRACTOR-dtls_srtp", 19, nullptr, 0, 0);
  auto& client = client_ ? keys.local : keys.remote;
  auto& server = client_ ? keys.remote : keys.local;
  std::copy_n(block.data(), key, client.data());
  std::copy_n(block.data() + key, key, server.data());
  std::copy_n(block.data() + 2 * key, salt, client.data() + key);
  std::copy_n(block.data() + 2 * key + salt, salt, server.data() + key);
  return keys;
}

}  // namespace cardea::secure

// OpenSSL's DTLS timer asks this, so the tests' time is its time.
extern "C" __attribute__((visibility("default"))) int gettimeofday(timeval* into, void*) noexcept {
  auto since = cardea::secure::virtual_now().time_since_epoch();
  into->tv_sec = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  into->tv_usec = cardea::to_us(since) % 1000000;
  return 0;
}
