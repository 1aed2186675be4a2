// One HTTP connection: requests come in whole, one after the other, and each gets one answer, at once or later.
// HTTP/1.1 only: with ALPN "http/1.1" browsers do not speak HTTP/2 to us, and a handful of small requests and one long
// poll gain nothing from it.
#pragma once

#include <libwebsockets.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/ids.hpp"
#include "cardea/time.hpp"
#include "common/fd.hpp"
#include "common/stock.hpp"

namespace cardea::transports {

// What is sent and read at once.
inline constexpr size_t write_size = 16 * 1024;

enum class Method { get, head, post, options, other };

struct Request {
  Method method = Method::other;
  std::string path{};                // decoded, "." and ".." resolved
  std::vector<std::string> query{};  // "maxev=10", decoded
  std::string body{};
  std::string origin{}, referer{}, if_none_match{}, accept_encoding{};
  std::string wanted_method{}, wanted_headers{};  // Access-Control-Request-Method, -Headers

  // The value of a query parameter; "" if there is none.
  std::string_view parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string headers{};  // further lines, each with its \r\n
  std::string body{};
  Fd file{};  // sent after the body
  size_t file_size = 0;
  bool head_only = false;  // the answer to HEAD: the lengths are said, the bytes are not sent
  bool close = false;      // the connection ends with this answer
};

class Exchange;

// Answers HTTP requests. All calls come from the server's thread.
class RequestHandler {
public:
  // A request is complete: answer it now or later, by exchange.answer().
  virtual void on_request(Exchange& exchange) = 0;
  // What was asked for by exchange.wake_after().
  virtual void on_wake(Exchange& exchange) = 0;
  // The client left before it was answered.
  virtual void on_abandoned(Exchange& exchange) = 0;

protected:
  ~RequestHandler() = default;
};

struct ExchangeRules {
  size_t max_body = 0;
  Duration idle{};  // a client that neither reads nor writes for so long is disconnected
};

// libwebsockets (4.1) parses the requests and knows when a connection has ended. It would also parse the next request,
// if that has come already, while this one is being answered. So from a request's last byte until its answer is sent
// libwebsockets does not read, and since it does not write then either, the answer is written here. Of requests sent in
// advance it takes the header for the body; those with a body end the connection, undelivered.
class Exchange {
public:
  // `next_id` names the next request; all connections of a server count with it.
  Exchange(lws* wsi, const ExchangeRules& rules, RequestHandler& handler, uint64_t& next_id, Stock& stock);

  // Names the request being answered.
  ConnectionId id() const { return id_; }
  const Request& request() const { return request_; }
  Request& request() { return request_; }
  // Of the client, which may be behind a proxy.
  const std::string& address() const { return address_; }
  bool is_admin() const { return admin_; }
  void came_from(std::string address, bool admin);

  // Once for each request.
  void answer(Response response);
  // Ends the connection without an answer.
  void abort();
  // on_wake() after so long, unless answered before; a second call replaces the first.
  void wake_after(Duration duration);
  // It has not closed its side meanwhile.
  bool is_client_there() const;
  // An answer is not sent completely.
  bool is_sending() const { return state_ == State::answering; }
  // It waits for an answer or is being given one.
  bool is_busy() const { return state_ == State::read || state_ == State::waiting || state_ == State::answering; }

  // libwebsockets' events; nonzero ends the connection.
  int on_headers(std::string_view path);
  int on_body(std::string_view part);
  int on_body_complete();
  void on_timer();
  void on_closed();

private:
  // `read`: complete, and delivered as soon as libwebsockets has done with what it read. `lingering`: all is sent.
  enum class State { idle, reading, read, waiting, answering, lingering, closed };
  enum class Sent { some, nothing_now, failed };

  bool read_headers(std::string_view path);
  int refuse(int status);
  void completed();
  void send_answer();
  bool read_file();
  Sent send_part();
  void finish();
  void linger();
  void drain();
  void wait_on();
  void kill();
  void forget_body();

  // given
  lws* const wsi_;
  const ExchangeRules& rules_;
  RequestHandler& handler_;
  uint64_t& next_id_;
  // owned
  Share share_;  // of the request's body
  // state
  State state_ = State::idle;
  std::string address_;
  bool admin_ = false;
  ConnectionId id_{};
  Request request_;
  int refused_ = 0;                      // the status that it is answered with instead
  bool body_ended_ = false;              // libwebsockets said so
  std::optional<uint64_t> read_then_{};  // bytes, when the last answer was sent; a header without more came in advance
  bool close_after_ = false;
  std::string out_;  // head and body; later pieces of the file
  size_t sent_ = 0;
  int drains_left_ = 0;
  std::chrono::steady_clock::time_point wake_at_{};
  Fd file_;
  size_t file_left_ = 0;
};

// Added to the ids of HTTP requests, so that they are never taken for those of WebSockets.
inline constexpr uint64_t request_id_mark = uint64_t{1} << 62;

const char* reason_phrase(int status);

}  // namespace cardea::transports
