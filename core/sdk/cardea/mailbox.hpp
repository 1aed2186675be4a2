// Values from thread to thread, for everything that is not a media packet: any thread posts, one thread takes all.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace cardea {

// A bounded, or with bound 0 unbounded, queue with a descriptor that is readable while something waits.
template <class T>
class Mailbox {
public:
  explicit Mailbox(size_t bound = 0) : bound_(bound), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Mailbox() { ::close(fd_); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  enum class Wake { now, later };  // later: whoever posts calls wake() when its burst is over

  // Any thread. Returns false, and the value is gone, if the box is full: the caller counts it.
  bool post(T value, Wake when = Wake::now) {
    return post_if(std::move(value), when, [](T&) { return true; });
  }
  // The same for an owner with bounds of its own: `admits` is asked of the value under the lock.
  template <class Admits>
  bool post_if(T value, Wake when, Admits&& admits) {
    std::unique_lock lock(mutex_);
    if ((bound_ != 0 && waiting_.size() >= bound_) || !admits(value)) return false;
    waiting_.push_back(std::move(value));
    if (when == Wake::now) signal(std::move(lock));
    return true;
  }
  // Any thread. The same for what may be lost: false, and the value is gone, if so many or more wait.
  bool post_below(size_t most, T value) {
    std::unique_lock lock(mutex_);
    if (waiting_.size() >= most) return false;
    waiting_.push_back(std::move(value));
    signal(std::move(lock));
    return true;
  }
  // Any thread: what was posted for later is to be taken now.
  void wake() {
    std::unique_lock lock(mutex_);
    if (!waiting_.empty()) signal(std::move(lock));
  }

  // Any thread: the owner is to look, even if nothing waits.
  void alarm() { signal(std::unique_lock(mutex_)); }

  // post() for many at once, oldest first, with one lock and one wake-up; `values` is left empty. How many did not
  // fit.
  size_t post_all(std::vector<T>& values) {
    size_t fit = 0;
    if (!values.empty()) {
      std::unique_lock lock(mutex_);
      fit = bound_ == 0 ? values.size() : std::min(values.size(), bound_ - std::min(bound_, waiting_.size()));
      for (size_t i = 0; i < fit; ++i) waiting_.push_back(std::move(values[i]));
      if (fit > 0) signal(std::move(lock));
    }
    const size_t left = values.size() - fit;
    values.clear();
    return left;
  }

  // The owner's thread: everything posted so far, oldest first, into `into` (cleared before; its storage is reused).
  void take(std::vector<T>& into) {
    take(into, [] {});
  }
  // The same; `taken` is called under the lock: from here new values count anew.
  template <class Taken>
  void take(std::vector<T>& into, Taken&& taken) {
    into.clear();
    uint64_t count = 0;
    // Before the lock: what is posted meanwhile is taken, too. A write that is yet to come wakes the owner once more.
    const bool woken = signalled_ && ::read(fd_, &count, sizeof count) > 0;
    std::lock_guard lock(mutex_);
    if (woken) signalled_ = false;
    std::swap(into, waiting_);
    taken();
  }

  // Readable (epoll, poll) while something waits.
  int fd() const { return fd_; }

private:
  // Unlocks first: the owner, once awake, would wait for the lock.
  void signal(std::unique_lock<std::mutex> lock) {
    if (signalled_.exchange(true)) return;
    lock.unlock();
    uint64_t one = 1;
    [[maybe_unused]] auto written = ::write(fd_, &one, sizeof one);  // cannot fail: nothing else is written
  }

  // given
  const size_t bound_;
  // owned
  const int fd_;
  // state
  std::mutex mutex_;
  std::vector<T> waiting_;
  std::atomic<bool> signalled_{false};  // the descriptor is readable, or is about to be
};

}  // namespace cardea
