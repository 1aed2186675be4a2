// The words plugins use for media: what a peer offers, what we answer or offer, which layers go on. No SDP text, no
// packets.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cardea/ids.hpp"
#include "cardea/time.hpp"

namespace cardea {

enum class MediaKind : uint8_t { audio, video, data };

// As written in an SDP by the one who speaks: in an Offer or Answer the peer's view, in a plan ours.
enum class Direction : uint8_t { sendrecv, sendonly, recvonly, inactive };

constexpr bool sends(Direction d) { return d == Direction::sendrecv || d == Direction::sendonly; }
constexpr bool receives(Direction d) { return d == Direction::sendrecv || d == Direction::recvonly; }
constexpr Direction direction(bool send, bool receive) {
  return send ? (receive ? Direction::sendrecv : Direction::sendonly)
              : (receive ? Direction::recvonly : Direction::inactive);
}
// The same line seen from the other end.
constexpr Direction reversed(Direction d) { return direction(receives(d), sends(d)); }

enum class CodecType : uint8_t {
  opus,
  multiopus,
  pcmu,
  pcma,
  g722,
  l16_48,
  l16,
  isac16,
  isac32,
  vp8,
  vp9,
  h264,
  av1,
  h265
};

// The Janus API's names: "opus", "vp8", "h264"...
constexpr std::array<std::string_view, 14> codec_names{"opus",   "multiopus", "pcmu", "pcma", "g722", "l16-48", "l16",
                                                       "isac16", "isac32",    "vp8",  "vp9",  "h264", "av1",    "h265"};
constexpr std::string_view name(CodecType codec) { return codec_names[static_cast<size_t>(codec)]; }
constexpr std::optional<CodecType> codec_of(std::string_view name) {
  for (size_t i = 0; i < codec_names.size(); ++i)
    if (codec_names[i] == name) return static_cast<CodecType>(i);
  return std::nullopt;
}
constexpr MediaKind kind_of(CodecType codec) { return codec >= CodecType::vp8 ? MediaKind::video : MediaKind::audio; }
constexpr std::string_view name(MediaKind kind) {
  return kind == MediaKind::audio ? "audio" : kind == MediaKind::video ? "video" : "data";
}

// A codec with the format parameters that tell its variants apart (a=fmtp as text,
// "profile-level-id=42e01f;packetization-mode=1").
struct Codec {
  CodecType type = CodecType::opus;
  std::string fmtp{};
};

// RTP header extensions the house understands (RFC 8285 ids are negotiated by the core).
enum class Extension : uint8_t {
  mid,                    // urn:ietf:params:rtp-hdrext:sdes:mid                      RFC 9143
  rid,                    // urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id            RFC 8852
  repaired_rid,           // urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id   RFC 8852
  audio_level,            // urn:ietf:params:rtp-hdrext:ssrc-audio-level              RFC 6464
  video_orientation,      // urn:3gpp:video-orientation                               3GPP TS 26.114
  playout_delay,          // http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
  transport_cc,           // http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
  abs_send_time,          // http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
  abs_capture_time,       // http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time
  dependency_descriptor,  // https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension
  video_layers,           // http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00
};
inline constexpr size_t extension_count = 11;

// A set of extensions.
class Extensions {
public:
  constexpr Extensions() = default;
  constexpr Extensions(std::initializer_list<Extension> all) {
    for (Extension e : all) add(e);
  }
  constexpr void add(Extension e) { bits_ |= bit(e); }
  constexpr void remove(Extension e) { bits_ &= static_cast<uint16_t>(~bit(e)); }
  constexpr bool has(Extension e) const { return (bits_ & bit(e)) != 0; }
  constexpr bool operator==(const Extensions&) const = default;

private:
  static constexpr uint16_t bit(Extension e) { return static_cast<uint16_t>(1u << static_cast<unsigned>(e)); }
  uint16_t bits_ = 0;
};

// One m-line of a peer's description.
struct Section {
  std::string mid{};
  MediaKind kind = MediaKind::audio;
  Direction direction = Direction::inactive;             // the peer's view
  bool rejected = false;                                 // port 0, or of a media type we do not know
  std::vector<Codec> codecs{};                           // the peer's order; without RTX, FEC and RED
  Extensions extensions{};                               // those offered
  std::array<uint8_t, extension_count> extension_ids{};  // their numbers, in the order of Extension; 0: not offered
  bool red = false;                                      // Opus RED (RFC 2198) offered
  bool rtx = false;
  std::vector<std::string> rids{};          // simulcast the peer sends, lowest quality first; by rid
  uint8_t ssrc_layers = 0;                  // simulcast by a legacy SIM group: how many layers
  bool svc = false;                         // told by the jsep's "svc" member
  std::string msid{};                       // "stream track" of a=msid, if any
  std::optional<uint32_t> bandwidth_bps{};  // b=TIAS, or b=AS in bit/s

  bool simulcast() const { return rids.size() > 1 || ssrc_layers > 1; }
  uint8_t extension_id(Extension e) const { return extension_ids[static_cast<size_t>(e)]; }
};

// What a peer asks for: the sections in the order of its m-lines.
struct Offer {
  std::vector<Section> sections{};
  bool update = false;       // a renegotiation: the peer connection is there already
  bool ice_restart = false;  // new ICE credentials
  bool e2ee = false;
};

// What a peer says to our offer: as many sections as we offered, each with what is left of it.
struct Answer {
  std::vector<Section> sections{};
  bool e2ee = false;
};

// What we say to one section of an Offer.
struct AnswerSection {
  std::string mid{};
  Direction direction = Direction::inactive;  // ours: recvonly takes the peer's media
  std::optional<Codec>
      codec{};  // type: which to accept; none: no common codec (answered inactive, or port 0 if `reject`)
  std::string
      fmtp{};  // extra parameters of ours, "useinbandfec=1"; profile parameters are copied from the offer by the core
  bool reject = false;                      // not wanted at all: port 0
  bool red = false;                         // accept Opus RED
  bool simulcast = true;                    // accept the offered simulcast
  Extensions extensions{};                  // accepted, of those offered
  std::optional<uint32_t> bandwidth_bps{};  // b=TIAS and b=AS
};

struct AnswerPlan {
  std::string name{};                     // the s= line
  std::vector<AnswerSection> sections{};  // by mid; sections of the offer that are not named here are rejected
};

// One m-line we offer. Lines keep their place and mid for the life of the peer connection.
struct OfferSection {
  std::string mid{};
  MediaKind kind = MediaKind::audio;
  Direction direction = Direction::sendonly;
  std::optional<Codec> codec{};  // none for data
  bool red = false;
  Extensions extensions{};  // ids are the core's own
  std::string msid{};       // "stream track"; empty: "janus janus<mid>"
};

struct OfferPlan {
  std::string name{};  // the s= line
  std::vector<OfferSection> sections{};
  bool ice_restart = false;
  bool e2ee = false;
};

// Which layers of a stream with several go to a sender. 0 is the lowest; targets are upper bounds.
struct Layers {
  uint8_t substream = 2;  // simulcast
  uint8_t temporal = 2;
  uint8_t spatial = 2;        // SVC (VP9, AV1)
  Duration fallback = 250ms;  // this long without packets of the wanted substream: one lower
  bool operator==(const Layers&) const = default;
};

// What is being relayed to a sender now; -1: nothing yet, or the stream has no such layers.
struct CurrentLayers {
  int substream = -1;
  int temporal = -1;
  int spatial = -1;
  int temporal_layers = 0;  // how many there are, where known
  int spatial_layers = 0;
  bool operator==(const CurrentLayers&) const = default;
};

// When somebody counts as talking (RFC 6464 levels: 0 loud, 127 silence).
struct TalkDetection {
  uint32_t active_packets = 100;  // averaged over this many
  uint8_t level_average = 25;     // talking below it
};

// Limits for the receiver's playout, in steps of 10 ms as the extension counts.
struct PlayoutDelay {
  uint16_t min_10ms = 0;
  uint16_t max_10ms = 0;
};

// The bytes of a data message. They never change, so copies share them: a message to a whole room is one text.
class Payload {
public:
  Payload() = default;
  Payload(std::string bytes) : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}
  Payload(const char* text) : Payload(std::string(text)) {}

  const std::string& text() const { return bytes_ ? *bytes_ : none(); }
  operator const std::string&() const { return text(); }
  size_t size() const { return text().size(); }

private:
  static const std::string& none() {
    static const std::string empty;
    return empty;
  }
  std::shared_ptr<const std::string> bytes_;
};

struct DataMessage {
  std::string label{};  // empty when sending: the default label "JanusDataChannel"
  std::string protocol{};
  bool binary = false;
  Payload payload{};
  // The SCTP stream it came on. When sending: the channel on that stream, whatever its label, and none other.
  std::optional<uint16_t> stream{};
};

// A data channel and how it delivers (RFC 8832 section 5.1): at most one of the two bounds, none is reliable.
struct DataChannel {
  std::string label{};  // empty when opening: the default label
  std::string protocol{};
  bool ordered = true;
  std::optional<uint32_t> max_retransmits{};
  std::optional<uint32_t> max_lifetime_ms{};
};

}  // namespace cardea
