// What a media worker tells the control thread of its peers: small values with ids, never pointers.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/drop.hpp"
#include "cardea/ids.hpp"
#include "cardea/media.hpp"

namespace cardea::peer {

// ICE has a path and DTLS is done: once per peer, not again after a restart.
struct PeerUp {
  PeerId peer;
};
// The peer is over; the worker has forgotten it, and the routes from and to it. Said for every end but ClosePeer.
// reason is the Janus API's: "DTLS alert", "DTLS timeout", "DTLS error", "ICE failed".
struct PeerDown {
  PeerId peer;
  std::string reason;
};
// Consent ran out on a peer that was up. "ICE failed" follows as PeerDown unless checks come again in time.
struct IceFailed {
  PeerId peer;
};
// RTP of an m-line, or of one of its simulcast layers, began to come in or ceased.
struct MediaState {
  ReceiverId receiver;
  int substream = -1;  // -1: no simulcast
  bool receiving = false;
  int seconds = 0;  // silence so far, when receiving is false and no renegotiation closed the line
};
struct SlowLinkSeen {
  PeerId peer;
  uint16_t mline = 0;
  bool uplink = false;  // the server's view: true is from us to the peer
  uint32_t lost = 0;    // in the last second
};
struct LayersChanged {
  SenderId sender;
  CurrentLayers now;
};
struct Talking {
  ReceiverId receiver;
  bool talking = false;
  double level = 0;  // average, 0 loud .. 127 silence
};

using PeerEvent = std::variant<PeerUp, PeerDown, IceFailed, MediaState, SlowLinkSeen, LayersChanged, Talking>;

}  // namespace cardea::peer
