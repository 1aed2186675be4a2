#include "common/web_socket.hpp"

#include <sys/socket.h>

#include <algorithm>

#include "common/message.hpp"

namespace cardea::transports {

namespace {
// A client that sends faster than the core answers waits, instead of filling the core's queue.
constexpr size_t max_unanswered = 256;
constexpr size_t write_at_once = 16 * 1024;  // bytes; then other connections have their turn
constexpr int seconds_to_close = 5;

// RFC 6455 section 5.2: a message in one frame; a server masks nothing.
void append_text_frame(std::string& to, std::string_view message) {
  constexpr char final_text = static_cast<char>(0x81);
  const size_t size = message.size();
  to += final_text;
  if (size < 126) {
    to += static_cast<char>(size);
  } else {
    const bool large = size > 0xffff;
    to += static_cast<char>(large ? 127 : 126);
    for (int shift = large ? 56 : 8; shift >= 0; shift -= 8) to += static_cast<char>(size >> shift);
  }
  to.append(message);
}
}  // namespace

WebSocket::WebSocket(lws* wsi, ConnectionId id, Api api, const WebSocketRules& rules, TransportHost& host, Tally& tally,
                     Stock& stock)
    : wsi_(wsi), id_(id), api_(api), rules_(rules), host_(host), tally_(tally), share_(stock) {
  alive();
}

void WebSocket::set_timer(Duration duration) { lws_set_timer_usecs(wsi_, std::max<lws_usec_t>(1, to_us(duration))); }

void WebSocket::alive() {
  pong_awaited_ = false;
  if (rules_.pings()) set_timer(rules_.ping_after);
}

int WebSocket::on_timer() {
  if (!rules_.pings() || closed_) return 0;
  if (pong_awaited_) return end();
  pong_awaited_ = true;
  ping_due_ = true;
  set_timer(rules_.pong_within);
  lws_callback_on_writable(wsi_);
  return 0;
}

int WebSocket::on_data(std::string_view part, size_t left_of_frame, bool is_last_frame) {
  if (closing_ || closed_) return 0;
  alive();
  if (incoming_.size() + part.size() + left_of_frame > rules_.max_message) {
    tally_.count(Refusal::message_too_big);
    queue(error_message(message_too_big(rules_.max_message)).text(rules_.style));
    close_when_sent(LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    return 0;
  }
  if (!share_.take(part.size())) {
    cut_off(Refusal::too_much_buffered);
    return 0;
  }
  incoming_.append(part);
  if (left_of_frame > 0 || !is_last_frame) return 0;
  share_.give_back(incoming_.size());
  receive(std::exchange(incoming_, {}));
  return 0;
}

void WebSocket::receive(std::string_view message) {
  auto values = parse_values(message);
  if (!values) {
    queue(error_message(values.error()).text(rules_.style));
    lws_callback_on_writable(wsi_);
    return;
  }
  for (Json& value : *values) {
    ++unanswered_;
    host_.receive(id_, RequestTag{++last_tag_}, api_, std::move(value));
  }
  if (unanswered_ >= max_unanswered && !paused_) {
    paused_ = true;
    lws_rx_flow_control(wsi_, 0);
  }
}

void WebSocket::send(RequestTag tag, JsonView message) {
  if (closed_) return;
  if (tag && unanswered_ > 0) --unanswered_;
  if (paused_ && unanswered_ < max_unanswered / 2) {
    paused_ = false;
    lws_rx_flow_control(wsi_, 1);
  }
  queue(message.text(rules_.style));
}

void WebSocket::queue(std::string_view message) {
  if (closing_) return;
  if (queued_bytes_ + message.size() > rules_.max_queue) return cut_off(Refusal::slow_reader);
  if (queue_.empty() || queue_.back().size() >= write_at_once) queue_.emplace_back();
  const size_t before = queue_.back().size();
  append_text_frame(queue_.back(), message);
  const size_t added = queue_.back().size() - before;
  queued_bytes_ += added;
  if (!share_.take(added)) cut_off(Refusal::too_much_buffered);
}

void WebSocket::cut_off(Refusal why) {
  tally_.count(why);
  kill();
}

// Without waiting to be told that there is room: there nearly always is.
void WebSocket::flush() {
  if (closed_ || queue_.empty()) return;
  if (lws_partial_buffered(wsi_) != 0)
    lws_callback_on_writable(wsi_);
  else if (on_writable() != 0)
    kill();
}

// Nothing of ours follows what libwebsockets sends now.
int WebSocket::end() {
  closed_ = true;
  return -1;
}

void WebSocket::kill() {
  closed_ = true;
  forget();
  ::shutdown(lws_get_socket_fd(wsi_), SHUT_RDWR);  // or libwebsockets would try to send the rest for seconds
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void WebSocket::close_when_sent(lws_close_status why) {
  if (closed_ || closing_) return;
  closing_ = why;
  share_.give_back(incoming_.size());
  incoming_ = {};
  lws_set_timeout(wsi_, PENDING_TIMEOUT_CLOSE_SEND, seconds_to_close);  // a client that reads nothing is not waited for
  lws_callback_on_writable(wsi_);
}

int WebSocket::on_writable() {
  if (closed_) return 0;
  if (ping_due_) {
    ping_due_ = false;
    // Not empty: libwebsockets does not tell of a pong without payload.
    unsigned char ping[LWS_PRE + 4] = {};
    if (lws_write(wsi_, ping + LWS_PRE, sizeof ping - LWS_PRE, LWS_WRITE_PING) < 0) return end();
    lws_callback_on_writable(wsi_);
    return 0;
  }
  if (!queue_.empty()) {
    // Several messages travel together: a system call, let alone a packet, for each would cost more than all the rest.
    // Their frames are made already; libwebsockets keeps what the socket does not take.
    std::string frames = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= frames.size();
    share_.give_back(frames.size());
    auto* start = reinterpret_cast<unsigned char*>(frames.data());
    if (lws_write(wsi_, start, frames.size(), LWS_WRITE_RAW) < 0) return end();
    if (!queue_.empty() || closing_) lws_callback_on_writable(wsi_);
    return 0;
  }
  if (!closing_) return 0;
  lws_close_reason(wsi_, *closing_, nullptr, 0);
  return end();
}

// What nobody reads any more.
void WebSocket::forget() {
  queue_.clear();
  incoming_ = {};
  share_.give_back(share_.held());
}

void WebSocket::on_closed() {
  closed_ = true;
  forget();
  host_.gone(id_);
}

}  // namespace cardea::transports
