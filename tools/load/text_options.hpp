// What cardea-load is asked to do with text rooms.
#pragma once

#include <cstdint>
#include <string>

namespace cardea::load {

struct TextOptions {
  std::string plugin = "janus.plugin.textroom";
  uint64_t room = 900000;
  uint32_t members = 200;
  uint32_t speakers = 20;    // of them, who write
  double rate = 10;          // messages per second of each
  uint32_t size = 100;       // bytes of each text, at least what is checked
  double moves = 0;          // updates per second of each member's state; 0: no presence
  bool api = false;          // members without a peer connection
  uint32_t per_socket = 10;  // of those, so many share a WebSocket
  uint32_t stalled = 0;      // members that stop reading once all have joined
};

}  // namespace cardea::load
