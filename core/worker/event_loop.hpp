// Sleeps until one of a few descriptors is readable or a deadline has come. One per worker thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "cardea/time.hpp"

namespace cardea::worker {

class EventLoop {
public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void add(int fd);  // for reading; the descriptor stays the caller's

  // The descriptors that are readable; none if the deadline came first. A deadline that has passed only looks.
  std::span<const int> wait(Time now, Time until);

private:
  // owned
  int epoll_;
  // state
  std::array<int, 64> ready_{};
};

}  // namespace cardea::worker
