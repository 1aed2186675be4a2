// What a peer or the router wants done: datagrams sent, events told, drops counted. One per worker, emptied once a
// turn.
#pragma once

#include <vector>

#include "base/drop.hpp"
#include "base/outbox.hpp"
#include "peer/events.hpp"

namespace cardea::peer {

struct Output {
  Outbox datagrams;
  std::vector<PeerEvent> events;
  Drops drops;  // counts on; not emptied

  void clear() {
    datagrams.clear();
    events.clear();
  }
};

}  // namespace cardea::peer
