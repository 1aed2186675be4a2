#include "secure/certificate.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "secure/dtls_io.hpp"

namespace cardea::secure {

namespace {

Error openssl_error(std::string what) {
  char text[256] = "unknown error";
  if (unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return Error{0, std::move(what) + ": " + text};
}

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio bio_of(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

int give_password(char* into, int room, int, void* context) {
  const auto& password = *static_cast<std::string_view*>(context);
  size_t size = std::min(password.size(), static_cast<size_t>(room));
  std::memcpy(into, password.data(), size);
  return static_cast<int>(size);
}

bool fill_in(X509* x509, EVP_PKEY* key) {
  uint8_t serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return false;
  serial[0] = (serial[0] & 0x7f) | 1;  // positive, RFC 5280 section 4.1.2.2
  std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(serial, sizeof serial, nullptr), BN_free);
  X509_NAME* name = X509_get_subject_name(x509);
  return X509_set_version(x509, X509_VERSION_3) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const uint8_t*>("WebRTC"), -1, -1, 0) ==
             1 &&
         X509_set_issuer_name(x509, name) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(x509), -24 * 3600) != nullptr &&  // clocks differ
         X509_time_adj_ex(X509_getm_notAfter(x509), 3650, 0, nullptr) != nullptr && X509_set_pubkey(x509, key) == 1 &&
         X509_sign(x509, key, EVP_sha256()) > 0;
}

// The cheapest first; the peer's certificate may be RSA, and so may ours if it was loaded.
constexpr char suites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                          "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
// P-384 for peers whose certificate is on that curve.
constexpr char groups[] = "X25519:P-256:P-384";
constexpr char profiles[] = "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80";
constexpr long max_certificates = 16 * 1024;  // bytes that a peer may make us reassemble

bool configure(SSL_CTX* context, const Certificate& certificate) {
  SSL_CTX_set_security_level(context, 1);  // not the system's: suites and versions are named here
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, max_certificates);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, DtlsIo::verify, nullptr);
  SSL_CTX_set_info_callback(context, DtlsIo::inform);
  return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, suites) == 1 && SSL_CTX_set1_groups_list(context, groups) == 1 &&
         SSL_CTX_set_tlsext_use_srtp(context, profiles) == 0 &&  // 0 is success here
         SSL_CTX_use_certificate(context, certificate.x509()) == 1 &&
         SSL_CTX_use_PrivateKey(context, certificate.key()) == 1;
}

}  // namespace

void Certificate::Free::operator()(x509_st* x509) const { X509_free(x509); }
void Certificate::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

Certificate::Certificate(x509_st* x509, evp_pkey_st* key) : x509_(x509), key_(key) {
  unsigned int size = EVP_MAX_MD_SIZE;
  fingerprint_.digest.resize(size);
  if (X509_digest(x509, EVP_sha256(), fingerprint_.digest.data(), &size) != 1) size = 0;
  fingerprint_.digest.resize(size);
}

Result<Certificate> Certificate::make() {
  X509* x509 = X509_new();
  EVP_PKEY* key = EVP_EC_gen("P-256");
  bool made = x509 != nullptr && key != nullptr && fill_in(x509, key);
  Certificate certificate(x509, key);
  if (!made) return openssl_error("the DTLS certificate could not be made");
  return certificate;
}

Result<Certificate> Certificate::from_pem(std::string_view certificate_pem, std::string_view key_pem,
                                          std::string_view password) {
  Bio certificate_text = bio_of(certificate_pem), key_text = bio_of(key_pem);
  X509* x509 = PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr);
  if (x509 == nullptr) return openssl_error("no PEM certificate");
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text.get(), nullptr, give_password, &password);
  Certificate certificate(x509, key);
  if (key == nullptr) return openssl_error("no PEM key, or another password");
  if (X509_check_private_key(x509, key) != 1) return openssl_error("the key is not the certificate's");
  return certificate;
}

Result<Certificate> Certificate::load(const std::string& certificate_file, const std::string& key_file,
                                      std::string_view password) {
  std::string texts[2];
  const std::string* names[2] = {&certificate_file, &key_file};
  for (size_t i = 0; i < 2; ++i) {
    std::ifstream file(*names[i], std::ios::binary);
    if (!file) return Error{0, *names[i] + " cannot be read"};
    texts[i].assign(std::istreambuf_iterator<char>(file), {});
  }
  return from_pem(texts[0], texts[1], password).with_context(certificate_file);
}

Result<std::unique_ptr<DtlsContext>> DtlsContext::make(const Certificate& certificate) {
  std::unique_ptr<DtlsContext> made(new DtlsContext(SSL_CTX_new(DTLS_method()), certificate.fingerprint()));
  if (made->native() == nullptr || !configure(made->native(), certificate))
    return openssl_error("DTLS could not be set up");
  return made;
}

DtlsContext::DtlsContext(ssl_ctx_st* context, sdp::Fingerprint fingerprint)
    : context_(context), fingerprint_(std::move(fingerprint)) {}

DtlsContext::~DtlsContext() { SSL_CTX_free(context_); }

}  // namespace cardea::secure
