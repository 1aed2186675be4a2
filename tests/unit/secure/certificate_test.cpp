#include <cppunit/extensions/HelperMacros.h>
#include <openssl/pem.h>

#include <string>

#include "secure/certificate.hpp"

namespace cardea::secure {

namespace {

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string pem_of(X509* x509) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, x509);
  return text_of(bio);
}

std::string pem_of(EVP_PKEY* key, const std::string& password) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, password.empty() ? nullptr : EVP_aes_128_cbc(), password.data(),
                                static_cast<int>(password.size()), nullptr, nullptr);
  return text_of(bio);
}

}  // namespace

class CertificateTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CertificateTest);
  CPPUNIT_TEST(each_made_certificate_is_another);
  CPPUNIT_TEST(a_certificate_comes_back_from_pem);
  CPPUNIT_TEST(a_locked_key_wants_its_password);
  CPPUNIT_TEST(what_is_no_pair_is_refused_with_a_reason);
  CPPUNIT_TEST_SUITE_END();

public:
  void each_made_certificate_is_another() {
    auto one = Certificate::make(), other = Certificate::make();
    CPPUNIT_ASSERT(one && other);
    CPPUNIT_ASSERT_EQUAL(size_t{32}, one->fingerprint().digest.size());
    CPPUNIT_ASSERT(one->fingerprint().hash == sdp::HashType::sha256);
    CPPUNIT_ASSERT(!(one->fingerprint() == other->fingerprint()));
    CPPUNIT_ASSERT(DtlsContext::make(*one).has_value());
  }

  void a_certificate_comes_back_from_pem() {
    auto made = Certificate::make();
    auto read = Certificate::from_pem(pem_of(made->x509()), pem_of(made->key(), ""), "");
    CPPUNIT_ASSERT(read.has_value());
    CPPUNIT_ASSERT(made->fingerprint() == read->fingerprint());
    CPPUNIT_ASSERT(DtlsContext::make(*read).has_value());
  }

  void a_locked_key_wants_its_password() {
    auto made = Certificate::make();
    auto certificate = pem_of(made->x509()), key = pem_of(made->key(), "open sesame");
    CPPUNIT_ASSERT(Certificate::from_pem(certificate, key, "open sesame").has_value());
    CPPUNIT_ASSERT(!Certificate::from_pem(certificate, key, "guess").has_value());
  }

  void what_is_no_pair_is_refused_with_a_reason() {
    auto one = Certificate::make(), other = Certificate::make();
    auto mixed = Certificate::from_pem(pem_of(one->x509()), pem_of(other->key(), ""), "");
    CPPUNIT_ASSERT(!mixed && mixed.error().reason.find("not the certificate's") != std::string::npos);
    CPPUNIT_ASSERT(!Certificate::from_pem("", "", "").has_value());
    auto missing = Certificate::load("no/such/file.pem", "no/such/file.pem", "");
    CPPUNIT_ASSERT(!missing && missing.error().reason == "no/such/file.pem cannot be read");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(CertificateTest);

}  // namespace cardea::secure
