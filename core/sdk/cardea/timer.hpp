// A call that comes later, or never if its owner goes first: what a plugin's objects use instead of Services::after.
#pragma once

#include <functional>
#include <utility>

#include "cardea/plugin.hpp"

namespace cardea {

class Timer {
public:
  explicit Timer(Services& services) : services_(services) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  // Calls once after `delay` (zero: in the next control turn), instead of what was started before.
  void start(Duration delay, std::function<void()> call) {
    cancel();
    id_ = services_.after(delay, [this, call = std::move(call)] {
      id_ = {};
      call();  // may start this timer anew, or destroy it
    });
  }
  void cancel() {
    if (id_) services_.cancel(std::exchange(id_, {}));
  }
  bool running() const { return static_cast<bool>(id_); }

private:
  // given
  Services& services_;
  // state
  TimerId id_;
};

}  // namespace cardea
