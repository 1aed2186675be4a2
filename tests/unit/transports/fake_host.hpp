// A core for the transports' tests: it records what it is told and answers as the test says, from its own thread as the
// real one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cardea/transport.hpp"

namespace cardea::transports::test {

struct Received {
  ConnectionId from;
  RequestTag tag;
  Api api = Api::client;
  Json request;
};

class FakeHost final : public TransportHost {
public:
  ~FakeHost() { stop_answering(); }

  void opened(ConnectionId connection, std::string_view remote_address, Lasts) override {
    std::lock_guard lock(mutex_);
    opened_[connection] = remote_address;
  }
  void receive(ConnectionId from, RequestTag tag, Api api, Json request) override {
    std::lock_guard lock(mutex_);
    received_.push_back({from, tag, api, std::move(request)});
    changed_.notify_all();
  }
  void gone(ConnectionId connection) override {
    std::lock_guard lock(mutex_);
    gone_.push_back(connection);
    changed_.notify_all();
  }
  void hold() override {}
  // As the core with no turn under way: answers here what was received.
  void release() override {
    while (answer_in_release && waiting() > 0) answer_in_release(next());
  }
  const std::string& state_folder() const override { return state; }
  const std::string& pages_folder() const override { return pages; }
  bool admin_secret_set() const override { return admin_secret; }

  // The oldest request not taken yet; its `request` is empty if none comes in time.
  Received next(std::chrono::milliseconds patience = std::chrono::seconds(5)) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return !received_.empty(); });
    if (received_.empty()) return {};
    Received first = std::move(received_.front());
    received_.pop_front();
    return first;
  }
  std::vector<ConnectionId> wait_gone(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return gone_.size() >= count; });
    return gone_;
  }
  // What opened() said of a connection; none if it was not said.
  std::optional<std::string> address_of(ConnectionId connection) {
    std::lock_guard lock(mutex_);
    auto found = opened_.find(connection);
    return found == opened_.end() ? std::nullopt : std::optional(found->second);
  }
  size_t waiting() {
    std::lock_guard lock(mutex_);
    return received_.size();
  }
  // From now on a thread takes all requests.
  void answer_with(std::function<void(Received)> how) {
    running_ = true;
    thread_ = std::thread([this, how = std::move(how)] {
      while (running_)
        if (Received one = next(std::chrono::milliseconds(20)); one.request) how(std::move(one));
    });
  }
  void stop_answering() {
    running_ = false;
    if (thread_.joinable()) thread_.join();
  }

  std::string state, pages;
  bool admin_secret = true;
  std::function<void(Received)> answer_in_release;  // set before the transport starts

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Received> received_;
  std::map<ConnectionId, std::string> opened_;
  std::vector<ConnectionId> gone_;
  std::atomic<bool> running_{false};
  std::thread thread_;
};

// The port of an address line such as "ws://127.0.0.1:21001/".
inline uint16_t port_of(const std::string& url) {
  const size_t colon = url.rfind(':');
  return static_cast<uint16_t>(std::stoi(url.substr(colon + 1)));
}

}  // namespace cardea::transports::test
