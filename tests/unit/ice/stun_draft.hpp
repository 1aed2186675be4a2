// A STUN message put together attribute by attribute, right or wrong, for tests of those who read it.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/hmac_sha1.hpp"

namespace cardea::ice {

struct StunDraft {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(20);

  explicit StunDraft(Bytes transaction, uint16_t type = 0x0001) {
    store_u16(&bytes[0], type);
    store_u32(&bytes[4], 0x2112a442);
    for (size_t i = 0; i < transaction.size() && i < 12; ++i) bytes[8 + i] = transaction[i];
  }

  StunDraft& add(uint16_t type, Bytes value, uint8_t padding = 0) {
    uint8_t head[4];
    store_u16(head, type);
    store_u16(head + 2, static_cast<uint16_t>(value.size()));
    bytes.insert(bytes.end(), head, head + 4);
    bytes.insert(bytes.end(), value.begin(), value.end());
    while (bytes.size() % 4 != 0) bytes.push_back(padding);
    set_size(bytes.size());
    return *this;
  }
  StunDraft& add(uint16_t type, std::string_view value) { return add(type, bytes_of(value)); }
  StunDraft& add(uint16_t type, uint32_t value) {
    uint8_t four[4];
    store_u32(four, value);
    return add(type, Bytes(four));
  }

  // MESSAGE-INTEGRITY; with another size than 20 the digest is cut, or followed by zeros.
  StunDraft& integrity(std::string_view pwd, size_t size = HmacSha1::size) {
    set_size(bytes.size() + 4 + HmacSha1::size);
    HmacSha1 hmac(bytes_of(pwd));
    hmac.update(bytes);
    std::vector<uint8_t> digest(HmacSha1::size);
    hmac.finish(digest.data());
    digest.resize(size);
    return add(0x0008, Bytes(digest));
  }

  StunDraft& fingerprint() {
    set_size(bytes.size() + 8);
    return add(0x8028, crc32(bytes) ^ 0x5354554e);
  }

  static uint32_t crc32(Bytes bytes) {
    uint32_t crc = ~0u;
    for (uint8_t byte : bytes) {
      crc ^= byte;
      for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
    return ~crc;
  }

private:
  void set_size(size_t whole) { store_u16(&bytes[2], static_cast<uint16_t>(whole - 20)); }
};

}  // namespace cardea::ice
