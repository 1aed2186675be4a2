// One m-line of a publisher: what was agreed on with it, and how the room shows it to others.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "cardea/codecs.hpp"
#include "cardea/json.hpp"
#include "cardea/media.hpp"

namespace cardea::videoroom {

class Room;

struct Stream {
  MediaKind kind = MediaKind::audio;
  size_t mindex = 0;
  std::string mid;
  bool disabled = false;  // nothing comes on it: no common codec, or the publisher ceased
  std::string description;
  std::optional<Codec> codec;  // none for data
  bool fec = false, dtx = false, stereo = false;
  bool simulcast = false, svc = false;
  Extensions extensions;
  uint8_t audio_level_id = 0, video_orientation_id = 0, playout_delay_id = 0;  // as negotiated; 0: not
  // what changes without a negotiation
  bool send = true;        // the publisher's own switch
  bool moderated = false;  // muted by the room
  bool talking = false, told_talking = false;
  double talk_level = 0;              // of the last change
  std::optional<PlayoutDelay> delay;  // for all who watch

  bool muted() const { return moderated || !send; }
  bool has_levels() const { return kind == MediaKind::audio && !disabled && extensions.has(Extension::audio_level); }

  // As others see it in "publishers"; who is talking is told only to those who join.
  Json shown(bool with_talking) const;
  // As the publisher itself sees it in "configured": with the numbers of the extensions agreed on.
  Json configured() const;
  // For the admin API.
  Json described(const std::optional<uint64_t>& subscribers) const;
  // What subscribers are offered.
  Codec offered_codec() const;
  Extensions offered_extensions() const;

private:
  Json agreed() const;
};

// Our answer to one section of a publisher's offer, by the room's rules; `forced`: the only codec to accept.
std::pair<AnswerSection, Stream> accept_section(const Section& section, size_t mindex, const Room& room,
                                                std::optional<CodecType> forced);

}  // namespace cardea::videoroom
