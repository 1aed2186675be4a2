#include "secure/srtp.hpp"

#include <arpa/inet.h>
#include <srtp2/srtp.h>

#include <algorithm>
#include <string>

#include "secure/srtp_ciphers.hpp"

namespace cardea::secure {

namespace {

// Fits a second of high-rate video, so that a packet resent without RTX is not taken for a replay.
constexpr unsigned long replay_window = 1024;
constexpr size_t rtp_header = 12, rtcp_header = 8;

srtp_policy_t policy_of(SrtpProfile profile, srtp_ssrc_type_t streams, uint8_t* key) {
  srtp_policy_t policy{};
  switch (profile) {
  case SrtpProfile::aead_aes_128_gcm:
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    break;
  case SrtpProfile::aead_aes_256_gcm:
    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    break;
  case SrtpProfile::aes128_cm_sha1_80:
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    break;
  }
  policy.ssrc.type = streams;
  policy.key = key;
  policy.window_size = replay_window;
  policy.allow_repeat_tx = 1;
  return policy;
}

Drop drop_of(srtp_err_status_t status) {
  switch (status) {
  case srtp_err_status_auth_fail:
  case srtp_err_status_cipher_fail: return Drop::bad_auth;
  case srtp_err_status_replay_fail:
  case srtp_err_status_replay_old: return Drop::replayed;
  default: return Drop::malformed;
  }
}

}  // namespace

Status init_srtp(CipherChoice choice) {
  static const bool ready = srtp_init() == srtp_err_status_ok;
  if (!ready) return Error{0, "libsrtp does not start"};
  if (choice != CipherChoice::automatic && choice != CipherChoice::evp)
    if (auto engine = make_cipher_engine(choice); !engine) return engine.error();
  return replace_srtp_ciphers(choice);
}

void SrtpSession::Free::operator()(srtp_ctx_t_* session) const { srtp_dealloc(session); }

Result<SrtpSession> SrtpSession::make(const SrtpKeys& keys) {
  static const Status ready = srtp_ciphers_replaced() ? Status{} : init_srtp(CipherChoice::automatic);
  if (!ready) return ready.error();
  SrtpSession made;
  SrtpKeys own = keys;  // libsrtp's policies do not take what is const
  auto open = [&](srtp_ssrc_type_t streams, uint8_t* key, auto& into) {
    srtp_t session = nullptr;
    auto policy = policy_of(keys.profile, streams, key);
    auto status = srtp_create(&session, &policy);
    into.reset(session);
    return status;
  };
  for (auto status :
       {open(ssrc_any_inbound, own.remote.data(), made.in_), open(ssrc_any_outbound, own.local.data(), made.out_)})
    if (status != srtp_err_status_ok) return Error{static_cast<int>(status), "libsrtp makes no session"};
  return made;
}

std::optional<Drop> SrtpSession::unprotect(MutableBytes packet, size_t& size) {
  if (packet.size() < rtp_header) return Drop::malformed;
  uint32_t ssrc = load_u32(&packet[8]);
  int length = static_cast<int>(packet.size());
  if (auto status = srtp_unprotect(in_.get(), packet.data(), &length); status != srtp_err_status_ok)
    return drop_of(status);
  saw(ssrc);
  size = static_cast<size_t>(length);
  return {};
}

std::optional<Drop> SrtpSession::unprotect_rtcp(MutableBytes packet, size_t& size) {
  if (packet.size() < rtcp_header) return Drop::malformed;
  uint32_t ssrc = load_u32(&packet[4]);
  int length = static_cast<int>(packet.size());
  if (auto status = srtp_unprotect_rtcp(in_.get(), packet.data(), &length); status != srtp_err_status_ok)
    return drop_of(status);
  saw(ssrc);
  size = static_cast<size_t>(length);
  return {};
}

size_t SrtpSession::protect_rtcp(MutableBytes buffer, size_t size) {
  if (size < rtcp_header || buffer.size() < size + rtcp_trailer_size) return 0;
  int length = static_cast<int>(size);
  return srtp_protect_rtcp(out_.get(), buffer.data(), &length) == srtp_err_status_ok ? static_cast<size_t>(length) : 0;
}

// Counts only what was authentic, so a stranger can neither fill the list nor push anyone out.
void SrtpSession::saw(uint32_t ssrc) {
  ++packets_;
  auto found = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& seen) { return seen.ssrc == ssrc; });
  if (found != seen_.end()) {
    found->when = packets_;
    return;
  }
  if (seen_.size() == max_streams) {
    auto oldest =
        std::min_element(seen_.begin(), seen_.end(), [](const Seen& a, const Seen& b) { return a.when < b.when; });
    remove_stream(oldest->ssrc);
  }
  seen_.push_back({ssrc, packets_});
}

void SrtpSession::remove_stream(uint32_t ssrc) {
  auto found = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& seen) { return seen.ssrc == ssrc; });
  if (found == seen_.end()) return;
  srtp_remove_stream(in_.get(), htonl(ssrc));
  *found = seen_.back();
  seen_.pop_back();
}

}  // namespace cardea::secure
