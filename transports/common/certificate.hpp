// The certificate of HTTPS and WSS: the operator's, or a self-signed one that is made once and kept.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "cardea/result.hpp"

namespace cardea::transports {

namespace detail {
struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
}  // namespace detail

struct Identity {
  std::unique_ptr<X509, detail::Free> certificate{};
  std::vector<std::unique_ptr<X509, detail::Free>> chain{};  // intermediate ones
  std::unique_ptr<EVP_PKEY, detail::Free> key{};
  std::string ciphers{};  // OpenSSL cipher list of TLS 1.2; "": the current ones

  // Makes a TLS server context present it.
  bool use_in(SSL_CTX* context) const;
};

struct CertificateSettings {
  std::string cert_pem{}, cert_key{}, cert_pwd{}, ciphers{};
};

// The operator's certificate if one is set; else the one kept in `state_folder`, made first if it is not there or has
// expired; without a folder that can be written, one that lives as long as the process.
Result<Identity> make_identity(const CertificateSettings& settings, const std::string& state_folder,
                               const std::string& topic);

}  // namespace cardea::transports
