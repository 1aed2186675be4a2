#include "signalling.hpp"

#include <libwebsockets.h>

#include <chrono>
#include <stdexcept>

#include "cardea/text.hpp"

namespace cardea::load {
namespace {

int on_lws(lws* socket, lws_callback_reasons reason, void*, void* in, size_t size) {
  auto* self = static_cast<Signalling*>(lws_context_user(lws_get_context(socket)));
  switch (reason) {
  case LWS_CALLBACK_CLIENT_ESTABLISHED: self->connected(socket); break;
  case LWS_CALLBACK_CLIENT_RECEIVE:
    self->received(static_cast<const char*>(in), size,
                   lws_is_final_fragment(socket) != 0 && lws_remaining_packet_payload(socket) == 0);
    break;
  case LWS_CALLBACK_CLIENT_WRITEABLE: self->writable(socket); break;
  case LWS_CALLBACK_EVENT_WAIT_CANCELLED: self->wake(); break;
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
  case LWS_CALLBACK_CLIENT_CLOSED: self->closed(); break;
  default: break;
  }
  return 0;
}

}  // namespace

Signalling::Signalling(const std::string& url) {
  lws_set_log_level(0, nullptr);
  static const lws_protocols protocols[] = {{"janus-protocol", on_lws, 0, 65536, 0, nullptr, 0},
                                            {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.user = this;
  info.pt_serv_buf_size = 65536;
  context_ = lws_create_context(&info);
  if (context_ == nullptr) throw std::runtime_error("no libwebsockets context");

  std::string copy = url;
  const char *scheme = nullptr, *host = nullptr, *path = nullptr;
  int port = 0;
  if (lws_parse_uri(copy.data(), &scheme, &host, &port, &path) != 0) throw std::runtime_error("not a URL: " + url);
  const std::string full_path = std::string("/") + path;
  lws_client_connect_info connect{};
  connect.context = context_;
  connect.address = connect.host = connect.origin = host;
  connect.port = port;
  connect.path = full_path.c_str();
  connect.protocol = "janus-protocol";
  connect.local_protocol_name = "janus-protocol";
  lws_client_connect_via_info(&connect);
  thread_ = std::thread([this] { run(); });
  for (int i = 0; i < 500 && !open_ && !failed_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (!open_) {
    stopping_ = true;
    lws_cancel_service(context_);
    thread_.join();
    lws_context_destroy(context_);
    throw std::runtime_error("cannot connect to " + url);
  }
}

Signalling::~Signalling() {
  stopping_ = true;
  lws_cancel_service(context_);
  thread_.join();
  lws_context_destroy(context_);
}

void Signalling::run() {
  while (!stopping_ && lws_service(context_, 0) >= 0) {
  }
}

void Signalling::connected(lws* socket) {
  socket_ = socket;
  open_ = true;
}

void Signalling::closed() {
  socket_ = nullptr;
  failed_ = true;
  open_ = false;
}

void Signalling::received(const char* text, size_t size, bool last) {
  partial_.append(text, size);
  if (!last) return;
  if (auto json = Json::parse(partial_)) incoming_.post(std::move(*json));
  partial_.clear();
}

void Signalling::wake() {
  if (socket_ != nullptr) lws_callback_on_writable(socket_);
}

void Signalling::writable(lws* socket) {
  if (sent_ == sending_.size()) {
    outgoing_.take(sending_);
    sent_ = 0;
  }
  if (sent_ == sending_.size()) return;
  const std::string& text = sending_[sent_++];
  std::vector<unsigned char> frame(LWS_PRE + text.size());
  std::copy(text.begin(), text.end(), frame.begin() + LWS_PRE);
  lws_write(socket, frame.data() + LWS_PRE, text.size(), LWS_WRITE_TEXT);
  lws_callback_on_writable(socket);
}

void Signalling::request(Json message, Reply reply) {
  std::string transaction = std::to_string(++transactions_);
  message.set("transaction", transaction);
  replies_.emplace(std::move(transaction), Waiting{std::move(reply), message["janus"].string() == "message"});
  tell(std::move(message));
}

void Signalling::tell(Json message) {
  if (!message["transaction"]) message.set("transaction", "0");
  if (session_ != 0) message.set("session_id", session_);
  outgoing_.post(message.text());
  lws_cancel_service(context_);
}

void Signalling::handle() {
  incoming_.take(batch_);
  for (const Json& message : batch_) {
    const auto kind = message["janus"].string();
    auto waiting = replies_.find(std::string(message["transaction"].string()));
    if (waiting != replies_.end()) {
      if (kind == "ack" && waiting->second.waits_for_event) continue;
      Reply reply = std::move(waiting->second.reply);
      replies_.erase(waiting);
      reply(message);
      continue;
    }
    auto listener = listeners_.find(static_cast<uint64_t>(message["sender"].integer()));
    if (listener != listeners_.end()) listener->second(message);
  }
}

}  // namespace cardea::load
