// Names looked up on a thread of its own: that may take seconds, and no control turn waits for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "cardea/result.hpp"
#include "cardea/time.hpp"

namespace cardea::control {

class Lookups {
public:
  static constexpr size_t max_waiting = 16;

  struct Found {
    std::string ip;
    Duration elapsed{};
  };
  using Done = std::function<void(Result<Found>)>;
  ~Lookups() { stop(); }

  // `done` is called on the lookup thread. False: too many wait.
  bool resolve(std::string name, Done done);
  // Waits for the lookup under way; what waits is forgotten.
  void stop();

private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::string, Done>> waiting_;
  bool stopping_ = false;
  std::thread thread_;  // from the first lookup on
};

}  // namespace cardea::control
