#include "common/server.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <limits>
#include <thread>

namespace cardea::transports {

namespace {

constexpr Duration stop_time = 1s;         // to send what is queued
constexpr int looks_before_the_end = 200;  // a millisecond apart
constexpr int accepted_in_a_row = 64;      // then other connections have their turn
constexpr size_t mailbox_bound = 100000;   // messages of the core that wait for the thread
constexpr rlim_t direct_table = 262144;    // libwebsockets makes a table with a pointer for each possible descriptor
constexpr int most_kept_free = 128;        // descriptors, for all else that the process opens

Time now() { return Time(std::chrono::steady_clock::now().time_since_epoch()); }

constexpr const char* http_protocol = "http";
constexpr const char* watch_protocol = "watch";
constexpr const char* client_protocol = "janus-protocol";
constexpr const char* admin_protocol = "janus-admin-protocol";

constexpr lws_retry_bo_t no_pings{};  // libwebsockets would ping every five minutes; we have timers of our own

void on_lws_log(int level, const char* line) {
  std::string_view sentence(line);
  while (!sentence.empty() && sentence.back() == '\n') sentence.remove_suffix(1);
  if ((level & LLL_ERR) != 0)
    log::warn("libwebsockets", sentence);
  else
    log::debug("libwebsockets", sentence);
}

int seconds(Duration duration) {
  return std::max(1, static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(duration).count()));
}

std::string header(lws* wsi, lws_token_indexes which) {
  const int size = lws_hdr_total_length(wsi, which);
  if (size <= 0) return {};
  std::string value(static_cast<size_t>(size) + 1, '\0');
  const int copied = lws_hdr_copy(wsi, value.data(), size + 1, which);
  value.resize(copied > 0 ? static_cast<size_t>(copied) : 0);
  return value;
}

}  // namespace

class Server::Attached {
public:
  virtual ~Attached() = default;
  // Nonzero ends it.
  virtual int on_event(lws* wsi, lws_callback_reasons reason, void* in, size_t size) = 0;
  // What on_event() answers where it threw: a connection ends, what all depend on goes on.
  virtual int on_throw() const { return 0; }
};

class Server::Gate : public Server::Attached {
public:
  Gate(Server& server, Door door, Fd socket)
      : server_(server), door_(std::move(door)), listening_(socket.get()), socket_(std::move(socket)) {}
  int on_event(lws*, lws_callback_reasons reason, void*, size_t) override {
    if (server_.stopping_) return reason == LWS_CALLBACK_RAW_RX_FILE ? -1 : 0;
    if (reason == LWS_CALLBACK_RAW_RX_FILE) server_.accept(*this);
    return 0;
  }
  const Door& door() const { return door_; }
  int listening() const { return listening_; }
  // For libwebsockets, which closes what it polls.
  int give_socket() { return socket_.release(); }

private:
  // given
  Server& server_;
  const Door door_;
  const int listening_;
  // owned
  Fd socket_;
};

class Server::Inbox : public Server::Attached {
public:
  explicit Inbox(Server& server) : server_(server) {}
  int on_event(lws*, lws_callback_reasons reason, void*, size_t) override {
    if (reason == LWS_CALLBACK_TIMER) {
      server_.time_is_up_ = true;
      lws_cancel_service(server_.context_);  // timers run before it sleeps: it would sleep now, whatever they did
    }
    if (reason == LWS_CALLBACK_RAW_RX_FILE) take();
    return 0;
  }
  void adopted(lws* wsi) { wsi_ = wsi; }
  void take() {
    server_.take_messages();
    if (!server_.stop_wanted_ || server_.stopping_) return;
    server_.begin_stop();
    lws_set_timer_usecs(wsi_, to_us(stop_time));
  }

private:
  // given
  Server& server_;
  // state
  lws* wsi_ = nullptr;
};

class Server::Connection : public Server::Attached {
public:
  // `key` "": it is not counted yet.
  Connection(Server& server, const Door& door, std::string address, std::string key)
      : server_(server), door_(door), peer_(std::move(address)), key_(std::move(key)),
        place_(server.unowned_.insert(server.unowned_.end(), this)) {}
  ~Connection() override {
    if (place_) server_.unowned_.erase(*place_);
    if (given_up_) --server_.given_up_;
    server_.count_out(key_);
  }

  int on_throw() const override { return -1; }
  int on_event(lws* wsi, lws_callback_reasons reason, void* in, size_t size) override {
    if (reason == LWS_CALLBACK_WSI_DESTROY) {
      closed();
      server_.connections_.erase(this);  // deletes this
      return 0;
    }
    if (web_socket_) return on_web_socket_event(wsi, reason, in, size);
    return on_http_event(wsi, reason, in, size);
  }
  void adopted(lws* wsi) { wsi_ = wsi; }
  // The peer's end and ours are over: libwebsockets notices at its next look.
  void cut() { ::shutdown(lws_get_socket_fd(wsi_), SHUT_RDWR); }
  WebSocket* web_socket() { return web_socket_ ? &*web_socket_ : nullptr; }
  // Nobody waits for anything that comes by it.
  bool is_idle() const { return !exchange_ || !exchange_->is_busy(); }
  // It was given up to make room.
  void give_up() {
    server_.unowned_.erase(*place_);
    place_.reset();
    given_up_ = true;
    cut();
  }
  void session_owned() {
    ++sessions_;
    if (!place_) return;
    server_.unowned_.erase(*place_);
    place_.reset();
  }
  void session_over() {
    if (sessions_ > 0 && --sessions_ == 0 && !given_up_) place_ = server_.unowned_.insert(server_.unowned_.end(), this);
  }
  bool is_drained() const {
    if (web_socket_) return web_socket_->is_drained();
    return !exchange_ || !exchange_->is_sending();
  }

private:
  int on_http_event(lws* wsi, lws_callback_reasons reason, void* in, size_t size) {
    switch (reason) {
    case LWS_CALLBACK_HTTP: {
      spoke();
      if (!exchange_) exchange_.emplace(wsi, server_.rules_.exchange, server_.http_, server_.next_id_, server_.stock_);
      const std::string client = client_of(wsi);
      if (!door_.acl.admits_client(client)) {
        server_.tally_.count(Refusal::acl);
        return -1;
      }
      exchange_->came_from(client, door_.api == Api::admin);
      return exchange_->on_headers({static_cast<const char*>(in), size});
    }
    case LWS_CALLBACK_HTTP_BODY: return exchange_ ? exchange_->on_body({static_cast<const char*>(in), size}) : -1;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return exchange_ ? exchange_->on_body_complete() : -1;
    case LWS_CALLBACK_TIMER:
      if (exchange_) exchange_->on_timer();
      return 0;
    case LWS_CALLBACK_CLOSED_HTTP: closed(); return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return confirm_upgrade(wsi, static_cast<char*>(in));
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return admit_upgrade(wsi);
    case LWS_CALLBACK_ADD_HEADERS: return add_headers(wsi, static_cast<lws_process_html_args*>(in));
    case LWS_CALLBACK_ESTABLISHED: {
      exchange_.reset();
      const ConnectionId id{++server_.next_id_};
      web_socket_.emplace(wsi, id, door_.api, server_.rules_.web_socket, server_.host_, server_.tally_, server_.stock_);
      server_.web_sockets_[id] = this;
      server_.host_.opened(id, client_);
      log::debug(server_.rules_.name, "WebSocket from ", client_);
      return 0;
    }
    default: return 0;
    }
  }

  int on_web_socket_event(lws* wsi, lws_callback_reasons reason, void* in, size_t size) {
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
      ++server_.requests_;
      spoke();
      return web_socket_->on_data({static_cast<const char*>(in), size}, lws_remaining_packet_payload(wsi),
                                  lws_is_final_fragment(wsi) != 0);
    case LWS_CALLBACK_SERVER_WRITEABLE: return web_socket_->on_writable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: web_socket_->on_peer_closing(); return 0;
    case LWS_CALLBACK_RECEIVE_PONG: web_socket_->on_pong(); return 0;
    case LWS_CALLBACK_TIMER: return web_socket_->on_timer();
    case LWS_CALLBACK_CLOSED: closed(); return 0;
    default: return 0;
    }
  }

  // "websocket" or "h2c" is wanted. HTTP/2 is not served: the request is one of HTTP/1.1 (RFC 9110 section 7.8), once
  // libwebsockets, which looks at the word again, finds another there. To all other words it has said 403 before it
  // asks, and may have given the headers back already.
  static int confirm_upgrade(lws* wsi, char* word) {
    if (lws_hdr_fragment_length(wsi, WSI_TOKEN_UPGRADE, 0) == 0) return -1;
    if (strcasecmp(word, "websocket") == 0) return 0;
    if (strcasecmp(word, "h2c") != 0) return -1;
    word[0] = '-';
    return 0;
  }

  // Only our subprotocols, each at its own kind of door; libwebsockets takes none at all for its first protocol.
  int admit_upgrade(lws* wsi) {
    const lws_protocols* chosen = lws_get_protocol(wsi);
    // RFC 6455 section 4.1, which libwebsockets does not look at.
    if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0 || header(wsi, WSI_TOKEN_VERSION) != "13") return -1;
    const bool ours = chosen != nullptr &&
                      strcmp(chosen->name, door_.api == Api::admin ? admin_protocol : client_protocol) == 0 &&
                      lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0;
    if (!ours) {
      server_.tally_.count(Refusal::no_subprotocol);
      return -1;
    }
    client_ = client_of(wsi);
    if (!door_.acl.admits_client(client_)) {
      server_.tally_.count(Refusal::acl);
      return -1;
    }
    if (!door_.origins.admits(header(wsi, WSI_TOKEN_ORIGIN), header(wsi, WSI_TOKEN_HTTP_REFERER))) {
      server_.tally_.count(Refusal::origin);
      return -1;
    }
    // A proxy's own connections are not counted, those of the clients behind it are.
    if (key_.empty() && client_ != peer_) {
      const std::string key = client_key(client_);
      if (!server_.count_in(key)) return -1;
      key_ = key;
    }
    return 0;
  }

  std::string client_of(lws* wsi) const {
    return server_.rules_.proxies.client_of(peer_, header(wsi, WSI_TOKEN_X_FORWARDED_FOR));
  }
  void spoke() {
    if (place_) server_.unowned_.splice(server_.unowned_.end(), server_.unowned_, *place_);
  }

  // The answer to a handshake; those to requests are written by hand.
  int add_headers(lws* wsi, lws_process_html_args* to) {
    const std::string& origin = door_.origins.allowed;
    if (origin.empty()) return 0;
    auto* at = reinterpret_cast<unsigned char*>(to->p);
    const int failed = lws_add_http_header_by_name(
        wsi, reinterpret_cast<const unsigned char*>("Access-Control-Allow-Origin:"),
        reinterpret_cast<const unsigned char*>(origin.data()), static_cast<int>(origin.size()), &at, at + to->max_len);
    to->p = reinterpret_cast<char*>(at);
    return failed;
  }

  void closed() {
    if (closed_) return;
    closed_ = true;
    if (exchange_) exchange_->on_closed();
    if (web_socket_) {
      server_.web_sockets_.erase(web_socket_->id());
      web_socket_->on_closed();
    }
  }

  // given
  Server& server_;
  const Door& door_;
  const std::string peer_;  // the other end of the socket, maybe a proxy
  // owned
  std::optional<Exchange> exchange_;
  std::optional<WebSocket> web_socket_;
  // state
  std::string client_;  // of the WebSocket
  std::string key_;     // what it is counted by
  size_t sessions_ = 0;
  std::optional<std::list<Connection*>::iterator> place_;  // in the server's unowned_
  bool given_up_ = false;
  bool closed_ = false;
  lws* wsi_ = nullptr;  // libwebsockets's; it destroys this with it
};

const lws_protocols Server::protocols_[] = {
    {http_protocol, &Server::on_lws, 0, 0, 0, nullptr, 0},
    {client_protocol, &Server::on_lws, 0, 0, 0, nullptr, 0},
    {admin_protocol, &Server::on_lws, 0, 0, 0, nullptr, 0},
    {watch_protocol, &Server::on_lws, 0, 0, 0, nullptr, 0},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0},
};

Server::Server(ServerRules rules, TransportHost& host, HttpFace& http, Stock& stock)
    : rules_(std::move(rules)), host_(host), http_(http), stock_(stock), tally_(rules_.name), mailbox_(mailbox_bound) {}

Server::~Server() { stop(); }

int Server::on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size) {
  if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
    const auto* server = static_cast<Server*>(lws_vhost_user(static_cast<lws_vhost*>(in)));
    return server->identity_ && server->identity_->use_in(static_cast<SSL_CTX*>(user)) ? 0 : -1;
  }
  // Events of the context and the virtual host come with no wsi, or with one that is nobody's.
  if (wsi == nullptr) return 0;
  auto* attached = static_cast<Attached*>(lws_get_opaque_user_data(wsi));
  if (attached == nullptr) return 0;
  // Nothing may be thrown through libwebsockets. Nothing of ours throws here, but the system's allocator does.
  try {
    return attached->on_event(wsi, reason, in, size);
  } catch (const std::exception& error) {
    log::error("transports", "an event threw: ", error.what());
    return attached->on_throw();
  }
}

Status Server::start(const std::vector<Door>& doors, std::optional<Identity> identity) {
  identity_ = std::move(identity);
  for (const Door& door : doors) {
    auto listeners = listen_at(door.endpoint);
    if (!listeners) return std::move(listeners.error()).with_context(rules_.name);
    for (Listener& listener : *listeners) {
      if (door.api == Api::client)
        for (auto& url : urls_of(listener, door.scheme)) addresses_.push_back(std::move(url));
      gates_.push_back(std::make_unique<Gate>(*this, door, std::move(listener.socket)));
    }
  }
  if (auto made = make_context(std::any_of(doors.begin(), doors.end(), [](const Door& door) { return door.tls; }));
      !made)
    return made;
  spare_ = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  inbox_ = std::make_unique<Inbox>(*this);
  lws* const inbox = attach(*inbox_, dup(mailbox_.fd()), LWS_ADOPT_RAW_FILE_DESC, watch_protocol);
  inbox_->adopted(inbox);
  bool attached = inbox != nullptr;
  for (auto& gate : gates_)
    attached = attached && attach(*gate, gate->give_socket(), LWS_ADOPT_RAW_FILE_DESC, watch_protocol) != nullptr;
  if (!attached) {
    lws_context_destroy(std::exchange(context_, nullptr));
    return Error{0, text(rules_.name, ": libwebsockets takes no more sockets")};
  }
  // Signals are for the main thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

Status Server::make_context(bool tls) {
  lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
  lws_context_creation_info info{};
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  if (tls) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
  info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
  info.protocols = protocols_;
  info.user = this;
  info.vhost_name = "default";
  info.alpn = "http/1.1";
  info.pt_serv_buf_size = write_size;
  info.max_http_header_data = 16 * 1024;  // browsers send the cookies of all services on a host to each of its ports
  info.keepalive_timeout = seconds(rules_.exchange.idle);
  info.timeout_secs = static_cast<unsigned>(seconds(rules_.exchange.idle));
  info.timeout_secs_ah_idle = info.timeout_secs;
  info.retry_and_idle_policy = &no_pings;
  rlimit limit{direct_table, direct_table};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > direct_table)
    info.fd_limit_per_thread = static_cast<unsigned>(rules_.max_connections + gates_.size() + accepted_in_a_row + 16);
  const int descriptors = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
  descriptor_bound_ = descriptors - std::min(most_kept_free, descriptors / 8);
  context_ = lws_create_context(&info);
  if (context_ != nullptr) vhost_ = lws_create_vhost(context_, &info);
  if (vhost_ != nullptr) return {};
  if (context_ != nullptr) lws_context_destroy(std::exchange(context_, nullptr));
  return Error{0, text(rules_.name, tls ? ": libwebsockets does not start (are the ciphers right?)"
                                        : ": libwebsockets does not start")};
}

lws* Server::attach(Attached& attached, int fd, lws_adoption_type type, const char* protocol) {
  if (fd < 0) return nullptr;
  lws_adopt_desc_t info{};
  info.vh = vhost_;
  info.type = type;
  if ((type & LWS_ADOPT_SOCKET) != 0)
    info.fd.sockfd = fd;
  else
    info.fd.filefd = fd;
  info.vh_prot_name = protocol;
  info.opaque = &attached;
  return lws_adopt_descriptor_vhost_via_info(&info);
}

void Server::run() {
  pthread_setname_np(pthread_self(), rules_.name.substr(0, 15).c_str());
  while (!stopping_ || !(is_drained() || time_is_up_)) {
    gather();
    // No request comes before libwebsockets has slept, and it returns when it has looked at all sockets.
    host_.hold();
    const int status = lws_service(context_, 0);
    host_.release();
    inbox_->take();  // what was said on this thread
    pace_.looked(std::exchange(requests_, 0), now());
    if (status < 0) break;
  }
  // Destroying the context with an answer half sent can go round for ever inside libwebsockets: cut what is left, and
  // let it see that first.
  for (auto& [key, connection] : connections_) connection->cut();
  for (int i = 0; i < looks_before_the_end && !connections_.empty(); ++i) {
    lws_service(context_, -1);
    std::this_thread::sleep_for(1ms);
  }
  lws_context_destroy(context_);  // says gone() of what is still open
  context_ = nullptr;
}

// Waits until requests are to be looked for. What the core says meanwhile is sent.
void Server::gather() {
  for (Duration left; (left = pace_.next_look() - now()) > Duration::zero();) {
    pollfd core{mailbox_.fd(), POLLIN, 0};
    const timespec limit{0, left.count()};
    if (ppoll(&core, 1, &limit, nullptr) > 0) inbox_->take();
  }
}

void Server::accept(Gate& gate) {
  for (int i = 0; i < accepted_in_a_row; ++i) {
    Fd socket(accept4(gate.listening(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE) refuse_one(gate);
      return;
    }
    // What is sent is complete, and small replies must not wait until the client acknowledges earlier ones.
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::string address = peer_address(socket.get());
    if (!gate.door().acl.admits(address)) {
      tally_.count(Refusal::acl);
      continue;
    }
    const std::string key = address.empty() || rules_.proxies.trusts(address) ? std::string() : client_key(address);
    if (!count_in(key)) continue;
    const bool none_left = socket.get() >= descriptor_bound_;
    if ((none_left || connections_.size() >= rules_.max_connections + given_up_) && !make_room()) {
      tally_.count(none_left ? Refusal::no_descriptor : Refusal::too_many_connections);
      count_out(key);
      continue;
    }
    auto connection = std::make_unique<Connection>(*this, gate.door(), std::move(address), key);
    Connection& made = *connection;
    connections_.emplace(&made, std::move(connection));
    int type = LWS_ADOPT_HTTP | LWS_ADOPT_SOCKET;
    if (gate.door().tls) type |= LWS_ADOPT_ALLOW_SSL;
    if (lws* wsi = attach(made, socket.release(), static_cast<lws_adoption_type>(type), nullptr))
      made.adopted(wsi);
    else
      connections_.erase(&made);
  }
}

// No descriptor is left, and the listener would stay readable: one is given up to take the connection and close it.
void Server::refuse_one(Gate& gate) {
  tally_.count(Refusal::no_descriptor);
  make_room();
  spare_ = Fd();
  Fd refused(::accept(gate.listening(), nullptr, nullptr));
  refused = Fd();
  spare_ = Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

// Closes the connection without a session that has been idle longest. False if there is none.
bool Server::make_room() {
  auto found = std::find_if(unowned_.begin(), unowned_.end(), [](const Connection* one) { return one->is_idle(); });
  if (found == unowned_.end()) return false;
  tally_.count(Refusal::room_made);
  ++given_up_;
  (*found)->give_up();
  return true;
}

// False if the address has as many connections as it may. "" is not counted.
bool Server::count_in(const std::string& key) {
  if (key.empty()) return true;
  size_t& count = by_address_[key];
  if (count >= rules_.max_connections_per_address) {
    tally_.count(Refusal::too_many_from_address);
    return false;
  }
  ++count;
  return true;
}

void Server::count_out(const std::string& key) {
  auto found = by_address_.find(key);
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

void Server::post(CoreMessage message) { mailbox_.post(std::move(message), Mailbox<CoreMessage>::Wake::later); }

// The server's own thread, in the turn that release() has taken, looks when that is over.
void Server::wake() {
  if (std::this_thread::get_id() != thread_.get_id()) mailbox_.wake();
}

void Server::take_messages() {
  mailbox_.take(messages_);
  for (CoreMessage& message : messages_) {
    // What it throws (there may be no more memory) costs this message and no other.
    try {
      take(message);
    } catch (const std::exception& error) {
      log::error(rules_.name, "a message is lost: ", error.what());
    }
  }
  for (WebSocket* socket : told_) socket->flush();
  told_.clear();
  messages_.clear();
}

void Server::take(CoreMessage& message) {
  if ((message.connection.value & request_id_mark) != 0) return http_.on_core(std::move(message));
  auto found = web_sockets_.find(message.connection);
  if (found == web_sockets_.end()) return;
  if (message.kind == CoreMessage::Kind::session_owned) found->second->session_owned();
  if (message.kind == CoreMessage::Kind::session_over) found->second->session_over();
  if (message.kind != CoreMessage::Kind::send) return;
  WebSocket* const socket = found->second->web_socket();
  socket->send(message.tag, message.message);
  if (told_.empty() || told_.back() != socket) told_.push_back(socket);
}

void Server::begin_stop() {
  stopping_ = true;
  for (auto& [id, connection] : web_sockets_) connection->web_socket()->close_when_sent(LWS_CLOSE_STATUS_GOINGAWAY);
}

bool Server::is_drained() const {
  return std::all_of(connections_.begin(), connections_.end(),
                     [](const auto& entry) { return entry.second->is_drained(); });
}

void Server::stop() {
  if (!thread_.joinable()) return;
  stop_wanted_ = true;
  post({});
  wake();
  thread_.join();
  connections_.clear();
  gates_.clear();
  inbox_.reset();
}

}  // namespace cardea::transports
