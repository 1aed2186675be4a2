#include "unix/unix.hpp"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "cardea/text.hpp"
#include "common/message.hpp"
#include "common/sections.hpp"
#include "common/unix_listener.hpp"

namespace cardea::transports {

namespace {

constexpr const char* name = "unix";
constexpr size_t max_unanswered = 256;  // a client that sends faster than the core answers waits
constexpr int packets_in_a_row = 64;    // then others have their turn
constexpr int retry_ms = 2;             // nothing tells when another's datagram socket has room again
constexpr Duration stop_time = 1s;      // to send what is queued
constexpr uint64_t mailbox_key = 0;     // of epoll; then the gates; then the clients' ids
constexpr uint64_t first_client = 1000;

Time now() { return Time(std::chrono::steady_clock::now().time_since_epoch()); }

// A packet is as large as the sender's buffer at most; more than the system's maximum is for who may.
void make_buffer(int fd, size_t bytes) {
  const int size = static_cast<int>(bytes);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

}  // namespace

Configured UnixSockets::configure(JsonView values) {
  auto wrong = Sections(values)
                   .read("general", general_, unix_settings::general_fields)
                   .read("admin", admin_, unix_settings::admin_fields)
                   .wrong();
  if (wrong) return wrong;
  if (general_.enabled && general_.path.empty()) return SettingError{"general.path", "should be the socket's path"};
  if (admin_.admin_enabled && admin_.admin_path.empty())
    return SettingError{"admin.admin_path", "should be the socket's path"};
  return std::nullopt;
}

void UnixSockets::list_settings(std::vector<SettingInfo>& to) const {
  list_section<UnixGeneral>("general", unix_settings::general_fields, to);
  list_section<UnixAdmin>("admin", unix_settings::admin_fields, to);
}

Status UnixSockets::open(const std::string& path, const std::string& type, Api api) {
  const bool datagrams = type == "SOCK_DGRAM";
  auto socket = listen_on_unix(path, datagrams ? SOCK_DGRAM : SOCK_SEQPACKET);
  if (!socket) return std::move(socket.error()).with_context(name);
  if (datagrams) make_buffer(socket->get(), general_.max_message_size);
  gates_.push_back(std::make_unique<Gate>(Gate{std::move(*socket), path, api, datagrams}));
  return {};
}

Status UnixSockets::start() {
  if (admin_.admin_enabled && !host_.admin_secret_set()) return admin_without_secret().with_context(name);
  if (general_.enabled)
    if (auto opened = open(general_.path, general_.type, Api::client); !opened) return opened;
  if (admin_.admin_enabled)
    if (auto opened = open(admin_.admin_path, admin_.admin_type, Api::admin); !opened) return opened;
  if (gates_.empty()) return {};
  style_ = style_of(general_.json);
  packet_.resize(general_.max_message_size);
  last_id_ = first_client;
  epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  watch(mailbox_.fd(), mailbox_key, EPOLLIN, EPOLL_CTL_ADD);
  for (size_t i = 0; i < gates_.size(); ++i) watch(gates_[i]->socket.get(), i + 1, EPOLLIN, EPOLL_CTL_ADD);
  // Signals are for the main thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

void UnixSockets::stop() {
  if (!thread_.joinable()) return;
  stop_wanted_ = true;
  mailbox_.alarm();
  thread_.join();
  for (const auto& gate : gates_) unlink(gate->path.c_str());
  gates_.clear();
}

std::vector<std::string> UnixSockets::addresses() const {
  std::vector<std::string> lines;
  for (const auto& gate : gates_)
    if (gate->api == Api::client) lines.push_back(text("unix:", gate->path));
  return lines;
}

void UnixSockets::post(CoreMessage message) { mailbox_.post(std::move(message), Mailbox<CoreMessage>::Wake::later); }

void UnixSockets::send(ConnectionId to, RequestTag tag, Json message) {
  post({.connection = to, .tag = tag, .message = std::move(message)});
}

void UnixSockets::session_owned(ConnectionId by, SessionId session) {
  post({.kind = CoreMessage::Kind::session_owned, .connection = by, .session = session});
}

void UnixSockets::session_over(ConnectionId owner, SessionId session, bool claimed) {
  post({.kind = CoreMessage::Kind::session_over, .connection = owner, .session = session, .claimed = claimed});
}

// This thread, in the turn that release() has taken, looks when that is over.
void UnixSockets::flush() {
  if (std::this_thread::get_id() != thread_.get_id()) mailbox_.wake();
}

void UnixSockets::watch(int fd, uint64_t key, uint32_t events, int how) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  epoll_ctl(epoll_.get(), how, fd, &event);
}

void UnixSockets::run() {
  pthread_setname_np(pthread_self(), name);
  Time until{};  // while it stops
  std::array<epoll_event, 64> events;
  while (until == Time{} || (now() < until && !is_drained())) {
    const int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 datagrams_wait() || until != Time{} ? retry_ms : -1);
    host_.hold();
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.u64 == mailbox_key) continue;
      if (event.data.u64 <= gates_.size()) {
        Gate& gate = *gates_[event.data.u64 - 1];
        gate.datagrams ? read_datagrams(gate) : accept(gate);
      } else if (auto found = clients_.find(ConnectionId{event.data.u64}); found != clients_.end()) {
        if ((event.events & EPOLLOUT) != 0) send_queued(found->second);
        if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_connection(found->second);
      }
    }
    host_.release();
    take_messages();
    if (datagrams_wait())
      for (auto& [id, client] : clients_)
        if (!client.socket && !client.queue.empty()) send_queued(client);
    for (const ConnectionId id : std::exchange(ended_, {})) clients_.erase(id);
    if (stop_wanted_ && until == Time{}) {
      until = now() + stop_time;
      for (const auto& gate : gates_) watch(gate->socket.get(), 0, 0, EPOLL_CTL_DEL);
    }
  }
  for (auto& [id, client] : clients_) end(client);
}

void UnixSockets::accept(Gate& gate) {
  for (int i = 0; i < packets_in_a_row; ++i) {
    Fd socket(accept4(gate.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if ((errno == EMFILE || errno == ENFILE) && make_room()) continue;
      return;
    }
    if (clients_.size() - ended_.size() >= general_.max_connections && !make_room()) {
      tally_.count(Refusal::too_many_connections);
      continue;
    }
    make_buffer(socket.get(), general_.max_message_size);
    Client& client = add({.gate = &gate, .socket = std::move(socket)});
    watch(client.socket.get(), client.id.value, EPOLLIN, EPOLL_CTL_ADD);
  }
}

// The client without a session that was silent longest goes.
bool UnixSockets::make_room() {
  Client* oldest = nullptr;
  for (auto& [id, client] : clients_)
    if (client.sessions == 0 && !client.is_over && (oldest == nullptr || client.heard < oldest->heard))
      oldest = &client;
  if (oldest == nullptr) return false;
  tally_.count(Refusal::room_made);
  end(*oldest);
  return true;
}

UnixSockets::Client& UnixSockets::add(Client client) {
  client.id = ConnectionId{++last_id_};
  client.heard = now();
  const ConnectionId id = client.id;
  if (!client.address.empty()) by_address_[{client.gate, client.address}] = id;
  Client& added = clients_.emplace(id, std::move(client)).first->second;
  host_.opened(id, "");
  return added;
}

void UnixSockets::read_connection(Client& client) {
  for (int i = 0; i < packets_in_a_row && !client.is_over && !client.paused; ++i) {
    const ssize_t got = recv(client.socket.get(), packet_.data(), packet_.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return end(client);
    receive(client, static_cast<size_t>(got));
  }
}

void UnixSockets::read_datagrams(Gate& gate) {
  for (int i = 0; i < packets_in_a_row; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(gate.socket.get(), packet_.data(), packet_.size(), MSG_DONTWAIT | MSG_TRUNC,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    if (Client* client = client_at(gate, from, size)) receive(*client, static_cast<size_t>(got));
  }
}

// None if the sender has bound no path: nobody could be answered.
UnixSockets::Client* UnixSockets::client_at(Gate& gate, const sockaddr_storage& from, socklen_t size) {
  if (size <= sizeof(sa_family_t)) {
    tally_.count(Refusal::nobody_to_answer);
    return nullptr;
  }
  std::string address(reinterpret_cast<const char*>(&from), size);
  if (auto known = by_address_.find({&gate, address}); known != by_address_.end())
    return &clients_.find(known->second)->second;
  if (clients_.size() - ended_.size() >= general_.max_connections && !make_room()) {
    tally_.count(Refusal::too_many_connections);
    return nullptr;
  }
  return &add({.gate = &gate, .address = std::move(address)});
}

// The packet in packet_, which may be cut.
void UnixSockets::receive(Client& client, size_t size) {
  client.heard = now();
  auto refuse = [&](const Error& why) { answer(client, {}, error_message(why)); };
  if (size > packet_.size()) {
    tally_.count(Refusal::message_too_big);
    return refuse(message_too_big(packet_.size()));
  }
  auto request = Json::parse(std::string_view(packet_).substr(0, size));
  if (!request) return refuse(request.error());
  if (client.unanswered >= max_unanswered) {  // only of datagrams: connections are not read then
    tally_.count(Refusal::queue_full);
    return refuse({450, "Too many requests wait for their answers"});
  }
  ++client.unanswered;
  host_.receive(client.id, RequestTag{++last_tag_}, client.gate->api, std::move(*request));
  if (client.socket && client.unanswered >= max_unanswered) pause(client, true);
}

void UnixSockets::pause(Client& client, bool paused) {
  client.paused = paused;
  watch(client.socket.get(), client.id.value,
        (paused ? 0U : uint32_t{EPOLLIN}) | (client.queue.empty() ? 0U : uint32_t{EPOLLOUT}), EPOLL_CTL_MOD);
}

void UnixSockets::take_messages() {
  mailbox_.take(messages_);
  for (const CoreMessage& message : messages_) {
    auto found = clients_.find(message.connection);
    if (found == clients_.end() || found->second.is_over) continue;
    Client& client = found->second;
    switch (message.kind) {
    case CoreMessage::Kind::session_owned: ++client.sessions; break;
    case CoreMessage::Kind::session_over: client.sessions -= client.sessions > 0 ? 1 : 0; break;
    case CoreMessage::Kind::send:
      if (message.tag && client.unanswered > 0) --client.unanswered;
      if (client.paused && client.unanswered < max_unanswered / 2) pause(client, false);
      answer(client, message.tag, message.message);
    }
  }
  messages_.clear();
}

void UnixSockets::answer(Client& client, RequestTag tag, JsonView message) {
  std::string packet = message.text(style_);
  const Sent sent = client.queue.empty() ? send_packet(client, packet) : Sent::later;
  switch (sent) {
  case Sent::yes: return;
  case Sent::gone: return end(client);
  case Sent::later: return queue(client, std::move(packet));
  case Sent::too_big: break;
  }
  tally_.count(Refusal::too_big_to_send);
  if (!tag) return;
  Json error = error_message({490, text("The reply of ", packet.size(), " bytes is larger than a packet can be")});
  for (const char* member : {"session_id", "transaction"})
    if (message[member]) error.set(member, Json::copy(message[member]));
  answer(client, {}, error);
}

void UnixSockets::queue(Client& client, std::string packet) {
  if (client.queued_bytes + packet.size() > general_.max_queue) {
    tally_.count(Refusal::slow_reader);
    return end(client);
  }
  client.queued_bytes += packet.size();
  client.queue.push_back(std::move(packet));
  if (client.socket && client.queue.size() == 1) pause(client, client.paused);
}

UnixSockets::Sent UnixSockets::send_packet(Client& client, std::string_view packet) {
  const bool connected = static_cast<bool>(client.socket);
  const int fd = connected ? client.socket.get() : client.gate->socket.get();
  const auto* to = connected ? nullptr : reinterpret_cast<const sockaddr*>(client.address.data());
  const auto size = static_cast<socklen_t>(client.address.size());
  for (;;) {
    if (sendto(fd, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to, connected ? 0 : size) >= 0)
      return Sent::yes;
    switch (errno) {
    case EINTR: continue;
    case EAGAIN:
    case ENOBUFS: return Sent::later;
    case EMSGSIZE: return Sent::too_big;
    default: return Sent::gone;
    }
  }
}

void UnixSockets::send_queued(Client& client) {
  while (!client.queue.empty() && !client.is_over) {
    const Sent sent = send_packet(client, client.queue.front());
    if (sent == Sent::later) return;
    if (sent == Sent::gone) return end(client);
    if (sent == Sent::too_big) tally_.count(Refusal::too_big_to_send);
    client.queued_bytes -= client.queue.front().size();
    client.queue.pop_front();
  }
  if (client.socket && !client.is_over) pause(client, client.paused);
}

// It is forgotten later: somebody up the stack may look at it.
void UnixSockets::end(Client& client) {
  if (std::exchange(client.is_over, true)) return;
  client.queue.clear();
  client.queued_bytes = 0;
  by_address_.erase({client.gate, client.address});
  client.socket = Fd();
  ended_.push_back(client.id);
  host_.gone(client.id);
}

bool UnixSockets::datagrams_wait() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& entry) { return !entry.second.socket && !entry.second.queue.empty(); });
}

bool UnixSockets::is_drained() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& entry) { return entry.second.queue.empty(); });
}

}  // namespace cardea::transports
