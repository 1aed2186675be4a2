// Randomness as an argument: the house's comes from the system, a test's from a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.hpp"

namespace cardea {

class Random {
public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes bytes) = 0;

  uint64_t u64() {
    uint8_t bytes[8];
    fill(bytes);
    return (uint64_t{load_u32(bytes)} << 32) | load_u32(bytes + 4);
  }
  uint32_t u32() { return static_cast<uint32_t>(u64()); }
  uint64_t below(uint64_t bound) { return u64() % bound; }  // the bias is of no matter for bounds far below 2^64
  // Letters and digits, for ICE credentials (RFC 8839 ice-char without + and /) and the like.
  std::string word(size_t length) {
    static constexpr char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    std::string out;
    while (out.size() < length) out.push_back(letters[below(sizeof letters - 1)]);
    return out;
  }
};

// Cryptographic, from the kernel.
class SystemRandom final : public Random {
public:
  void fill(MutableBytes bytes) override;
};

// The same every time, for tests and simulations (splitmix64).
class SeededRandom final : public Random {
public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  void fill(MutableBytes bytes) override {
    for (size_t i = 0; i < bytes.size(); i += 8) {
      uint64_t x = (state_ += 0x9e3779b97f4a7c15u);
      x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
      x ^= x >> 31;
      for (size_t k = 0; k < 8 && i + k < bytes.size(); ++k) bytes[i + k] = static_cast<uint8_t>(x >> (8 * k));
    }
  }

private:
  uint64_t state_;
};

}  // namespace cardea
