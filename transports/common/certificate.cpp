#include "common/certificate.hpp"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "cardea/log.hpp"
#include "common/endpoint.hpp"
#include "common/fd.hpp"

namespace cardea::transports {

namespace {

constexpr long day = 24 * 60 * 60;
constexpr long valid_days = 820;  // Apple's clients take no certificate that is valid for more than 825 days
constexpr long renew_days = 30;   // a start this close to the end makes a new one
constexpr const char* file_name = "tls.pem";
// Of TLS 1.2 those with forward secrecy and AEAD (RFC 9325 section 4.2); of TLS 1.3 all are such.
constexpr const char* current_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

std::optional<std::string> contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

Bio memory(const std::string& bytes) { return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))); }

// All certificates of a PEM text, the leaf first.
bool read_certificates(const std::string& pem, Identity& into) {
  Bio bio = memory(pem);
  into.certificate.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!into.certificate) return false;
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) into.chain.emplace_back(next);
  ERR_clear_error();  // the end of the file counts as an error
  return true;
}

bool read_key(const std::string& pem, const std::string& password, Identity& into) {
  Bio bio = memory(pem);
  // An empty password and not none: OpenSSL would ask at the terminal.
  std::string word = password;
  into.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, word.data()));
  ERR_clear_error();
  return into.key != nullptr;
}

Result<Identity> of_operator(const CertificateSettings& settings) {
  Identity identity;
  const std::string& key_file = settings.cert_key.empty() ? settings.cert_pem : settings.cert_key;
  auto certificate = contents(settings.cert_pem);
  if (!certificate) return Error{0, text("cannot read the certificate ", settings.cert_pem, ": ", strerror(errno))};
  auto key = contents(key_file);
  if (!key) return Error{0, text("cannot read the key ", key_file, ": ", strerror(errno))};
  if (!read_certificates(*certificate, identity))
    return Error{0, text("there is no PEM certificate in ", settings.cert_pem)};
  if (!read_key(*key, settings.cert_pwd, identity))
    return Error{0, text("there is no PEM key in ", key_file, ", or cert_pwd is not its password")};
  if (X509_check_private_key(identity.certificate.get(), identity.key.get()) != 1) {
    ERR_clear_error();
    return Error{0, text("the key in ", key_file, " is not that of the certificate in ", settings.cert_pem)};
  }
  return identity;
}

bool add_extension(X509* certificate, int which, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

Result<Identity> self_signed() {
  Identity identity;
  identity.key.reset(EVP_EC_gen("P-256"));
  identity.certificate.reset(X509_new());
  X509* certificate = identity.certificate.get();
  unsigned char serial[16];
  if (!identity.key || certificate == nullptr || RAND_bytes(serial, sizeof serial) != 1)
    return Error{0, "cannot make a key for TLS"};
  serial[0] &= 0x7f;  // positive: RFC 5280 4.1.2.2
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  X509_set_version(certificate, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -day);  // clocks differ
  X509_gmtime_adj(X509_getm_notAfter(certificate), valid_days * day);
  X509_set_pubkey(certificate, identity.key.get());
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("cardea"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  for (const auto& address : host_addresses()) names += ",IP:" + address;
  const bool complete = add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
                        add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
                        add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
                        add_extension(certificate, NID_subject_alt_name, names) &&
                        X509_sign(certificate, identity.key.get(), EVP_sha256()) > 0;
  ERR_clear_error();
  if (!complete) return Error{0, "cannot make a self-signed certificate"};
  return identity;
}

std::optional<Identity> kept_one(const std::string& path) {
  auto pem = contents(path);
  Identity identity;
  if (!pem || !read_certificates(*pem, identity) || !read_key(*pem, "", identity)) return std::nullopt;
  if (X509_check_private_key(identity.certificate.get(), identity.key.get()) != 1) return std::nullopt;
  time_t soon = time(nullptr) + renew_days * day;
  if (X509_cmp_time(X509_get0_notAfter(identity.certificate.get()), &soon) <= 0) return std::nullopt;
  return identity;
}

// Readable by the owner only; complete or not there.
bool keep(const Identity& identity, const std::string& path) {
  Bio bio(BIO_new(BIO_s_mem()));
  char* bytes = nullptr;
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(bio.get(), identity.certificate.get()) != 1)
    return false;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  const std::string fresh = path + ".new";
  {
    Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || ::write(file.get(), bytes, static_cast<size_t>(size)) != size || fsync(file.get()) != 0) return false;
  }
  return rename(fresh.c_str(), path.c_str()) == 0;
}

}  // namespace

bool Identity::use_in(SSL_CTX* context) const {
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return false;
  if (SSL_CTX_use_certificate(context, certificate.get()) != 1) return false;
  for (const auto& link : chain)
    if (SSL_CTX_add1_chain_cert(context, link.get()) != 1) return false;
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return false;
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return SSL_CTX_set_cipher_list(context, ciphers.empty() ? current_ciphers : ciphers.c_str()) == 1;
}

Result<Identity> make_identity(const CertificateSettings& settings, const std::string& state_folder,
                               const std::string& topic) {
  if (!settings.cert_pem.empty()) {
    auto identity = of_operator(settings);
    if (identity) identity->ciphers = settings.ciphers;
    return identity;
  }
  const std::string path = state_folder + "/" + file_name;
  std::optional<Identity> kept;
  if (!state_folder.empty()) kept = kept_one(path);
  Result<Identity> identity = kept ? Result<Identity>(std::move(*kept)) : self_signed();
  if (!identity) return identity;
  if (!kept) {
    if (!state_folder.empty() && keep(*identity, path))
      log::info(topic, "made a self-signed certificate: ", path);
    else
      log::warn(topic, "the self-signed certificate cannot be kept (", state_folder.empty() ? "no state folder" : path,
                "): browsers will ask again after every start");
  }
  identity->ciphers = settings.ciphers;
  return identity;
}

}  // namespace cardea::transports
