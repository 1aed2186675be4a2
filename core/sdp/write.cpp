#include "cardea/text.hpp"
#include "sdp/description.hpp"
#include "sdp/scan.hpp"

namespace cardea::sdp {
namespace {

constexpr std::string_view hash_name(HashType hash) {
  switch (hash) {
  case HashType::sha1: return "sha-1";
  case HashType::sha256: return "sha-256";
  case HashType::sha384: return "sha-384";
  case HashType::sha512: return "sha-512";
  }
  return "sha-256";
}

constexpr std::string_view setup_name(Setup setup) {
  switch (setup) {
  case Setup::actpass: return "actpass";
  case Setup::active: return "active";
  case Setup::passive: return "passive";
  case Setup::holdconn: return "holdconn";
  }
  return "actpass";
}

constexpr std::string_view direction_name(Direction direction) {
  switch (direction) {
  case Direction::sendrecv: return "sendrecv";
  case Direction::sendonly: return "sendonly";
  case Direction::recvonly: return "recvonly";
  case Direction::inactive: return "inactive";
  }
  return "inactive";
}

constexpr std::string_view address_type(std::string_view address) {
  return address.find(':') == std::string_view::npos ? "IP4" : "IP6";
}

class Writer {
public:
  std::string take() { return std::move(out_); }

  template <class... Parts>
  void line(const Parts&... parts) {
    size_t begin = out_.size();
    (append_text(out_, parts), ...);
    for (size_t i = begin; i < out_.size(); ++i)
      if (static_cast<unsigned char>(out_[i]) < ' ') out_[i] = ' ';
    out_ += "\r\n";
  }

  void session(const Description& d) {
    line("v=0");
    line("o=", d.origin.username, " ", d.origin.session_id, " ", d.origin.version, " IN ",
         address_type(d.origin.address), " ", d.origin.address);
    line("s=", d.name.empty() ? std::string_view("-") : std::string_view(d.name));
    line("t=0 0");
    for (const auto& bundle : d.bundles) {
      std::string mids;
      for (const auto& mid : bundle) mids += " " + mid;
      line("a=group:BUNDLE", mids);
    }
    if (d.transport.trickle) line("a=ice-options:trickle");
    fingerprints(d.transport);
    if (d.extmap_allow_mixed) line("a=extmap-allow-mixed");
    if (!d.msid_semantic.empty()) line("a=msid-semantic: ", d.msid_semantic);
    if (d.ice_lite) line("a=ice-lite");
    credentials(d.transport);
    if (d.transport.setup) line("a=setup:", setup_name(*d.transport.setup));
    for (const auto& media : d.media) this->media(media);
  }

private:
  void media(const MediaDescription& m) {
    std::string formats;
    for (const auto& format : m.formats) formats += " " + std::to_string(format.type);
    for (const auto& format : m.other_formats) formats += " " + format;
    line("m=", m.media, " ", m.port, " ", m.protocol, formats);
    if (!m.connection.empty()) line("c=IN ", address_type(m.connection), " ", m.connection);
    if (m.as_kbps) line("b=AS:", *m.as_kbps);
    if (m.tias_bps) line("b=TIAS:", *m.tias_bps);
    line("a=", direction_name(m.direction));
    if (!m.mid.empty()) line("a=mid:", m.mid);
    if (m.bundle_only) line("a=bundle-only");
    if (m.rtcp_mux) line("a=rtcp-mux");
    credentials(m.transport);
    if (m.transport.trickle) line("a=ice-options:trickle");
    fingerprints(m.transport);
    if (m.transport.setup) line("a=setup:", setup_name(*m.transport.setup));
    for (const auto& format : m.formats)
      if (!same_word(format.name, "rtx")) this->format(format);
    if (m.extmap_allow_mixed) line("a=extmap-allow-mixed");
    for (const auto& extension : m.extensions)
      line("a=extmap:", extension.id, extension.direction ? "/" : "",
           extension.direction ? direction_name(*extension.direction) : "", " ", extension.uri);
    for (const auto& format : m.formats)
      if (same_word(format.name, "rtx")) this->format(format);
    sources(m);
    simulcast(m);
    if (m.sctp_port) line("a=sctp-port:", *m.sctp_port);
    if (m.sctpmap) line("a=sctpmap:", *m.sctpmap, " webrtc-datachannel 16");
    if (m.max_message_size) line("a=max-message-size:", *m.max_message_size);
    for (const auto& candidate : m.candidates) line("a=candidate:", write_candidate(candidate));
    if (m.end_of_candidates) line("a=end-of-candidates");
  }

  void credentials(const TransportAttributes& t) {
    if (!t.ufrag.empty()) line("a=ice-ufrag:", t.ufrag);
    if (!t.pwd.empty()) line("a=ice-pwd:", t.pwd);
  }

  void fingerprints(const TransportAttributes& t) {
    constexpr char digits[] = "0123456789ABCDEF";
    for (const auto& fingerprint : t.fingerprints) {
      std::string hex;
      for (uint8_t byte : fingerprint.digest) {
        if (!hex.empty()) hex += ':';
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
      }
      line("a=fingerprint:", hash_name(fingerprint.hash), " ", hex);
    }
  }

  void format(const Format& f) {
    int type = f.type;
    if (!f.name.empty()) {
      std::string channels = f.channels > 1 ? "/" + std::to_string(f.channels) : "";
      line("a=rtpmap:", type, " ", f.name, "/", f.clock_hz, channels);
    }
    if (!f.fmtp.empty()) line("a=fmtp:", type, " ", f.fmtp);
    for (const auto& feedback : f.feedback) line("a=rtcp-fb:", type, " ", feedback);
  }

  void sources(const MediaDescription& m) {
    if (!m.msid.empty()) line("a=msid:", m.msid);
    for (const auto& group : m.ssrc_groups) {
      std::string ssrcs;
      for (uint32_t ssrc : group.ssrcs) ssrcs += " " + std::to_string(ssrc);
      line("a=ssrc-group:", group.semantics, ssrcs);
    }
    for (const auto& source : m.ssrcs) line("a=ssrc:", source.ssrc, " cname:", source.cname);
  }

  void simulcast(const MediaDescription& m) {
    for (const auto& rid : m.rids) line("a=rid:", rid.rid, rid.send ? " send" : " recv");
    if (!m.simulcast) return;
    const char* list = m.simulcast->old_form ? " rid=" : " ";
    std::string value = m.simulcast->old_form ? " " : "";
    if (!m.simulcast->send.empty()) value += text("send", list, streams(m.simulcast->send));
    if (!m.simulcast->recv.empty())
      value += text(m.simulcast->send.empty() ? "" : " ", "recv", list, streams(m.simulcast->recv));
    line("a=simulcast:", value);
  }

  static std::string streams(const std::vector<SimulcastStream>& all) {
    std::string out;
    for (const auto& stream : all) out += text(out.empty() ? "" : ";", stream.paused ? "~" : "", stream.rid);
    return out;
  }

  std::string out_;
};

}  // namespace

std::string write(const Description& description) {
  Writer writer;
  writer.session(description);
  return writer.take();
}

}  // namespace cardea::sdp
