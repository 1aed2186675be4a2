#include "mqtt/mqtt.hpp"

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "cardea/text.hpp"
#include "common/message.hpp"
#include "common/sections.hpp"

namespace cardea::transports {

namespace {

constexpr const char* name = "mqtt";
constexpr size_t max_unanswered = 1024;  // then nothing is read until some requests are answered
constexpr size_t remembered = 10000;     // transactions whose events are awaited
constexpr Duration longest_sleep = 1s;

Time now() { return Time(std::chrono::steady_clock::now().time_since_epoch()); }

bool is_good_topic(const std::string& topic, bool for_subscription) {
  return (for_subscription ? mosquitto_sub_topic_check(topic.c_str()) : mosquitto_pub_topic_check(topic.c_str())) ==
         MOSQ_ERR_SUCCESS;
}

bool matches(const std::string& subscribed, const std::string& topic) {
  bool result = false;
  return mosquitto_topic_matches_sub(subscribed.c_str(), topic.c_str(), &result) == MOSQ_ERR_SUCCESS && result;
}

}  // namespace

Configured Mqtt::configure(JsonView values) {
  auto wrong = Sections(values)
                   .read("general", general_, mqtt_settings::general_fields)
                   .read("admin", admin_, mqtt_settings::admin_fields)
                   .read("status", status_, mqtt_settings::status_fields)
                   .wrong();
  if (wrong) return wrong;
  BrokerRules rules;
  if (auto url = read_url(general_.url, rules); !url) return SettingError{"general.url", url.error().reason};
  for (const auto& [path, topic, subscribed] : {std::tuple{"general.subscribe_topic", general_.subscribe_topic, true},
                                                {"general.publish_topic", general_.publish_topic, false},
                                                {"admin.subscribe_topic", admin_.subscribe_topic, true},
                                                {"admin.publish_topic", admin_.publish_topic, false},
                                                {"status.topic", status_.topic, false}}) {
    if (!is_good_topic(topic, subscribed)) return SettingError{path, "is no topic that MQTT allows"};
    if (subscribed) continue;
    if (matches(general_.subscribe_topic, topic) || matches(admin_.subscribe_topic, topic))
      return SettingError{path, "is a topic that requests come by: answers would be taken for requests"};
  }
  if (matches(general_.subscribe_topic, admin_.subscribe_topic))
    return SettingError{"admin.subscribe_topic", "is one of general.subscribe_topic: requests could be either"};
  for (const auto& pair : general_.add_transaction_user_properties)
    if (pair.size() != 2)
      return SettingError{"general.add_transaction_user_properties", "should be pairs of a name and a value"};
  return std::nullopt;
}

void Mqtt::list_settings(std::vector<SettingInfo>& to) const {
  list_section<MqttGeneral>("general", mqtt_settings::general_fields, to);
  list_section<MqttAdmin>("admin", mqtt_settings::admin_fields, to);
  list_section<MqttStatus>("status", mqtt_settings::status_fields, to);
}

BrokerRules Mqtt::broker_rules() const {
  const MqttGeneral& g = general_;
  BrokerRules rules;
  rules.tls = g.ssl_enabled;
  (void)read_url(g.url, rules);  // configure() has looked at it
  rules.version = g.mqtt_version == "5"     ? MqttVersion::v5
                  : g.mqtt_version == "3.1" ? MqttVersion::v3_1
                                            : MqttVersion::v3_1_1;
  rules.client_id = g.client_id;
  rules.username = g.username;
  rules.password = g.password;
  rules.keep_alive_s = static_cast<int>(g.keep_alive_interval);
  rules.clean_session = g.cleansession != 0;
  rules.max_inflight = g.max_inflight;
  rules.max_buffered = g.max_buffered;
  rules.max_queue = g.max_queue;
  rules.max_message = g.max_message_size;
  rules.verify_peer = g.verify_peer;
  rules.ca_file = g.cacertfile;
  rules.certificate_file = g.certfile;
  rules.key_file = g.keyfile;
  for (const Face& face : faces_) {
    rules.subscriptions.push_back(face.requests);
    rules.exactly_once = rules.exactly_once || face.qos == 2;
  }
  auto status = [this](const std::string& text) {
    return status_.enabled && !text.empty() ? std::optional(Publication{.topic = status_.topic,
                                                                        .payload = text,
                                                                        .qos = static_cast<int>(status_.qos),
                                                                        .retain = status_.retain})
                                            : std::nullopt;
  };
  rules.hello = status(status_.connect_message);
  rules.will = status(status_.disconnect_message);
  return rules;
}

Status Mqtt::start() {
  if (general_.enabled)
    faces_.push_back({ConnectionId{1},
                      Api::client,
                      {general_.subscribe_topic, static_cast<int>(general_.subscribe_qos)},
                      general_.publish_topic,
                      static_cast<int>(general_.publish_qos)});
  if (admin_.admin_enabled) {
    if (!host_.admin_secret_set()) return admin_without_secret().with_context(name);
    faces_.push_back({ConnectionId{2},
                      Api::admin,
                      {admin_.subscribe_topic, static_cast<int>(admin_.subscribe_qos)},
                      admin_.publish_topic,
                      static_cast<int>(admin_.publish_qos)});
  }
  if (faces_.empty()) return {};
  style_ = style_of(general_.json);
  transactions_.emplace(std::chrono::seconds(general_.vacuum_interval), remembered);
  mosquitto_lib_init();
  broker_ = std::make_unique<Broker>(broker_rules(), static_cast<BrokerEvents&>(*this), tally_);
  // Signals are for the main thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

void Mqtt::stop() {
  if (!thread_.joinable()) return;
  stop_wanted_ = true;
  mailbox_.alarm();
  thread_.join();
  broker_.reset();
  mosquitto_lib_cleanup();
}

std::vector<std::string> Mqtt::addresses() const {
  std::vector<std::string> lines;
  for (const Face& face : faces_)
    if (face.api == Api::client)
      lines.push_back(text(general_.url, " (MQTT, topics ", face.requests.topic, " and ", face.replies, ")"));
  return lines;
}

void Mqtt::send(ConnectionId to, RequestTag tag, Json message) {
  mailbox_.post({.connection = to, .tag = tag, .message = std::move(message)}, Mailbox<CoreMessage>::Wake::later);
}

// This thread, in the turn that release() has taken, looks when that is over.
void Mqtt::flush() {
  if (std::this_thread::get_id() != thread_.get_id()) mailbox_.wake();
}

void Mqtt::run() {
  pthread_setname_np(pthread_self(), name);
  for (const Face& face : faces_) host_.opened(face.connection, "");
  while (!stop_wanted_) {
    // Who asks faster than the core answers waits at the broker.
    const bool reads = transactions_->unanswered() < max_unanswered;
    std::array<pollfd, 2> fds{
        pollfd{mailbox_.fd(), POLLIN, 0},
        pollfd{broker_->fd(), static_cast<short>((reads ? POLLIN : 0) | (broker_->wants_to_write() ? POLLOUT : 0)), 0}};
    const Duration sleep = std::clamp(broker_->next_deadline() - now(), Duration::zero(), longest_sleep);
    poll(fds.data(), fds.size(), static_cast<int>(to_ms(sleep)) + 1);
    host_.hold();
    const bool broken = (fds[1].revents & (POLLERR | POLLHUP)) != 0;
    broker_->look((fds[1].revents & POLLIN) != 0 || broken, (fds[1].revents & POLLOUT) != 0, now());
    host_.release();
    take_messages();
    transactions_->vacuum(now());
  }
  take_messages();
  broker_->leave(std::chrono::milliseconds(general_.disconnect_timeout));
}

void Mqtt::take_messages() {
  mailbox_.take(messages_);
  for (const CoreMessage& message : messages_) {
    auto face = std::find_if(faces_.begin(), faces_.end(),
                             [&](const Face& one) { return one.connection == message.connection; });
    if (face == faces_.end()) continue;
    Properties properties = message.tag ? transactions_->answer(message.tag, message.message, now())
                                        : transactions_->of_event(message.message);
    publish(*face, message.message, std::move(properties), static_cast<bool>(message.tag));
  }
  messages_.clear();
}

bool Mqtt::is_ours(const std::string& topic) const {
  return std::any_of(faces_.begin(), faces_.end(),
                     [&](const Face& face) { return matches(face.requests.topic, topic); });
}

void Mqtt::on_message(Arrived message) {
  const std::string topic(message.topic);
  auto face =
      std::find_if(faces_.begin(), faces_.end(), [&](const Face& one) { return matches(one.requests.topic, topic); });
  if (face == faces_.end()) return tally_.count(Refusal::bad_topic);
  Properties properties = std::move(message.properties);
  if (!properties.response_topic.empty() &&
      (!is_good_topic(properties.response_topic, false) || properties.response_topic.front() == '$' ||
       is_ours(properties.response_topic))) {
    tally_.count(Refusal::bad_response_topic);
    properties.response_topic.clear();
    return refuse(*face, std::move(properties), {450, "The response topic is not one that can be published to"});
  }
  const auto& repeated = general_.proxy_transaction_user_properties;
  std::erase_if(properties.user, [&](const auto& one) {
    return std::find(repeated.begin(), repeated.end(), one.first) == repeated.end();
  });
  for (const auto& pair : general_.add_transaction_user_properties) properties.user.emplace_back(pair[0], pair[1]);
  if (message.payload.size() > general_.max_message_size) {
    tally_.count(Refusal::message_too_big);
    return refuse(*face, std::move(properties), message_too_big(general_.max_message_size));
  }
  auto request = Json::parse(message.payload);
  if (!request) return refuse(*face, std::move(properties), request.error());
  host_.receive(face->connection, transactions_->ask(std::move(properties), now()), face->api, std::move(*request));
}

void Mqtt::refuse(const Face& face, Properties properties, const Error& why) {
  publish(face, error_message(why), std::move(properties), true);
}

void Mqtt::publish(const Face& face, JsonView message, Properties properties, bool is_reply) {
  Publication publication;
  publication.topic = properties.response_topic.empty() ? face.replies : properties.response_topic;
  publication.payload = message.text(style_);
  publication.qos = face.qos;
  publication.repeatable = !is_reply;
  publication.properties = std::move(properties);
  broker_->publish(std::move(publication));
}

}  // namespace cardea::transports
