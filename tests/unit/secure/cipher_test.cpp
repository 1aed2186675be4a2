#include <cppunit/extensions/HelperMacros.h>

#include <string>
#include <utility>

#include "secure/cipher.hpp"
#include "secure/key_derivation.hpp"
#include "unit/secure/plain_srtp.hpp"

namespace cardea::secure {

namespace {

std::vector<std::unique_ptr<CipherEngine>> engines() {
  std::vector<std::unique_ptr<CipherEngine>> all;
  for (auto choice : {CipherChoice::evp, CipherChoice::ipsec_mb, CipherChoice::ipsec_mb_avx512,
                      CipherChoice::ipsec_mb_avx2, CipherChoice::ipsec_mb_sse})
    if (auto engine = make_cipher_engine(choice)) all.push_back(std::move(*engine));
  return all;
}

// Packets of several peers, sealed by libsrtp, and waiting to be sealed by an engine.
struct Batch {
  struct Packet {
    size_t peer;
    uint64_t index;
    uint32_t ssrc;
    size_t header_size;
    std::vector<uint8_t> plain, expected, out;
  };
  std::vector<SrtpKeys> peers;
  std::vector<Packet> packets;
};

Batch make_batch(std::vector<SrtpProfile> profiles, size_t peer_count, size_t per_peer, uint64_t seed) {
  SeededRandom random(seed);
  PlainLibsrtp plain_ciphers;
  Batch batch;
  std::vector<std::unique_ptr<PlainSession>> sessions;
  std::vector<uint64_t> next;
  for (size_t i = 0; i < peer_count; ++i) {
    batch.peers.push_back(random_keys(profiles[i % profiles.size()], random));
    sessions.push_back(std::make_unique<PlainSession>(batch.peers.back()));
    next.push_back(i % 2 == 0 ? 65530 : random.below(60000));
  }
  for (size_t n = 0; n < per_peer; ++n)
    for (size_t i = 0; i < peer_count; ++i) {
      Batch::Packet packet{i, next[i]++, 0x1000u + static_cast<uint32_t>(i), 0, {}, {}, {}};
      size_t payload = n < 20 ? n : random.below(1201);
      packet.plain = rtp_packet(static_cast<uint16_t>(packet.index), packet.ssrc, payload, random, packet.header_size);
      packet.expected = sessions[i]->protect(packet.plain);
      batch.packets.push_back(std::move(packet));
    }
  return batch;
}

enum class Place { apart, payload_in_place, all_in_place };

void seal_all(CipherEngine& engine, Batch& batch, size_t at_a_time, Place place) {
  std::vector<std::unique_ptr<SendKey>> keys;
  for (const auto& peer : batch.peers) keys.push_back(engine.make_key(peer));
  std::vector<SealJob> jobs;
  for (auto& packet : batch.packets) {
    packet.out.assign(packet.plain.size() + max_tag_size, 0xee);
    const uint8_t* header = packet.plain.data();
    const uint8_t* payload = header + packet.header_size;
    if (place != Place::apart) {
      std::copy(payload, header + packet.plain.size(), packet.out.data() + packet.header_size);
      payload = packet.out.data() + packet.header_size;
    }
    if (place == Place::all_in_place) {
      std::copy_n(header, packet.header_size, packet.out.data());
      header = packet.out.data();
    }
    jobs.push_back({keys[packet.peer].get(), packet.index, packet.ssrc, header,
                    static_cast<uint16_t>(packet.header_size), payload,
                    static_cast<uint16_t>(packet.plain.size() - packet.header_size), packet.out.data()});
  }
  for (size_t at = 0; at < jobs.size(); at += at_a_time) {
    auto some = std::span(jobs).subspan(at, std::min(at_a_time, jobs.size() - at));
    for (const SealJob& job : some) engine.fetch(*job.key, job.payload_size);  // changes nothing, of whatever cipher
    CPPUNIT_ASSERT_EQUAL(some.size(), engine.seal(some));
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    auto& packet = batch.packets[i];
    CPPUNIT_ASSERT_EQUAL(packet.expected.size(), jobs[i].sealed_size());
    packet.out.resize(jobs[i].sealed_size());
    std::string where = std::string(engine.name()) + ", " + std::string(name(batch.peers[packet.peer].profile)) +
                        ", payload " + std::to_string(packet.plain.size() - packet.header_size) + ", index " +
                        std::to_string(packet.index) + ", " + std::to_string(at_a_time) + " at a time";
    CPPUNIT_ASSERT_MESSAGE(where, packet.expected == packet.out);
  }
}

std::vector<uint8_t> bytes(std::string_view hex) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

}  // namespace

class CipherTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CipherTest);
  CPPUNIT_TEST(session_keys_are_those_of_rfc_3711_b_3);
  CPPUNIT_TEST(every_engine_seals_like_libsrtp_aead_aes_128_gcm);
  CPPUNIT_TEST(every_engine_seals_like_libsrtp_aead_aes_256_gcm);
  CPPUNIT_TEST(every_engine_seals_like_libsrtp_aes_cm_128_hmac_sha1_80);
  CPPUNIT_TEST(profiles_may_be_mixed_in_one_batch);
  CPPUNIT_TEST(header_and_payload_may_already_be_in_place);
  CPPUNIT_TEST(the_choice_of_an_engine_is_obeyed);
  CPPUNIT_TEST_SUITE_END();

public:
  void session_keys_are_those_of_rfc_3711_b_3() {
    auto master = bytes("E1F97A0D3E018BE0D64FA32C06DE4139"), salt = bytes("0EC675AD498AFEEBB6960B3AABE6");
    auto keys = derive_session_keys(SrtpProfile::aes128_cm_sha1_80, master, salt);
    auto key = bytes("C61E7A93744F39EE10734AFE3FF7A087"), session_salt = bytes("30CBBC08863D8C85D49DB34A9AE1"),
         auth = bytes("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
    CPPUNIT_ASSERT(std::equal(key.begin(), key.end(), keys.key.begin()));
    CPPUNIT_ASSERT(std::equal(session_salt.begin(), session_salt.end(), keys.salt.begin()));
    CPPUNIT_ASSERT(std::equal(auth.begin(), auth.end(), keys.auth.begin()));
  }

  void sealed_like_libsrtp(SrtpProfile profile) {
    Batch batch = make_batch({profile}, 7, 40, 11);
    for (auto& engine : engines())
      for (size_t at_a_time : {1u, 3u, 16u, 61u, 300u}) seal_all(*engine, batch, at_a_time, Place::apart);
  }
  void every_engine_seals_like_libsrtp_aead_aes_128_gcm() { sealed_like_libsrtp(SrtpProfile::aead_aes_128_gcm); }
  void every_engine_seals_like_libsrtp_aead_aes_256_gcm() { sealed_like_libsrtp(SrtpProfile::aead_aes_256_gcm); }
  void every_engine_seals_like_libsrtp_aes_cm_128_hmac_sha1_80() {
    sealed_like_libsrtp(SrtpProfile::aes128_cm_sha1_80);
  }

  void profiles_may_be_mixed_in_one_batch() {
    Batch batch = make_batch({std::begin(all_profiles), std::end(all_profiles)}, 12, 30, 12);
    for (auto& engine : engines()) seal_all(*engine, batch, 100, Place::apart);
  }

  void header_and_payload_may_already_be_in_place() {
    Batch batch = make_batch({std::begin(all_profiles), std::end(all_profiles)}, 9, 30, 13);
    for (auto& engine : engines())
      for (auto place : {Place::payload_in_place, Place::all_in_place}) seal_all(*engine, batch, 64, place);
  }

  void the_choice_of_an_engine_is_obeyed() {
    CPPUNIT_ASSERT_EQUAL(std::string("evp"), std::string((*make_cipher_engine(CipherChoice::evp))->name()));
    CPPUNIT_ASSERT(make_cipher_engine(CipherChoice::automatic).has_value());
    CPPUNIT_ASSERT(parse_cipher_choice("ipsec-mb") && *parse_cipher_choice("ipsec-mb") == CipherChoice::ipsec_mb);
    // Where the processor or the build has no ipsec-mb, each of them is refused.
    const bool there = make_cipher_engine(CipherChoice::ipsec_mb).has_value();
    for (const std::string vectors : {"avx512", "avx2", "sse"}) {
      auto choice = parse_cipher_choice("ipsec-mb-" + vectors);
      CPPUNIT_ASSERT(choice);
      auto engine = make_cipher_engine(*choice);
      if (engine) CPPUNIT_ASSERT_EQUAL("ipsec-mb " + vectors, std::string((*engine)->name()));
      CPPUNIT_ASSERT(!engine || there);
      CPPUNIT_ASSERT(vectors != "sse" || engine.has_value() == there);
    }
    CPPUNIT_ASSERT(!parse_cipher_choice("nss"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(CipherTest);

}  // namespace cardea::secure
