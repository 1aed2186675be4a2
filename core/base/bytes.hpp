// Reads and writes big-endian numbers with every access checked: a reader past its end gives zeros and says so once
// asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace cardea {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

inline Bytes bytes_of(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class ByteReader {
public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }  // false once something was read past the end
  size_t left() const { return bytes_.size() - at_; }
  size_t position() const { return at_; }

  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  uint32_t u24() { return static_cast<uint32_t>(number(3)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  Bytes take(size_t count) {
    if (count > left()) return fail(), Bytes();
    Bytes taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }
  void skip(size_t count) { take(count); }

private:
  uint64_t number(size_t size) {
    if (size > left()) return fail(), 0;
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value = (value << 8) | bytes_[at_ + i];
    at_ += size;
    return value;
  }
  void fail() {
    ok_ = false;
    at_ = bytes_.size();
  }

  Bytes bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

// Writes into given storage; what does not fit is not written and ok() turns false.
class ByteWriter {
public:
  explicit ByteWriter(MutableBytes into) : into_(into) {}

  bool ok() const { return ok_; }
  size_t size() const { return at_; }
  size_t room() const { return into_.size() - at_; }
  Bytes written() const { return into_.first(at_); }

  void u8(uint8_t value) { number(value, 1); }
  void u16(uint16_t value) { number(value, 2); }
  void u24(uint32_t value) { number(value, 3); }
  void u32(uint32_t value) { number(value, 4); }
  void u64(uint64_t value) { number(value, 8); }
  void put(Bytes bytes) {
    if (bytes.size() > room()) return fail();
    if (!bytes.empty()) std::memcpy(into_.data() + at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void zeros(size_t count) {
    if (count > room()) return fail();
    std::memset(into_.data() + at_, 0, count);
    at_ += count;
  }
  // Overwrites what was written before, for lengths that are known only later.
  void patch_u16(size_t at, uint16_t value) {
    if (at + 2 > at_) return fail();
    into_[at] = static_cast<uint8_t>(value >> 8);
    into_[at + 1] = static_cast<uint8_t>(value);
  }

private:
  void number(uint64_t value, size_t size) {
    if (size > room()) return fail();
    for (size_t i = 0; i < size; ++i) into_[at_ + i] = static_cast<uint8_t>(value >> (8 * (size - 1 - i)));
    at_ += size;
  }
  void fail() { ok_ = false; }

  MutableBytes into_;
  size_t at_ = 0;
  bool ok_ = true;
};

constexpr uint16_t load_u16(const uint8_t* at) { return static_cast<uint16_t>((at[0] << 8) | at[1]); }
constexpr uint32_t load_u32(const uint8_t* at) {
  return (uint32_t{at[0]} << 24) | (uint32_t{at[1]} << 16) | (uint32_t{at[2]} << 8) | at[3];
}
constexpr void store_u16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
constexpr void store_u32(uint8_t* at, uint32_t value) {
  store_u16(at, static_cast<uint16_t>(value >> 16));
  store_u16(at + 2, static_cast<uint16_t>(value));
}

}  // namespace cardea
