// One WebSocket that carries JSON both ways: RFC 6455, subprotocol janus-protocol or janus-admin-protocol. Requests go
// to the host, replies and events wait in a bounded queue; whoever does not read is cut off.
#pragma once

#include <libwebsockets.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "cardea/time.hpp"
#include "cardea/transport.hpp"
#include "common/stock.hpp"
#include "common/tally.hpp"

namespace cardea::transports {

struct WebSocketRules {
  size_t max_message = 0;  // bytes of one incoming message
  size_t max_queue = 0;    // bytes waiting to be sent
  Duration ping_after{};   // silence before a ping is sent; 0: never
  Duration pong_within{};  // then the client has so long to say anything; 0: no pings
  JsonStyle style = JsonStyle::compact;

  bool pings() const { return ping_after > Duration::zero() && pong_within > Duration::zero(); }
};

class WebSocket {
public:
  WebSocket(lws* wsi, ConnectionId id, Api api, const WebSocketRules& rules, TransportHost& host, Tally& tally,
            Stock& stock);

  ConnectionId id() const { return id_; }
  // Waits for flush(). A reply (a tag) makes room for one more request.
  void send(RequestTag tag, JsonView message);
  // Sends what waits: now, or when there is room.
  void flush();
  // Closes once all is sent.
  void close_when_sent(lws_close_status why);
  // There is nothing left to send, or nobody to send it to.
  bool is_drained() const { return closed_ || (queue_.empty() && !closing_); }

  // libwebsockets' events; nonzero ends the connection.
  int on_data(std::string_view part, size_t left_of_frame, bool is_last_frame);
  int on_writable();
  int on_timer();
  void on_pong() { alive(); }
  void on_peer_closing() { closed_ = true; }
  void on_closed();

private:
  void alive();
  void receive(std::string_view message);
  void queue(std::string_view message);
  void cut_off(Refusal why);
  void forget();
  int end();
  void kill();
  void set_timer(Duration duration);

  // given
  lws* const wsi_;
  const ConnectionId id_;
  const Api api_;
  const WebSocketRules& rules_;
  TransportHost& host_;
  Tally& tally_;
  // owned
  Share share_;  // of what is incomplete or unsent
  // state
  std::string incoming_;
  std::deque<std::string> queue_;  // frames, several to a string: what leaves together
  size_t queued_bytes_ = 0;
  uint64_t last_tag_ = 0;
  size_t unanswered_ = 0;  // requests the host has not replied to
  bool paused_ = false;    // nothing is read until some of them are
  bool ping_due_ = false;
  bool pong_awaited_ = false;
  std::optional<lws_close_status> closing_;
  bool closed_ = false;
};

}  // namespace cardea::transports
