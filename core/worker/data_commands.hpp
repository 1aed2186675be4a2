// What the data thread is asked: by the workers, who have the packets, and by the control thread, who has the plugins.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cardea/ids.hpp"
#include "cardea/media.hpp"
#include "data/events.hpp"

namespace cardea::worker {

// DTLS is done for a peer with data channels, or done anew: whatever was there before is over.
struct StartData {
  PeerId peer;
  data::AssociationPlan plan;
};
// The peer is over, or has no data channels any more.
struct StopData {
  PeerId peer;
};
struct SendMessage {
  PeerId peer;
  DataMessage message;
};
struct OpenChannel {
  PeerId peer;
  DataChannel channel;
};
struct CloseChannel {
  PeerId peer;
  std::string label;
};
// Events of this weight have been dealt with.
struct EventsTaken {
  PeerId peer;
  size_t weight = 0;
};
using DataCommand =
    std::variant<StartData, StopData, data::Records, SendMessage, OpenChannel, CloseChannel, EventsTaken>;

class DataDoor {
public:
  // Any thread.
  virtual void post(DataCommand command) = 0;
  // The same for many, which leaves `commands` empty.
  virtual void post_all(std::vector<DataCommand>& commands) = 0;

protected:
  ~DataDoor() = default;
};

}  // namespace cardea::worker
