#include "http/session_queues.hpp"

#include <algorithm>
#include <utility>

namespace cardea::transports {

void SessionQueues::open(SessionId session, ConnectionId owner) {
  Queue& queue = queues_.try_emplace(session, Queue{.share = Share(stock_)}).first->second;
  queue.owner = owner;
  queue.events.clear();
  queue.share.give_back(queue.share.held());
}

void SessionQueues::close(SessionId session, ConnectionId owner) {
  auto found = queues_.find(session);
  if (found != queues_.end() && found->second.owner == owner) queues_.erase(found);
}

SessionQueues::Pushed SessionQueues::push(SessionId session, std::string event) {
  auto found = queues_.find(session);
  if (found == queues_.end()) return Pushed::unknown_session;
  Queue& queue = found->second;
  if (queue.events.size() >= max_events_ || queue.share.held() + event.size() > max_bytes_ ||
      !queue.share.take(event.size())) {
    queues_.erase(found);
    return Pushed::dropped;
  }
  queue.events.push_back(std::move(event));
  return Pushed::queued;
}

std::vector<std::string> SessionQueues::take(SessionId session, size_t count) {
  std::vector<std::string> events;
  auto found = queues_.find(session);
  if (found == queues_.end()) return events;
  Queue& queue = found->second;
  while (!queue.events.empty() && events.size() < count) {
    queue.share.give_back(queue.events.front().size());
    events.push_back(std::move(queue.events.front()));
    queue.events.pop_front();
  }
  return events;
}

void SessionQueues::wait(SessionId session, ConnectionId poll) {
  if (auto found = queues_.find(session); found != queues_.end()) found->second.waiting.push_back(poll);
}

void SessionQueues::forget(SessionId session, ConnectionId poll) {
  if (auto found = queues_.find(session); found != queues_.end()) std::erase(found->second.waiting, poll);
}

std::vector<ConnectionId> SessionQueues::take_waiting(SessionId session) {
  auto found = queues_.find(session);
  return found == queues_.end() ? std::vector<ConnectionId>() : std::exchange(found->second.waiting, {});
}

}  // namespace cardea::transports
