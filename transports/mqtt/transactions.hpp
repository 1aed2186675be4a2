// What is known of requests until they are answered, and, with MQTT 5, what their replies and events repeat. Several
// clients share one pair of topics: a reply finds its request by the tag, an event its by session and transaction, so
// that nobody gets what belongs to another's transaction of the same name.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cardea/ids.hpp"
#include "cardea/json.hpp"
#include "cardea/time.hpp"

namespace cardea::transports {

// MQTT 5.0 section 3.3.2.3
struct Properties {
  std::string response_topic{};  // "": the common one
  std::string correlation{};     // "": none
  std::vector<std::pair<std::string, std::string>> user{};

  bool empty() const { return response_topic.empty() && correlation.empty() && user.empty(); }
};

class Transactions {
public:
  // At most so many are remembered; the oldest are forgotten first.
  Transactions(Duration keep, size_t most) : keep_(keep), most_(most) {}

  // A request came; its tag.
  RequestTag ask(Properties properties, Time now);
  // Its reply leaves with these. Events with the same transaction will have the same but for the response topic.
  Properties answer(RequestTag tag, JsonView reply, Time now);
  Properties of_event(JsonView event) const;

  // Requests without an answer.
  size_t unanswered() const { return asked_.size(); }
  // Forgets what is older than `keep`, also requests that were never answered.
  void vacuum(Time now);

private:
  using Key = std::pair<int64_t, std::string>;  // session, transaction
  struct Asked {
    Properties properties;
    Time since;
  };
  static Key key_of(JsonView message);

  // given
  const Duration keep_;
  const size_t most_;
  // state
  uint64_t last_tag_ = 0;
  std::unordered_map<RequestTag, Asked> asked_;
  std::map<Key, Properties> answered_;
  std::deque<std::pair<Time, Key>> ages_;  // of those answered
};

}  // namespace cardea::transports
