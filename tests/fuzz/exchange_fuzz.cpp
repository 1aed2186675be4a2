// HTTP as a sequence: connections that send any bytes in any pieces to a server on a Unix socket, answered or not, with
// events, sessions that come and go, and clients that leave; and the sessions' queues against a slow obvious model.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/rest.hpp"

using namespace cardea;
using namespace cardea::transports;

namespace {

class Input {
public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::string_view bytes(size_t count) {
    const std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(out.size());
    return out;
  }

private:
  std::string_view rest_;
};

// Answers on the server's own thread, as the core does; what "janus" says decides how.
class Host final : public TransportHost {
public:
  explicit Host(std::string pages) : pages_(std::move(pages)) {}
  void opened(ConnectionId, std::string_view, Lasts) override {}
  void receive(ConnectionId from, RequestTag tag, Api, Json request) override {
    received_.push_back({from, tag, std::move(request)});
  }
  void gone(ConnectionId) override {}
  void hold() override {}
  void release() override {
    for (Received& one : std::exchange(received_, {})) {
      const std::string_view verb = one.request["janus"].string();
      const SessionId session{static_cast<uint64_t>(one.request["session_id"].integer())};
      if (verb == "silence") continue;
      if (verb == "create")
        server->post({.kind = CoreMessage::Kind::session_owned, .connection = one.from, .session = session});
      if (verb == "destroy")
        server->post({.kind = CoreMessage::Kind::session_over, .connection = one.from, .session = session});
      for (int64_t i = 0; i < one.request["events"].integer() && i < 50; ++i)
        server->post({.connection = one.from, .message = Json::object("session_id", session.value, "n", i)});
      server->post({.connection = one.from, .tag = one.tag, .message = Json::object("janus", "ack")});
    }
  }
  const std::string& state_folder() const override { return none_; }
  const std::string& pages_folder() const override { return pages_; }
  bool admin_secret_set() const override { return true; }

  Server* server = nullptr;

private:
  struct Received {
    ConnectionId from;
    RequestTag tag;
    Json request;
  };
  std::vector<Received> received_;
  const std::string none_, pages_;
};

// One server for all inputs: a state that survives an input is part of the search.
class World {
public:
  World() {
    char folder[] = "/tmp/exchange_fuzz_XXXXXX";
    folder_ = mkdtemp(folder);
    host_ = std::make_unique<Host>(folder_);
    ServerRules rules;
    rules.name = "fuzz";
    rules.max_connections = rules.max_connections_per_address = 50;
    rules.proxies = *Proxies::parse({"unix:", "10.0.0.0/8"});
    rules.web_socket = {.max_message = 3000, .max_queue = 100000};
    rules.exchange = {.max_body = 3000, .idle = std::chrono::seconds(60)};
    rest_ = std::make_unique<Rest>(RestRules{.base_path = "/j",
                                             .core_time = std::chrono::milliseconds(50),
                                             .poll_time = std::chrono::milliseconds(20),
                                             .max_events = 20,
                                             .max_queue = 5000},
                                   *host_, stock_);
    server_ = std::make_unique<Server>(std::move(rules), *host_, *rest_, stock_);
    host_->server = server_.get();
    if (!server_->start({{.endpoint = {.unix_path = path()}, .scheme = "http"}}, {})) std::abort();
  }
  ~World() {
    server_->stop();
    unlink(path().c_str());
    rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/s"; }
  int connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
    return fd;
  }
  // All that came before has been looked at once this is answered.
  void expect_alive() const {
    const int fd = connect();
    constexpr std::string_view ask = "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    send(fd, ask.data(), ask.size(), MSG_NOSIGNAL);
    pollfd readable{fd, POLLIN, 0};
    char answer[16] = "";
    if (poll(&readable, 1, 30000) != 1 || recv(fd, answer, sizeof answer, 0) < 12) std::abort();
    close(fd);
  }

private:
  std::string folder_;
  Stock stock_{100000};
  std::unique_ptr<Host> host_;
  std::unique_ptr<Rest> rest_;
  std::unique_ptr<Server> server_;
};

void talk(Input in) {
  static World world;
  std::map<int, int> sockets;
  while (!in.empty()) {
    const uint8_t what = in.byte();
    const int which = what & 3;
    auto found = sockets.find(which);
    if (found == sockets.end()) found = sockets.emplace(which, world.connect()).first;
    switch (what >> 2 & 7) {
    case 0: {
      close(found->second);
      sockets.erase(found);
      break;
    }
    case 1: shutdown(found->second, SHUT_WR); break;
    case 2: {  // what has come by now
      char bytes[4096];
      while (recv(found->second, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
      }
      break;
    }
    case 3: world.expect_alive(); break;  // time passes
    default: {
      const std::string_view part = in.bytes(size_t{in.byte()} + 1);
      send(found->second, part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    }
  }
  world.expect_alive();
  for (auto& [which, fd] : sockets) close(fd);
  world.expect_alive();
}

void queue(Input in) {
  constexpr size_t max_events = 4, max_bytes = 40;
  struct Model {
    uint64_t owner;
    std::vector<std::string> events;
    std::vector<uint64_t> waiting;
  };
  Stock stock(1 << 20);
  SessionQueues queues(max_events, max_bytes, stock);
  std::map<uint64_t, Model> model;
  auto check = [](bool right) {
    if (!right) std::abort();
  };
  while (!in.empty()) {
    const uint8_t what = in.byte();
    const uint64_t session = 1 + (what & 3), other = 1 + in.byte() % 4;
    auto known = model.find(session);
    switch (what >> 2 & 7) {
    case 0:
    case 1:
      queues.open(SessionId{session}, ConnectionId{other});
      model[session].owner = other;
      model[session].events.clear();
      break;
    case 2:
      queues.close(SessionId{session}, ConnectionId{other});
      if (known != model.end() && known->second.owner == other) model.erase(known);
      break;
    case 3: {
      const std::string event(in.bytes(in.byte() % 16));
      const auto pushed = queues.push(SessionId{session}, event);
      if (known == model.end()) {
        check(pushed == SessionQueues::Pushed::unknown_session);
        break;
      }
      size_t bytes = event.size();
      for (const auto& one : known->second.events) bytes += one.size();
      if (known->second.events.size() >= max_events || bytes > max_bytes) {
        check(pushed == SessionQueues::Pushed::dropped);
        model.erase(known);
      } else {
        check(pushed == SessionQueues::Pushed::queued);
        known->second.events.push_back(event);
      }
      break;
    }
    case 4: {
      std::vector<std::string> expected;
      if (known != model.end()) {
        auto& events = known->second.events;
        const auto count = static_cast<std::ptrdiff_t>(std::min<size_t>(other, events.size()));
        expected.assign(events.begin(), events.begin() + count);
        events.erase(events.begin(), events.begin() + count);
      }
      check(queues.take(SessionId{session}, other) == expected);
      break;
    }
    case 5:
      queues.wait(SessionId{session}, ConnectionId{other});
      if (known != model.end()) known->second.waiting.push_back(other);
      break;
    case 6:
      queues.forget(SessionId{session}, ConnectionId{other});
      if (known != model.end()) std::erase(known->second.waiting, other);
      break;
    default: {
      std::vector<uint64_t> waited;
      for (const ConnectionId id : queues.take_waiting(SessionId{session})) waited.push_back(id.value);
      check(waited == (known == model.end() ? std::vector<uint64_t>() : std::exchange(known->second.waiting, {})));
    }
    }
    size_t held = 0;
    for (const auto& [id, one] : model) {
      check(queues.has(SessionId{id}));
      for (const auto& event : one.events) held += event.size();
    }
    check(stock.held() == held);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  if (in.byte() % 4 == 0)
    queue(in);
  else
    talk(in);
  return 0;
}
