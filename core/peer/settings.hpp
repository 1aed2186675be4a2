// The house's settings that a peer connection needs.
#pragma once

#include <cstdint>

#include "cardea/time.hpp"

namespace cardea::peer {

struct PeerSettings {
  Duration ice_timeout = 15s;       // silence before IceFailed
  Duration ice_grace = 5s;          // from there to "ICE failed"
  Duration connect_timeout = 30s;   // from creation to DTLS done
  Duration no_media_timer = 1s;     // 0: no media events
  uint32_t slowlink_threshold = 0;  // lost packets per second; 0: no events
  Duration twcc_period = 200ms;
  Duration min_nack_queue = 200ms;  // least age of history
};

}  // namespace cardea::peer
