// Raw clients for the transports' tests: a TCP or TLS connection, HTTP requests and WebSocket frames, written and read
// by hand so that anything can be sent, also what no library would.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/fd.hpp"

namespace cardea::transports::test {

using namespace std::chrono_literals;

class Link {
public:
  explicit Link(uint16_t port, bool tls = false, const char* ip = "127.0.0.1", int receive_buffer = 0) {
    fd_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, ip, &address.sin_addr);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (tls && connected_) {
      context_ = SSL_CTX_new(TLS_client_method());
      ssl_ = SSL_new(context_);
      SSL_set_fd(ssl_, fd_.get());
      connected_ = SSL_connect(ssl_) == 1;
    }
  }
  ~Link() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool connected() const { return connected_; }
  SSL* ssl() const { return ssl_; }
  int fd() const { return fd_.get(); }
  void close() { fd_ = Fd(); }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                           : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // More bytes into the buffer; false if none came in time or the peer closed.
  bool more(std::chrono::milliseconds patience = 5s) {
    if (ssl_ == nullptr || SSL_pending(ssl_) == 0) {
      pollfd readable{fd_.get(), POLLIN, 0};
      if (::poll(&readable, 1, static_cast<int>(patience.count())) <= 0) return false;
    }
    char bytes[65536];
    const ssize_t got =
        ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) {
      closed_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(got));
    return true;
  }
  // Reads until the peer closes; false if it does not in time.
  bool is_closed(std::chrono::milliseconds patience = 5s) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!closed_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left <= 0ms || (!more(left) && !closed_)) return closed_;
    }
    return true;
  }
  std::string& buffer() { return buffer_; }

private:
  Fd fd_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
  bool closed_ = false;
  std::string buffer_;
};

// The server's end of a connection of ours, in this very process, sends small packets at once.
inline bool server_has_no_delay(const Link& link) {
  sockaddr_in ours{}, its{};
  socklen_t size = sizeof ours;
  getsockname(link.fd(), reinterpret_cast<sockaddr*>(&ours), &size);
  for (int fd = 3; fd < 1024; ++fd) {
    size = sizeof its;
    if (fd == link.fd() || getpeername(fd, reinterpret_cast<sockaddr*>(&its), &size) != 0) continue;
    if (its.sin_family != AF_INET || its.sin_port != ours.sin_port) continue;
    int on = 0;
    size = sizeof on;
    return getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0 && on != 0;
  }
  return false;
}

struct HttpAnswer {
  int status = 0;                              // 0: the connection ended without one
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpClient : public Link {
public:
  using Link::Link;

  bool ask(std::string_view method, std::string_view target, std::string_view body = {},
           std::string_view headers = {}) {
    std::string request =
        std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers);
    if (method == "POST" || !body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return write(request + "\r\n" + std::string(body));
  }
  HttpAnswer answer(bool has_body = true, std::chrono::milliseconds patience = 5s) {
    HttpAnswer answer;
    size_t end = 0;
    while ((end = buffer().find("\r\n\r\n")) == std::string::npos)
      if (!more(patience)) return answer;
    const std::string head = buffer().substr(0, end + 2);
    buffer().erase(0, end + 4);
    for (size_t at = head.find("\r\n") + 2; at < head.size();) {
      const size_t stop = head.find("\r\n", at), colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(tolower(c));
      answer.headers[name] = head.substr(colon + 2, stop - colon - 2);
      at = stop + 2;
    }
    const size_t size = answer.headers.count("content-length") != 0 ? std::stoul(answer.headers["content-length"]) : 0;
    while (has_body && buffer().size() < size)
      if (!more(patience)) return answer;
    answer.status = std::stoi(head.substr(9, 3));
    if (has_body) {
      answer.body = buffer().substr(0, size);
      buffer().erase(0, size);
    }
    return answer;
  }
  HttpAnswer get(std::string_view target) { return ask("GET", target) ? answer() : HttpAnswer{}; }
  HttpAnswer post(std::string_view target, std::string_view body) {
    return ask("POST", target, body) ? answer() : HttpAnswer{};
  }
};

struct Frame {
  int opcode = -1;  // -1: none came
  std::string payload;
};

class WsClient : public HttpClient {
public:
  explicit WsClient(uint16_t port, std::string_view protocol = "janus-protocol", bool tls = false,
                    int receive_buffer = 0)
      : HttpClient(port, tls, "127.0.0.1", receive_buffer) {
    std::string headers = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    if (!protocol.empty()) headers += "Sec-WebSocket-Protocol: " + std::string(protocol) + "\r\n";
    ask("GET", "/any/path", {}, headers);
    handshake = answer(false);
  }
  bool open() const { return handshake.status == 101; }

  bool frame(int opcode, std::string_view payload, bool final = true) {
    std::string bytes(1, static_cast<char>(opcode | (final ? 0x80 : 0)));
    if (payload.size() < 126) {
      bytes += static_cast<char>(0x80 | payload.size());
    } else {
      const bool large = payload.size() > 0xffff;
      bytes += static_cast<char>(0x80 | (large ? 127 : 126));
      for (int shift = large ? 56 : 8; shift >= 0; shift -= 8) bytes += static_cast<char>(payload.size() >> shift);
    }
    bytes.append(4, '\0');  // the mask: none is as good as any
    return write(bytes.append(payload));
  }
  bool text(std::string_view message) { return frame(1, message); }
  Frame read(std::chrono::milliseconds patience = 5s) {
    auto need = [&](size_t size) {
      while (buffer().size() < size)
        if (!more(patience)) return false;
      return true;
    };
    auto byte = [&](size_t at) { return static_cast<uint8_t>(buffer()[at]); };
    if (!need(2)) return {};
    Frame frame{byte(0) & 0x0f, {}};
    size_t size = byte(1), head = 2;
    if (size >= 126) {
      const size_t digits = size == 126 ? 2 : 8;
      if (!need(head += digits)) return {};
      size = 0;
      for (size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
    }
    if (!need(head + size)) return {};
    frame.payload = buffer().substr(head, size);
    buffer().erase(0, head + size);
    return frame;
  }

  HttpAnswer handshake;
};

}  // namespace cardea::transports::test
