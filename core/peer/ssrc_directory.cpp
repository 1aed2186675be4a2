#include "peer/ssrc_directory.hpp"

#include <algorithm>

namespace cardea::peer {
namespace {

bool is_rtx(const sdp::MlinePlan& mline, uint8_t payload_type) {
  return std::any_of(mline.payloads.begin(), mline.payloads.end(),
                     [&](const sdp::PayloadPlan& payload) { return payload.rtx == payload_type; });
}

bool has_payload(const sdp::MlinePlan& mline, uint8_t payload_type) {
  return std::any_of(mline.payloads.begin(), mline.payloads.end(), [&](const sdp::PayloadPlan& payload) {
    return payload.type == payload_type || payload.rtx == payload_type || payload.red == payload_type;
  });
}

std::optional<uint16_t> mline_of(const rtp::Packet& packet, std::span<const sdp::MlinePlan> mlines) {
  if (!packet.extensions.mid.empty()) {
    for (uint16_t i = 0; i < mlines.size(); ++i)
      if (mlines[i].mid == packet.extensions.mid && receives(mlines[i].direction)) return i;
    return std::nullopt;
  }
  std::optional<uint16_t> only;
  for (uint16_t i = 0; i < mlines.size(); ++i) {
    if (!receives(mlines[i].direction) || !has_payload(mlines[i], packet.payload_type)) continue;
    if (only) return std::nullopt;
    only = i;
  }
  return only;
}

std::optional<uint8_t> substream_of(const sdp::MlinePlan& mline, const rtp::Packet& packet, bool rtx) {
  if (mline.rids.size() < 2) return uint8_t{0};
  std::string_view rid = packet.extensions.rid;
  if (rtx && !packet.extensions.repaired_rid.empty()) rid = packet.extensions.repaired_rid;
  if (rid.empty()) return std::nullopt;
  auto found = std::find(mline.rids.begin(), mline.rids.end(), rid);
  const auto index = static_cast<size_t>(found - mline.rids.begin());
  if (found == mline.rids.end() || index >= SsrcDirectory::max_substreams) return std::nullopt;
  return static_cast<uint8_t>(index);
}

}  // namespace

void SsrcDirectory::update(std::span<const sdp::MlinePlan> before, std::span<const sdp::MlinePlan> mlines) {
  has_last_ = false;
  auto same_line = [&](uint16_t index) {
    if (index >= mlines.size() || index >= before.size()) return false;
    return receives(mlines[index].direction) && sdp::same_line(before[index], mlines[index]) &&
           mlines[index].rids == before[index].rids;
  };
  std::erase_if(places_,
                [&](const auto& entry) { return !entry.second.learnt || !same_line(entry.second.place.mline); });
  any_extensions_ = {};
  for (uint16_t index = 0; index < mlines.size(); ++index) {
    const sdp::MlinePlan& mline = mlines[index];
    for (size_t i = 0; i < extension_count; ++i)
      if (any_extensions_.ids[i] == 0) any_extensions_.ids[i] = mline.extensions.ids[i];
    if (!receives(mline.direction)) continue;
    const size_t layers = std::min<size_t>(mline.ssrcs.size(), max_substreams);
    for (uint8_t layer = 0; layer < layers; ++layer) {
      const sdp::SsrcPlan& announced = mline.ssrcs[layer];
      // With RIDs the packets tell the layer, and the order of announced SSRCs does not.
      if (mline.rids.size() > 1) break;
      places_[announced.ssrc] = {{index, layer, false}, false};
      if (announced.rtx) places_[*announced.rtx] = {{index, layer, true}, false};
    }
  }
}

std::optional<StreamPlace> SsrcDirectory::find_slowly(uint32_t ssrc) const {
  auto known = places_.find(ssrc);
  if (known == places_.end()) return std::nullopt;
  last_ssrc_ = ssrc;
  last_ = known->second.place;
  has_last_ = true;
  return last_;
}

std::optional<StreamPlace> SsrcDirectory::learn(const rtp::Packet& packet, std::span<const sdp::MlinePlan> mlines) {
  std::optional<uint16_t> index = mline_of(packet, mlines);
  if (!index) return std::nullopt;
  const sdp::MlinePlan& mline = mlines[*index];
  if (!has_payload(mline, packet.payload_type)) return std::nullopt;
  const bool rtx = is_rtx(mline, packet.payload_type) || !packet.extensions.repaired_rid.empty();
  std::optional<uint8_t> substream = substream_of(mline, packet, rtx);
  if (!substream) return std::nullopt;
  const StreamPlace place{*index, *substream, rtx};
  std::erase_if(places_, [&](const auto& entry) { return entry.second.learnt && entry.second.place == place; });
  places_[packet.ssrc] = {place, true};
  has_last_ = false;
  return place;
}

void SsrcDirectory::forget(uint32_t ssrc) {
  auto known = places_.find(ssrc);
  if (known == places_.end() || !known->second.learnt) return;
  places_.erase(known);
  has_last_ = false;
}

}  // namespace cardea::peer
