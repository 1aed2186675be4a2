#include "jitter_buffer.hpp"

#include <algorithm>

namespace cardea::spatialaudio {
namespace {

constexpr int64_t furthest = 48000;  // a second ahead of what is played

}  // namespace

VoiceDrop JitterBuffer::insert(const VoicePacket& packet, int64_t played) {
  if (packet.payload.size() > arena / 4) return VoiceDrop::too_big;
  if (packet.timestamp < played) return VoiceDrop::late;
  if (packet.timestamp - played > furthest) return VoiceDrop::too_far;
  Slot* place = nullptr;
  for (Slot& slot : slots_) {
    if (!slot.used) {
      place = &slot;
    } else if (slot.packet.timestamp == packet.timestamp) {
      return VoiceDrop::duplicate;
    }
  }
  if (!place)
    place = &*std::min_element(slots_.begin(), slots_.end(),
                               [](const Slot& a, const Slot& b) { return a.packet.timestamp < b.packet.timestamp; });
  // a payload stands in one piece
  const size_t size = packet.payload.size(), offset = written_ % arena;
  if (offset + size > arena) written_ += arena - offset;
  *place = {.used = true, .packet = packet, .begin = written_};
  std::copy(packet.payload.begin(), packet.payload.end(), bytes_.begin() + static_cast<long>(written_ % arena));
  written_ += size;
  for (Slot& slot : slots_)
    if (slot.used && written_ - slot.begin > arena) slot.used = false;
  return VoiceDrop::none;
}

VoicePacket JitterBuffer::view(const Slot& slot) const {
  VoicePacket packet = slot.packet;
  packet.payload = std::span(bytes_).subspan(slot.begin % arena, slot.packet.payload.size());
  return packet;
}

std::optional<VoicePacket> JitterBuffer::at(int64_t timestamp) const {
  for (const Slot& slot : slots_)
    if (slot.used && slot.packet.timestamp == timestamp) return view(slot);
  return std::nullopt;
}

std::optional<VoicePacket> JitterBuffer::from(int64_t timestamp) const {
  const Slot* first = nullptr;
  for (const Slot& slot : slots_)
    if (slot.used && slot.packet.timestamp >= timestamp && (!first || slot.packet.timestamp < first->packet.timestamp))
      first = &slot;
  return first ? std::optional(view(*first)) : std::nullopt;
}

void JitterBuffer::played(int64_t timestamp) {
  for (Slot& slot : slots_)
    if (slot.packet.timestamp < timestamp) slot.used = false;
}

void JitterBuffer::clear() {
  for (Slot& slot : slots_) slot.used = false;
}

}  // namespace cardea::spatialaudio
