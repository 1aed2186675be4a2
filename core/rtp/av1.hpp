// AV1 payloads (RTP Payload Format for AV1, section 4.4) and the dependency descriptor (its appendix A), which tells
// the layers of any codec.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "rtp/packet.hpp"

namespace cardea::rtp {

// Reads the aggregation header: a keyframe begins where a new coded video sequence does (N bit), or where a sequence
// header OBU stands. False: broken.
bool parse_av1(Bytes payload, VideoInfo& info);

// What a frame is for one decode target.
enum class DecodeTargetIndication : uint8_t { not_present, discardable, switch_point, required };

// The template dependency structure: the kinds of frames a stream has. It comes with a keyframe and holds until the
// next.
struct DependencyStructure {
  static constexpr size_t max_templates = 64;
  static constexpr size_t max_targets = 32;

  struct Template {
    uint8_t spatial = 0;
    uint8_t temporal = 0;
    uint64_t indications = 0;                   // two bits for each decode target, target 0 the lowest
    std::array<uint8_t, max_targets> chains{};  // frames back to the previous one of each chain; 0: none
  };
  struct Target {
    uint8_t spatial = 0;  // the highest layers in it
    uint8_t temporal = 0;
    uint8_t chain = 0;  // that protects it
  };
  struct Resolution {
    uint16_t width = 0, height = 0;
  };

  uint8_t template_offset = 0;  // id of the first template
  uint8_t template_count = 0;
  uint8_t target_count = 0;
  uint8_t chain_count = 0;
  uint8_t spatial_layers = 0;
  uint8_t temporal_layers = 0;
  bool has_resolutions = false;
  std::array<Template, max_templates> templates{};
  std::array<Target, max_targets> targets{};
  std::array<Resolution, 4> resolutions{};  // by spatial layer
};

// What the descriptor says of the frame that this packet belongs to.
struct FrameDependency {
  bool first_packet = false;  // of the frame
  bool last_packet = false;
  bool new_structure = false;
  uint16_t frame_number = 0;
  uint8_t spatial = 0;
  uint8_t temporal = 0;
  uint8_t target_count = 0;
  uint32_t active_targets = 0;  // bit i: decode target i is being sent
  uint64_t indications = 0;     // as in the template
  uint8_t chain_count = 0;
  std::array<uint8_t, DependencyStructure::max_targets> chains{};

  DecodeTargetIndication indication(size_t target) const {
    return static_cast<DecodeTargetIndication>((indications >> (2 * target)) & 3);
  }
};

// Reads the descriptors of one stream in the order of its numbers; holds the structure that they refer to.
class DependencyReader {
public:
  // None: broken, or it refers to a structure that has not come yet.
  std::optional<FrameDependency> read(Bytes descriptor);
  const DependencyStructure* structure() const { return known_ ? &structure_ : nullptr; }

private:
  DependencyStructure structure_;
  uint32_t active_targets_ = 0;
  bool known_ = false;
};

// Takes over into `info` what the descriptor says: layers, how many there are now, switch points and, at the frame that
// brings a new structure, the keyframe. Returns none if it was not readable; `info` is then as before.
std::optional<FrameDependency> describe(Bytes descriptor, DependencyReader& reader, VideoInfo& info);

// As describe(packet) in parse.hpp, and then by the packet's dependency descriptor if it has one. The reader belongs to
// the packet's stream (SSRC).
bool describe(Packet& packet, DependencyReader& reader);

}  // namespace cardea::rtp
