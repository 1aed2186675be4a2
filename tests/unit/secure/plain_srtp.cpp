#include "unit/secure/plain_srtp.hpp"

#include <cppunit/TestAssert.h>

#include <utility>

#include "secure/srtp.hpp"

namespace cardea::secure {

PlainLibsrtp::PlainLibsrtp() {
  CPPUNIT_ASSERT(init_srtp(CipherChoice::automatic).has_value());
  CPPUNIT_ASSERT_EQUAL(srtp_err_status_ok, srtp_shutdown());
  CPPUNIT_ASSERT_EQUAL(srtp_err_status_ok, srtp_init());  // its own ciphers again
}

PlainLibsrtp::~PlainLibsrtp() { (void)init_srtp(CipherChoice::automatic); }

PlainSession::PlainSession(const SrtpKeys& keys) {
  auto local = keys.local, remote = keys.remote;
  auto open = [&](srtp_ssrc_type_t streams, uint8_t* key, auto& into) {
    srtp_policy_t policy{};
    auto profile = static_cast<srtp_profile_t>(keys.profile);
    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile);
    policy.ssrc.type = streams;
    policy.key = key;
    policy.window_size = 1024;
    policy.allow_repeat_tx = 1;
    srtp_t session = nullptr;
    CPPUNIT_ASSERT_EQUAL(srtp_err_status_ok, srtp_create(&session, &policy));
    into.reset(session);
  };
  open(ssrc_any_inbound, remote.data(), in_);
  open(ssrc_any_outbound, local.data(), out_);
}

std::vector<uint8_t> PlainSession::protect(std::vector<uint8_t> packet) {
  int size = static_cast<int>(packet.size());
  packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN);
  CPPUNIT_ASSERT_EQUAL(srtp_err_status_ok, srtp_protect(out_.get(), packet.data(), &size));
  packet.resize(static_cast<size_t>(size));
  return packet;
}

std::vector<uint8_t> PlainSession::protect_rtcp(std::vector<uint8_t> packet) {
  int size = static_cast<int>(packet.size());
  packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN + 4);
  CPPUNIT_ASSERT_EQUAL(srtp_err_status_ok, srtp_protect_rtcp(out_.get(), packet.data(), &size));
  packet.resize(static_cast<size_t>(size));
  return packet;
}

bool PlainSession::unprotect(std::vector<uint8_t>& packet) {
  int size = static_cast<int>(packet.size());
  if (srtp_unprotect(in_.get(), packet.data(), &size) != srtp_err_status_ok) return false;
  packet.resize(static_cast<size_t>(size));
  return true;
}

bool PlainSession::unprotect_rtcp(std::vector<uint8_t>& packet) {
  int size = static_cast<int>(packet.size());
  if (srtp_unprotect_rtcp(in_.get(), packet.data(), &size) != srtp_err_status_ok) return false;
  packet.resize(static_cast<size_t>(size));
  return true;
}

SrtpKeys random_keys(SrtpProfile profile, Random& random) {
  SrtpKeys keys;
  keys.profile = profile;
  random.fill(MutableBytes(keys.local).first(key_size(profile) + salt_size(profile)));
  random.fill(MutableBytes(keys.remote).first(key_size(profile) + salt_size(profile)));
  return keys;
}

SrtpKeys swapped(const SrtpKeys& keys) {
  SrtpKeys other = keys;
  std::swap(other.local, other.remote);
  return other;
}

std::vector<uint8_t> rtp_packet(uint16_t seq, uint32_t ssrc, size_t payload, Random& random, size_t& header_size) {
  uint64_t shape = random.u64();
  size_t sources = (shape & 1) ? 3 : 0, extension_words = (shape & 2) ? (shape >> 8) % 5 : 0;
  bool extended = (shape & 2) != 0;
  header_size = 12 + 4 * sources + (extended ? 4 + 4 * extension_words : 0);
  std::vector<uint8_t> packet(header_size + payload);
  random.fill(packet);
  packet[0] = static_cast<uint8_t>(0x80 | (extended ? 0x10 : 0) | sources);
  packet[1] = static_cast<uint8_t>(packet[1] & 0x7f);
  store_u16(&packet[2], seq);
  store_u32(&packet[8], ssrc);
  if (extended) {
    store_u16(&packet[12 + 4 * sources], 0xbede);
    store_u16(&packet[14 + 4 * sources], static_cast<uint16_t>(extension_words));
  }
  return packet;
}

std::vector<uint8_t> rtcp_packet(uint32_t ssrc, size_t size) {
  std::vector<uint8_t> packet(size, 0x5a);
  packet[0] = 0x80;
  packet[1] = 201;
  store_u16(&packet[2], static_cast<uint16_t>(size / 4 - 1));
  store_u32(&packet[4], ssrc);
  return packet;
}

}  // namespace cardea::secure
