// One peer's DTLS 1.2 endpoint (RFC 6347, 5764): datagrams in, datagrams out, SRTP keys when done, and the data
// channels' records. Knows no socket; its retransmission timer alone looks at OpenSSL's clock, which is the system's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/outbox.hpp"
#include "cardea/time.hpp"
#include "sdp/peer_plan.hpp"
#include "secure/certificate.hpp"
#include "secure/keys.hpp"

struct ssl_st;

namespace cardea::secure {

class DtlsEpilogue;

struct DtlsSettings {
  uint16_t mtu = 1200;     // largest UDP payload that we send
  Duration timeout = 30s;  // for the whole handshake, counted from start() or the first datagram
  Duration first_retransmit = 100ms;
  Duration longest_retransmit = 4s;
};

class Dtls {
public:
  enum class State : uint8_t { handshaking, connected, closed, failed };

  // An `expected` without digest means: not known yet, expect() will say. The context outlives this.
  Dtls(DtlsContext& context, sdp::DtlsRole role, const sdp::Fingerprint& expected, const DtlsSettings& settings = {});
  ~Dtls();
  Dtls(Dtls&&) noexcept;
  Dtls& operator=(Dtls&&) noexcept;

  // ICE has a path. A client sends its hello; a server just waits (and needs no start). Later calls do nothing.
  void start(const Address& to, Time now, Outbox& out);
  // A DTLS datagram of the peer. What is to be sent goes to `to`, the selected path. Never fails on junk.
  void receive(Bytes datagram, const Address& to, Time now, Outbox& out);
  void tick(const Address& to, Time now, Outbox& out);
  Time next_deadline() const { return deadline_; }

  // The fingerprint, where the peer's SDP came after its hello: until then the handshake is not taken as done.
  void expect(const sdp::Fingerprint& expected);

  State state() const { return state_; }
  bool started() const { return started_; }
  // Why it is closed or failed, in the Janus API's words: "DTLS alert", "DTLS timeout", "DTLS error". Else empty.
  std::string_view reason() const { return reason_; }
  // Set as soon as connected; none if the peer did not offer use_srtp (one that wants data channels only need not).
  const std::optional<SrtpKeys>& keys() const { return keys_; }
  // Whoever needed them has made his own of them.
  void forget_keys() { keys_.reset(); }

  // Application data (SCTP packets) of the last receive(), one span per record; valid until the next call.
  const std::vector<Bytes>& records() const { return records_; }
  // Sends one record of application data. False if not connected, or larger than the mtu allows.
  bool send(Bytes record, const Address& to, Time now, Outbox& out);
  // The largest record that fits the mtu.
  size_t max_record() const;

  // Sends close_notify, released or not, and is closed. Does nothing unless connected.
  void close(const Address& to, Outbox& out);

  // For a connected peer: frees OpenSSL's 60-70 kB. What stays (some 300 bytes, and two cipher contexts where there are
  // data channels) repeats our last flight when the peer repeats its own, and reads and writes alerts and records, for
  // a fraction of what OpenSSL's record layer costs. records() stay valid.
  void release();
  bool released() const { return epilogue_ != nullptr; }

private:
  struct Io;
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };

  void begin(Time now);
  void advance();
  void handshake();
  void connect();
  void read_records();
  void cut_records();
  void keep_flight();
  void flush(const Address& to, Outbox& out);
  void schedule(Time now);
  void end(State state, std::string_view reason);

  // given
  DtlsContext* context_;
  DtlsSettings settings_;
  sdp::DtlsRole role_;
  // owned
  std::unique_ptr<Io> io_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  std::unique_ptr<DtlsEpilogue> epilogue_;
  // state
  State state_ = State::handshaking;
  std::string_view reason_;
  bool started_ = false;
  Time give_up_ = never;
  Time deadline_ = never;
  std::optional<SrtpKeys> keys_;
  std::vector<uint8_t> plain_;
  std::vector<size_t> ends_;
  std::vector<Bytes> records_;
};

}  // namespace cardea::secure
