// What a machine wants sent: small datagrams (STUN, DTLS, RTCP), kept in one arena that is reused turn after turn.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.hpp"
#include "base/bytes.hpp"

namespace cardea {

// A datagram that came in. The bytes may be changed in place (decryption).
struct Datagram {
  Address from;
  MutableBytes bytes;
};

class Outbox {
public:
  struct Item {
    Address to;
    Bytes bytes;
  };

  void send(const Address& to, Bytes bytes) {
    entries_.push_back({to, arena_.size(), bytes.size()});
    arena_.insert(arena_.end(), bytes.begin(), bytes.end());
  }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  Item operator[](size_t index) const {
    const Entry& entry = entries_[index];
    return {entry.to, Bytes(arena_).subspan(entry.at, entry.size)};
  }
  void clear() {
    entries_.clear();
    arena_.clear();
  }

private:
  struct Entry {
    Address to;
    size_t at, size;
  };
  std::vector<Entry> entries_;
  std::vector<uint8_t> arena_;
};

}  // namespace cardea
