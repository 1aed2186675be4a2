// What SRTP costs per packet: the cipher engines of the fan-out, and libsrtp with its own ciphers and with ours.
#include <srtp2/srtp.h>

#include <memory>

#include "base/random.hpp"
#include "bench/bench.hpp"
#include "secure/cipher.hpp"
#include "secure/srtp.hpp"

using namespace cardea;
using namespace cardea::secure;

namespace {

constexpr size_t key_count = 200, header_size = 12, rounds = 50;
constexpr SrtpProfile profiles[] = {SrtpProfile::aead_aes_128_gcm, SrtpProfile::aead_aes_256_gcm,
                                    SrtpProfile::aes128_cm_sha1_80};

SrtpKeys random_keys(SrtpProfile profile, Random& random) {
  SrtpKeys keys;
  keys.profile = profile;
  random.fill(keys.local);
  random.fill(keys.remote);
  return keys;
}

void fan_out(CipherEngine& engine, SrtpProfile profile, size_t payload, size_t at_a_time) {
  SeededRandom random(1);
  std::vector<std::unique_ptr<SendKey>> keys;
  for (size_t i = 0; i < key_count; ++i) keys.push_back(engine.make_key(random_keys(profile, random)));
  std::vector<uint8_t> plain(payload, 0x5a), header(header_size, 0x80);
  std::vector<uint8_t> out(64 * 1500);
  uint64_t index = 0;
  std::vector<SealJob> jobs(at_a_time);
  double ns = bench::measure(rounds * key_count, [&] {
    for (size_t round = 0; round < rounds; ++round, ++index)
      for (size_t at = 0; at < key_count; at += at_a_time) {
        size_t count = std::min(at_a_time, key_count - at);
        for (size_t i = 0; i < count; ++i)
          jobs[i] = {keys[at + i].get(),
                     index,
                     7,
                     header.data(),
                     header_size,
                     plain.data(),
                     static_cast<uint16_t>(payload),
                     out.data() + (i % 64) * 1500};
        engine.seal(std::span(jobs).first(count));
      }
  });
  bench::report(std::string(engine.name()) + " seal, " + std::string(name(profile)) + ", " + std::to_string(payload) +
                    " B, " + std::to_string(at_a_time) + " at a time",
                ns);
}

// One sending session for each key, as libsrtp alone would serve the fan-out.
void libsrtp_protect(const char* ciphers, SrtpProfile profile, size_t payload) {
  SeededRandom random(1);
  std::vector<srtp_t> sessions;
  for (size_t i = 0; i < key_count; ++i) {
    auto keys = random_keys(profile, random);
    srtp_policy_t policy{};
    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, static_cast<srtp_profile_t>(profile));
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, static_cast<srtp_profile_t>(profile));
    policy.ssrc.type = ssrc_any_outbound;
    policy.key = keys.local.data();
    sessions.push_back(nullptr);
    if (srtp_create(&sessions.back(), &policy) != srtp_err_status_ok) return;
  }
  std::vector<uint8_t> plain(header_size + payload, 0x5a), out(1500);
  plain[0] = 0x80;
  uint16_t seq = 0;
  double ns = bench::measure(rounds * key_count, [&] {
    for (size_t round = 0; round < rounds; ++round) {
      store_u16(&plain[2], seq++);
      for (auto session : sessions) {
        std::copy(plain.begin(), plain.end(), out.begin());
        int size = static_cast<int>(plain.size());
        srtp_protect(session, out.data(), &size);
      }
    }
  });
  bench::report(std::string("libsrtp (") + ciphers + ") protect, " + std::string(name(profile)) + ", " +
                    std::to_string(payload) + " B",
                ns);
  for (auto session : sessions) srtp_dealloc(session);
}

void unprotect(SrtpProfile profile, size_t payload) {
  SeededRandom random(1);
  auto engine = std::move(*make_cipher_engine(CipherChoice::automatic));
  struct Peer {
    std::unique_ptr<SendKey> sends;
    SrtpSession session;
  };
  std::vector<Peer> peers;
  for (size_t i = 0; i < key_count; ++i) {
    auto keys = random_keys(profile, random);
    auto session = SrtpSession::make({profile, keys.remote, keys.local});
    if (!session) return;
    peers.push_back({engine->make_key(keys), std::move(*session)});
  }
  std::vector<uint8_t> plain(header_size + payload, 0x5a);
  plain[0] = 0x80;
  std::vector<std::vector<uint8_t>> sealed(rounds * key_count);
  uint64_t index = 0;
  double best = 0;
  std::vector<double> times;
  for (int run = 0; run < 9; ++run) {
    for (size_t round = 0; round < rounds; ++round, ++index) {
      store_u16(&plain[2], static_cast<uint16_t>(index));
      for (size_t i = 0; i < key_count; ++i) {
        auto& packet = sealed[round * key_count + i];
        packet.resize(plain.size() + max_tag_size);
        SealJob job{peers[i].sends.get(),
                    index,
                    0x5a5a5a5a,
                    plain.data(),
                    header_size,
                    plain.data() + header_size,
                    static_cast<uint16_t>(payload),
                    packet.data()};
        engine->seal({&job, 1});
        packet.resize(job.sealed_size());
      }
    }
    double begin = bench::cpu_ns();
    for (size_t i = 0; i < sealed.size(); ++i) {
      size_t size = 0;
      if (peers[i % key_count].session.unprotect(sealed[i], size)) std::abort();
    }
    times.push_back((bench::cpu_ns() - begin) / static_cast<double>(sealed.size()));
  }
  std::nth_element(times.begin(), times.begin() + 4, times.end());
  best = times[4];
  bench::report("SrtpSession unprotect, " + std::string(name(profile)) + ", " + std::to_string(payload) + " B", best);
}

}  // namespace

int main() {
  // libsrtp as the distribution built it, first.
  if (!init_srtp(CipherChoice::evp) || srtp_shutdown() != srtp_err_status_ok || srtp_init() != srtp_err_status_ok)
    return 1;
  for (auto profile : profiles)
    for (size_t payload : {160u, 1200u}) libsrtp_protect("its ciphers", profile, payload);
  for (auto choice : {CipherChoice::evp, CipherChoice::automatic}) {
    if (!init_srtp(choice)) return 1;
    for (auto profile : profiles)
      for (size_t payload : {160u, 1200u})
        libsrtp_protect(choice == CipherChoice::evp ? "ours, evp" : "ours, best", profile, payload);
  }
  for (auto profile : profiles)
    for (size_t payload : {160u, 1200u}) unprotect(profile, payload);
  for (auto choice : {CipherChoice::evp, CipherChoice::ipsec_mb}) {
    auto engine = make_cipher_engine(choice);
    if (!engine) continue;
    for (auto profile : profiles)
      for (size_t payload : {160u, 1200u})
        for (size_t at_a_time : {1u, 2u, 4u, 6u, 8u, 16u, 64u})
          if (at_a_time == 64 || profile == SrtpProfile::aes128_cm_sha1_80)
            fan_out(**engine, profile, payload, at_a_time);
  }
}
