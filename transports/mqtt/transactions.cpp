#include "mqtt/transactions.hpp"

namespace cardea::transports {

Transactions::Key Transactions::key_of(JsonView message) {
  return {message["session_id"].integer(), std::string(message["transaction"].string())};
}

RequestTag Transactions::ask(Properties properties, Time now) {
  const RequestTag tag{++last_tag_};
  asked_[tag] = {std::move(properties), now};
  return tag;
}

Properties Transactions::answer(RequestTag tag, JsonView reply, Time now) {
  auto found = asked_.find(tag);
  if (found == asked_.end()) return {};
  Properties properties = std::move(found->second.properties);
  asked_.erase(found);
  if (properties.correlation.empty() && properties.user.empty()) return properties;
  Key key = key_of(reply);
  if (reply["janus"].string() != "ack" || key.second.empty()) return properties;
  Properties kept = properties;
  kept.response_topic.clear();
  if (answered_.insert_or_assign(key, std::move(kept)).second) ages_.emplace_back(now, std::move(key));
  if (answered_.size() > most_) {
    answered_.erase(ages_.front().second);
    ages_.pop_front();
  }
  return properties;
}

Properties Transactions::of_event(JsonView event) const {
  if (answered_.empty() || !event["transaction"]) return {};
  auto found = answered_.find(key_of(event));
  return found == answered_.end() ? Properties{} : found->second;
}

void Transactions::vacuum(Time now) {
  for (; !ages_.empty() && now - ages_.front().first > keep_; ages_.pop_front()) answered_.erase(ages_.front().second);
  std::erase_if(asked_, [&](const auto& entry) { return now - entry.second.since > keep_; });
}

}  // namespace cardea::transports
