#include "secure/dtls_epilogue.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "secure/gcm.hpp"

namespace cardea::secure {

namespace {

constexpr size_t header_size = 13;    // type, version, epoch, sequence number, length: RFC 6347 section 4.1
constexpr size_t explicit_nonce = 8;  // RFC 5288 section 3
constexpr uint8_t alert = 21, handshake = 22, application_data = 23;
constexpr size_t largest_text = 16384;  // RFC 5246 section 6.2.1
constexpr uint16_t dtls_1_2 = 0xfefd;
constexpr uint8_t warning = 1, fatal = 2, close_notify = 0;
constexpr uint8_t max_repeats = 20;         // more than any peer's patience
constexpr Duration repeat_gap = 40ms;       // a repeated flight comes in several datagrams
constexpr uint64_t sequence_gap = 1 << 16;  // beyond all that the SSL object can have sent since
constexpr uint64_t nonce_gap = uint64_t{1} << 32;

void store_u48(uint8_t* at, uint64_t value) {
  store_u16(at, static_cast<uint16_t>(value >> 32));
  store_u32(at + 2, static_cast<uint32_t>(value));
}
void store_u64(uint8_t* at, uint64_t value) {
  store_u32(at, static_cast<uint32_t>(value >> 32));
  store_u32(at + 4, static_cast<uint32_t>(value));
}
uint64_t load_u48(const uint8_t* at) { return (uint64_t{load_u16(at)} << 32) | load_u32(at + 2); }

struct Sealing {
  uint8_t nonce[Gcm::nonce_size];
  std::array<uint8_t, header_size> aad;  // epoch and sequence number, type, version, size of the text
};
Sealing sealing(const uint8_t* header, const uint8_t* salt, const uint8_t* nonce, size_t text) {
  Sealing out;
  std::memcpy(out.nonce, salt, 4);
  std::memcpy(out.nonce + 4, nonce, explicit_nonce);
  std::memcpy(out.aad.data(), header + 3, 8);
  std::memcpy(out.aad.data() + 8, header, 3);
  store_u16(out.aad.data() + 11, static_cast<uint16_t>(text));
  return out;
}

// Calls visit(whole record) for each record of a datagram, as long as they are whole.
template <class Visit>
void each_record(Bytes datagram, Visit visit) {
  while (datagram.size() >= header_size) {
    size_t size = header_size + load_u16(&datagram[11]);
    if (size > datagram.size()) return;
    visit(datagram.first(size));
    datagram = datagram.subspan(size);
  }
}

}  // namespace

DtlsEpilogue::DtlsEpilogue(const SSL* ssl, sdp::DtlsRole role, std::vector<uint8_t> flight, std::vector<size_t> sizes)
    : role_(role), flight_(std::move(flight)), sizes_(std::move(sizes)) {
  derive_keys(ssl);
  find_last_record();
  // Only the server's last flight is the handshake's last; a client's repeats are answered by the server.
  if (role_ == sdp::DtlsRole::client) {
    flight_ = {};
    sizes_ = {};
  }
  flight_.shrink_to_fit();
}

void DtlsEpilogue::derive_keys(const SSL* ssl) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  int kind = cipher == nullptr ? NID_undef : SSL_CIPHER_get_cipher_nid(cipher);
  size_t key_size = kind == NID_aes_128_gcm ? 16 : kind == NID_aes_256_gcm ? 32 : 0;
  if (key_size == 0) return;

  std::array<uint8_t, SSL_MAX_MASTER_KEY_LENGTH> master{};
  size_t master_size = SSL_SESSION_get_master_key(SSL_get_session(ssl), master.data(), master.size());
  uint8_t seed[13 + 32 + 32] = {'k', 'e', 'y', ' ', 'e', 'x', 'p', 'a', 'n', 's', 'i', 'o', 'n'};
  SSL_get_server_random(ssl, seed + 13, 32);
  SSL_get_client_random(ssl, seed + 45, 32);

  static EVP_KDF* const prf = EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr);
  std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(prf), EVP_KDF_CTX_free);
  char digest[16] = "";
  std::strncpy(digest, EVP_MD_get0_name(SSL_CIPHER_get_handshake_digest(cipher)), sizeof digest - 1);
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                         OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master.data(), master_size),
                         OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
                         OSSL_PARAM_construct_end()};
  // client key, server key, client salt, server salt
  std::array<uint8_t, 2 * (32 + 4)> block{};
  bool derived = EVP_KDF_derive(context.get(), block.data(), 2 * (key_size + 4), params) == 1;
  Direction& client = role_ == sdp::DtlsRole::client ? ours_ : theirs_;
  Direction& server = role_ == sdp::DtlsRole::client ? theirs_ : ours_;
  std::memcpy(client.key, block.data(), key_size);
  std::memcpy(server.key, block.data() + key_size, key_size);
  std::memcpy(client.salt, block.data() + 2 * key_size, 4);
  std::memcpy(server.salt, block.data() + 2 * key_size + 4, 4);
  OPENSSL_cleanse(master.data(), master.size());
  OPENSSL_cleanse(block.data(), block.size());
  if (derived) key_size_ = key_size;
}

// OpenSSL's nonces begin anywhere and count up: ours go on far behind the one it used for the Finished message.
void DtlsEpilogue::find_last_record() {
  size_t at = 0;
  for (size_t size : sizes_) {
    each_record(Bytes(flight_).subspan(at, size), [&](Bytes record) {
      if (load_u16(&record[3]) != 1 || record.size() < header_size + explicit_nonce) return;
      sequence_ = load_u48(&record[5]) + sequence_gap;
      nonce_ = ((uint64_t{load_u32(&record[13])} << 32) | load_u32(&record[17])) + nonce_gap;
    });
    at += size;
  }
  if (sequence_ == 0) key_size_ = 0;
}

bool DtlsEpilogue::receive(Bytes datagram, const Address& to, Time now, Texts texts, Outbox& out) {
  bool closed = false, repeated = false;
  each_record(datagram, [&](Bytes record) {
    if (record[0] == alert) closed = closed || closes(record);
    if (record[0] == handshake) repeated = true;
    if (record[0] == application_data) read_data(record, texts);
  });
  if (repeated && !closed) repeat(to, now, out);
  return closed;
}

Gcm& DtlsEpilogue::gcm(Direction& direction) const {
  if (!direction.gcm) direction.gcm = make_evp_gcm(Bytes(direction.key, key_size_));
  return *direction.gcm;
}

// The text is as long as the record without its overhead.
bool DtlsEpilogue::open(Bytes record, uint8_t* text) {
  if (key_size_ == 0 || record.size() < overhead || load_u16(&record[3]) != 1) return false;
  const Bytes sealed = record.subspan(header_size + explicit_nonce, record.size() - overhead);
  auto [nonce, aad] = sealing(record.data(), theirs_.salt, &record[header_size], sealed.size());
  return gcm(theirs_).open(nonce, aad, sealed, text, record.last(Gcm::tag_size));
}

// Repeated records are not looked for (RFC 6347 section 4.1.2.6 leaves it open): SCTP knows its own duplicates.
void DtlsEpilogue::read_data(Bytes record, Texts texts) {
  if (record.size() <= overhead || record.size() > overhead + largest_text) return;
  const size_t before = texts.plain.size();
  texts.plain.resize(before + record.size() - overhead);
  if (open(record, texts.plain.data() + before))
    texts.ends.push_back(texts.plain.size());
  else
    texts.plain.resize(before);
}

bool DtlsEpilogue::closes(Bytes record) {
  uint8_t text[2];
  if (record.size() != overhead + sizeof text || !open(record, text)) return false;
  return text[0] == fatal || text[1] == close_notify;
}

void DtlsEpilogue::repeat(const Address& to, Time now, Outbox& out) {
  if (repeats_ == max_repeats || now - repeated_ < repeat_gap) return;
  ++repeats_;
  repeated_ = now;
  size_t at = 0;
  for (size_t size : sizes_) {
    out.send(to, Bytes(flight_).subspan(at, size));
    at += size;
  }
}

void DtlsEpilogue::close(const Address& to, Outbox& out) {
  const uint8_t text[] = {warning, close_notify};
  if (key_size_ != 0) write(alert, text, to, out);
}

bool DtlsEpilogue::send(Bytes text, const Address& to, Outbox& out) {
  if (key_size_ == 0 || text.size() > largest_text) return false;
  write(application_data, text, to, out);
  return true;
}

void DtlsEpilogue::write(uint8_t type, Bytes text, const Address& to, Outbox& out) {
  record_.resize(overhead + text.size());
  record_[0] = type;
  store_u16(&record_[1], dtls_1_2);
  store_u16(&record_[3], 1);
  store_u48(&record_[5], sequence_++);
  store_u16(&record_[11], static_cast<uint16_t>(record_.size() - header_size));
  store_u64(&record_[header_size], nonce_++);
  uint8_t* sealed = record_.data() + header_size + explicit_nonce;
  auto [nonce, aad] = sealing(record_.data(), ours_.salt, &record_[header_size], text.size());
  gcm(ours_).seal(nonce, aad, text, sealed, sealed + text.size());
  out.send(to, record_);
}

}  // namespace cardea::secure
