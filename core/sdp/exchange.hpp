// The two halves of an exchange of descriptions: reading what a peer says, and composing what we say. No state; that is
// Negotiation's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cardea/result.hpp"
#include "sdp/description.hpp"
#include "sdp/negotiation.hpp"
#include "sdp/peer_plan.hpp"

namespace cardea::sdp {

// What we hold of an m-line for the life of the peer connection, or until its place is used anew.
struct Line {
  std::string mid;
  MediaKind kind = MediaKind::audio;
  bool rejected = false;  // its place may be used anew (RFC 9429 section 5.2.2)
  uint32_t ssrc = 0, rtx_ssrc = 0;
};

// --- what a peer says ---

struct PeerTransport {
  IceCredentials credentials;
  Fingerprint fingerprint;
  std::optional<Setup> setup;
  std::vector<Candidate> candidates;
};

// Which m-lines share the one transport: those of the (first) bundle that are not rejected and of a kind we know; of
// data only the first. Without a bundle it is the first m-line alone.
std::vector<bool> usable_lines(const Description& description);

// Gives mids to m-lines without one, by their index. Fails (465) if a mid is there twice.
Status complete_mids(Description& description);

// The one transport's parameters, from the first bundled m-line that has them. Fails with 465.
Result<PeerTransport> transport_of(const Description& description, const std::vector<bool>& usable);

// One byte carries 1 to 14, two bytes up to 255; 15 means something else (RFC 8285 section 4.2).
constexpr bool usable_id(uint16_t id) { return id <= 255 && id != 15; }

// In a bundle an id means one extension (RFC 9143 section 12). Some peers offer others and read with the last one's
// meaning, so the first m-line's stays and the others' lines go.
void keep_one_meaning_per_id(Description& description, const std::vector<bool>& usable);

// How a plugin sees an m-line.
Section section_of(const MediaDescription& media, size_t index, bool usable, const JsepOptions& options);

// Simulcast streams the peer sends, in the order of its list, three at most.
std::vector<SimulcastStream> sent_streams(const MediaDescription& media);
// Their rids as substreams: the lowest quality first.
std::vector<std::string> substreams(const std::vector<SimulcastStream>& streams, bool low_to_high);
// Announced SSRCs: those of a SIM group in its order, else the first one.
std::vector<SsrcPlan> announced_ssrcs(const MediaDescription& media);

// --- what we say ---

// Both the m-line as we write it and what it means to the worker.
struct Composed {
  MediaDescription media;
  MlinePlan plan;
  std::optional<DataPlan> data;
};

struct AnswerInput {
  const MediaDescription& offered;
  const Line& line;
  const AnswerSection* wanted;  // null: not wanted
  bool usable;
  bool low_to_high_rids;
};

class Composer {
public:
  Composer(const LocalParameters& local, const IceCredentials& credentials, Setup setup)
      : local_(local), credentials_(credentials), setup_(setup) {}

  Description session(std::string name) const;
  Composed answer(const AnswerInput& input) const;
  // An m-line of an offer: payload types and extension ids stand in `plan` already.
  MediaDescription offer(const MlinePlan& plan, const std::string& msid) const;
  MediaDescription rejected(const MediaDescription& offered, const std::string& mid) const;

private:
  void transport(MediaDescription& media) const;
  void data(MediaDescription& media) const;
  Composed answer_data(const AnswerInput& input) const;
  void answer_codec(const AnswerInput& input, const Format& chosen, Composed& out) const;
  void answer_extensions(const AnswerInput& input, Composed& out) const;
  void answer_simulcast(const AnswerInput& input, Composed& out) const;

  // given
  const LocalParameters& local_;
  const IceCredentials& credentials_;
  Setup setup_;
};

// What our payload's feedback flags are of those offered, and the a=rtcp-fb values that say so.
void agree_feedback(PayloadPlan& payload, const Format& offered, MediaKind kind, bool transport_cc);
std::vector<std::string> feedback_lines(const PayloadPlan& payload, MediaKind kind);

DataPlan data_plan(const MediaDescription& peer, size_t index, const std::string& mid);

// The a=msid and a=ssrc lines of ours.
void write_sources(MediaDescription& media, const MlinePlan& plan, const std::string& msid);

}  // namespace cardea::sdp
