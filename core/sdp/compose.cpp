#include <algorithm>
#include <limits>

#include "cardea/text.hpp"
#include "sdp/codecs.hpp"
#include "sdp/exchange.hpp"

namespace cardea::sdp {
namespace {

constexpr uint16_t our_sctp_port = 5000;
constexpr uint32_t our_max_message_size = 262144;
constexpr uint8_t host_preference = 126;  // RFC 8445 section 5.1.2.2

bool old_data_form(const MediaDescription& media) { return media.protocol == "DTLS/SCTP"; }

// For an m-line that stays without a common codec. Audio has 0, as Janus answers; but Chromium fails on a video line
// with a payload type it did not offer, so there it is the first one offered.
Format placeholder(const MediaDescription& offered) {
  if (offered.media == "audio") return {};
  Format format = offered.formats.front();
  for (auto next = offered.formats.rbegin(); next != offered.formats.rend(); ++next)
    if (codec_of(*next)) format = *next;
  format.feedback.clear();
  return format;
}

}  // namespace

Description Composer::session(std::string name) const {
  Description description;
  description.origin.address = local_.origin_address;
  description.name = std::move(name);
  description.transport.trickle = true;
  description.transport.fingerprints = {local_.fingerprint};
  description.extmap_allow_mixed = true;
  description.msid_semantic = "WMS *";
  description.ice_lite = local_.ice_lite;
  return description;
}

void Composer::transport(MediaDescription& media) const {
  media.port = 9;
  media.connection = local_.origin_address;
  media.rtcp_mux = media.is_rtp();
  media.transport.ufrag = credentials_.ufrag;
  media.transport.pwd = credentials_.pwd;
  media.transport.trickle = true;
  media.transport.setup = setup_;
  uint16_t rank = 0;
  for (const auto& address : local_.candidates) {
    media.candidates.push_back({std::to_string(rank + 1), 1, false, candidate_priority(host_preference, rank, 1),
                                address, CandidateType::host});
    ++rank;
  }
  media.end_of_candidates = true;
}

void Composer::data(MediaDescription& media) const {
  if (old_data_form(media)) {
    media.other_formats = {std::to_string(our_sctp_port)};
    media.sctpmap = our_sctp_port;
  } else {
    media.other_formats = {"webrtc-datachannel"};
    media.sctp_port = our_sctp_port;
    media.max_message_size = our_max_message_size;
  }
}

MediaDescription Composer::rejected(const MediaDescription& offered, const std::string& mid) const {
  MediaDescription media;
  media.media = offered.media;
  media.port = 0;
  media.protocol = offered.protocol;
  if (offered.formats.empty())
    media.other_formats = {offered.other_formats.empty() ? "0" : offered.other_formats.front()};
  else
    media.formats = {Format{}};
  media.connection = local_.origin_address;
  media.direction = Direction::inactive;
  media.mid = mid;
  return media;
}

Composed Composer::answer(const AnswerInput& input) const {
  Composed out;
  out.plan.mid = input.line.mid;
  out.plan.kind = input.line.kind;
  if (!input.usable || !input.wanted || input.wanted->reject) {
    out.media = rejected(input.offered, input.line.mid);
    return out;
  }
  if (input.line.kind == MediaKind::data) return answer_data(input);

  out.media.media = input.offered.media;
  out.media.protocol = input.offered.protocol;
  out.media.mid = input.line.mid;
  out.media.direction = Direction::inactive;
  transport(out.media);
  const Format* chosen = input.wanted->codec && kind_of(input.wanted->codec->type) == input.line.kind
                             ? find_codec(input.offered, *input.wanted->codec)
                             : nullptr;
  if (!chosen) {
    out.media.formats = {placeholder(input.offered)};
    return out;
  }
  Direction wanted = input.wanted->direction, theirs = input.offered.direction;
  out.plan.direction = direction(sends(wanted) && receives(theirs), receives(wanted) && sends(theirs));
  out.media.direction = out.plan.direction;
  if (auto bps = input.wanted->bandwidth_bps) {
    out.media.tias_bps = bps;
    out.media.as_kbps = *bps / 1000;
  }
  answer_extensions(input, out);
  answer_codec(input, *chosen, out);
  answer_simulcast(input, out);
  write_sources(out.media, out.plan, {});
  return out;
}

Composed Composer::answer_data(const AnswerInput& input) const {
  Composed out;
  out.plan.mid = input.line.mid;
  out.plan.kind = MediaKind::data;
  if (input.wanted->direction == Direction::inactive) {
    out.media = rejected(input.offered, input.line.mid);
    return out;
  }
  out.media.media = input.offered.media;
  out.media.protocol = input.offered.protocol;
  out.media.mid = input.line.mid;
  transport(out.media);
  data(out.media);
  out.data = data_plan(input.offered, 0, input.line.mid);
  return out;
}

void Composer::answer_extensions(const AnswerInput& input, Composed& out) const {
  bool takes_rids = input.wanted->simulcast && receives(out.plan.direction) && !sent_streams(input.offered).empty();
  for (const auto& line : input.offered.extensions) {
    auto extension = extension_of(line.uri);
    if (!extension || !usable_id(line.id) || out.plan.extensions[*extension] != 0) continue;
    // The mid is the core's own means to tell bundled m-lines apart; rids are of use only with the streams they name.
    bool wanted = input.wanted->extensions.has(*extension) || *extension == Extension::mid;
    if ((*extension == Extension::rid || *extension == Extension::repaired_rid) && !takes_rids) wanted = false;
    if (!wanted || line.direction == Direction::inactive) continue;
    out.plan.extensions[*extension] = static_cast<uint8_t>(line.id);
    out.media.extensions.push_back(line);
    if (line.direction) out.media.extensions.back().direction = reversed(*line.direction);
  }
}

void Composer::answer_codec(const AnswerInput& input, const Format& chosen, Composed& out) const {
  CodecType type = *codec_of(chosen);
  PayloadPlan payload;
  payload.type = chosen.type;
  payload.clock_hz = codec_line(type).clock_hz;
  payload.codec = {type, answered_fmtp(type, chosen.fmtp, input.wanted->fmtp)};
  agree_feedback(payload, chosen, input.line.kind, out.plan.extensions[Extension::transport_cc] != 0);

  Format ours = chosen;
  ours.fmtp = payload.codec.fmtp;
  ours.feedback = feedback_lines(payload, input.line.kind);
  if (const Format* red = red_of(input.offered, chosen.type); red && input.wanted->red && type == CodecType::opus) {
    payload.red = red->type;
    Format line = *red;
    line.fmtp = text(int{chosen.type}, "/", int{chosen.type});
    line.feedback.clear();
    out.media.formats.push_back(std::move(line));  // first: what we would rather get
  }
  out.media.formats.push_back(std::move(ours));
  if (const Format* rtx = rtx_of(input.offered, chosen.type)) {
    payload.rtx = rtx->type;
    out.media.formats.push_back({rtx->type, "rtx", rtx->clock_hz, 1, text("apt=", int{chosen.type}), {}});
  }
  out.plan.ssrc = input.line.ssrc;
  out.plan.rtx_ssrc = payload.rtx ? input.line.rtx_ssrc : 0;
  out.plan.payloads = {std::move(payload)};
}

void Composer::answer_simulcast(const AnswerInput& input, Composed& out) const {
  if (!receives(out.plan.direction)) return;
  out.plan.ssrcs = announced_ssrcs(input.offered);
  bool by_rid = out.plan.extensions[Extension::rid] != 0;
  // Which SSRC has which rid is told by the packets alone.
  if (auto streams = sent_streams(input.offered); by_rid && !streams.empty()) {
    out.plan.rids = substreams(streams, input.low_to_high_rids);
    if (streams.size() > 1) out.plan.ssrcs.clear();
    for (const auto& stream : streams) out.media.rids.push_back({stream.rid, false});
    if (input.offered.simulcast) {
      out.media.simulcast.emplace();
      out.media.simulcast->recv = std::move(streams);
      out.media.simulcast->old_form = input.offered.simulcast->old_form;
    }
  }
  bool sim = std::any_of(input.offered.ssrc_groups.begin(), input.offered.ssrc_groups.end(),
                         [](const SsrcGroup& group) { return group.semantics == "SIM"; });
  if ((!sim || !input.wanted->simulcast) && out.plan.ssrcs.size() > 1) out.plan.ssrcs.resize(1);
}

MediaDescription Composer::offer(const MlinePlan& plan, const std::string& msid) const {
  MediaDescription media;
  media.mid = plan.mid;
  media.direction = plan.direction;
  if (plan.kind == MediaKind::data) {
    media.media = "application";
    media.protocol = "UDP/DTLS/SCTP";
    transport(media);
    data(media);
    return media;
  }
  media.media = name(plan.kind);
  media.protocol = "UDP/TLS/RTP/SAVPF";
  transport(media);
  for (const auto& payload : plan.payloads) {
    const CodecLine& line = codec_line(payload.codec.type);
    if (payload.red)
      media.formats.push_back(
          {*payload.red, "red", line.clock_hz, 2, text(int{payload.type}, "/", int{payload.type}), {}});
    media.formats.push_back({payload.type, std::string(line.name), line.clock_hz, channels_of(payload.codec),
                             payload.codec.fmtp, feedback_lines(payload, plan.kind)});
    if (payload.rtx)
      media.formats.push_back({*payload.rtx, "rtx", line.clock_hz, 1, text("apt=", int{payload.type}), {}});
  }
  if (media.formats.empty()) media.formats = {Format{}};
  for (uint16_t id = 1; id <= 255; ++id)
    for (size_t i = 0; i < extension_count; ++i)
      if (plan.extensions.ids[i] == id)
        media.extensions.push_back({id, std::string(uri_of(static_cast<Extension>(i))), std::nullopt});
  write_sources(media, plan, msid);
  return media;
}

void write_sources(MediaDescription& media, const MlinePlan& plan, const std::string& msid) {
  if (plan.ssrc == 0 || plan.payloads.empty()) return;
  // An inactive line keeps its sources: a browser that saw them gone forgets the stream, and shows nothing when the
  // same SSRC is announced again on that line (Chromium 156). Without the msid, RTX would count as a track of its own.
  media.msid = msid.empty() ? "janus janus" + plan.mid : msid;
  bool rtx = plan.rtx_ssrc != 0 && plan.direction != Direction::recvonly;
  if (rtx) media.ssrc_groups.push_back({"FID", {plan.ssrc, plan.rtx_ssrc}});
  media.ssrcs.push_back({plan.ssrc, "janus"});
  if (rtx) media.ssrcs.push_back({plan.rtx_ssrc, "janus"});
}

void agree_feedback(PayloadPlan& payload, const Format& offered, MediaKind kind, bool transport_cc) {
  auto has = [&](std::string_view what) {
    return std::find(offered.feedback.begin(), offered.feedback.end(), what) != offered.feedback.end();
  };
  payload.nack = has("nack");
  payload.transport_cc = transport_cc && has("transport-cc");
  if (kind != MediaKind::video) return;
  payload.pli = has("nack pli");
  payload.fir = has("ccm fir");
  payload.remb = has("goog-remb");
}

std::vector<std::string> feedback_lines(const PayloadPlan& payload, MediaKind kind) {
  std::vector<std::string> lines;
  if (kind == MediaKind::video && payload.fir) lines.emplace_back("ccm fir");
  if (payload.nack) lines.emplace_back("nack");
  if (kind == MediaKind::video && payload.pli) lines.emplace_back("nack pli");
  if (kind == MediaKind::video && payload.remb) lines.emplace_back("goog-remb");
  if (payload.transport_cc) lines.emplace_back("transport-cc");
  return lines;
}

DataPlan data_plan(const MediaDescription& peer, size_t index, const std::string& mid) {
  DataPlan plan;
  plan.mline = static_cast<uint16_t>(index);
  plan.mid = mid;
  if (peer.sctp_port)
    plan.sctp_port = *peer.sctp_port;
  else if (peer.sctpmap)
    plan.sctp_port = *peer.sctpmap;
  // RFC 8841 section 6.1: zero says that any size will do.
  if (peer.max_message_size)
    plan.max_message_size = *peer.max_message_size == 0 ? std::numeric_limits<uint32_t>::max() : *peer.max_message_size;
  return plan;
}

}  // namespace cardea::sdp
