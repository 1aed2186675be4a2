// A session description (RFC 8866) as values: what WebRTC peers say to each other, with the attributes that matter
// here; others are dropped. parse() reads texts of strangers, write() writes ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/media.hpp"
#include "cardea/result.hpp"
#include "sdp/candidate.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::sdp {

// Bounds of what is read. A room of a hundred publishers with audio and video stays well below.
inline constexpr size_t max_text_size = 512 * 1024;
inline constexpr size_t max_mlines = 256;     // of ours too; what a peer may offer is less, see LocalParameters
inline constexpr size_t max_formats = 128;    // payload types of an m-line
inline constexpr size_t max_attributes = 64;  // of each repeatable kind; more are ignored
inline constexpr size_t max_mid_length = 64;  // 16 for audio and video, whose RTP carries the mid

struct Origin {
  std::string username = "-";
  std::string session_id = "0";
  std::string version = "0";
  std::string address = "127.0.0.1";  // IPv4, IPv6, or a name
  bool operator==(const Origin&) const = default;
};

enum class Setup : uint8_t { actpass, active, passive, holdconn };  // RFC 4145, 8842

// Attributes that may stand on the session level for all m-lines. parse() hands them down to each m-line.
struct TransportAttributes {
  std::string ufrag, pwd;
  std::vector<Fingerprint> fingerprints;
  std::optional<Setup> setup;
  bool trickle = false;  // a=ice-options:trickle
  bool operator==(const TransportAttributes&) const = default;
};

// One payload type of an m-line with its a=rtpmap, a=fmtp and a=rtcp-fb lines.
struct Format {
  uint8_t type = 0;
  std::string name;  // as in a=rtpmap; empty: there is none
  uint32_t clock_hz = 0;
  uint8_t channels = 1;
  std::string fmtp;
  std::vector<std::string> feedback;  // "nack pli"
  bool operator==(const Format&) const = default;
};

struct ExtensionLine {  // RFC 8285
  uint16_t id = 0;
  std::string uri;
  std::optional<Direction> direction{};  // "a=extmap:9/sendonly"
  bool operator==(const ExtensionLine&) const = default;
};

struct SsrcLine {
  uint32_t ssrc = 0;
  std::string cname;
  bool operator==(const SsrcLine&) const = default;
};

struct SsrcGroup {
  std::string semantics;  // "FID", "SIM"
  std::vector<uint32_t> ssrcs;
  bool operator==(const SsrcGroup&) const = default;
};

struct RidLine {  // RFC 8851; restrictions are dropped
  std::string rid;
  bool send = false;
  bool operator==(const RidLine&) const = default;
};

struct SimulcastStream {  // the first of alternatives that has an a=rid
  std::string rid;
  bool paused = false;
  bool operator==(const SimulcastStream&) const = default;
};

struct Simulcast {  // RFC 8853
  std::vector<SimulcastStream> send, recv;
  bool old_form = false;  // "a=simulcast: send rid=h;m;l" of an early draft
  bool operator==(const Simulcast&) const = default;
};

struct MediaDescription {
  std::string media;  // "audio", "video", "application"
  uint16_t port = 9;
  std::string protocol;
  std::vector<Format> formats;             // RTP
  std::vector<std::string> other_formats;  // anything else: "webrtc-datachannel"
  std::string connection;                  // address of c=; empty: none
  std::optional<uint32_t> tias_bps, as_kbps;

  Direction direction = Direction::sendrecv;
  std::string mid;
  bool rtcp_mux = false;
  bool bundle_only = false;
  TransportAttributes transport;
  std::vector<ExtensionLine> extensions;
  bool extmap_allow_mixed = false;
  std::string msid;  // "stream track"
  std::vector<SsrcGroup> ssrc_groups;
  std::vector<SsrcLine> ssrcs;
  std::vector<RidLine> rids;
  std::optional<Simulcast> simulcast;
  std::optional<uint16_t> sctp_port;
  std::optional<uint16_t> sctpmap;  // the old form's port: "a=sctpmap:5000 webrtc-datachannel 16"
  std::optional<uint32_t> max_message_size;
  std::vector<Candidate> candidates;
  bool end_of_candidates = false;

  bool is_rtp() const { return media == "audio" || media == "video"; }
  bool is_data() const { return media == "application" && protocol.find("DTLS/SCTP") != std::string::npos; }
  const Format* format(uint8_t type) const;
  bool operator==(const MediaDescription&) const = default;
};

struct Description {
  Origin origin;
  std::string name = "-";
  std::vector<std::vector<std::string>> bundles;  // a=group:BUNDLE, mids
  TransportAttributes transport;
  bool ice_lite = false;
  bool extmap_allow_mixed = false;
  std::string msid_semantic;
  std::vector<MediaDescription> media;
  bool operator==(const Description&) const = default;
};

// Fails with 465 and a reason that names the line; the first m= line beyond the bound ends the reading. Takes LF for
// CRLF, and white space at the end of lines.
Result<Description> parse(std::string_view text, size_t mlines = max_mlines);

// Control characters inside values are written as spaces, so that no value can add a line.
std::string write(const Description& description);

}  // namespace cardea::sdp
