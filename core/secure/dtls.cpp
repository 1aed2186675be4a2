#include "secure/dtls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "secure/dtls_epilogue.hpp"
#include "secure/dtls_io.hpp"

namespace cardea::secure {

namespace {

constexpr size_t largest_record = 16384;                  // RFC 5246 section 6.2.1
constexpr Duration least_wait = 1ms;                      // OpenSSL's clock and the caller's may differ a little
constexpr char exporter_label[] = "EXTRACTOR-dtls_srtp";  // RFC 5764 section 4.2

std::optional<SrtpKeys> export_keys(SSL* ssl, sdp::DtlsRole role) {
  const auto* chosen = SSL_get_selected_srtp_profile(ssl);
  if (chosen == nullptr) return {};
  SrtpKeys keys;
  keys.profile = static_cast<SrtpProfile>(chosen->id);
  size_t key = key_size(keys.profile), salt = salt_size(keys.profile);
  std::array<uint8_t, 2 * 48> block{};
  if (SSL_export_keying_material(ssl, block.data(), 2 * (key + salt), exporter_label, sizeof exporter_label - 1,
                                 nullptr, 0, 0) != 1)
    return {};
  // client key, server key, client salt, server salt
  auto side = [&](std::array<uint8_t, 48>& into, size_t index) {
    std::copy_n(block.begin() + static_cast<ptrdiff_t>(index * key), key, into.begin());
    std::copy_n(block.begin() + static_cast<ptrdiff_t>(2 * key + index * salt), salt,
                into.begin() + static_cast<ptrdiff_t>(key));
  };
  bool client = role == sdp::DtlsRole::client;
  side(keys.local, client ? 0 : 1);
  side(keys.remote, client ? 1 : 0);
  OPENSSL_cleanse(block.data(), block.size());
  return keys;
}

}  // namespace

struct Dtls::Io : DtlsIo {
  // Our last flight of the handshake.
  std::vector<uint8_t> flight;
  std::vector<size_t> flight_sizes;
};

void Dtls::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Dtls::Dtls(DtlsContext& context, sdp::DtlsRole role, const sdp::Fingerprint& expected, const DtlsSettings& settings)
    : context_(&context), settings_(settings), role_(role), io_(std::make_unique<Io>()) {
  io_->expected = expected;
  io_->first_retransmit = settings.first_retransmit;
  io_->longest_retransmit = settings.longest_retransmit;
}

Dtls::~Dtls() = default;
Dtls::Dtls(Dtls&&) noexcept = default;
Dtls& Dtls::operator=(Dtls&&) noexcept = default;

void Dtls::start(const Address& to, Time now, Outbox& out) {
  if (started_ || state_ != State::handshaking || role_ != sdp::DtlsRole::client) return;
  begin(now);
  if (state_ != State::handshaking) return;
  advance();
  flush(to, out);
  schedule(now);
}

// Here OpenSSL's object is made, not with ours: of many peers that are to connect, most wait for their turn.
void Dtls::begin(Time now) {
  started_ = true;
  give_up_ = now + settings_.timeout;
  ssl_.reset(SSL_new(context_->native()));
  if (!ssl_) return end(State::failed, "DTLS error");
  BIO* bio = DtlsIo::make_bio(*io_);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), static_cast<DtlsIo*>(io_.get()));
  SSL_set_mtu(ssl_.get(), settings_.mtu);
  DTLS_set_timer_cb(ssl_.get(), DtlsIo::retransmit_after);
  if (role_ == sdp::DtlsRole::client)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

void Dtls::receive(Bytes datagram, const Address& to, Time now, Outbox& out) {
  records_.clear();
  if (state_ != State::handshaking && state_ != State::connected) return;
  if (epilogue_) {
    plain_.clear();
    ends_.clear();
    const bool closed = epilogue_->receive(datagram, to, now, {plain_, ends_}, out);
    cut_records();
    if (closed) end(State::closed, "DTLS alert");
    return;
  }
  if (!started_) begin(now);
  if (!ssl_) return;
  io_->incoming = datagram;
  advance();
  io_->incoming = {};
  flush(to, out);
  schedule(now);
}

void Dtls::tick(const Address& to, Time now, Outbox& out) {
  if (state_ != State::handshaking || now < deadline_) return;
  if (now >= give_up_) return end(State::failed, "DTLS timeout");
  ERR_clear_error();
  // OpenSSL gives up by itself after a dozen retransmissions.
  if (!SSL_is_init_finished(ssl_.get()) && DTLSv1_handle_timeout(ssl_.get()) < 0) end(State::failed, "DTLS timeout");
  flush(to, out);
  schedule(now);
}

void Dtls::schedule(Time now) {
  deadline_ = never;
  if (state_ != State::handshaking || !started_) return;
  deadline_ = give_up_;
  timeval left{};
  if (DTLSv1_get_timeout(ssl_.get(), &left) == 1) {
    Duration wait = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
    deadline_ = std::min(give_up_, now + std::max(wait, least_wait));
  }
}

void Dtls::advance() {
  ERR_clear_error();
  if (!SSL_is_init_finished(ssl_.get())) handshake();
  if (state_ == State::connected) read_records();
  ERR_clear_error();
}

void Dtls::handshake() {
  int done = SSL_do_handshake(ssl_.get());
  if (done != 1) {
    int error = SSL_get_error(ssl_.get(), done);
    if (io_->alerted)
      end(State::closed, "DTLS alert");
    else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      end(State::failed, "DTLS error");
    return;
  }
  keep_flight();
  connect();
}

void Dtls::connect() {
  if (io_->expected.digest.empty()) return;
  std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_.get()), X509_free);
  if (!io_->matches(certificate.get())) return end(State::failed, "DTLS error");
  keys_ = export_keys(ssl_.get(), role_);
  state_ = State::connected;
}

void Dtls::expect(const sdp::Fingerprint& expected) {
  if (!io_ || state_ != State::handshaking) return;
  io_->expected = expected;
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    connect();
    deadline_ = never;
  }
}

void Dtls::read_records() {
  static thread_local std::array<uint8_t, largest_record> scratch;
  plain_.clear();
  ends_.clear();
  while (true) {
    int size = SSL_read(ssl_.get(), scratch.data(), static_cast<int>(scratch.size()));
    if (size > 0) {
      plain_.insert(plain_.end(), scratch.begin(), scratch.begin() + size);
      ends_.push_back(plain_.size());
      continue;
    }
    int error = SSL_get_error(ssl_.get(), size);
    if (io_->alerted || error == SSL_ERROR_ZERO_RETURN)
      end(State::closed, "DTLS alert");
    else if ((error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) || !SSL_is_init_finished(ssl_.get()))
      // The latter: a client that began to renegotiate. OpenSSL has refused, and from then on waits for a handshake.
      end(State::failed, "DTLS error");
    break;
  }
  cut_records();
}

void Dtls::cut_records() {
  size_t at = 0;
  for (size_t behind : ends_) {
    records_.push_back(Bytes(plain_).subspan(at, behind - at));
    at = behind;
  }
}

bool Dtls::send(Bytes record, const Address& to, Time, Outbox& out) {
  if (state_ != State::connected || record.empty() || record.size() > max_record()) return false;
  if (epilogue_) return epilogue_->send(record, to, out);
  ERR_clear_error();
  int written = SSL_write(ssl_.get(), record.data(), static_cast<int>(record.size()));
  flush(to, out);
  return written == static_cast<int>(record.size());
}

size_t Dtls::max_record() const {
  if (epilogue_) return settings_.mtu - DtlsEpilogue::overhead;
  return ssl_ ? DTLS_get_data_mtu(ssl_.get()) : 0;
}

void Dtls::close(const Address& to, Outbox& out) {
  if (state_ != State::connected) return;
  if (epilogue_) {
    epilogue_->close(to, out);
  } else {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    flush(to, out);
  }
  end(State::closed, "");
}

void Dtls::release() {
  if (state_ != State::connected || epilogue_) return;
  epilogue_ = std::make_unique<DtlsEpilogue>(ssl_.get(), role_, std::move(io_->flight), std::move(io_->flight_sizes));
  ssl_.reset();
  io_.reset();
  if (!records_.empty()) return;  // they came with the handshake's end
  plain_ = {};
  records_ = {};
  ends_ = {};
}

void Dtls::keep_flight() {
  if (io_->sizes.empty()) return;
  io_->flight = io_->outgoing;
  io_->flight_sizes = io_->sizes;
}

void Dtls::flush(const Address& to, Outbox& out) {
  if (state_ == State::handshaking) keep_flight();
  size_t at = 0;
  for (size_t size : io_->sizes) {
    out.send(to, Bytes(io_->outgoing).subspan(at, size));
    at += size;
  }
  io_->clear();
}

void Dtls::end(State state, std::string_view reason) {
  state_ = state;
  reason_ = reason;
  deadline_ = never;
}

}  // namespace cardea::secure
