// What was negotiated for one peer connection, as values: the bridge from an SDP exchange (control thread) to the peer
// on its worker.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "cardea/media.hpp"

namespace cardea::sdp {

struct IceCredentials {
  std::string ufrag, pwd;
  bool operator==(const IceCredentials&) const = default;
};

enum class HashType : uint8_t { sha1, sha256, sha384, sha512 };

struct Fingerprint {
  HashType hash = HashType::sha256;
  std::vector<uint8_t> digest;
  bool operator==(const Fingerprint&) const = default;
};

enum class DtlsRole : uint8_t { client, server };  // ours: "active" is client

// One negotiated payload type of an m-line.
struct PayloadPlan {
  uint8_t type = 0;
  Codec codec;
  uint32_t clock_hz = 0;
  std::optional<uint8_t> rtx;  // payload type of its RTX (RFC 4588)
  std::optional<uint8_t> red;  // Opus RED carrying this codec (RFC 2198)
  bool nack = false, pli = false, fir = false, remb = false, transport_cc = false;
  bool operator==(const PayloadPlan& o) const {
    return type == o.type && codec.type == o.codec.type && codec.fmtp == o.codec.fmtp && rtx == o.rtx && red == o.red;
  }
};

// RFC 8285 ids of the negotiated extensions; 0: not negotiated.
struct ExtensionMap {
  std::array<uint8_t, extension_count> ids{};
  uint8_t operator[](Extension e) const { return ids[static_cast<size_t>(e)]; }
  uint8_t& operator[](Extension e) { return ids[static_cast<size_t>(e)]; }
  bool operator==(const ExtensionMap&) const = default;
};

// An SSRC the peer announced for an m-line.
struct SsrcPlan {
  uint32_t ssrc = 0;
  std::optional<uint32_t> rtx;  // by a=ssrc-group:FID
  bool operator==(const SsrcPlan&) const = default;
};

// One m-line; its index in PeerPlan::mlines is the m-line index of the SDP.
struct MlinePlan {
  std::string mid;
  MediaKind kind = MediaKind::audio;
  Direction direction = Direction::inactive;  // ours
  std::vector<PayloadPlan> payloads;          // both directions; the first is the one we send
  ExtensionMap extensions;

  // From the peer.
  std::vector<std::string> rids;  // simulcast by RID: index = substream, 0 the lowest quality
  std::vector<SsrcPlan> ssrcs;    // announced ones; with a legacy SIM group: index = substream
  // To the peer.
  uint32_t ssrc = 0;      // ours, kept for the life of the m-line, and not used again after it; 0: nothing is sent
  uint32_t rtx_ssrc = 0;  // 0: no RTX

  bool operator==(const MlinePlan&) const = default;
};

// Is it the line of before, or another one in a place that is used anew (RFC 9429 section 5.2.2)?
inline bool same_line(const MlinePlan& before, const MlinePlan& now) {
  return before.mid == now.mid && before.kind == now.kind;
}

struct DataPlan {
  uint16_t mline = 0;
  std::string mid;
  uint16_t sctp_port = 5000;
  uint32_t max_message_size = 65536;  // the peer's; RFC 8841's default
  bool operator==(const DataPlan&) const = default;
};

struct PeerPlan {
  IceCredentials local, remote;  // changed in an update: an ICE restart
  DtlsRole dtls_role = DtlsRole::client;
  Fingerprint remote_fingerprint;
  std::vector<MlinePlan> mlines;  // data and rejected lines too, inactive: the index is the m-line's
  std::optional<DataPlan> data;
  std::string cname = "janus";
  bool operator==(const PeerPlan&) const = default;
};

}  // namespace cardea::sdp
