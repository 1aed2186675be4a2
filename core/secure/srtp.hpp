// One peer's SRTP: decrypts what comes in (RTP and RTCP) and encrypts RTCP, on libsrtp with our ciphers in it. Outgoing
// RTP goes through the CipherEngine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/drop.hpp"
#include "cardea/result.hpp"
#include "secure/cipher.hpp"
#include "secure/keys.hpp"

struct srtp_ctx_t_;

namespace cardea::secure {

// Readies libsrtp and replaces its ciphers. Once, at start-up, before threads; without it the first session does it
// with CipherChoice::automatic.
Status init_srtp(CipherChoice choice);

class SrtpSession {
public:
  // More SSRCs than any honest peer sends at a time; the longest unheard one is forgotten.
  static constexpr size_t max_streams = 128;

  static Result<SrtpSession> make(const SrtpKeys& keys);

  // Decrypts in place; size becomes the plain size. A replayed packet is one whose index was seen among the last 1,024
  // or is older than these.
  [[nodiscard]] std::optional<Drop> unprotect(MutableBytes packet, size_t& size);
  [[nodiscard]] std::optional<Drop> unprotect_rtcp(MutableBytes packet, size_t& size);

  // Encrypts the first `size` bytes of the buffer in place and returns the new size, 0 if the buffer has less than
  // rtcp_trailer_size of room behind them or they are not RTCP.
  size_t protect_rtcp(MutableBytes buffer, size_t size);

  // Forgets what came in of an SSRC (replay window, rollover counter).
  void remove_stream(uint32_t ssrc);
  size_t streams() const { return seen_.size(); }

private:
  struct Free {
    void operator()(srtp_ctx_t_* session) const;
  };
  struct Seen {
    uint32_t ssrc;
    uint64_t when;  // packet count
  };
  SrtpSession() = default;
  void saw(uint32_t ssrc);

  // owned
  std::unique_ptr<srtp_ctx_t_, Free> in_, out_;
  // state
  std::vector<Seen> seen_;
  uint64_t packets_ = 0;
};

}  // namespace cardea::secure
