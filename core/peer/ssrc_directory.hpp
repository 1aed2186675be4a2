// Knows which m-line and simulcast layer each SSRC of a peer belongs to: announced in the SDP, or learnt from the
// packets themselves (RFC 9143 section 9.2).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "rtp/packet.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::peer {

// A place for media from the peer.
struct StreamPlace {
  uint16_t mline = 0;
  uint8_t substream = 0;
  bool rtx = false;
  bool operator==(const StreamPlace&) const = default;
};

class SsrcDirectory {
public:
  static constexpr uint8_t max_substreams = 3;

  // What was negotiated, before and now; m-lines that are not received from have no place. SSRCs learnt for an m-line
  // that stays as it was are kept.
  void update(std::span<const sdp::MlinePlan> before, std::span<const sdp::MlinePlan> now);

  std::optional<StreamPlace> find(uint32_t ssrc) const {
    if (ssrc == last_ssrc_ && has_last_) return last_;
    return find_slowly(ssrc);
  }
  // Of an SSRC that find() does not know: by MID and RID, else by payload type if only one m-line has it (those that
  // update() was told last). It takes the place of the SSRC learnt for the same place before, so a peer cannot make
  // this grow.
  std::optional<StreamPlace> learn(const rtp::Packet& packet, std::span<const sdp::MlinePlan> mlines);
  void forget(uint32_t ssrc);  // if it was learnt; an announced one stays

  // Extension ids for packets whose m-line is not known yet: within a bundle they are the same (RFC 9143 section 9.2).
  const sdp::ExtensionMap& any_extensions() const { return any_extensions_; }
  size_t size() const { return places_.size(); }

private:
  struct Known {
    StreamPlace place;
    bool learnt = false;
  };
  std::optional<StreamPlace> find_slowly(uint32_t ssrc) const;

  // state
  std::unordered_map<uint32_t, Known> places_;
  sdp::ExtensionMap any_extensions_;
  mutable uint32_t last_ssrc_ = 0;  // of the last find(): packets come in trains
  mutable StreamPlace last_;
  mutable bool has_last_ = false;
};

}  // namespace cardea::peer
