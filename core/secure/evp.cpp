#include "secure/evp.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "base/cleanse.hpp"
#include "secure/gcm.hpp"

namespace cardea::secure {

namespace {

// Fetched once: OpenSSL 3 looks an algorithm up by name for each new context otherwise.
const EVP_CIPHER* cipher(const char* name) { return EVP_CIPHER_fetch(nullptr, name, nullptr); }
const EVP_CIPHER* gcm_cipher(size_t key_size) {
  static const EVP_CIPHER* const short_key = cipher("AES-128-GCM");
  static const EVP_CIPHER* const long_key = cipher("AES-256-GCM");
  return key_size == 32 ? long_key : short_key;
}
const EVP_CIPHER* ctr_cipher(size_t key_size) {
  static const EVP_CIPHER* const short_key = cipher("AES-128-CTR");
  static const EVP_CIPHER* const long_key = cipher("AES-256-CTR");
  return key_size == 32 ? long_key : short_key;
}

class EvpGcm final : public Gcm {
public:
  explicit EvpGcm(Bytes key) : key_size_(key.size()), seal_(EVP_CIPHER_CTX_new()) {
    std::copy(key.begin(), key.end(), key_);
    EVP_EncryptInit_ex2(seal_.get(), gcm_cipher(key_size_), key_, nullptr, nullptr);
  }

  ~EvpGcm() override { cleanse(key_); }

  void seal(const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out, uint8_t* tag) override {
    int size = 0;
    auto* context = seal_.get();
    EVP_EncryptInit_ex2(context, nullptr, nullptr, nonce, nullptr);
    EVP_EncryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size()));
    EVP_EncryptUpdate(context, out, &size, in.data(), static_cast<int>(in.size()));
    EVP_EncryptFinal_ex(context, out + in.size(), &size);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_size, tag);
  }

  bool open(const uint8_t* nonce, Bytes aad, Bytes in, uint8_t* out, Bytes tag) override {
    if (!open_) {  // most keys serve one direction
      open_.reset(EVP_CIPHER_CTX_new());
      EVP_DecryptInit_ex2(open_.get(), gcm_cipher(key_size_), key_, nullptr, nullptr);
    }
    int size = 0;
    auto* context = open_.get();
    uint8_t expected[tag_size];
    std::copy_n(tag.begin(), std::min(tag.size(), tag_size), expected);
    return EVP_DecryptInit_ex2(context, nullptr, nullptr, nonce, nullptr) == 1 &&
           EVP_DecryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size())) == 1 &&
           (in.empty() || EVP_DecryptUpdate(context, out, &size, in.data(), static_cast<int>(in.size())) == 1) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), expected) == 1 &&
           EVP_DecryptFinal_ex(context, out + in.size(), &size) == 1;
  }

private:
  size_t key_size_;
  uint8_t key_[32] = {};
  CipherContext seal_, open_;
};

}  // namespace

void FreeCipherContext::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

std::unique_ptr<Gcm> make_evp_gcm(Bytes key) { return std::make_unique<EvpGcm>(key); }

EvpCtr::EvpCtr(Bytes key) : context_(EVP_CIPHER_CTX_new()) {
  EVP_EncryptInit_ex2(context_.get(), ctr_cipher(key.size()), key.data(), nullptr, nullptr);
}

void EvpCtr::set_iv(const uint8_t* iv) { EVP_EncryptInit_ex2(context_.get(), nullptr, nullptr, iv, nullptr); }

void EvpCtr::apply(const uint8_t* in, size_t size, uint8_t* out) {
  int written = 0;
  if (size > 0) EVP_EncryptUpdate(context_.get(), out, &written, in, static_cast<int>(size));
}

}  // namespace cardea::secure
