#include "worker/event_loop.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

namespace cardea::worker {

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

EventLoop::~EventLoop() { close(epoll_); }

void EventLoop::add(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

std::span<const int> EventLoop::wait(Time now, Time until) {
  epoll_event events[std::tuple_size_v<decltype(ready_)>];
  constexpr int room = static_cast<int>(std::size(events));
  Duration left = until == never ? Duration(1h) : std::clamp<Duration>(until - now, Duration(0), Duration(1h));
  timespec timeout{static_cast<time_t>(left / 1s), static_cast<long>((left % 1s).count())};
  int count = epoll_pwait2(epoll_, events, room, &timeout, nullptr);
  if (count < 0 && errno == ENOSYS)  // before Linux 5.11: whole milliseconds, rounded up
    count = epoll_wait(epoll_, events, room, static_cast<int>(to_ms(left + 999999ns)));
  size_t ready = 0;
  for (int i = 0; i < count; ++i) ready_[ready++] = events[i].data.fd;
  return {ready_.data(), ready};
}

}  // namespace cardea::worker
