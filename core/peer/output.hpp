// What a peer or the router wants done: datagrams sent, events told, drops counted. One per worker, emptied once a
// turn.
#pragma once

#include <optional>
#include <vector>

#include "base/drop.hpp"
#include "base/outbox.hpp"
#include "data/events.hpp"
#include "peer/events.hpp"

namespace cardea::peer {

// The peer's data channels begin, perhaps anew, or (without a plan) are over.
struct DataChange {
  PeerId peer;
  std::optional<data::AssociationPlan> plan;
};

struct Output {
  Outbox datagrams;
  std::vector<PeerEvent> events;
  std::vector<DataChange> data;
  Drops drops;  // counts on; not emptied

  void clear() {
    datagrams.clear();
    events.clear();
    data.clear();
  }
};

}  // namespace cardea::peer
