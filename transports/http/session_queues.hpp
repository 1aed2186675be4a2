// Events of the sessions that live on HTTP, and the polls that wait for them. Event texts are kept, not values: their
// size is known.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "cardea/ids.hpp"
#include "common/stock.hpp"

namespace cardea::transports {

class SessionQueues {
public:
  // Beyond either bound a session's queue is dropped: events with a gap would mislead the client more than a 404 does.
  SessionQueues(size_t max_events, size_t max_bytes, Stock& stock)
      : max_events_(max_events), max_bytes_(max_bytes), stock_(stock) {}

  // The session's events come here from now on: an empty queue, whatever there was before.
  void open(SessionId session, ConnectionId owner);
  // Unless somebody else owns it by now.
  void close(SessionId session, ConnectionId owner);
  bool has(SessionId session) const { return queues_.contains(session); }

  enum class Pushed { queued, unknown_session, dropped };
  Pushed push(SessionId session, std::string event);
  // At most `count` events, oldest first.
  std::vector<std::string> take(SessionId session, size_t count);

  // A poll waits for the next event; once there is one, all that wait are taken, the oldest first.
  void wait(SessionId session, ConnectionId poll);
  void forget(SessionId session, ConnectionId poll);
  std::vector<ConnectionId> take_waiting(SessionId session);

private:
  struct Queue {
    ConnectionId owner{};
    std::deque<std::string> events{};
    Share share;
    std::vector<ConnectionId> waiting{};
  };

  // given
  const size_t max_events_, max_bytes_;
  Stock& stock_;
  // state
  std::unordered_map<SessionId, Queue> queues_;
};

}  // namespace cardea::transports
