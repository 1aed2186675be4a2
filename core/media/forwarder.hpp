// One receiver's media to one sender: which of its packets go on, and as what.
#pragma once

#include <cstdint>
#include <optional>

#include "base/drop.hpp"
#include "base/random.hpp"
#include "cardea/media.hpp"
#include "media/layer_selector.hpp"
#include "media/rewriter.hpp"
#include "rtp/packet.hpp"

namespace cardea::media {

// Belongs to the sender and outlives its sources: numbers and timestamps go on when the source is switched.
class Forwarder {
public:
  // simulcast: the source has several substreams (it is also learnt from the packets).
  Forwarder(MediaKind kind, bool simulcast, Random& random);

  // Each packet of the receiver once (no duplicates), late and recovered ones too. None: it goes on as `out`.
  std::optional<Drop> forward(const rtp::Packet& packet, Time now, Rewritten& out) {
    if (paused_) [[unlikely]]
      return Drop::paused;
    return kind_ == MediaKind::video ? forward_video(packet, now, out) : forward_audio(packet, out);
  }

  // Packets come from another receiver from now on: video waits for a keyframe.
  void switch_source(bool simulcast);
  // Nothing goes on; after it, video waits for a keyframe. The output has no gap in its numbers.
  void pause(bool paused);
  bool paused() const { return paused_; }
  void set_layers(const Layers& layers) { selector_.set_target(layers); }
  const Layers& layers() const { return selector_.target(); }

  // The substream of which a keyframe is needed now to go on; -1: all of them, nothing is known yet. It may be asked
  // after each packet that was dropped: the receiver's KeyframeRequests throttles.
  std::optional<int> wants_keyframe() const;

  // What goes on now; -1 where there are no such layers.
  CurrentLayers current() const { return kind_ == MediaKind::video ? selector_.current() : CurrentLayers{}; }
  // The same if something goes on and it changed since the last call (LayersChanged). Once a turn is enough.
  std::optional<CurrentLayers> take_change();

  // A NACK: the 16 bits of the wire to the number sent, that to the packet it was made of, and that packet to what was
  // sent. None: never sent, sent too long ago, or made of another source's packet.
  std::optional<rtp::SeqNo> sent(uint16_t wire) const;
  std::optional<Origin> origin(rtp::SeqNo out) const { return rewriter_.origin(out); }
  std::optional<Rewritten> again(rtp::SeqNo out, const rtp::Packet& packet) const;

  // Ties the clock of a substream to the others': ReceiveStream::common_offset(). Switches between substreams that are
  // tied keep the capture times exactly.
  void align(uint8_t substream, uint32_t common_offset) { rewriter_.align(substream, common_offset); }

  const LayerSelector& selector() const { return selector_; }  // its place, to be asked for ahead

  rtp::SeqNo next_seq() const { return rewriter_.next(); }  // of the next new packet

private:
  std::optional<Drop> forward_audio(const rtp::Packet& packet, Rewritten& out) {
    if (rewriter_.stopped()) [[unlikely]]
      rewriter_.start(packet, out);
    else if (!rewriter_.forward(packet, out)) [[unlikely]]
      return Drop::too_old;
    return std::nullopt;
  }
  std::optional<Drop> forward_video(const rtp::Packet& packet, Time now, Rewritten& out);
  std::optional<Drop> forward_current(const rtp::Packet& packet, Time now, Rewritten& out);

  // given
  MediaKind kind_;
  // state
  bool paused_ = false;
  Rewriter rewriter_;
  CurrentLayers told_;
  LayerSelector selector_;
};

}  // namespace cardea::media
