#include "common/exchange.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "cardea/text.hpp"
#include "common/message.hpp"

namespace cardea::transports {

namespace {

constexpr int pieces_in_a_row = 8;    // then others have their turn
constexpr Duration at_once = 1us;     // when libwebsockets next looks at its timers
constexpr Duration full_time = 20ms;  // until a full socket is looked at again
constexpr Duration look_time = 1s;    // until a client that waits is looked at again
constexpr int drains = 100;           // so often, full_time apart, a client's surplus is read that was told the end

std::string header(lws* wsi, lws_token_indexes which) {
  const int size = lws_hdr_total_length(wsi, which);
  if (size <= 0) return {};
  std::string value(static_cast<size_t>(size) + 1, '\0');
  const int copied = lws_hdr_copy(wsi, value.data(), size + 1, which);
  value.resize(copied > 0 ? static_cast<size_t>(copied) : 0);
  return value;
}

// How much of what came on a TCP connection has been taken from the system; none if it does not say.
std::optional<uint64_t> bytes_read(int fd) {
  auto received = [fd]() -> std::optional<uint64_t> {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    return info.tcpi_bytes_received;
  };
  for (auto before = received(); before;) {
    int waiting = 0;
    if (ioctl(fd, SIOCINQ, &waiting) != 0) return std::nullopt;
    auto after = received();
    if (after == before) return *before - static_cast<uint64_t>(waiting);
    before = after;
  }
  return std::nullopt;
}

std::string custom_header(lws* wsi, std::string_view name) {
  const int size = lws_hdr_custom_length(wsi, name.data(), static_cast<int>(name.size()));
  if (size <= 0) return {};
  std::string value(static_cast<size_t>(size) + 1, '\0');
  const int copied = lws_hdr_custom_copy(wsi, value.data(), size + 1, name.data(), static_cast<int>(name.size()));
  value.resize(copied > 0 ? static_cast<size_t>(copied) : 0);
  return value;
}

Method method_of(int lws_method) {
  switch (lws_method) {
  case LWSHUMETH_GET: return Method::get;
  case LWSHUMETH_HEAD: return Method::head;
  case LWSHUMETH_POST: return Method::post;
  case LWSHUMETH_OPTIONS: return Method::options;
  default: return Method::other;
  }
}

int seconds(Duration duration) {
  return std::max(1, static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(duration).count()));
}

}  // namespace

const char* reason_phrase(int status) {
  switch (status) {
  case 200: return "OK";
  case 302: return "Found";
  case 304: return "Not Modified";
  case 400: return "Bad Request";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 411: return "Length Required";
  case 413: return "Content Too Large";
  case 431: return "Request Header Fields Too Large";
  case 503: return "Service Unavailable";
  default: return "Error";
  }
}

std::string_view Request::parameter(std::string_view name) const {
  for (const std::string_view argument : query)
    if (argument.starts_with(name) && argument.substr(name.size()).starts_with('='))
      return argument.substr(name.size() + 1);
  return {};
}

Exchange::Exchange(lws* wsi, const ExchangeRules& rules, RequestHandler& handler, uint64_t& next_id, Stock& stock)
    : wsi_(wsi), rules_(rules), handler_(handler), next_id_(next_id), share_(stock) {}

void Exchange::came_from(std::string address, bool admin) {
  address_ = std::move(address);
  admin_ = admin;
}

bool Exchange::read_headers(std::string_view path) {
  char* uri = nullptr;
  int uri_size = 0;
  forget_body();
  request_ = {};
  request_.method = method_of(lws_http_get_uri_and_method(wsi_, &uri, &uri_size));
  request_.path = std::string(path);
  const int arguments = lws_hdr_total_length(wsi_, WSI_TOKEN_HTTP_URI_ARGS);
  for (int i = 0; arguments > 0; ++i) {
    const int size = lws_hdr_fragment_length(wsi_, WSI_TOKEN_HTTP_URI_ARGS, i);
    if (size <= 0) break;
    std::string argument(static_cast<size_t>(size) + 1, '\0');
    if (lws_hdr_copy_fragment(wsi_, argument.data(), size + 1, WSI_TOKEN_HTTP_URI_ARGS, i) < 0) break;
    argument.resize(static_cast<size_t>(size));
    request_.query.push_back(std::move(argument));
  }
  request_.origin = header(wsi_, WSI_TOKEN_ORIGIN);
  request_.referer = header(wsi_, WSI_TOKEN_HTTP_REFERER);
  request_.if_none_match = header(wsi_, WSI_TOKEN_HTTP_IF_NONE_MATCH);
  request_.accept_encoding = header(wsi_, WSI_TOKEN_HTTP_ACCEPT_ENCODING);
  request_.wanted_headers = header(wsi_, WSI_TOKEN_HTTP_AC_REQUEST_HEADERS);
  request_.wanted_method = custom_header(wsi_, "access-control-request-method:");
  const std::string connection = header(wsi_, WSI_TOKEN_CONNECTION);
  const bool http_1_1 = header(wsi_, WSI_TOKEN_HTTP) == "HTTP/1.1";
  close_after_ =
      http_1_1 ? strcasecmp(connection.c_str(), "close") == 0 : strcasecmp(connection.c_str(), "keep-alive") != 0;
  return path.find('\0') == std::string_view::npos;
}

int Exchange::on_headers(std::string_view path) {
  if (state_ != State::idle) return -1;
  id_ = ConnectionId{request_id_mark + ++next_id_};
  state_ = State::reading;
  body_ended_ = false;
  refused_ = 0;
  if (!read_headers(path)) return refuse(404);
  // A body in chunks has no length to check before it is read, and two ways to say a length invite smuggling.
  if (lws_hdr_total_length(wsi_, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) return refuse(411);
  const std::string said = header(wsi_, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  uint64_t length = 0;
  if (!said.empty()) {
    auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), length);
    if (error == std::errc::result_out_of_range) return refuse(413);
    if (error != std::errc() || end != said.data() + said.size()) return refuse(400);
  }
  if (length > rules_.max_body) return refuse(413);
  if (request_.method == Method::post) {
    if (length == 0) return -1;  // nothing to answer: as the clients of today know it
    // Its body cannot be had; it is not delivered, so the client may send it again.
    if (read_then_ && read_then_ == bytes_read(lws_get_socket_fd(wsi_))) return -1;
    if (header(wsi_, WSI_TOKEN_HTTP_EXPECT) == "100-continue") {
      std::string go_on(LWS_PRE, '\0');
      go_on += "HTTP/1.1 100 Continue\r\n\r\n";
      auto* start = reinterpret_cast<unsigned char*>(go_on.data()) + LWS_PRE;
      if (lws_write(wsi_, start, go_on.size() - LWS_PRE, LWS_WRITE_HTTP_HEADERS) < 0) return -1;
    }
    return 0;
  }
  if (length != 0) close_after_ = true;  // a body that nobody reads would be taken for the next request
  completed();
  return 0;
}

int Exchange::on_body(std::string_view part) {
  if (state_ != State::reading) return 0;
  if (request_.body.size() + part.size() > rules_.max_body) return -1;
  if (!share_.take(part.size())) return refuse(503);
  request_.body.append(part);
  return 0;
}

int Exchange::on_body_complete() {
  if (std::exchange(body_ended_, true)) return -1;  // or it would be said for ever
  if (state_ == State::reading) completed();
  return 0;
}

// Not delivered at once: libwebsockets is in the middle of what it read.
void Exchange::completed() {
  state_ = State::read;
  lws_set_timeout(wsi_, NO_PENDING_TIMEOUT, 0);  // the handler's own time limits from here
  lws_rx_flow_control(wsi_, 0);
  lws_set_timer_usecs(wsi_, to_us(at_once));
}

int Exchange::refuse(int status) {
  refused_ = status;
  completed();
  return 0;
}

void Exchange::answer(Response response) {
  if (state_ != State::waiting) return;
  state_ = State::answering;
  close_after_ = close_after_ || response.close;
  out_ = text("HTTP/1.1 ", response.status, ' ', reason_phrase(response.status), "\r\n", response.headers);
  if (response.status != 304) out_ += text("Content-Length: ", response.body.size() + response.file_size, "\r\n");
  out_ += close_after_ ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
  sent_ = 0;
  file_left_ = 0;
  file_ = Fd();
  if (!response.head_only) {
    out_ += response.body;
    file_ = std::move(response.file);
    file_left_ = file_ ? response.file_size : 0;
  }
  forget_body();
  lws_set_timeout(wsi_, PENDING_TIMEOUT_HTTP_CONTENT, seconds(rules_.idle));
  send_answer();
}

void Exchange::forget_body() {
  request_.body = {};
  share_.give_back(share_.held());
}

bool Exchange::is_client_there() const {
  pollfd hung_up{lws_get_socket_fd(wsi_), POLLRDHUP, 0};
  return ::poll(&hung_up, 1, 0) == 0;
}

void Exchange::abort() {
  if (state_ == State::closed) return;
  ::shutdown(lws_get_socket_fd(wsi_), SHUT_RDWR);
  kill();
}

void Exchange::kill() {
  state_ = State::closed;
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void Exchange::wake_after(Duration duration) {
  if (state_ != State::waiting) return;
  wake_at_ = std::chrono::steady_clock::now() + duration;
  wait_on();
}

// libwebsockets does not tell of a client that leaves while nothing is read.
void Exchange::wait_on() {
  const Duration left = wake_at_ - std::chrono::steady_clock::now();
  lws_set_timer_usecs(wsi_, std::max(to_us(at_once), to_us(std::min(left, look_time))));
}

void Exchange::on_timer() {
  switch (state_) {
  case State::read: {
    state_ = State::waiting;
    if (refused_ == 0) return handler_.on_request(*this);
    Response refusal;
    refusal.status = refused_;
    refusal.close = true;
    if (refused_ == 413) {
      refusal.headers = "Content-Type: application/json\r\n";
      refusal.body = error_message(message_too_big(rules_.max_body)).text();
    }
    return answer(std::move(refusal));
  }
  case State::waiting:
    if (!is_client_there()) return abort();
    return std::chrono::steady_clock::now() < wake_at_ ? wait_on() : handler_.on_wake(*this);
  case State::answering: return send_answer();
  case State::lingering: return drain();
  default: return;
  }
}

void Exchange::send_answer() {
  for (int i = 0; i < pieces_in_a_row; ++i) {
    if (sent_ == out_.size()) {
      if (file_left_ == 0) return finish();
      if (!read_file()) return abort();  // it became shorter: the length said before is wrong now
    }
    switch (send_part()) {
    case Sent::some: lws_set_timeout(wsi_, PENDING_TIMEOUT_HTTP_CONTENT, seconds(rules_.idle)); break;
    case Sent::nothing_now: return lws_set_timer_usecs(wsi_, to_us(full_time));
    case Sent::failed: return abort();
    }
  }
  lws_set_timer_usecs(wsi_, to_us(at_once));
}

bool Exchange::read_file() {
  out_.resize(std::min(write_size, file_left_));
  const ssize_t got = ::read(file_.get(), out_.data(), out_.size());
  if (got <= 0) return false;
  out_.resize(static_cast<size_t>(got));
  sent_ = 0;
  file_left_ -= static_cast<size_t>(got);
  return true;
}

Exchange::Sent Exchange::send_part() {
  const std::string_view part = std::string_view(out_).substr(sent_, write_size);
  if (SSL* tls = lws_get_ssl(wsi_)) {
    ERR_clear_error();
    const int sent = SSL_write(tls, part.data(), static_cast<int>(part.size()));
    if (sent <= 0) return SSL_get_error(tls, sent) == SSL_ERROR_WANT_WRITE ? Sent::nothing_now : Sent::failed;
    sent_ += static_cast<size_t>(sent);
    return Sent::some;
  }
  const ssize_t sent = ::send(lws_get_socket_fd(wsi_), part.data(), part.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR ? Sent::nothing_now : Sent::failed;
  sent_ += static_cast<size_t>(sent);
  return Sent::some;
}

void Exchange::finish() {
  state_ = State::idle;
  out_ = {};
  file_ = Fd();
  lws_set_timer_usecs(wsi_, LWS_SET_TIMER_USEC_CANCEL);
  if (close_after_ || lws_http_transaction_completed(wsi_) != 0) return linger();
  read_then_ = bytes_read(lws_get_socket_fd(wsi_));
  lws_rx_flow_control(wsi_, 1);
}

// What the client still sends is read and forgotten for a while: if the socket were closed on it, the system would take
// back the answer.
void Exchange::linger() {
  state_ = State::lingering;
  if (SSL* tls = lws_get_ssl(wsi_)) SSL_shutdown(tls);
  ERR_clear_error();
  ::shutdown(lws_get_socket_fd(wsi_), SHUT_WR);
  drains_left_ = drains;
  drain();
}

void Exchange::drain() {
  std::array<char, write_size> waste;
  for (int i = 0; i < pieces_in_a_row; ++i) {
    const ssize_t got = ::recv(lws_get_socket_fd(wsi_), waste.data(), waste.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return kill();
    if (got < 0) break;
  }
  if (--drains_left_ <= 0) return kill();
  lws_set_timer_usecs(wsi_, to_us(full_time));
}

void Exchange::on_closed() {
  const bool unanswered = state_ == State::waiting || state_ == State::closed;
  state_ = State::closed;
  if (unanswered) handler_.on_abandoned(*this);
}

}  // namespace cardea::transports
