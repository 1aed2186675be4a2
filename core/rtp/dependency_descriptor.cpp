#include <algorithm>
#include <bit>

#include "rtp/av1.hpp"
#include "rtp/parse.hpp"

// Appendix A.8 of the RTP Payload Format for AV1; the functions here are its syntax tables.
namespace cardea::rtp {
namespace {

constexpr uint8_t max_spatial = 3, max_temporal = 7;

class BitReader {
public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  uint32_t bits(unsigned count) {
    if (count > bytes_.size() * 8 - at_) {
      ok_ = false;
      return 0;
    }
    uint32_t value = 0;
    while (count > 0) {
      auto inside = static_cast<unsigned>(8 - at_ % 8);  // bits left in this byte
      unsigned taken = std::min(count, inside);
      value = (value << taken) | ((bytes_[at_ / 8] >> (inside - taken)) & ((1u << taken) - 1));
      at_ += taken;
      count -= taken;
    }
    return value;
  }
  bool flag() { return bits(1) != 0; }
  // A number below `bound` in as few bits as it takes: ns(n), appendix A.8.1.
  uint32_t below(uint32_t bound) {
    auto width = static_cast<unsigned>(std::bit_width(bound));
    uint32_t shorter = (uint32_t{1} << width) - bound;
    uint32_t value = bits(width - 1);
    if (value < shorter) return value;
    return (value << 1) - shorter + bits(1);
  }

private:
  Bytes bytes_;
  size_t at_ = 0;  // bits
  bool ok_ = true;
};

uint64_t read_indications(BitReader& in, uint8_t targets) {
  uint64_t indications = 0;
  for (uint8_t i = 0; i < targets; ++i) indications |= uint64_t{in.bits(2)} << (2 * i);
  return indications;
}

bool read_template_layers(BitReader& in, DependencyStructure& structure) {
  enum Next : uint32_t { same_layer, next_temporal, next_spatial, no_more };
  uint8_t spatial = 0, temporal = 0, highest = 0;
  for (uint32_t next = same_layer; next != no_more;) {
    if (structure.template_count == DependencyStructure::max_templates) return false;
    auto& entry = structure.templates[structure.template_count++];
    entry.spatial = spatial;
    entry.temporal = temporal;
    next = in.bits(2);
    if (!in.ok()) return false;
    if (next == next_temporal) {
      if (++temporal > max_temporal) return false;
      highest = std::max(highest, temporal);
    } else if (next == next_spatial) {
      if (++spatial > max_spatial) return false;
      temporal = 0;
    }
  }
  structure.spatial_layers = static_cast<uint8_t>(spatial + 1);
  structure.temporal_layers = static_cast<uint8_t>(highest + 1);
  return true;
}

void skip_template_differences(BitReader& in, const DependencyStructure& structure) {
  for (uint8_t i = 0; i < structure.template_count; ++i)
    while (in.flag()) in.bits(4);
}

void read_template_chains(BitReader& in, DependencyStructure& structure) {
  structure.chain_count = static_cast<uint8_t>(in.below(structure.target_count + 1u));
  if (structure.chain_count == 0) return;
  for (uint8_t i = 0; i < structure.target_count; ++i)
    structure.targets[i].chain = static_cast<uint8_t>(in.below(structure.chain_count));
  for (uint8_t i = 0; i < structure.template_count; ++i)
    for (uint8_t chain = 0; chain < structure.chain_count; ++chain)
      structure.templates[i].chains[chain] = static_cast<uint8_t>(in.bits(4));
}

// A decode target reaches as high as the frames that are present in it.
void find_target_layers(DependencyStructure& structure) {
  for (uint8_t i = 0; i < structure.target_count; ++i) {
    auto& target = structure.targets[i];
    for (uint8_t k = 0; k < structure.template_count; ++k) {
      const auto& entry = structure.templates[k];
      if (((entry.indications >> (2 * i)) & 3) == 0) continue;
      target.spatial = std::max(target.spatial, entry.spatial);
      target.temporal = std::max(target.temporal, entry.temporal);
    }
  }
}

bool read_structure(BitReader& in, DependencyStructure& structure) {
  structure.template_offset = static_cast<uint8_t>(in.bits(6));
  structure.target_count = static_cast<uint8_t>(in.bits(5) + 1);
  if (!read_template_layers(in, structure)) return false;
  for (uint8_t i = 0; i < structure.template_count; ++i)
    structure.templates[i].indications = read_indications(in, structure.target_count);
  skip_template_differences(in, structure);
  read_template_chains(in, structure);
  find_target_layers(structure);
  structure.has_resolutions = in.flag();
  for (uint8_t i = 0; structure.has_resolutions && i < structure.spatial_layers; ++i) {
    auto width = in.bits(16), height = in.bits(16);
    structure.resolutions[i] = {static_cast<uint16_t>(width + 1), static_cast<uint16_t>(height + 1)};
  }
  return in.ok();
}

uint32_t all_targets(const DependencyStructure& structure) {
  return structure.target_count == 32 ? ~uint32_t{0} : (uint32_t{1} << structure.target_count) - 1;
}

void skip_frame_differences(BitReader& in) {
  for (unsigned size = in.bits(2); size != 0 && in.ok(); size = in.bits(2)) in.bits(4 * size);
}

}  // namespace

std::optional<FrameDependency> DependencyReader::read(Bytes descriptor) {
  BitReader in(descriptor);
  FrameDependency frame;
  frame.first_packet = in.flag();
  frame.last_packet = in.flag();
  auto template_id = in.bits(6);
  frame.frame_number = static_cast<uint16_t>(in.bits(16));
  if (!in.ok()) return std::nullopt;

  bool active_targets_follow = false, own_indications = false, own_differences = false, own_chains = false;
  std::optional<DependencyStructure> arriving;  // rare and large: made only when it comes
  uint32_t active_targets = active_targets_;
  if (descriptor.size() > 3) {
    frame.new_structure = in.flag();
    active_targets_follow = in.flag();
    own_indications = in.flag();
    own_differences = in.flag();
    own_chains = in.flag();
    if (frame.new_structure) {
      if (!read_structure(in, arriving.emplace())) return std::nullopt;
      active_targets = all_targets(*arriving);
    }
  }
  if (!arriving && !known_) return std::nullopt;
  const DependencyStructure& structure = arriving ? *arriving : structure_;
  if (active_targets_follow) active_targets = in.bits(structure.target_count);

  uint32_t index = (template_id + 64 - structure.template_offset) % 64;
  if (index >= structure.template_count) return std::nullopt;
  const auto& kind = structure.templates[index];
  frame.spatial = kind.spatial;
  frame.temporal = kind.temporal;
  frame.target_count = structure.target_count;
  frame.active_targets = active_targets;
  frame.chain_count = structure.chain_count;
  frame.indications = own_indications ? read_indications(in, structure.target_count) : kind.indications;
  if (own_differences) skip_frame_differences(in);
  frame.chains = kind.chains;
  for (uint8_t i = 0; own_chains && i < structure.chain_count; ++i) frame.chains[i] = static_cast<uint8_t>(in.bits(8));
  if (!in.ok()) return std::nullopt;

  if (arriving) structure_ = *arriving;
  known_ = true;
  active_targets_ = active_targets;
  return frame;
}

std::optional<FrameDependency> describe(Bytes descriptor, DependencyReader& reader, VideoInfo& info) {
  auto frame = reader.read(descriptor);
  if (!frame) return frame;
  const DependencyStructure& structure = *reader.structure();
  info.spatial = static_cast<int8_t>(frame->spatial);
  info.temporal = static_cast<int8_t>(frame->temporal);
  info.frame_number = frame->frame_number;
  info.frame_start = frame->first_packet;
  info.end_of_layer = frame->last_packet;
  info.keyframe = info.keyframe || (frame->new_structure && frame->first_packet);
  info.spatial_layers = 0;
  info.temporal_layers = 0;
  info.switch_up = false;
  info.switch_to = -1;
  for (size_t i = 0; i < frame->target_count; ++i) {
    const auto& target = structure.targets[i];
    if (((frame->active_targets >> i) & 1) != 0) {
      info.spatial_layers = std::max(info.spatial_layers, static_cast<int8_t>(target.spatial + 1));
      info.temporal_layers = std::max(info.temporal_layers, static_cast<int8_t>(target.temporal + 1));
    }
    // A switch point of a target: from this frame on all frames of the target can be decoded (section A.8.3.1). Often
    // it is a frame of a lower layer, and those of the target's own layer are discardable.
    if (target.spatial != frame->spatial || frame->indication(i) != DecodeTargetIndication::switch_point) continue;
    info.switch_to = std::max(info.switch_to, static_cast<int8_t>(target.temporal));
    info.switch_up = info.switch_up || target.temporal == frame->temporal;
  }
  return frame;
}

bool describe(Packet& packet, DependencyReader& reader) {
  if (!describe(packet)) return false;
  // A descriptor that refers to a structure still missing leaves the payload's word: a keyframe will bring it.
  if (!packet.extensions.dependency_descriptor.empty() && kind_of(packet.codec) == MediaKind::video)
    describe(packet.extensions.dependency_descriptor, reader, packet.video);
  return true;
}

}  // namespace cardea::rtp
