// What a DTLS connection still needs when its SSL object is gone: our last flight, should the peer repeat its own, and
// the record keys to read and write alerts and data channels' records (RFC 5246 section 6.3, RFC 5288, RFC 6347
// section 4.1).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.hpp"
#include "base/cleanse.hpp"
#include "base/outbox.hpp"
#include "cardea/time.hpp"
#include "secure/dtls_io.hpp"
#include "secure/gcm.hpp"

namespace cardea::secure {

class DtlsEpilogue {
public:
  // From a finished handshake and the datagrams of our last flight.
  DtlsEpilogue(const SSL* ssl, sdp::DtlsRole role, std::vector<uint8_t> flight, std::vector<size_t> sizes);

  // What a record adds to its text.
  static constexpr size_t overhead = 13 + 8 + Gcm::tag_size;

  // Application data: the records' texts one behind the other, and where each ends.
  struct Texts {
    std::vector<uint8_t>& plain;
    std::vector<size_t>& ends;
  };
  // True if the peer closed the connection, or gave it up, by an authentic alert.
  bool receive(Bytes datagram, const Address& to, Time now, Texts texts, Outbox& out);
  bool send(Bytes text, const Address& to, Outbox& out);
  void close(const Address& to, Outbox& out);

private:
  struct Direction {
    uint8_t key[32];
    uint8_t salt[4];
    std::unique_ptr<Gcm> gcm;  // once it is needed

    ~Direction() {
      cleanse(key);
      cleanse(salt);
    }
  };

  void derive_keys(const SSL* ssl);
  void find_last_record();
  Gcm& gcm(Direction& direction) const;
  bool open(Bytes record, uint8_t* text);
  void read_data(Bytes record, Texts texts);
  bool closes(Bytes record);
  void write(uint8_t type, Bytes text, const Address& to, Outbox& out);
  void repeat(const Address& to, Time now, Outbox& out);

  // given
  sdp::DtlsRole role_;
  // state
  std::vector<uint8_t> flight_;
  std::vector<size_t> sizes_;
  size_t key_size_ = 0;  // 0: not AES-GCM, so alerts are neither read nor written
  Direction ours_{}, theirs_{};
  uint64_t sequence_ = 0, nonce_ = 0;  // of the next record we write
  std::vector<uint8_t> record_;        // being written
  Time repeated_{};
  uint8_t repeats_ = 0;
};

}  // namespace cardea::secure
