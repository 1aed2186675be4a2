// Keys are erased when they are done with: what this program frees is searched for them first.
#include <cppunit/extensions/HelperMacros.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "base/hmac_sha1.hpp"
#include "secure/cipher.hpp"
#include "secure/dtls.hpp"
#include "secure/gcm.hpp"
#include "secure/key_derivation.hpp"
#include "secure/srtp.hpp"

namespace {

// Secrets that must not be in freed memory; and how often one was.
struct Watch {
  const std::vector<std::vector<uint8_t>>* secrets = nullptr;
  size_t found = 0;
};
Watch watch;

bool holds(const void* at, size_t size, const std::vector<uint8_t>& secret) {
  const auto* bytes = static_cast<const uint8_t*>(at);
  return std::search(bytes, bytes + size, secret.begin(), secret.end()) != bytes + size;
}

void look_and_free(void* at) noexcept {
  if (watch.secrets != nullptr && at != nullptr)
    for (const auto& secret : *watch.secrets) watch.found += holds(at, malloc_usable_size(at), secret);
  std::free(at);
}

void* get(size_t size, size_t alignment) {
  // Zeroed: what an earlier owner left is not ours to be found.
  void* at = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (at == nullptr) throw std::bad_alloc();
  return std::fill_n(static_cast<uint8_t*>(at), malloc_usable_size(at), uint8_t{0}), at;
}

}  // namespace

void* operator new(size_t size) { return get(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) { return get(size, static_cast<size_t>(alignment)); }
void operator delete(void* at) noexcept { look_and_free(at); }
void operator delete(void* at, size_t) noexcept { look_and_free(at); }
void operator delete(void* at, std::align_val_t) noexcept { look_and_free(at); }
void operator delete(void* at, size_t, std::align_val_t) noexcept { look_and_free(at); }

namespace cardea::secure {
namespace {

constexpr SrtpProfile profiles[] = {SrtpProfile::aead_aes_128_gcm, SrtpProfile::aead_aes_256_gcm,
                                    SrtpProfile::aes128_cm_sha1_80};

class ErasureTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ErasureTest);
  CPPUNIT_TEST(the_search_finds_what_is_not_erased);
  CPPUNIT_TEST(sending_keys_are_erased);
  CPPUNIT_TEST(sessions_erase_master_and_session_keys);
  CPPUNIT_TEST(keys_of_records_are_erased);
  CPPUNIT_TEST(what_dtls_agreed_on_is_erased_when_it_is_handed_over);
  CPPUNIT_TEST(hash_states_are_erased);
  CPPUNIT_TEST_SUITE_END();

  std::vector<std::vector<uint8_t>> secrets_;

  static std::vector<uint8_t> copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
  template <class Done>
  size_t found_while(Done done) {
    watch = {&secrets_, 0};
    done();
    watch.secrets = nullptr;
    return watch.found;
  }
  static SrtpKeys some_keys(SrtpProfile profile) {
    SrtpKeys keys;
    keys.profile = profile;
    for (size_t i = 0; i < keys.local.size(); ++i) {
      keys.local[i] = static_cast<uint8_t>(0x11 * i + 5);
      keys.remote[i] = static_cast<uint8_t>(0x17 * i + 3);
    }
    return keys;
  }
  void know(const SrtpKeys& keys) {
    secrets_.clear();
    secrets_.push_back(copy(keys.local_key()));
    secrets_.push_back(copy(Bytes(keys.remote).first(key_size(keys.profile))));
    for (Bytes master : {Bytes(keys.local), Bytes(keys.remote)}) {
      const SessionKeys session = derive_session_keys(keys.profile, master.first(key_size(keys.profile)),
                                                      master.subspan(key_size(keys.profile), salt_size(keys.profile)));
      secrets_.push_back(copy(Bytes(session.key).first(key_size(keys.profile))));
      if (!is_gcm(keys.profile)) secrets_.push_back(copy(session.auth));
    }
  }

public:
  void tearDown() override { watch = {}; }

  void the_search_finds_what_is_not_erased() {
    secrets_ = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    CPPUNIT_ASSERT_EQUAL(size_t{1}, found_while([&] { std::make_unique<std::vector<uint8_t>>(secrets_[0]); }));
  }

  void sending_keys_are_erased() {
    for (const char* choice : {"auto", "evp"}) {
      auto engine = *make_cipher_engine(*parse_cipher_choice(choice));
      for (SrtpProfile profile : profiles) {
        const SrtpKeys keys = some_keys(profile);
        know(keys);
        CPPUNIT_ASSERT_EQUAL(size_t{0}, found_while([&] { engine->make_key(keys); }));
      }
    }
  }

  void sessions_erase_master_and_session_keys() {
    CPPUNIT_ASSERT(init_srtp(CipherChoice::automatic));
    for (SrtpProfile profile : profiles) {
      const SrtpKeys keys = some_keys(profile);
      know(keys);
      const size_t found = found_while([&] {
        Result<SrtpSession> session = SrtpSession::make(keys);
        CPPUNIT_ASSERT(session.has_value());
        std::vector<uint8_t> packet(200, 0x80);
        size_t size = 0;
        (void)session->unprotect(packet, size);
        packet[1] = 200;
        (void)session->protect_rtcp(packet, 28);
      });
      CPPUNIT_ASSERT_EQUAL(size_t{0}, found);
    }
  }

  void keys_of_records_are_erased() {
    const SrtpKeys keys = some_keys(SrtpProfile::aead_aes_256_gcm);
    know(keys);
    const size_t found = found_while([&] {
      auto gcm = make_evp_gcm(keys.local_key());
      uint8_t nonce[12] = {}, tag[16], out[16];
      gcm->seal(nonce, {}, Bytes(out), out, tag);
      (void)gcm->open(nonce, {}, Bytes(out), out, Bytes(tag));
    });
    CPPUNIT_ASSERT_EQUAL(size_t{0}, found);
  }

  void what_dtls_agreed_on_is_erased_when_it_is_handed_over() {
    auto context = *DtlsContext::make(*Certificate::make());
    const Address address = *Address::parse("192.0.2.1", 1);
    auto client = std::make_unique<Dtls>(*context, sdp::DtlsRole::client, context->fingerprint());
    auto server = std::make_unique<Dtls>(*context, sdp::DtlsRole::server, context->fingerprint());
    const Time now{1000s};
    Outbox to_server, to_client;
    client->start(address, now, to_server);
    for (int i = 0; i < 10 && !(client->keys() && server->keys()); ++i) {
      for (size_t k = 0; k < to_server.size(); ++k) server->receive(to_server[k].bytes, address, now, to_client);
      to_server.clear();
      for (size_t k = 0; k < to_client.size(); ++k) client->receive(to_client[k].bytes, address, now, to_server);
      to_client.clear();
    }
    CPPUNIT_ASSERT(client->keys() && server->keys());
    know(*client->keys());
    for (auto* end : {&client, &server}) {
      (*end)->release();
      (*end)->forget_keys();
      CPPUNIT_ASSERT(!(*end)->keys());
      for (const auto& secret : secrets_) CPPUNIT_ASSERT(!holds(end->get(), sizeof(Dtls), secret));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, found_while([&] { client.reset(), server.reset(); }));
  }

  void hash_states_are_erased() {
    secrets_.assign(1, std::vector<uint8_t>(20, 0x42));
    auto hmac = std::make_unique<HmacSha1>(Bytes(secrets_[0]));
    const auto* state = reinterpret_cast<const uint8_t*>(hmac.get());
    secrets_[0].assign(state, state + 20);  // what has hashed the key is as good as the key
    CPPUNIT_ASSERT_EQUAL(size_t{0}, found_while([&] { hmac.reset(); }));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ErasureTest);

}  // namespace
}  // namespace cardea::secure
