#include "mqtt/broker.hpp"

#include <mqtt_protocol.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "cardea/text.hpp"

namespace cardea::transports {

namespace {

constexpr const char* topic = "mqtt";
constexpr Duration misc_interval = 500ms;  // keep-alive and timeouts of libmosquitto
constexpr size_t came_kept = 1024;
constexpr int reads_in_a_row = 64;
constexpr uint32_t session_expiry_s = 86400;  // MQTT 5: as long as the broker keeps what came while we were away

struct FreeProperties {
  void operator()(mosquitto_property* list) const { mosquitto_property_free_all(&list); }
};
using PropertyList = std::unique_ptr<mosquitto_property, FreeProperties>;

std::string taken(char* text) {
  std::string out = text != nullptr ? text : "";
  std::free(text);
  return out;
}

Properties read_properties(const mosquitto_property* list) {
  Properties out;
  char *name = nullptr, *value = nullptr;
  void* data = nullptr;
  uint16_t size = 0;
  if (mosquitto_property_read_string(list, MQTT_PROP_RESPONSE_TOPIC, &value, false) != nullptr)
    out.response_topic = taken(value);
  if (mosquitto_property_read_binary(list, MQTT_PROP_CORRELATION_DATA, &data, &size, false) != nullptr) {
    out.correlation.assign(static_cast<char*>(data), size);
    std::free(data);
  }
  for (const mosquitto_property* at = list;
       (at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, at != list)) != nullptr;) {
    std::string first = taken(name);
    out.user.emplace_back(std::move(first), taken(value));
  }
  return out;
}

PropertyList written(const Properties& from) {
  mosquitto_property* list = nullptr;
  mosquitto_property_add_string(&list, MQTT_PROP_CONTENT_TYPE, "application/json");
  if (!from.correlation.empty())
    mosquitto_property_add_binary(&list, MQTT_PROP_CORRELATION_DATA, from.correlation.data(),
                                  static_cast<uint16_t>(from.correlation.size()));
  for (const auto& [name, value] : from.user)
    mosquitto_property_add_string_pair(&list, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
  return PropertyList(list);
}

Time now() { return Time(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace

Status read_url(const std::string& url, BrokerRules& into) {
  std::string_view rest = url;
  bool known = false;
  for (const auto& [scheme, tls] :
       {std::pair{"tcp://", false}, {"mqtt://", false}, {"ssl://", true}, {"mqtts://", true}})
    if (rest.starts_with(scheme)) {
      rest.remove_prefix(std::strlen(scheme));
      into.tls = into.tls || tls;
      known = true;
      break;
    }
  if (!known) return Error{0, "should begin with tcp:// or ssl://"};
  while (rest.ends_with('/')) rest.remove_suffix(1);
  into.port = into.tls ? 8883 : 1883;
  const size_t bracket = rest.starts_with('[') ? rest.find(']') : std::string_view::npos;
  const size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  into.host = std::string(bracket == std::string_view::npos ? rest.substr(0, colon) : rest.substr(1, bracket - 1));
  if (colon != std::string_view::npos) {
    const std::string_view digits = rest.substr(colon + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into.port);
    if (error != std::errc() || end != digits.data() + digits.size() || into.port < 1 || into.port > 65535)
      return Error{0, "has no port that could be"};
  }
  return into.host.empty() ? Status(Error{0, "names no host"}) : Status();
}

Broker::Broker(BrokerRules rules, BrokerEvents& events, Tally& tally)
    : rules_(std::move(rules)), events_(events), tally_(tally), pause_(rules_.first_pause) {}

Broker::~Broker() = default;

int Broker::fd() const { return client_ ? mosquitto_socket(client_.get()) : -1; }

bool Broker::wants_to_write() const { return client_ && mosquitto_want_write(client_.get()); }

bool Broker::make_client() {
  client_.reset(mosquitto_new(rules_.client_id.c_str(), rules_.clean_session, this));
  if (!client_) return false;
  mosquitto* const c = client_.get();
  const bool v5 = rules_.version == MqttVersion::v5;
  const int version = v5                                      ? MQTT_PROTOCOL_V5
                      : rules_.version == MqttVersion::v3_1_1 ? MQTT_PROTOCOL_V311
                                                              : MQTT_PROTOCOL_V31;
  mosquitto_int_option(c, MOSQ_OPT_PROTOCOL_VERSION, version);
  mosquitto_int_option(c, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(c, MOSQ_OPT_SEND_MAXIMUM, static_cast<int>(rules_.max_inflight));
  if (!rules_.username.empty())
    mosquitto_username_pw_set(c, rules_.username.c_str(), rules_.password.empty() ? nullptr : rules_.password.c_str());
  if (rules_.will)
    mosquitto_will_set(c, rules_.will->topic.c_str(), static_cast<int>(rules_.will->payload.size()),
                       rules_.will->payload.data(), rules_.will->qos, rules_.will->retain);
  if (rules_.tls) {
    auto file = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
    const int set = mosquitto_tls_set(c, file(rules_.ca_file), rules_.ca_file.empty() ? "/etc/ssl/certs" : nullptr,
                                      file(rules_.certificate_file), file(rules_.key_file), nullptr);
    if (set != MOSQ_ERR_SUCCESS) {
      log::warn(topic, "the certificates of the settings cannot be used: ", mosquitto_strerror(set));
      return false;
    }
    mosquitto_tls_opts_set(c, rules_.verify_peer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr, nullptr);
    mosquitto_tls_insecure_set(c, !rules_.verify_peer);
  }
  mosquitto_connect_v5_callback_set(c, [](mosquitto*, void* own, int status, int, const mosquitto_property*) {
    static_cast<Broker*>(own)->on_connected(status);
  });
  mosquitto_message_v5_callback_set(
      c, [](mosquitto*, void* own, const mosquitto_message* message, const mosquitto_property* properties) {
        static_cast<Broker*>(own)->on_arrived(*message, properties);
      });
  mosquitto_publish_callback_set(
      c, [](mosquitto*, void* own, int id) { static_cast<Broker*>(own)->in_flight_.erase(id); });
  if (v5) {
    // The connect that does not block takes no properties. libmosquitto keeps those of a call that fails for want of a
    // host.
    mosquitto_property* list = nullptr;
    if (!rules_.clean_session) mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL, session_expiry_s);
    mosquitto_property_add_int32(&list, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                                 static_cast<uint32_t>(rules_.max_message + 128 * 1024));
    mosquitto_connect_bind_v5(c, nullptr, 0, rules_.keep_alive_s, nullptr, list);
    mosquitto_property_free_all(&list);
  }
  return true;
}

void Broker::connect(Time at) {
  next_ = at + misc_interval;
  // Quality 2 has a state that libmosquitto and the broker share beyond the connection. Without it a fresh client knows
  // nothing of what was sent: what is repeated is chosen here.
  const bool made = (client_ && rules_.exactly_once) || make_client();
  if (!made ||
      mosquitto_connect_async(client_.get(), rules_.host.c_str(), rules_.port, rules_.keep_alive_s) != MOSQ_ERR_SUCCESS)
    lost(at);
}

void Broker::lost(Time at) {
  if (!std::exchange(was_away_, true))
    log::warn(topic, "no connection to the broker at ", rules_.host, ", port ", rules_.port, "; trying again");
  connected_ = false;
  if (!rules_.exactly_once) {
    client_.reset();
    // It is not known whether the broker has them.
    for (auto at_last = in_flight_.rbegin(); at_last != in_flight_.rend(); ++at_last) {
      if (!at_last->second.repeatable) continue;
      waiting_bytes_ += at_last->second.payload.size();
      waiting_.push_front(std::move(at_last->second));
    }
    in_flight_.clear();
  }
  // Gateways that lost the same broker do not come back in step.
  const auto part = static_cast<int>(std::hash<std::string>()(rules_.client_id) % 50);
  next_ = at + pause_ + pause_ * part / 100;
  pause_ = std::min(pause_ * 2, rules_.longest_pause);
}

void Broker::look(bool readable, bool writable, Time at) {
  if (fd() < 0) {
    if (at >= next_) connect(at);
    return;
  }
  mosquitto* const c = client_.get();
  int status = MOSQ_ERR_SUCCESS;
  if (writable) status = mosquitto_loop_write(c, 1);
  // TLS may hold what the socket no longer shows.
  for (int i = 0; readable && status == MOSQ_ERR_SUCCESS && i < reads_in_a_row; ++i) {
    status = mosquitto_loop_read(c, 1);
    auto* const tls = static_cast<SSL*>(mosquitto_ssl_get(c));
    if (tls != nullptr ? SSL_pending(tls) == 0 : !has_more()) break;
  }
  if (status == MOSQ_ERR_SUCCESS && at >= next_) {
    next_ = at + misc_interval;
    status = mosquitto_loop_misc(c);
  }
  if (status != MOSQ_ERR_SUCCESS || fd() < 0) return lost(at);
  pump();
}

bool Broker::has_more() const {
  pollfd one{fd(), POLLIN, 0};
  return one.fd >= 0 && poll(&one, 1, 0) > 0;
}

void Broker::on_connected(int status) {
  if (status != 0) {
    const char* why =
        rules_.version == MqttVersion::v5 ? mosquitto_reason_string(status) : mosquitto_connack_string(status);
    log::warn(topic, "the broker refuses us: ", why);
    return;  // and ends the connection
  }
  connected_ = true;
  came_earlier_ = std::exchange(came_, {});
  was_away_ = false;
  pause_ = rules_.first_pause;
  log::info(topic, "connected to the broker at ", rules_.host, ", port ", rules_.port);
  for (const Subscription& one : rules_.subscriptions)
    mosquitto_subscribe(client_.get(), nullptr, one.topic.c_str(), one.qos);
  if (rules_.hello) {
    waiting_bytes_ += rules_.hello->payload.size();
    waiting_.push_front(*rules_.hello);
  }
}

// A broker repeats what it does not know us to have (MQTT 5.0 section 4.4), and gives what it retains to each who
// subscribes.
bool Broker::came_before(const mosquitto_message& message) {
  if (message.retain) return true;
  if (message.qos == 0) return false;
  const Mark mark{message.mid, std::hash<std::string_view>()({static_cast<const char*>(message.payload),
                                                              static_cast<size_t>(message.payloadlen)})};
  came_.push_back(mark);
  if (came_.size() > came_kept) came_.pop_front();
  // libmosquitto does not tell of the DUP flag: an id that comes again with the same text by the next connection is a
  // repetition.
  auto before = std::find(came_earlier_.begin(), came_earlier_.end(), mark);
  if (before == came_earlier_.end()) return false;
  came_earlier_.erase(before);
  return true;
}

void Broker::on_arrived(const mosquitto_message& message, const mosquitto_property* properties) {
  if (came_before(message)) return tally_.count(Refusal::sent_again);
  events_.on_message({message.topic,
                      {static_cast<const char*>(message.payload), static_cast<size_t>(message.payloadlen)},
                      read_properties(properties)});
}

void Broker::publish(Publication publication) {
  if (waiting_bytes_ + publication.payload.size() > rules_.max_queue ||
      (!connected_ && waiting_.size() >= rules_.max_buffered))
    return tally_.count(Refusal::broker_away);
  waiting_bytes_ += publication.payload.size();
  waiting_.push_back(std::move(publication));
  pump();
}

void Broker::pump() {
  while (connected_ && fd() >= 0 && !waiting_.empty() && in_flight_.size() < rules_.max_inflight &&
         !mosquitto_want_write(client_.get())) {
    waiting_bytes_ -= waiting_.front().payload.size();
    Publication publication = std::move(waiting_.front());
    waiting_.pop_front();
    hand_over(std::move(publication));
  }
}

void Broker::hand_over(Publication publication) {
  int id = 0;
  const PropertyList properties = rules_.version == MqttVersion::v5 ? written(publication.properties) : nullptr;
  const int status =
      mosquitto_publish_v5(client_.get(), &id, publication.topic.c_str(), static_cast<int>(publication.payload.size()),
                           publication.payload.data(), publication.qos, publication.retain, properties.get());
  if (status == MOSQ_ERR_OVERSIZE_PACKET || status == MOSQ_ERR_PAYLOAD_SIZE)
    return tally_.count(Refusal::too_big_to_send);
  // A connection that ended just now shows itself at the next look.
  if (publication.qos > 0) in_flight_.emplace(id, std::move(publication));
}

void Broker::leave(Duration time) {
  if (!connected_) return;
  if (rules_.will) publish(*rules_.will);
  const Time end = now() + time;
  bool said = false;
  while (fd() >= 0 && now() < end) {
    if (!said && is_drained() && !wants_to_write()) {
      mosquitto_disconnect(client_.get());
      said = true;
    }
    if (said && !wants_to_write()) break;
    pollfd one{fd(), static_cast<short>(POLLIN | (wants_to_write() ? POLLOUT : 0)), 0};
    poll(&one, 1, 10);
    look((one.revents & POLLIN) != 0, (one.revents & POLLOUT) != 0, now());
  }
}

}  // namespace cardea::transports
