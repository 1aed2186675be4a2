// The latest public messages of a room, for those who join later: bounded in number and in bytes.
#pragma once

#include <deque>
#include <utility>

#include "outgoing.hpp"

namespace cardea::textroom {

class History {
public:
  static constexpr size_t max_bytes = 1024 * 1024;

  explicit History(size_t max_messages) : max_messages_(max_messages) {}

  void add(Outgoing message) {
    if (max_messages_ == 0) return;
    bytes_ += message.text().size();
    messages_.push_back(std::move(message));
    while (messages_.size() > max_messages_ || bytes_ > max_bytes) {
      bytes_ -= messages_.front().text().size();
      messages_.pop_front();
    }
  }
  const std::deque<Outgoing>& messages() const { return messages_; }  // oldest first

private:
  // given
  const size_t max_messages_;
  // state
  std::deque<Outgoing> messages_;
  size_t bytes_ = 0;
};

}  // namespace cardea::textroom
