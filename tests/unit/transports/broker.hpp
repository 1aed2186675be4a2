// Debian's mosquitto, started by a test on a free port, and clients of it.
#pragma once

#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/fd.hpp"

namespace cardea::transports::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline bool comes_true(const std::function<bool()>& condition, std::chrono::milliseconds patience = 10s) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

// Below the ports that the system gives to others meanwhile.
inline uint16_t free_port() {
  static auto next = static_cast<uint16_t>(24000 + getpid() % 6000);
  for (;;) {
    Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(++next);
    if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return next;
  }
}

class TestBroker {
public:
  TestBroker(fs::path folder, std::string settings)
      : folder_(std::move(folder)), settings_(std::move(settings)), port_(free_port()) {
    start();
  }
  ~TestBroker() { stop(SIGKILL); }

  uint16_t port() const { return port_; }
  void start() {
    const fs::path file = folder_ / "mosquitto.conf";
    std::ofstream(file) << "listener " << port_ << " 127.0.0.1\nset_tcp_nodelay true\n" << settings_;
    process_ = fork();
    if (process_ == 0) {
      const int nowhere = open("/dev/null", O_WRONLY);
      dup2(nowhere, STDOUT_FILENO);
      dup2(nowhere, STDERR_FILENO);
      execlp("mosquitto", "mosquitto", "-c", file.c_str(), nullptr);
      execl("/usr/sbin/mosquitto", "mosquitto", "-c", file.c_str(), nullptr);
      _exit(127);
    }
    comes_true([this] { return listens(); });
  }
  void stop(int signal = SIGTERM) {
    if (process_ <= 0) return;
    tell(signal);
    waitpid(std::exchange(process_, 0), nullptr, 0);
  }
  void tell(int signal) const { kill(process_, signal); }
  bool listens() const {
    Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

private:
  const fs::path folder_;
  const std::string settings_;
  const uint16_t port_;
  pid_t process_ = 0;
};

struct Heard {
  std::string topic, payload, correlation, content_type;
  std::vector<std::pair<std::string, std::string>> user;
};

// A client on a thread of its own that hears some topics.
class MqttClient {
public:
  MqttClient(uint16_t port, std::vector<std::string> topics, const std::string& user = {})
      : topics_(std::move(topics)) {
    client_ = mosquitto_new(nullptr, true, this);
    mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_reconnect_delay_set(client_, 1, 1, false);
    if (!user.empty()) mosquitto_username_pw_set(client_, user.c_str(), user.c_str());
    mosquitto_connect_callback_set(client_, [](mosquitto* client, void* own, int) {
      for (const auto& topic : static_cast<MqttClient*>(own)->topics_)
        mosquitto_subscribe(client, nullptr, topic.c_str(), 1);
    });
    mosquitto_subscribe_callback_set(
        client_, [](mosquitto*, void* own, int, int, const int*) { ++static_cast<MqttClient*>(own)->subscribed_; });
    mosquitto_message_v5_callback_set(
        client_, [](mosquitto*, void* own, const mosquitto_message* message, const mosquitto_property* properties) {
          static_cast<MqttClient*>(own)->heard(*message, properties);
        });
    mosquitto_connect(client_, "127.0.0.1", port, 60);
    mosquitto_loop_start(client_);
    comes_true([this] { return subscribed_ >= topics_.size(); });
  }
  ~MqttClient() {
    mosquitto_disconnect(client_);
    mosquitto_loop_stop(client_, true);
    mosquitto_destroy(client_);
  }

  void publish(const std::string& topic, const std::string& payload, const std::string& response_topic = {},
               const std::string& correlation = {}, const std::vector<std::pair<std::string, std::string>>& user = {},
               int qos = 1, bool retain = false) {
    mosquitto_property* list = nullptr;
    if (!response_topic.empty()) mosquitto_property_add_string(&list, MQTT_PROP_RESPONSE_TOPIC, response_topic.c_str());
    if (!correlation.empty())
      mosquitto_property_add_binary(&list, MQTT_PROP_CORRELATION_DATA, correlation.data(),
                                    static_cast<uint16_t>(correlation.size()));
    for (const auto& [name, value] : user)
      mosquitto_property_add_string_pair(&list, MQTT_PROP_USER_PROPERTY, name.c_str(), value.c_str());
    mosquitto_publish_v5(client_, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), qos, retain,
                         list);
    mosquitto_property_free_all(&list);
  }
  // The next message; an empty one if none comes in time.
  Heard next(std::chrono::milliseconds patience = 10s) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return !heard_.empty(); });
    if (heard_.empty()) return {};
    Heard first = std::move(heard_.front());
    heard_.pop_front();
    return first;
  }

private:
  void heard(const mosquitto_message& message, const mosquitto_property* properties) {
    Heard one{
        message.topic, {static_cast<char*>(message.payload), static_cast<size_t>(message.payloadlen)}, {}, {}, {}};
    char *name = nullptr, *value = nullptr;
    void* data = nullptr;
    uint16_t size = 0;
    if (mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &data, &size, false) != nullptr) {
      one.correlation.assign(static_cast<char*>(data), size);
      std::free(data);
    }
    if (mosquitto_property_read_string(properties, MQTT_PROP_CONTENT_TYPE, &value, false) != nullptr) {
      one.content_type = value;
      std::free(value);
    }
    const mosquitto_property* at = properties;
    for (bool again = false;
         (at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, again)) != nullptr;
         again = true) {
      one.user.emplace_back(name, value);
      std::free(name);
      std::free(value);
    }
    std::lock_guard lock(mutex_);
    heard_.push_back(std::move(one));
    changed_.notify_all();
  }

  mosquitto* client_;
  const std::vector<std::string> topics_;
  std::atomic<size_t> subscribed_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Heard> heard_;
};

}  // namespace cardea::transports::test
