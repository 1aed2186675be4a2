// What transports bring: requests and closed connections, from any of their threads to the next control turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cardea/mailbox.hpp"
#include "cardea/transport.hpp"
#include "control/client_address.hpp"
#include "control/connection.hpp"

namespace cardea::control {

struct Incoming {
  // too_many: stands for the requests of its connection that were dropped; with the first one's tag.
  enum class What : uint8_t { request, too_many, opened, gone };
  Connection from;
  What what = What::request;
  // of a request
  RequestTag tag{};
  Api api = Api::client;
  Json request{};
  // of an opened connection
  ClientAddress address{};
  Lasts lasts = Lasts::until_gone;
};

// Requests beyond a bound are dropped and counted. Beyond that of its connection: the client asks faster than the
// control thread answers; it is told once. Beyond that of all: the control thread is seconds behind, and their clients
// have given up by the time they would be answered. An opened or a closed connection is never lost.
class Inbox {
public:
  static constexpr size_t bound = 65'536;
  static constexpr size_t connection_bound = 1'024;

  using Wake = Mailbox<Incoming>::Wake;

  void post(Incoming incoming, Wake when) {
    mailbox_.post_if(std::move(incoming), when, [this](Incoming& one) { return admit(one); });
  }
  void wake() { mailbox_.wake(); }
  void alarm() { mailbox_.alarm(); }  // even if nothing waits
  void take(std::vector<Incoming>& into) {
    mailbox_.take(into, [this] {
      waiting_.clear();
      all_waiting_ = 0;
    });
  }
  int fd() const { return mailbox_.fd(); }
  uint64_t take_dropped() { return dropped_.exchange(0, std::memory_order_relaxed); }

private:
  // Under the mailbox's lock.
  bool admit(Incoming& incoming) {
    if (incoming.what != Incoming::What::request) return true;
    if (all_waiting_ < bound) {
      const size_t before = waiting_[incoming.from]++;
      if (before < connection_bound) {
        ++all_waiting_;
        return true;
      }
      if (before == connection_bound) {
        incoming.what = Incoming::What::too_many;
        incoming.request = {};
      }
    }
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return incoming.what == Incoming::What::too_many;
  }

  Mailbox<Incoming> mailbox_;
  std::atomic<uint64_t> dropped_{0};
  // Requests since the last take(); under the mailbox's lock.
  std::map<Connection, size_t> waiting_;
  size_t all_waiting_ = 0;
};

// The core's side of one transport.
class TransportDoor final : public TransportHost {
public:
  // `take_turn` is called when requests were brought together. `make_folder` makes the module's state folder, once it
  // is asked for.
  TransportDoor(Inbox& inbox, size_t transport, std::function<void()> take_turn,
                std::function<std::string()> make_folder, std::string pages_folder, bool admin_secret_set)
      : inbox_(inbox), transport_(transport), take_turn_(std::move(take_turn)), make_folder_(std::move(make_folder)),
        pages_folder_(std::move(pages_folder)), admin_secret_set_(admin_secret_set) {}

  // Wakes nobody: it matters when something is received.
  void opened(ConnectionId connection, std::string_view remote_address, Lasts lasts) override {
    inbox_.post({.from = {transport_, connection},
                 .what = Incoming::What::opened,
                 .address = ClientAddress::of(remote_address),
                 .lasts = lasts},
                Inbox::Wake::later);
  }

  void receive(ConnectionId from, RequestTag tag, Api api, Json request) override {
    inbox_.post({.from = {transport_, from}, .tag = tag, .api = api, .request = std::move(request)}, wake_);
    if (wake_ == Inbox::Wake::later) brought_ = true;
  }
  void gone(ConnectionId connection) override {
    inbox_.post({.from = {transport_, connection}, .what = Incoming::What::gone}, Inbox::Wake::now);
  }
  void hold() override { wake_ = Inbox::Wake::later; }
  void release() override {
    wake_ = Inbox::Wake::now;
    if (std::exchange(brought_, false)) take_turn_();
  }
  const std::string& state_folder() const override {
    std::call_once(made_, [this] { state_folder_ = make_folder_(); });
    return state_folder_;
  }
  const std::string& pages_folder() const override { return pages_folder_; }
  bool admin_secret_set() const override { return admin_secret_set_; }

private:
  // given
  Inbox& inbox_;
  const size_t transport_;
  const std::function<void()> take_turn_;
  const std::function<std::string()> make_folder_;
  const std::string pages_folder_;
  const bool admin_secret_set_;
  // state
  Inbox::Wake wake_ = Inbox::Wake::now;  // written only by a transport's single thread
  bool brought_ = false;                 // a request, since hold(); only that thread's
  mutable std::once_flag made_;          // any of the transport's threads may ask
  mutable std::string state_folder_;
};

}  // namespace cardea::control
