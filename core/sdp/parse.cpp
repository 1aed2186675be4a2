#include <algorithm>
#include <array>
#include <utility>

#include "cardea/text.hpp"
#include "sdp/description.hpp"
#include "sdp/scan.hpp"

namespace cardea::sdp {
namespace {

constexpr int invalid_sdp = 465;
constexpr size_t max_feedback = 16;
constexpr size_t max_fmtp = 2048;
constexpr size_t max_credential = 256;  // RFC 8839 section 5.4

std::optional<Setup> setup_of(std::string_view word) {
  if (same_word(word, "actpass")) return Setup::actpass;
  if (same_word(word, "active")) return Setup::active;
  if (same_word(word, "passive")) return Setup::passive;
  if (same_word(word, "holdconn")) return Setup::holdconn;
  return std::nullopt;
}

std::optional<Direction> direction_of(std::string_view word) {
  if (word == "sendrecv") return Direction::sendrecv;
  if (word == "sendonly") return Direction::sendonly;
  if (word == "recvonly") return Direction::recvonly;
  if (word == "inactive") return Direction::inactive;
  return std::nullopt;
}

struct Hash {
  std::string_view name;
  HashType type;
  size_t size;
};
constexpr std::array<Hash, 4> hashes{{{"sha-1", HashType::sha1, 20},
                                      {"sha-256", HashType::sha256, 32},
                                      {"sha-384", HashType::sha384, 48},
                                      {"sha-512", HashType::sha512, 64}}};

// "AB:CD:..."; none if it is not as long as the hash.
std::optional<std::vector<uint8_t>> digest_of(std::string_view hex, size_t size) {
  if (hex.size() != size * 3 - 1) return std::nullopt;
  std::vector<uint8_t> digest;
  while (!hex.empty()) {
    std::string_view pair = take_until(hex, ':');
    auto byte = pair.size() == 2 ? number<uint8_t>(pair, 16) : std::nullopt;
    if (!byte) return std::nullopt;
    digest.push_back(*byte);
  }
  if (digest.size() != size) return std::nullopt;
  return digest;
}

// What would not come back the same from a text of ours.
constexpr bool is_control(char c) { return c >= 0 && c < ' ' && c != '\t'; }

template <class T>
void add_bounded(std::vector<T>& to, T value, size_t bound = max_attributes) {
  if (to.size() < bound) to.push_back(std::move(value));
}

class Parser {
public:
  explicit Parser(size_t mlines) : max_mlines_(std::min(mlines, max_mlines)) {}

  Result<Description> run(std::string_view text) {
    if (text.size() > max_text_size) return Error{invalid_sdp, "SDP too long"};
    bool any = false;
    while (!text.empty()) {
      ++line_;
      std::string_view line = take_until(text, '\n');
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t' || line.back() == '\0'))
        line.remove_suffix(1);
      if (line.empty()) continue;
      if (!any && line != "v=0") return wrong("v=0 expected");
      any = true;
      if (line.size() < 2 || line[1] != '=') return wrong("not of the form x=...");
      if (std::any_of(line.begin(), line.end(), is_control)) return wrong("control character");
      if (auto status = this->line(line[0], line.substr(2)); !status) return status.error();
    }
    end_of_media();
    if (!any) return Error{invalid_sdp, "Empty SDP"};
    if (!has_origin_) return Error{invalid_sdp, "Missing o= line"};
    if (!has_name_) return Error{invalid_sdp, "Missing s= line"};
    if (out_.media.empty()) return Error{invalid_sdp, "Missing m= line"};
    return std::move(out_);
  }

private:
  using Wrong = std::string_view;  // what is wrong; empty: nothing
  static constexpr Wrong fine{};

  Error wrong(std::string_view what) const { return Error{invalid_sdp, text("Line ", line_, ": ", what)}; }

  Status line(char type, std::string_view value) {
    Wrong what = fine;
    switch (type) {
    case 'o': what = origin(value); break;
    case 's':
      out_.name = value.empty() ? "-" : value;
      has_name_ = true;
      break;
    case 'c': connection(value); break;
    case 'b': bandwidth(value); break;
    case 'm': what = media(value); break;
    case 'a': what = attribute(value); break;
    default: break;  // v, t, i, u, e, p, r, z, k: nothing for us
    }
    if (!what.empty()) return wrong(what);
    return {};
  }

  Wrong origin(std::string_view value) {
    if (media_) return "o= after m=";
    std::array<std::string_view, 6> words;
    for (auto& word : words) word = take_word(value);
    if (words[5].empty()) return "o= needs six words";
    for (auto word : words)
      if (word.size() > 256) return "o= with an endless word";
    out_.origin = {std::string(words[0]), std::string(words[1]), std::string(words[2]), std::string(words[5])};
    has_origin_ = true;
    return fine;
  }

  void connection(std::string_view value) {
    if (!media_) return;
    take_word(value);
    take_word(value);
    media_->connection = take_word(value);
  }

  void bandwidth(std::string_view value) {
    if (!media_) return;
    std::string_view kind = take_until(value, ':');
    auto amount = number<uint32_t>(trim(value));
    if (same_word(kind, "TIAS"))
      media_->tias_bps = amount;
    else if (same_word(kind, "AS"))
      media_->as_kbps = amount;
  }

  Wrong media(std::string_view value) {
    end_of_media();
    if (!has_origin_) return "m= before o=";
    if (!has_name_) return "m= before s=";
    if (out_.media.size() == max_mlines_) return "too many m= lines";
    MediaDescription m;
    m.media = take_word(value);
    std::string_view port = take_word(value);
    auto port_number = number<uint16_t>(take_until(port, '/'));
    m.protocol = take_word(value);
    if (m.media.empty() || !port_number || m.protocol.empty()) return "malformed m=";
    m.port = *port_number;
    bool rtp = m.is_rtp() && m.protocol.find("RTP/") != std::string::npos;
    for (std::string_view word = take_word(value); !word.empty(); word = take_word(value)) {
      if (!rtp) {
        add_bounded(m.other_formats, std::string(word));
        continue;
      }
      auto type = number<uint8_t>(word);
      if (!type || *type > 127) return "payload type expected in m=";
      if (m.formats.size() < max_formats && !m.format(*type)) m.formats.emplace_back().type = *type;
    }
    if (m.formats.empty() && m.other_formats.empty()) return "m= without formats";
    m.transport = out_.transport;
    m.direction = session_direction_;
    m.extensions = session_extensions_;
    m.extmap_allow_mixed = false;
    media_ = &out_.media.emplace_back(std::move(m));
    own_fingerprints_ = false;
    wildcards_ = 0;
    simulcast_ = {};
    return fine;
  }

  void end_of_media() {
    if (media_ && !simulcast_.empty()) simulcast(simulcast_);
  }

  Wrong attribute(std::string_view value) {
    std::string_view name = take_until(value, ':');
    if (auto direction = direction_of(name)) {
      (media_ ? media_->direction : session_direction_) = *direction;
      return fine;
    }
    if (name == "extmap-allow-mixed") {
      (media_ ? media_->extmap_allow_mixed : out_.extmap_allow_mixed) = true;
      return fine;
    }
    if (name == "extmap") {
      extmap(value);
      return fine;
    }
    if (auto what = transport(name, trim(value)); what != nullptr) return *what;
    if (media_) return media_attribute(name, trim(value));
    if (name == "ice-lite") {
      out_.ice_lite = true;
    } else if (name == "group" && take_word(value) == "BUNDLE") {
      std::vector<std::string> mids;
      for (auto mid = take_word(value); !mid.empty(); mid = take_word(value))
        add_bounded(mids, std::string(mid), max_mlines);
      add_bounded(out_.bundles, std::move(mids), size_t{16});
    } else if (name == "msid-semantic") {
      out_.msid_semantic = trim(value);
    }
    return fine;
  }

  // Null if the attribute is none of the transport's.
  const Wrong* transport(std::string_view name, std::string_view value) {
    static constexpr Wrong bad_ufrag = "malformed ice-ufrag", bad_pwd = "malformed ice-pwd",
                           bad_fingerprint = "malformed fingerprint", bad_setup = "unknown setup";
    TransportAttributes& to = media_ ? media_->transport : out_.transport;
    if (name == "ice-ufrag") {
      if (!is_token(value) || value.size() > max_credential) return &bad_ufrag;
      to.ufrag = value;
    } else if (name == "ice-pwd") {
      if (!is_token(value) || value.size() > max_credential) return &bad_pwd;
      to.pwd = value;
    } else if (name == "ice-options") {
      for (auto option = take_word(value); !option.empty(); option = take_word(value))
        if (option == "trickle") to.trickle = true;
    } else if (name == "setup") {
      to.setup = setup_of(value);
      if (!to.setup) return &bad_setup;
    } else if (name == "fingerprint") {
      std::string_view hash = take_word(value);
      for (const auto& known : hashes) {
        if (!same_word(hash, known.name)) continue;
        auto digest = digest_of(trim(value), known.size);
        if (!digest) return &bad_fingerprint;
        if (media_ && !std::exchange(own_fingerprints_, true)) to.fingerprints.clear();  // the session's
        add_bounded(to.fingerprints, Fingerprint{known.type, std::move(*digest)}, size_t{8});
      }
    } else {
      return nullptr;
    }
    return &fine;
  }

  Wrong media_attribute(std::string_view name, std::string_view value) {
    MediaDescription& m = *media_;
    if (name == "mid") {
      if (!is_token(value)) return "malformed mid";
      if (value.size() > (m.is_rtp() ? size_t{16} : max_mid_length)) return "mid too long";
      m.mid = value;
    } else if (name == "rtpmap") {
      return rtpmap(value);
    } else if (name == "fmtp") {
      if (auto* format = find_format(take_word(value)); format && value.size() <= max_fmtp) format->fmtp = trim(value);
    } else if (name == "rtcp-fb") {
      feedback(value);
    } else if (name == "rtcp-mux") {
      m.rtcp_mux = true;
    } else if (name == "bundle-only") {
      m.bundle_only = true;
    } else if (name == "msid") {
      m.msid = trim(value.substr(0, 256));
    } else if (name == "ssrc") {
      ssrc(value);
    } else if (name == "ssrc-group") {
      ssrc_group(value);
    } else if (name == "rid") {
      rid(value);
    } else if (name == "simulcast") {
      simulcast_ = value;
    } else if (name == "candidate") {
      if (auto candidate = parse_candidate(value)) add_bounded(m.candidates, std::move(*candidate));
    } else if (name == "end-of-candidates") {
      m.end_of_candidates = true;
    } else {
      sctp(name, value);
    }
    return fine;
  }

  Format* find_format(std::string_view word) {
    auto type = number<uint8_t>(word);
    if (!type) return nullptr;
    for (auto& format : media_->formats)
      if (format.type == *type) return &format;
    return nullptr;
  }

  Wrong rtpmap(std::string_view value) {
    auto* format = find_format(take_word(value));
    if (!format) return fine;  // of a type that the m-line does not list
    value = trim(value);
    std::string_view name = take_until(value, '/');
    auto clock = number<uint32_t>(take_until(value, '/'));
    auto channels = value.empty() ? std::optional<uint8_t>(1) : number<uint8_t>(value);
    if (!is_token(name) || name.size() > 64 || !clock || !channels || *channels == 0) return "malformed rtpmap";
    format->name = name;
    format->clock_hz = *clock;
    format->channels = *channels;
    return fine;
  }

  void feedback(std::string_view value) {
    std::string_view type = take_word(value);
    std::string kind(trim(trim(value).substr(0, 64)));
    if (kind.empty()) return;
    // A line for all formats costs as many searches as there are formats.
    if (type == "*" && ++wildcards_ > max_feedback) return;
    for (auto& format : media_->formats) {
      if (type != "*" && number<uint8_t>(type) != format.type) continue;
      if (std::find(format.feedback.begin(), format.feedback.end(), kind) == format.feedback.end())
        add_bounded(format.feedback, kind, max_feedback);
    }
  }

  void extmap(std::string_view value) {
    value = trim(value);
    std::string_view id_word = take_word(value);
    auto id = number<uint16_t>(take_until(id_word, '/'));
    auto direction = direction_of(id_word);
    std::string_view uri = take_word(value);
    if (!id || *id == 0 || !is_token(uri) || uri.size() > 256) return;
    // RFC 6904: encrypted header extensions are not supported, so such a line does not exist for us.
    if (uri == "urn:ietf:params:rtp-hdrext:encrypt") return;
    add_bounded(media_ ? media_->extensions : session_extensions_, ExtensionLine{*id, std::string(uri), direction});
  }

  void ssrc(std::string_view value) {
    auto ssrc = number<uint32_t>(take_word(value));
    if (!ssrc) return;
    auto known = std::find_if(media_->ssrcs.begin(), media_->ssrcs.end(), [&](auto& s) { return s.ssrc == *ssrc; });
    if (known == media_->ssrcs.end()) {
      if (media_->ssrcs.size() == max_attributes) return;
      known = media_->ssrcs.insert(known, SsrcLine{*ssrc, {}});
    }
    value = trim(value);
    if (value.starts_with("cname:")) known->cname = value.substr(6, 256);
  }

  void ssrc_group(std::string_view value) {
    SsrcGroup group;
    group.semantics = take_word(value).substr(0, 32);
    if (group.semantics.empty()) return;
    for (auto word = take_word(value); !word.empty(); word = take_word(value)) {
      auto ssrc = number<uint32_t>(word);
      if (!ssrc) return;
      add_bounded(group.ssrcs, *ssrc);
    }
    if (!group.ssrcs.empty()) add_bounded(media_->ssrc_groups, std::move(group));
  }

  void rid(std::string_view value) {
    std::string_view id = take_word(value), direction = take_word(value);
    if (!is_rid(id) || (direction != "send" && direction != "recv")) return;
    for (const auto& known : media_->rids)
      if (known.rid == id) return;
    add_bounded(media_->rids, RidLine{std::string(id), direction == "send"});
  }

  // RFC 8851: letters, digits, "-" and "_"; as a header extension it has room for 16 bytes at most.
  static bool is_rid(std::string_view id) {
    return !id.empty() && id.size() <= 16 && std::all_of(id.begin(), id.end(), [](char c) {
      return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
  }

  void simulcast(std::string_view value) {
    Simulcast all;
    for (auto word = take_word(value); !word.empty(); word = take_word(value)) {
      if (word != "send" && word != "recv") return;
      bool send = word == "send";
      std::string_view list = take_word(value);
      if (list.starts_with("rid=")) {
        list.remove_prefix(4);
        all.old_form = true;
      }
      auto& streams = send ? all.send : all.recv;
      while (!list.empty())
        if (auto stream = this->stream(take_until(list, ';'), send)) add_bounded(streams, std::move(*stream));
    }
    if (!all.send.empty() || !all.recv.empty()) media_->simulcast = std::move(all);
  }

  std::optional<SimulcastStream> stream(std::string_view alternatives, bool send) const {
    while (!alternatives.empty()) {
      std::string_view rid = take_until(alternatives, ',');
      bool paused = rid.starts_with('~');
      if (paused) rid.remove_prefix(1);
      for (const auto& known : media_->rids)
        if (known.rid == rid && known.send == send) return SimulcastStream{std::string(rid), paused};
    }
    return std::nullopt;
  }

  void sctp(std::string_view name, std::string_view value) {
    if (name == "sctp-port")
      media_->sctp_port = number<uint16_t>(value);
    else if (name == "sctpmap")
      media_->sctpmap = number<uint16_t>(take_word(value));
    else if (name == "max-message-size")
      media_->max_message_size = number<uint32_t>(value);
  }

  // given
  const size_t max_mlines_;
  // state
  Description out_;
  size_t line_ = 0;
  MediaDescription* media_ = nullptr;  // the last of out_.media; null before the first m=
  bool has_origin_ = false, has_name_ = false;
  bool own_fingerprints_ = false;  // the m-line has fingerprints of its own
  size_t wildcards_ = 0;           // a=rtcp-fb:* lines of the m-line
  Direction session_direction_ = Direction::sendrecv;
  std::vector<ExtensionLine> session_extensions_;
  std::string_view simulcast_;  // read at the end of the m-line, when its rids are known
};

}  // namespace

const Format* MediaDescription::format(uint8_t type) const {
  for (const auto& format : formats)
    if (format.type == type) return &format;
  return nullptr;
}

Result<Description> parse(std::string_view text, size_t mlines) { return Parser(mlines).run(text); }

}  // namespace cardea::sdp
