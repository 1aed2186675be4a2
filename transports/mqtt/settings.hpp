// The settings of the MQTT transport: conf/mqtt.cfg.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "cardea/schema.hpp"
#include "common/json_style.hpp"

namespace cardea::transports {

struct MqttGeneral {
  bool enabled = false;
  std::string json = "compact";
  std::string url = "tcp://localhost:1883";
  std::string mqtt_version = "3.1.1";
  std::string client_id = "guest";
  std::string username{}, password{};
  uint32_t keep_alive_interval = 20;
  uint32_t cleansession = 0;
  uint32_t max_inflight = 10;
  uint32_t max_buffered = 100;
  uint32_t disconnect_timeout = 100;
  std::string subscribe_topic = "to-janus";
  uint32_t subscribe_qos = 1;
  std::string publish_topic = "from-janus";
  uint32_t publish_qos = 1;
  bool ssl_enabled = false;
  bool verify_peer = true;
  std::string cacertfile{}, certfile{}, keyfile{};
  uint32_t vacuum_interval = 60;
  std::vector<std::string> proxy_transaction_user_properties{};
  std::vector<std::vector<std::string>> add_transaction_user_properties{};
  uint64_t max_message_size = 2 * 1024 * 1024;
  uint64_t max_queue = 4 * 1024 * 1024;
};

struct MqttAdmin {
  bool admin_enabled = false;
  std::string subscribe_topic = "to-janus-admin";
  uint32_t subscribe_qos = 1;
  std::string publish_topic = "from-janus-admin";
  uint32_t publish_qos = 1;
};

struct MqttStatus {
  bool enabled = false;
  std::string connect_message{}, disconnect_message{};
  std::string topic = "status";
  uint32_t qos = 1;
  bool retain = false;
};

namespace mqtt_settings {

using G = MqttGeneral;
using A = MqttAdmin;
using S = MqttStatus;

inline constexpr Rule qos_range = range(0, 2);

inline constexpr auto general_fields = std::tuple{
    setting("enabled", &G::enabled, "serve the API over MQTT"),
    setting("json", &G::json, "how JSON is written", "", json_styles),
    setting("url", &G::url, "the broker: tcp://HOST:PORT, or ssl:// for TLS", "", non_empty()),
    setting("mqtt_version", &G::mqtt_version, "the protocol's version", "", one_of("3.1", "3.1.1", "5")),
    setting("client_id", &G::client_id, "our name with the broker; each gateway needs its own", "", non_empty()),
    setting("username", &G::username, "name to log in with; empty: no login"),
    setting("password", &G::password, "its password"),
    setting("keep_alive_interval", &G::keep_alive_interval, "silence before the broker is pinged", "s", range(5, 3600)),
    setting("cleansession", &G::cleansession, "1: the broker forgets us when we are away", "", range(0, 1)),
    setting("max_inflight", &G::max_inflight, "messages that the broker has not acknowledged", "", range(1, 65535)),
    setting("max_buffered", &G::max_buffered, "messages kept while the broker is away", "", range(0, 1000000)),
    setting("disconnect_timeout", &G::disconnect_timeout, "to send what is queued at the end", "ms", range(0, 1000)),
    setting("subscribe_topic", &G::subscribe_topic, "topic of the requests", "", non_empty()),
    setting("subscribe_qos", &G::subscribe_qos, "their quality of service", "", qos_range),
    setting("publish_topic", &G::publish_topic, "topic of replies and events", "", non_empty()),
    setting("publish_qos", &G::publish_qos, "their quality of service", "", qos_range),
    setting("ssl_enabled", &G::ssl_enabled, "TLS, also with a tcp:// url"),
    setting("verify_peer", &G::verify_peer, "the broker's certificate must be good"),
    setting("cacertfile", &G::cacertfile, "file of the CA that signed it; empty: the system's CAs"),
    setting("certfile", &G::certfile, "file of our own certificate; empty: none"),
    setting("keyfile", &G::keyfile, "file of its key"),
    setting("vacuum_interval", &G::vacuum_interval, "MQTT 5: how long properties of a transaction are remembered", "s",
            range(1, 86400)),
    setting("proxy_transaction_user_properties", &G::proxy_transaction_user_properties,
            "MQTT 5: user properties of a request that its replies and events repeat"),
    setting("add_transaction_user_properties", &G::add_transaction_user_properties,
            "MQTT 5: user properties, each a name and a value, added to replies"),
    setting("max_message_size", &G::max_message_size, "largest request taken", "bytes", range(1024, 256 * 1024 * 1024)),
    setting("max_queue", &G::max_queue, "messages that wait for the broker", "bytes",
            range(4096, 1024LL * 1024 * 1024))};

inline constexpr auto admin_fields =
    std::tuple{setting("admin_enabled", &A::admin_enabled, "serve the admin API"),
               setting("subscribe_topic", &A::subscribe_topic, "topic of the requests", "", non_empty()),
               setting("subscribe_qos", &A::subscribe_qos, "their quality of service", "", qos_range),
               setting("publish_topic", &A::publish_topic, "topic of the replies", "", non_empty()),
               setting("publish_qos", &A::publish_qos, "their quality of service", "", qos_range)};

inline constexpr auto status_fields =
    std::tuple{setting("enabled", &S::enabled, "tell others whether we are connected"),
               setting("connect_message", &S::connect_message, "published when we are; empty: nothing"),
               setting("disconnect_message", &S::disconnect_message,
                       "published at the end, by the broker if need be; empty: nothing"),
               setting("topic", &S::topic, "topic of both", "", non_empty()),
               setting("qos", &S::qos, "their quality of service", "", qos_range),
               setting("retain", &S::retain, "the broker keeps them for who comes later")};

}  // namespace mqtt_settings

}  // namespace cardea::transports
