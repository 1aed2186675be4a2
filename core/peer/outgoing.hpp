// A packet that waits for the end of the turn: no copy, no encryption yet.
#pragma once

#include <cstdint>
#include <vector>

#include "media/rewriter.hpp"
#include "rtp/packet.hpp"

namespace cardea::peer {

class RtpSender;

struct Outgoing {
  rtp::SharedPacket packet;
  const RtpSender* sender = nullptr;  // of the peer whose queue it is in
  media::Rewritten fields;
  rtp::SeqNo seq = 0;        // on the wire; differs from fields.seq when it goes as RTX
  uint8_t payload_type = 0;  // on the wire
  bool rtx = false;
  bool repeats = false;       // goes under the number of a packet that went before
  uint16_t payload_from = 0;  // bytes of the payload left out at its begin: RED around what the peer takes plain
};
using SendQueue = std::vector<Outgoing>;

}  // namespace cardea::peer
