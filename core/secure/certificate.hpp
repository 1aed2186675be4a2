// The certificate that all peers see, and the DTLS settings that all of them share (RFC 5763, RFC 5764).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cardea/result.hpp"
#include "sdp/peer_plan.hpp"

struct ssl_ctx_st;
struct x509_st;
struct evp_pkey_st;

namespace cardea::secure {

// A certificate with its key. Self-signed is enough: peers compare its fingerprint with the SDP's, nothing else.
class Certificate {
public:
  // A new ECDSA P-256 key and a certificate for it, valid for ten years from now (browsers do not look).
  static Result<Certificate> make();
  // From PEM text: the certificate, and its key (which may be encrypted). ECDSA or RSA.
  static Result<Certificate> from_pem(std::string_view certificate, std::string_view key, std::string_view password);
  // The same from two files, which may be one.
  static Result<Certificate> load(const std::string& certificate_file, const std::string& key_file,
                                  std::string_view password);

  const sdp::Fingerprint& fingerprint() const { return fingerprint_; }  // SHA-256
  x509_st* x509() const { return x509_.get(); }
  evp_pkey_st* key() const { return key_.get(); }

private:
  struct Free {
    void operator()(x509_st* x509) const;
    void operator()(evp_pkey_st* key) const;
  };
  Certificate(x509_st* x509, evp_pkey_st* key);

  std::unique_ptr<x509_st, Free> x509_;
  std::unique_ptr<evp_pkey_st, Free> key_;
  sdp::Fingerprint fingerprint_;
};

// What every Dtls of the process is made from: DTLS 1.2, X25519 and the NIST curves, ECDHE with AES-GCM, the SRTP
// profiles AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_HMAC_SHA1_80 in this order (the server chooses, and 128 is
// cheapest). Unchanged once made, so all workers may use it at the same time.
class DtlsContext {
public:
  static Result<std::unique_ptr<DtlsContext>> make(const Certificate& certificate);
  ~DtlsContext();
  DtlsContext(const DtlsContext&) = delete;
  DtlsContext& operator=(const DtlsContext&) = delete;

  const sdp::Fingerprint& fingerprint() const { return fingerprint_; }  // for our SDP
  ssl_ctx_st* native() const { return context_; }

private:
  DtlsContext(ssl_ctx_st* context, sdp::Fingerprint fingerprint);

  ssl_ctx_st* context_;
  sdp::Fingerprint fingerprint_;
};

}  // namespace cardea::secure
