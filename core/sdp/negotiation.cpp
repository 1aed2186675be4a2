#include "sdp/negotiation.hpp"

#include <algorithm>
#include <utility>

#include "cardea/text.hpp"
#include "sdp/codecs.hpp"
#include "sdp/exchange.hpp"
#include "sdp/offering.hpp"

namespace cardea::sdp {
namespace {

constexpr int invalid_sdp = 465;
constexpr int unexpected = 469;  // an answer nobody asked for, a renegotiation that does not fit
constexpr int unknown_error = 490;

// What is held between the two halves of an exchange. The lines are those that will count once it is complete.
struct TheirOffer {
  Description description;
  PeerTransport transport;
  std::vector<bool> usable;
  std::vector<Line> lines;
  JsepOptions options;
};

struct OurOffer {
  Description description;
  std::vector<Line> lines;
  std::vector<MlinePlan> mlines;
  IceCredentials credentials;
};

constexpr DtlsRole other(DtlsRole role) { return role == DtlsRole::client ? DtlsRole::server : DtlsRole::client; }

MediaKind kind_of(const MediaDescription& media) {
  return media.media == "audio" ? MediaKind::audio : media.media == "video" ? MediaKind::video : MediaKind::data;
}

}  // namespace

struct Negotiation::State {
  State(LocalParameters parameters, Random& source)
      : local(std::move(parameters)), random(source), session_id(std::to_string(source.u64() >> 11)) {}

  Line new_line(std::string mid, MediaKind kind, const std::vector<Line>& others);
  uint32_t new_ssrc(const std::vector<Line>& others);
  Result<std::vector<Line>> match_lines(const Description& description, const std::vector<bool>& usable);
  // Marks whose place may be used anew, and takes the lines over as those agreed on.
  void commit(std::vector<Line> next, const Description& answer);
  void remember_peer(PeerTransport transport, DtlsRole role);
  PeerTransport peer_transport() const { return {plan.remote, plan.remote_fingerprint, {}, remote_candidates}; }

  Result<OurOffer> compose_offer(const OfferPlan& wanted, const IceCredentials& credentials);
  MlinePlan offered_mline(const Line& line, const OfferSection* wanted, const MlinePlan* before, Numbers& numbers);
  // What is left of an m-line of ours after its answer.
  MlinePlan answered_mline(const MlinePlan& offered, const MediaDescription& answer, bool low_to_high);

  const std::vector<Line>& newest_lines() const { return ours ? ours->lines : theirs ? theirs->lines : lines; }

  // given
  LocalParameters local;
  Random& random;

  // state
  std::string session_id;
  uint64_t version = 0;
  PeerPlan plan;
  std::vector<Line> lines;
  std::optional<DtlsRole> role;
  bool established = false;
  bool e2ee = false;
  std::vector<Candidate> remote_candidates;
  std::optional<TheirOffer> theirs;
  std::optional<OurOffer> ours;
};

uint32_t Negotiation::State::new_ssrc(const std::vector<Line>& others) {
  auto taken = [&](uint32_t ssrc) {
    auto has = [&](const Line& line) { return line.ssrc == ssrc || line.rtx_ssrc == ssrc; };
    return ssrc == 0 || std::any_of(lines.begin(), lines.end(), has) || std::any_of(others.begin(), others.end(), has);
  };
  uint32_t ssrc = random.u32();
  while (taken(ssrc)) ssrc = ssrc * 1664525u + 1013904223u;  // walks through all numbers, whatever `random` gives
  return ssrc;
}

Line Negotiation::State::new_line(std::string mid, MediaKind kind, const std::vector<Line>& others) {
  Line line{std::move(mid), kind, false, 0, 0};
  if (kind == MediaKind::data) return line;
  line.ssrc = new_ssrc(others);
  do line.rtx_ssrc = new_ssrc(others);
  while (line.rtx_ssrc == line.ssrc);
  return line;
}

Result<std::vector<Line>> Negotiation::State::match_lines(const Description& description,
                                                          const std::vector<bool>& usable) {
  if (description.media.size() < lines.size()) return Error{unexpected, "Error processing SDP: an m-line is missing"};
  std::vector<Line> next = lines;
  for (size_t i = 0; i < description.media.size(); ++i) {
    const auto& media = description.media[i];
    if (i < lines.size()) {
      bool same = lines[i].mid == media.mid && lines[i].kind == kind_of(media);
      if (same && !(lines[i].rejected && usable[i])) continue;
      if (!lines[i].rejected) return Error{unexpected, text("Error processing SDP: m-line ", i, " became another")};
      next[i] = new_line(media.mid, kind_of(media), next);
    } else {
      next.push_back(new_line(media.mid, kind_of(media), next));
    }
  }
  return next;
}

void Negotiation::State::commit(std::vector<Line> next, const Description& answer) {
  for (size_t i = 0; i < next.size(); ++i) next[i].rejected = answer.media[i].port == 0;
  lines = std::move(next);
  established = true;
  ours.reset();
  theirs.reset();
}

void Negotiation::State::remember_peer(PeerTransport transport, DtlsRole ours_now) {
  role = ours_now;
  plan.dtls_role = ours_now;
  plan.remote = std::move(transport.credentials);
  plan.remote_fingerprint = std::move(transport.fingerprint);
  remote_candidates = std::move(transport.candidates);
}

MlinePlan Negotiation::State::offered_mline(const Line& line, const OfferSection* wanted, const MlinePlan* before,
                                            Numbers& numbers) {
  MlinePlan out;
  out.mid = line.mid;
  out.kind = line.kind;
  out.ssrc = line.ssrc;
  if (line.kind == MediaKind::data) {
    // The channel stays while the connection does: browsers cannot take it out of the bundle.
    out.direction = Direction::sendrecv;
    return out;
  }
  if (wanted && wanted->codec && cardea::kind_of(wanted->codec->type) == line.kind) {
    out.direction = wanted->direction;
    Extensions extensions = wanted->extensions;
    extensions.add(Extension::mid);
    // Browsers are sent one stream per m-line, told apart by mid and SSRC.
    extensions.remove(Extension::rid);
    extensions.remove(Extension::repaired_rid);
    for (size_t i = 0; i < extension_count; ++i)
      if (auto extension = static_cast<Extension>(i); extensions.has(extension))
        out.extensions[extension] = numbers.extension(extension);
    out.payloads = {numbers.payload(*wanted->codec, wanted->red, extensions.has(Extension::transport_cc))};
  } else if (before) {
    out.payloads = before->payloads;
    out.extensions = before->extensions;
    out.extensions[Extension::rid] = out.extensions[Extension::repaired_rid] = 0;
  }
  // Browsers want a codec even in a line that is inactive because there was no common one.
  if (out.payloads.empty())
    out.payloads = {
        numbers.payload({line.kind == MediaKind::video ? CodecType::vp8 : CodecType::opus, {}}, false, false)};
  out.rtx_ssrc = !out.payloads.empty() && out.payloads.front().rtx ? line.rtx_ssrc : 0;
  return out;
}

Result<OurOffer> Negotiation::State::compose_offer(const OfferPlan& wanted, const IceCredentials& credentials) {
  OurOffer out;
  out.credentials = credentials;
  out.lines = ours ? ours->lines : lines;
  std::vector<const OfferSection*> sections(out.lines.size(), nullptr);
  for (const auto& section : wanted.sections) {
    auto known = std::find_if(out.lines.begin(), out.lines.end(),
                              [&](const Line& line) { return !section.mid.empty() && line.mid == section.mid; });
    if (known != out.lines.end() && known->kind != section.kind)
      return Error{unknown_error, text("The m-line ", section.mid, " is of another kind")};
    if (known == out.lines.end()) {
      if (out.lines.size() == max_mlines) return Error{unknown_error, "Too many m-lines"};
      if (section.mid.size() > 16) return Error{unknown_error, "Mid too long"};
      std::string mid = section.mid;
      for (size_t n = out.lines.size(); mid.empty(); ++n) {
        bool taken = std::any_of(out.lines.begin(), out.lines.end(),
                                 [&](const Line& line) { return line.mid == std::to_string(n); });
        if (!taken) mid = std::to_string(n);
      }
      out.lines.push_back(new_line(std::move(mid), section.kind, out.lines));
      sections.push_back(&section);
    } else {
      // Offered before but rejected: it is offered again under SSRCs of its own, for what was sent has ended.
      if (known->rejected) *known = new_line(known->mid, known->kind, out.lines);
      sections[static_cast<size_t>(known - out.lines.begin())] = &section;
    }
  }

  Numbers numbers;
  numbers.know(plan.mlines);
  if (ours) numbers.know(ours->mlines);
  Composer composer(local, out.credentials, Setup::actpass);
  out.description = composer.session(wanted.name);
  out.description.bundles.emplace_back();
  for (size_t i = 0; i < out.lines.size(); ++i) {
    const Line& line = out.lines[i];
    const MlinePlan* before = ours && i < ours->mlines.size() ? &ours->mlines[i]
                              : i < plan.mlines.size()        ? &plan.mlines[i]
                                                              : nullptr;
    out.mlines.push_back(offered_mline(line, sections[i], before, numbers));
    MediaDescription media = composer.offer(out.mlines.back(), sections[i] ? sections[i]->msid : std::string());
    if (line.rejected) {
      media = composer.rejected(media, line.mid);
      out.mlines.back() = {};
      out.mlines.back().mid = line.mid;
      out.mlines.back().kind = line.kind;
    } else {
      out.description.bundles.front().push_back(line.mid);
    }
    out.description.media.push_back(std::move(media));
  }
  if (out.lines.empty()) return Error{unknown_error, "An offer without m-lines"};
  return out;
}

MlinePlan Negotiation::State::answered_mline(const MlinePlan& offered, const MediaDescription& answer,
                                             bool low_to_high) {
  MlinePlan out;
  out.mid = offered.mid;
  out.kind = offered.kind;
  if (offered.kind == MediaKind::data || offered.payloads.empty()) return out;
  const PayloadPlan& ours_payload = offered.payloads.front();
  const Format* theirs_format = find_codec(answer, ours_payload.codec, ours_payload.type);
  if (!theirs_format) return out;

  out.direction = direction(sends(offered.direction) && receives(answer.direction),
                            receives(offered.direction) && sends(answer.direction));
  for (const auto& line : answer.extensions)
    if (auto extension = extension_of(line.uri); extension && offered.extensions[*extension] == line.id)
      out.extensions[*extension] = offered.extensions[*extension];
  PayloadPlan payload = ours_payload;
  payload.type = theirs_format->type;  // theirs is what they want to get
  agree_feedback(payload, *theirs_format, out.kind, out.extensions[Extension::transport_cc] != 0);
  payload.nack = payload.nack && ours_payload.nack;
  payload.transport_cc = payload.transport_cc && ours_payload.transport_cc;
  const Format* rtx = rtx_of(answer, payload.type);
  payload.rtx = ours_payload.rtx && rtx ? std::optional(rtx->type) : std::nullopt;
  const Format* red = red_of(answer, payload.type);
  payload.red = ours_payload.red && red ? std::optional(red->type) : std::nullopt;
  out.ssrc = offered.ssrc;
  out.rtx_ssrc = payload.rtx ? offered.rtx_ssrc : 0;
  out.payloads = {std::move(payload)};
  if (receives(out.direction)) {
    out.ssrcs = announced_ssrcs(answer);
    if (out.ssrcs.size() > 1) out.ssrcs.resize(1);
    if (out.extensions[Extension::rid] != 0) out.rids = substreams(sent_streams(answer), low_to_high);
  }
  return out;
}

Negotiation::Negotiation(LocalParameters local, Random& random)
    : state_(std::make_unique<State>(std::move(local), random)) {}
Negotiation::Negotiation(Negotiation&&) noexcept = default;
Negotiation& Negotiation::operator=(Negotiation&&) noexcept = default;
Negotiation::~Negotiation() = default;

Result<Offer> Negotiation::receive_offer(std::string_view sdp, const JsepOptions& options) {
  auto description = parse(sdp, std::max(state_->local.max_offered_mlines, state_->lines.size()));
  if (!description) return description.error();
  if (auto status = complete_mids(*description); !status) return status.error();
  auto usable = usable_lines(*description);
  auto transport = transport_of(*description, usable);
  if (!transport && state_->established && std::find(usable.begin(), usable.end(), true) == usable.end())
    transport = state_->peer_transport();  // everything was taken out, and the connection stays
  if (!transport) return transport.error();
  auto lines = state_->match_lines(*description, usable);
  if (!lines) return lines.error();

  keep_one_meaning_per_id(*description, usable);
  state_->e2ee = state_->e2ee || options.e2ee;
  Offer offer;
  offer.update = state_->established;
  offer.e2ee = state_->e2ee;
  offer.ice_restart = state_->established && state_->plan.remote != transport->credentials;
  for (size_t i = 0; i < description->media.size(); ++i)
    offer.sections.push_back(section_of(description->media[i], i, usable[i], options));
  state_->ours.reset();
  state_->theirs =
      TheirOffer{std::move(*description), std::move(*transport), std::move(usable), std::move(*lines), options};
  return offer;
}

Result<std::string> Negotiation::answer(const AnswerPlan& answer) {
  State& s = *state_;
  if (!s.theirs) return Error{unexpected, "There is no offer to answer"};
  const TheirOffer& offer = *s.theirs;
  DtlsRole role = s.role.value_or(offer.transport.setup == Setup::active ? DtlsRole::server : DtlsRole::client);
  Composer composer(s.local, s.local.credentials, role == DtlsRole::client ? Setup::active : Setup::passive);
  Description description = composer.session(answer.name);
  description.origin.username = offer.description.origin.username;
  description.origin.session_id = offer.description.origin.session_id;
  description.origin.version = offer.description.origin.version;
  if (!offer.description.bundles.empty()) description.bundles.emplace_back();

  std::vector<MlinePlan> mlines;
  std::optional<DataPlan> data;
  for (size_t i = 0; i < offer.lines.size(); ++i) {
    const Line& line = offer.lines[i];
    auto wanted = std::find_if(answer.sections.begin(), answer.sections.end(),
                               [&](const AnswerSection& section) { return section.mid == line.mid; });
    Composed composed =
        composer.answer({offer.description.media[i], line, wanted == answer.sections.end() ? nullptr : &*wanted,
                         offer.usable[i], offer.options.low_to_high_rids});
    if (composed.media.port != 0 && !description.bundles.empty()) description.bundles.front().push_back(line.mid);
    if (composed.data) {
      data = composed.data;
      data->mline = static_cast<uint16_t>(i);
    }
    description.media.push_back(std::move(composed.media));
    mlines.push_back(std::move(composed.plan));
  }
  s.plan.local = s.local.credentials;
  s.plan.mlines = std::move(mlines);
  s.plan.data = std::move(data);
  s.remember_peer(offer.transport, role);
  s.commit(std::move(s.theirs->lines), description);
  return write(description);
}

Result<std::string> Negotiation::offer(const OfferPlan& offer, std::optional<IceCredentials> restart) {
  State& s = *state_;
  if (offer.ice_restart && !restart && s.established)
    return Error{unknown_error, "An ICE restart needs new credentials"};
  const IceCredentials& credentials = restart ? *restart : local_credentials();
  auto composed = s.compose_offer(offer, credentials);
  if (!composed) return composed.error();
  s.e2ee = s.e2ee || offer.e2ee;
  composed->description.origin.session_id = s.session_id;
  composed->description.origin.version = std::to_string(++s.version);
  s.theirs.reset();
  s.ours = std::move(*composed);
  return write(s.ours->description);
}

Result<Answer> Negotiation::receive_answer(std::string_view sdp, const JsepOptions& options) {
  State& s = *state_;
  if (!s.ours) return Error{unexpected, "Unexpected ANSWER (did we offer?)"};
  auto description = parse(sdp);
  if (!description) return description.error();
  OurOffer& offer = *s.ours;
  if (description->media.size() != offer.lines.size())
    return Error{unexpected, "Error processing SDP: the answer has another number of m-lines"};
  for (size_t i = 0; i < offer.lines.size(); ++i) {
    auto& media = description->media[i];
    if (media.mid.empty()) media.mid = offer.lines[i].mid;
    if (media.mid != offer.lines[i].mid || kind_of(media) != offer.lines[i].kind)
      return Error{unexpected, text("Error processing SDP: m-line ", i, " is not the one offered")};
  }
  auto usable = usable_lines(*description);
  auto transport = transport_of(*description, usable);
  if (!transport && s.established && std::find(usable.begin(), usable.end(), true) == usable.end())
    transport = s.peer_transport();
  if (!transport) return transport.error();

  s.e2ee = s.e2ee || options.e2ee;
  Answer answer;
  answer.e2ee = s.e2ee;
  std::vector<MlinePlan> mlines;
  std::optional<DataPlan> data;
  for (size_t i = 0; i < offer.lines.size(); ++i) {
    const auto& media = description->media[i];
    bool taken = usable[i] && !offer.lines[i].rejected;
    answer.sections.push_back(section_of(media, i, taken, options));
    MlinePlan refused;
    refused.mid = offer.lines[i].mid;
    refused.kind = offer.lines[i].kind;
    mlines.push_back(taken ? s.answered_mline(offer.mlines[i], media, options.low_to_high_rids) : refused);
    if (taken && media.is_data()) data = data_plan(media, i, media.mid);
  }
  DtlsRole theirs = transport->setup == Setup::passive ? DtlsRole::server : DtlsRole::client;
  s.local.credentials = offer.credentials;
  s.plan.local = offer.credentials;
  s.plan.mlines = std::move(mlines);
  s.plan.data = std::move(data);
  s.remember_peer(std::move(*transport), s.role.value_or(other(theirs)));
  s.commit(std::move(offer.lines), *description);
  return answer;
}

void Negotiation::renew_credentials(IceCredentials credentials) { state_->local.credentials = std::move(credentials); }

bool Negotiation::awaiting_answer() const { return state_->ours.has_value(); }
bool Negotiation::awaiting_plan() const { return state_->theirs.has_value(); }
bool Negotiation::established() const { return state_->established; }
bool Negotiation::e2ee() const { return state_->e2ee; }
const PeerPlan& Negotiation::plan() const { return state_->plan; }

std::optional<size_t> Negotiation::index_of(std::string_view mid) const {
  const auto& lines = state_->newest_lines();
  for (size_t i = 0; i < lines.size(); ++i)
    if (lines[i].mid == mid) return i;
  return std::nullopt;
}

const std::vector<Candidate>& Negotiation::remote_candidates() const { return state_->remote_candidates; }

const IceCredentials& Negotiation::local_credentials() const {
  return state_->ours ? state_->ours->credentials : state_->local.credentials;
}

}  // namespace cardea::sdp
