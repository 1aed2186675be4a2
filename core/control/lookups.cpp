#include "control/lookups.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <array>
#include <memory>
#include <utility>

#include "base/clock.hpp"
#include "cardea/text.hpp"

namespace cardea::control {
namespace {

Result<Lookups::Found> look_up(const std::string& name) {
  const Time begun = Clock::now();
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &list); error != 0)
    return Error{0, text("'", name, "' cannot be resolved: ", ::gai_strerror(error))};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, ::freeaddrinfo);
  std::array<char, NI_MAXHOST> ip{};
  if (::getnameinfo(list->ai_addr, list->ai_addrlen, ip.data(), ip.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return Error{0, text("'", name, "' has no address")};
  return Lookups::Found{ip.data(), Clock::now() - begun};
}

}  // namespace

bool Lookups::resolve(std::string name, Done done) {
  std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.size() >= max_waiting) return false;
  waiting_.emplace_back(std::move(name), std::move(done));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
  return true;
}

void Lookups::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Lookups::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto [name, done] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    done(look_up(name));
    lock.lock();
  }
}

}  // namespace cardea::control
