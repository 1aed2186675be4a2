// Keeps a voice's packets until they are played, by their timestamps: late, doubled and missing ones are told apart,
// and it is measured how early packets come. Pure: no clock, no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "cardea/time.hpp"

namespace cardea::spatialaudio {

struct VoicePacket {
  int64_t seq = 0;
  int64_t timestamp = 0;           // widened, in samples at 48 kHz
  std::optional<uint8_t> level{};  // RFC 6464: 0 loud .. 127 silence
  bool earlier = false;            // a redundant copy out of a later packet
  std::span<const uint8_t> payload{};
};

// Why a packet is not played.
enum class VoiceDrop : uint8_t { none, malformed, late, duplicate, too_big, too_far };

class JitterBuffer {
public:
  // played: the timestamp up to which all has been played.
  VoiceDrop insert(const VoicePacket& packet, int64_t played);
  // The packet at this timestamp, or the first after it; none: there is none. Its payload holds until the next insert.
  std::optional<VoicePacket> at(int64_t timestamp) const;
  std::optional<VoicePacket> from(int64_t timestamp) const;
  void played(int64_t timestamp);  // forgets all before
  void clear();

private:
  // Enough for 0.5 s at 128 kbit/s and 20 ms; what is in the way of new bytes is forgotten.
  static constexpr size_t slots = 48, arena = 12 * 1024;

  struct Slot {
    bool used = false;
    VoicePacket packet{};
    uint64_t begin = 0;  // counts all bytes ever written
  };
  VoicePacket view(const Slot& slot) const;

  std::array<Slot, slots> slots_{};
  std::array<uint8_t, arena> bytes_{};
  uint64_t written_ = 0;
};

}  // namespace cardea::spatialaudio
