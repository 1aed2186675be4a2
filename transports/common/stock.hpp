// Memory for messages that are incomplete, unsent, or wait for a poll: bounded for all clients of a transport together.
#pragma once

#include <cstddef>

namespace cardea::transports {

class Stock {
public:
  explicit Stock(size_t bound) : bound_(bound) {}
  size_t held() const { return held_; }

private:
  friend class Share;
  // given
  const size_t bound_;
  // state
  size_t held_ = 0;
};

// What one client holds of it. A little is always there, so that those who hold much shut nobody out.
class Share {
public:
  static constexpr size_t always = 64 * 1024;

  explicit Share(Stock& stock) : stock_(&stock) {}
  Share(Share&& other) noexcept : stock_(other.stock_), held_(other.held_) { other.held_ = 0; }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  ~Share() { give_back(held_); }

  // False, and nothing is taken, if others hold too much for that.
  bool take(size_t bytes) {
    if (held_ + bytes > always && stock_->held_ + bytes > stock_->bound_) return false;
    held_ += bytes;
    stock_->held_ += bytes;
    return true;
  }
  void give_back(size_t bytes) {
    held_ -= bytes;
    stock_->held_ -= bytes;
  }
  size_t held() const { return held_; }

private:
  // given
  Stock* stock_;
  // state
  size_t held_ = 0;
};

}  // namespace cardea::transports
