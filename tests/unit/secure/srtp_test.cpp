#include <cppunit/extensions/HelperMacros.h>
#include <malloc.h>

#include <functional>
#include <string>
#include <utility>

#include "secure/cipher.hpp"
#include "secure/srtp.hpp"
#include "unit/secure/plain_srtp.hpp"

namespace cardea::secure {

namespace {

// A peer on plain libsrtp and our session with it.
struct Pair {
  Pair(SrtpProfile profile, CipherChoice choice, uint64_t seed = 5) : random(seed) {
    auto keys = random_keys(profile, random);
    {
      PlainLibsrtp own_ciphers;
      peer = std::make_unique<PlainSession>(swapped(keys));
    }
    CPPUNIT_ASSERT(init_srtp(choice).has_value());
    auto session = SrtpSession::make(keys);
    CPPUNIT_ASSERT(session.has_value());
    ours = std::make_unique<SrtpSession>(std::move(*session));
  }
  ~Pair() { (void)init_srtp(CipherChoice::automatic); }

  std::vector<uint8_t> sealed(uint16_t seq, uint32_t ssrc = 7, size_t payload = 100) {
    size_t header = 0;
    plain = rtp_packet(seq, ssrc, payload, random, header);
    return peer->protect(plain);
  }
  std::optional<Drop> receive(std::vector<uint8_t> packet) {
    size_t size = 0;
    auto drop = ours->unprotect(packet, size);
    packet.resize(size);
    opened = std::move(packet);
    return drop;
  }

  SeededRandom random;
  std::unique_ptr<PlainSession> peer;
  std::unique_ptr<SrtpSession> ours;
  std::vector<uint8_t> plain, opened;
};

void with_each(const std::function<void(SrtpProfile, CipherChoice)>& test) {
  for (auto profile : all_profiles)
    for (auto choice : {CipherChoice::evp, CipherChoice::automatic, CipherChoice::ipsec_mb_sse})
      if (make_cipher_engine(choice)) test(profile, choice);
}

}  // namespace

class SrtpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SrtpTest);
  CPPUNIT_TEST(what_libsrtp_seals_is_opened);
  CPPUNIT_TEST(rtcp_goes_both_ways);
  CPPUNIT_TEST(rtcp_needs_room_behind_it);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CPPUNIT_TEST(rtcp_leaves_little_memory_behind);
#endif
  CPPUNIT_TEST(a_packet_opens_once);
  CPPUNIT_TEST(a_late_packet_opens_within_the_window);
  CPPUNIT_TEST(a_changed_packet_is_dropped_by_name);
  CPPUNIT_TEST(a_packet_cut_anywhere_is_dropped);
  CPPUNIT_TEST(a_forgotten_stream_begins_anew);
  CPPUNIT_TEST(streams_are_bounded_and_the_longest_unheard_goes);
  CPPUNIT_TEST_SUITE_END();

public:
  void what_libsrtp_seals_is_opened() {
    with_each([](SrtpProfile profile, CipherChoice choice) {
      Pair pair(profile, choice);
      for (uint32_t i = 0; i < 60; ++i) {  // over the end of the sequence numbers
        CPPUNIT_ASSERT(!pair.receive(pair.sealed(static_cast<uint16_t>(65500 + i), 7 + i % 3, i * 20)));
        CPPUNIT_ASSERT(pair.plain == pair.opened);
      }
      CPPUNIT_ASSERT_EQUAL(size_t{3}, pair.ours->streams());
    });
  }

  void rtcp_goes_both_ways() {
    with_each([](SrtpProfile profile, CipherChoice choice) {
      Pair pair(profile, choice);
      for (size_t size : {8u, 32u, 600u, 1100u}) {
        auto plain = rtcp_packet(9, size);
        auto in = pair.peer->protect_rtcp(plain);
        size_t opened = 0;
        CPPUNIT_ASSERT(!pair.ours->unprotect_rtcp(in, opened));
        in.resize(opened);
        CPPUNIT_ASSERT(plain == in);

        std::vector<uint8_t> out = plain;
        out.resize(size + rtcp_trailer_size);
        out.resize(pair.ours->protect_rtcp(out, size));
        CPPUNIT_ASSERT(out.size() > size);
        CPPUNIT_ASSERT(pair.peer->unprotect_rtcp(out));
        CPPUNIT_ASSERT(plain == out);
      }
    });
  }

  // GCM's tables are a kilobyte a direction.
  void rtcp_leaves_little_memory_behind() {
    Pair pair(SrtpProfile::aead_aes_128_gcm, CipherChoice::automatic);
    auto in = pair.peer->protect_rtcp(rtcp_packet(9, 32)), out = rtcp_packet(9, 32);
    out.resize(32 + rtcp_trailer_size);
    size_t size = 0;
    const size_t before = mallinfo2().uordblks;
    CPPUNIT_ASSERT(!pair.ours->unprotect_rtcp(in, size) && pair.ours->protect_rtcp(out, 32) > 32);
    const size_t left = mallinfo2().uordblks - before;
    CPPUNIT_ASSERT_MESSAGE(std::to_string(left), left < 1500);
  }

  void rtcp_needs_room_behind_it() {
    Pair pair(SrtpProfile::aead_aes_128_gcm, CipherChoice::automatic);
    auto packet = rtcp_packet(9, 32);
    packet.resize(32 + rtcp_trailer_size - 1);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.ours->protect_rtcp(packet, 32));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.ours->protect_rtcp(packet, 4));
  }

  void a_packet_opens_once() {
    with_each([](SrtpProfile profile, CipherChoice choice) {
      Pair pair(profile, choice);
      auto packet = pair.sealed(1);
      CPPUNIT_ASSERT(!pair.receive(packet));
      CPPUNIT_ASSERT(pair.receive(packet) == Drop::replayed);
      auto rtcp = pair.peer->protect_rtcp(rtcp_packet(9, 32)), again = rtcp;
      size_t size = 0;
      CPPUNIT_ASSERT(!pair.ours->unprotect_rtcp(rtcp, size));
      CPPUNIT_ASSERT(pair.ours->unprotect_rtcp(again, size) == Drop::replayed);
    });
  }

  void a_late_packet_opens_within_the_window() {
    Pair pair(SrtpProfile::aead_aes_128_gcm, CipherChoice::automatic);
    std::vector<std::vector<uint8_t>> packets;
    for (uint16_t seq = 0; seq < 1200; ++seq) packets.push_back(pair.sealed(seq));
    CPPUNIT_ASSERT(!pair.receive(packets[1199]));
    CPPUNIT_ASSERT(!pair.receive(packets[1199 - 1000]));
    CPPUNIT_ASSERT(pair.receive(packets[100]) == Drop::replayed);
  }

  void a_changed_packet_is_dropped_by_name() {
    with_each([](SrtpProfile profile, CipherChoice choice) {
      Pair pair(profile, choice);
      auto packet = pair.sealed(1);
      for (size_t i = 1; i < packet.size(); i += 7) {
        auto changed = packet;
        changed[i] ^= 0x10;
        CPPUNIT_ASSERT(pair.receive(changed).has_value());
      }
      auto changed = packet;
      changed.back() ^= 1;
      CPPUNIT_ASSERT(pair.receive(changed) == Drop::bad_auth);
      CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.ours->streams());
      CPPUNIT_ASSERT(!pair.receive(packet));
    });
  }

  void a_packet_cut_anywhere_is_dropped() {
    with_each([](SrtpProfile profile, CipherChoice choice) {
      Pair pair(profile, choice);
      auto packet = pair.sealed(1, 7, 40), rtcp = pair.peer->protect_rtcp(rtcp_packet(9, 40));
      for (size_t size = 0; size < packet.size(); ++size) {
        // Exactly sized, so that a read behind the end is seen by the sanitizer.
        CPPUNIT_ASSERT(pair.receive({packet.begin(), packet.begin() + static_cast<ptrdiff_t>(size)}).has_value());
      }
      for (size_t size = 0; size < rtcp.size(); ++size) {
        std::vector<uint8_t> cut(rtcp.begin(), rtcp.begin() + static_cast<ptrdiff_t>(size));
        size_t opened = 0;
        CPPUNIT_ASSERT(pair.ours->unprotect_rtcp(cut, opened).has_value());
      }
    });
  }

  void a_forgotten_stream_begins_anew() {
    Pair pair(SrtpProfile::aead_aes_128_gcm, CipherChoice::automatic);
    auto packet = pair.sealed(1, 0x01020304);
    CPPUNIT_ASSERT(!pair.receive(packet));
    pair.ours->remove_stream(99);
    CPPUNIT_ASSERT(pair.receive(packet) == Drop::replayed);
    pair.ours->remove_stream(0x01020304);
    CPPUNIT_ASSERT(!pair.receive(packet));
  }

  void streams_are_bounded_and_the_longest_unheard_goes() {
    Pair pair(SrtpProfile::aead_aes_128_gcm, CipherChoice::automatic);
    auto first = pair.sealed(1, 1), second = pair.sealed(1, 2);
    CPPUNIT_ASSERT(!pair.receive(first));
    CPPUNIT_ASSERT(!pair.receive(second));
    for (uint32_t ssrc = 3; ssrc < 3 + SrtpSession::max_streams; ++ssrc) {
      CPPUNIT_ASSERT(!pair.receive(pair.sealed(static_cast<uint16_t>(ssrc), 1)));  // stays in use
      CPPUNIT_ASSERT(!pair.receive(pair.sealed(1, ssrc)));
      CPPUNIT_ASSERT(pair.ours->streams() <= SrtpSession::max_streams);
    }
    CPPUNIT_ASSERT(pair.receive(first) == Drop::replayed);
    CPPUNIT_ASSERT(!pair.receive(second));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SrtpTest);

}  // namespace cardea::secure
