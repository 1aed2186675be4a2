#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "cardea/text.hpp"
#include "sdp/codecs.hpp"
#include "sdp/exchange.hpp"

namespace cardea::sdp {
namespace {

constexpr int invalid_sdp = 465;
constexpr size_t max_substreams = 3;

bool has_media(const MediaDescription& media) { return media.is_data() || (media.is_rtp() && !media.formats.empty()); }

// SHA-256 if it is among them, else the longest.
const Fingerprint* best(const std::vector<Fingerprint>& fingerprints) {
  const Fingerprint* best = nullptr;
  for (const auto& fingerprint : fingerprints) {
    if (fingerprint.hash == HashType::sha256) return &fingerprint;
    if (!best || fingerprint.hash > best->hash) best = &fingerprint;
  }
  return best;
}

// The m-lines in the order in which they may speak for the transport.
std::vector<const MediaDescription*> speakers(const Description& description, const std::vector<bool>& usable) {
  std::vector<const MediaDescription*> out;
  if (!description.bundles.empty())
    for (const auto& mid : description.bundles.front())
      for (size_t i = 0; i < description.media.size(); ++i)
        if (usable[i] && description.media[i].mid == mid) out.push_back(&description.media[i]);
  for (size_t i = 0; i < description.media.size(); ++i)
    if (usable[i] && description.bundles.empty()) out.push_back(&description.media[i]);
  if (out.empty())
    for (const auto& media : description.media) out.push_back(&media);
  return out;
}

}  // namespace

std::vector<bool> usable_lines(const Description& description) {
  std::vector<bool> usable;
  bool have_data = false, have_any = false;
  // Looking a mid up in a set keeps a long list of m-lines cheap.
  std::set<std::string_view> in_bundle;
  if (!description.bundles.empty())
    in_bundle.insert(description.bundles.front().begin(), description.bundles.front().end());
  for (const auto& media : description.media) {
    bool in = in_bundle.contains(media.mid);
    // A port of zero says rejected, but not of a line that waits for being bundled (RFC 9143 section 6).
    bool active = media.port != 0 || (in && (media.bundle_only || &media == &description.media.front()));
    bool ok = active && has_media(media) && (description.bundles.empty() ? !have_any : in);
    if (media.is_data()) {
      ok = ok && !have_data;
      have_data = have_data || ok;
    }
    have_any = have_any || ok;
    usable.push_back(ok);
  }
  return usable;
}

Status complete_mids(Description& description) {
  std::set<std::string> known;
  for (const auto& media : description.media)
    if (!media.mid.empty() && !known.insert(media.mid).second)
      return Error{invalid_sdp, text("The mid ", media.mid, " is there twice")};
  for (size_t i = 0; i < description.media.size(); ++i) {
    if (!description.media[i].mid.empty()) continue;
    std::string mid = std::to_string(i);
    while (!known.insert(mid).second) mid += "_";
    description.media[i].mid = std::move(mid);
  }
  return {};
}

Result<PeerTransport> transport_of(const Description& description, const std::vector<bool>& usable) {
  PeerTransport out;
  const MediaDescription* speaker = nullptr;
  auto all = speakers(description, usable);
  for (const auto* media : all)
    if (!speaker && !media->transport.ufrag.empty()) speaker = media;
  if (!speaker) return Error{invalid_sdp, "Missing ice-ufrag"};
  const auto& transport = speaker->transport;
  if (transport.pwd.empty()) return Error{invalid_sdp, "Missing ice-pwd"};
  const Fingerprint* fingerprint = best(transport.fingerprints);
  if (!fingerprint) return Error{invalid_sdp, "Missing fingerprint"};
  out.credentials = {transport.ufrag, transport.pwd};
  out.fingerprint = *fingerprint;
  out.setup = transport.setup;
  for (const auto* media : all) {
    for (const auto& candidate : media->candidates) {
      bool known = std::find(out.candidates.begin(), out.candidates.end(), candidate) != out.candidates.end();
      if (candidate.component == 1 && !known) out.candidates.push_back(candidate);
    }
    if (!out.candidates.empty()) break;  // the one transport's; other m-lines repeat them
  }
  return out;
}

void keep_one_meaning_per_id(Description& description, const std::vector<bool>& usable) {
  std::map<uint16_t, Extension> meanings;
  for (size_t i = 0; i < description.media.size(); ++i) {
    if (!usable[i]) continue;
    std::erase_if(description.media[i].extensions, [&](const ExtensionLine& line) {
      auto extension = extension_of(line.uri);
      return extension && meanings.emplace(line.id, *extension).first->second != *extension;
    });
  }
}

Section section_of(const MediaDescription& media, size_t index, bool usable, const JsepOptions& options) {
  Section section;
  section.mid = media.mid;
  section.kind = media.media == "audio"   ? MediaKind::audio
                 : media.media == "video" ? MediaKind::video
                                          : MediaKind::data;
  section.rejected = !usable;
  section.direction = usable ? media.direction : Direction::inactive;
  section.msid = media.msid;
  if (media.tias_bps)
    section.bandwidth_bps = media.tias_bps;
  else if (media.as_kbps)
    section.bandwidth_bps = std::min(*media.as_kbps, std::numeric_limits<uint32_t>::max() / 1000) * 1000;
  if (!usable || section.kind == MediaKind::data) return section;

  for (const auto& format : media.formats) {
    if (auto codec = codec_of(format); codec && kind_of(*codec) == section.kind)
      section.codecs.push_back({*codec, format.fmtp});
    if (is_rtx(format)) section.rtx = true;
    if (is_opus_red(format)) section.red = true;
  }
  for (const auto& line : media.extensions)
    if (auto extension = extension_of(line.uri);
        extension && usable_id(line.id) && section.extension_id(*extension) == 0) {
      section.extensions.add(*extension);
      section.extension_ids[static_cast<size_t>(*extension)] = static_cast<uint8_t>(line.id);
    }
  section.rids = substreams(sent_streams(media), options.low_to_high_rids);
  for (const auto& group : media.ssrc_groups)
    if (group.semantics == "SIM")
      section.ssrc_layers = static_cast<uint8_t>(std::min(group.ssrcs.size(), max_substreams));
  auto named = [&](const auto& list, const auto& key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  section.svc = named(options.svc_mids, media.mid) || named(options.svc_indices, index);
  return section;
}

std::vector<SimulcastStream> sent_streams(const MediaDescription& media) {
  std::vector<SimulcastStream> streams;
  if (media.simulcast) {
    streams = media.simulcast->send;
  } else {
    for (const auto& rid : media.rids)
      if (rid.send) streams.push_back({rid.rid, false});
  }
  if (streams.size() > max_substreams) streams.resize(max_substreams);
  return streams;
}

std::vector<std::string> substreams(const std::vector<SimulcastStream>& streams, bool low_to_high) {
  std::vector<std::string> rids;
  for (const auto& stream : streams) rids.push_back(stream.rid);
  if (!low_to_high) std::reverse(rids.begin(), rids.end());
  return rids;
}

std::vector<SsrcPlan> announced_ssrcs(const MediaDescription& media) {
  std::vector<uint32_t> primary;
  std::set<uint32_t> repairs;
  for (const auto& group : media.ssrc_groups) {
    if (group.semantics == "SIM" && primary.empty()) primary = group.ssrcs;
    // FID: the second repairs the first (RFC 4588); FEC-FR: the second protects it (RFC 5956).
    if (group.semantics == "FID" || group.semantics == "FEC-FR")
      repairs.insert(group.ssrcs.begin() + 1, group.ssrcs.end());
  }
  if (primary.size() > max_substreams) primary.resize(max_substreams);
  for (const auto& source : media.ssrcs)
    if (primary.empty() && !repairs.contains(source.ssrc)) primary.push_back(source.ssrc);

  std::vector<SsrcPlan> out;
  for (uint32_t ssrc : primary) {
    SsrcPlan plan{ssrc, std::nullopt};
    for (const auto& group : media.ssrc_groups)
      if (group.semantics == "FID" && group.ssrcs.size() == 2 && group.ssrcs[0] == ssrc) plan.rtx = group.ssrcs[1];
    out.push_back(plan);
  }
  return out;
}

}  // namespace cardea::sdp
