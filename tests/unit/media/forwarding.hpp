// What rewriters and forwarders make of a packet, as values.
#pragma once

#include <optional>
#include <tl/expected.hpp>

#include "media/forwarder.hpp"
#include "media/rewriter.hpp"

namespace cardea::media::test {

using Forwarded = tl::expected<Rewritten, Drop>;

inline Forwarded forward(Forwarder& forwarder, const rtp::Packet& packet, Time now) {
  Rewritten out;
  if (auto drop = forwarder.forward(packet, now, out)) return tl::unexpected(*drop);
  return out;
}

inline Rewritten start(Rewriter& rewriter, const rtp::Packet& packet) {
  Rewritten out;
  rewriter.start(packet, out);
  return out;
}

inline std::optional<Rewritten> forward(Rewriter& rewriter, const rtp::Packet& packet) {
  Rewritten out;
  if (!rewriter.forward(packet, out)) return std::nullopt;
  return out;
}

inline std::optional<Rewritten> forward_left_behind(const Rewriter& rewriter, const rtp::Packet& packet) {
  Rewritten out;
  if (!rewriter.forward_left_behind(packet, out)) return std::nullopt;
  return out;
}

}  // namespace cardea::media::test
