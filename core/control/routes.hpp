// Which receiver goes to which sender, and what the workers must be told for it: the sender's worker gets the route,
// the receiver's worker a mirror to each other worker that has at least one of its senders.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cardea/ids.hpp"
#include "worker/commands.hpp"

namespace cardea::control {

// A command and the worker it is for.
struct Addressed {
  uint16_t worker = 0;
  worker::Command command;
};
using Commands = std::vector<Addressed>;

class Routes {
public:
  void forward(ReceiverId from, SenderId to, Commands& out);
  void stop(SenderId to, Commands& out);
  // The peer is gone, and its worker has forgotten its routes; the other workers learn it here.
  void forget(PeerId peer, Commands& out);

  size_t size() const { return sources_.size(); }
  size_t mirrors() const { return mirrors_.size(); }

private:
  void listen(ReceiverId from, SenderId to, Commands& out);
  void unlisten(ReceiverId from, SenderId to, Commands& out);

  std::map<SenderId, ReceiverId> sources_;                       // one source per sender
  std::map<ReceiverId, std::set<SenderId>> listeners_;           // the inverse
  std::map<std::pair<ReceiverId, uint16_t>, uint32_t> mirrors_;  // how many routes need it
};

}  // namespace cardea::control
