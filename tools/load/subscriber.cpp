#include "subscriber.hpp"

#include <array>
#include <charconv>

#include "cardea/text.hpp"
#include "payload.hpp"
#include "publisher.hpp"
#include "rtp/parse.hpp"
#include "rtp/rtcp.hpp"
#include "rtp/vp8.hpp"

namespace cardea::load {
namespace {

constexpr uint32_t own_ssrc = 1;

}  // namespace

Subscriber::Subscriber(Shared& shared, const Options& options, const std::string& local, bool checks, Received& totals)
    : options_(options), checks_(checks), totals_(totals), peer_(shared, local, false),
      fingerprint_(fingerprint_text(shared.dtls->fingerprint())) {}

std::string Subscriber::answer(std::string_view offer, Time now) {
  auto remote = sdp::parse(offer);
  if (!remote || !peer_.connect(*remote, now)) return {};
  std::string mids, media;
  for (const auto& line : remote->media) {
    if (!line.is_rtp() || line.formats.empty()) {
      media += text("m=", line.media, " 0 ", line.protocol, " 0\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:", line.mid,
                    "\r\n");
      continue;
    }
    const sdp::Format& codec = line.formats.front();
    const sdp::Format* rtx = nullptr;
    for (const auto& format : line.formats)
      if ((format.name == "rtx" || format.name == "RTX") && format.fmtp == text("apt=", unsigned{codec.type}))
        rtx = &format;
    mids += " " + line.mid;
    media += text("m=", line.media, " 9 ", line.protocol, " ", unsigned{codec.type});
    if (rtx != nullptr) media += text(" ", unsigned{rtx->type});
    media += text("\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:", peer_.credentials().ufrag,
                  "\r\na=ice-pwd:", peer_.credentials().pwd, "\r\na=fingerprint:sha-256 ", fingerprint_,
                  "\r\na=setup:active\r\na=mid:", line.mid, "\r\n", sends(line.direction) ? "a=recvonly" : "a=inactive",
                  "\r\na=rtcp-mux\r\na=rtpmap:", unsigned{codec.type}, " ", codec.name, "/", codec.clock_hz,
                  codec.channels > 1 ? "/2" : "", "\r\n");
    video_types_[codec.type] = line.media == "video";
    if (line.media == "video")
      media += text("a=rtcp-fb:", unsigned{codec.type}, " nack\r\na=rtcp-fb:", unsigned{codec.type}, " nack pli\r\n");
    if (rtx != nullptr) {
      media +=
          text("a=rtpmap:", unsigned{rtx->type}, " rtx/90000\r\na=fmtp:", unsigned{rtx->type}, " ", rtx->fmtp, "\r\n");
      apt_[rtx->type] = codec.type;
    }
    for (const auto& group : line.ssrc_groups)
      if (group.semantics == "FID" && group.ssrcs.size() == 2) rtx_of_[group.ssrcs[1]] = group.ssrcs[0];
  }
  return text("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE", mids, "\r\na=msid-semantic: WMS\r\n",
              media);
}

void Subscriber::receive(Time now) {
  peer_.receive(
      now, [&](MutableBytes packet) { on_rtp(packet, now); }, [](MutableBytes) {});
}

void Subscriber::on_rtp(MutableBytes packet, Time now) {
  if (packets_++ == 0) {
    first_media_ = now;
    next_report_ = now + 1s;
    if (!checks_ && options_.one_of != 1) peer_.thin_out(options_.one_of);
  }
  if (!checks_) return;
  static rtp::Packet parsed;  // one thread
  if (packet.size() > rtp::Packet::capacity) return;
  std::copy(packet.begin(), packet.end(), parsed.bytes.begin());
  parsed.size = static_cast<uint16_t>(packet.size());
  if (rtp::parse(parsed) || parsed.payload_size() == 0) return;
  Bytes payload = std::as_const(parsed).payload();
  auto seq = static_cast<uint16_t>(parsed.seq);
  uint32_t ssrc = parsed.ssrc;
  uint8_t type = parsed.payload_type;
  const bool again = apt_.contains(type);
  if (again) {
    if (payload.size() < 2 || !rtx_of_.contains(ssrc)) return;
    seq = load_u16(payload.data());
    payload = payload.subspan(2);
    ssrc = rtx_of_[ssrc];
    type = apt_[type];
  }
  Stream& stream = streams_[ssrc];
  stream.video = video_types_[type];
  if (!again && measuring_ && stream.video && options_.drop > 0) {
    dice_ ^= dice_ << 13, dice_ ^= dice_ >> 7, dice_ ^= dice_ << 17;
    if (static_cast<double>(dice_ % 100000) < options_.drop * 100000) {
      stream.dropped.emplace(stream.widener.nearest(seq), now);
      ++totals_.dropped;
      return;
    }
  }
  take(stream, seq, payload, now, again);
}

void Subscriber::take(Stream& stream, uint16_t wire, Bytes payload, Time now, bool again) {
  const rtp::SeqNo seq = stream.widener.widen(wire);
  const bool fresh = stream.nack.arrived(seq, now);
  if (auto lost = stream.dropped.find(seq); lost != stream.dropped.end() && fresh) {
    ++totals_.recovered;
    totals_.recovery.add(now - lost->second);
    stream.dropped.erase(lost);
  }
  if (!measuring_) {
    stream.highest = std::max(stream.highest, seq);
    return;
  }
  if (!fresh) {
    ++totals_.duplicates;
    return;
  }
  if (stream.measured_from < 0) stream.measured_from = stream.highest = seq - 1;
  if (seq <= stream.measured_from) return;
  if (seq < stream.highest && !again) ++totals_.reordered;
  if (seq > stream.highest) {
    totals_.expected += static_cast<uint64_t>(seq - stream.highest);
    stream.highest = seq;
  }
  ++totals_.packets;
  auto stamp = read_stamp(payload, stream.video ? vp8_descriptor : 0);
  if (!stamp)
    ++totals_.corrupt;
  else if (!again)
    (stream.video ? totals_.video_latency : totals_.audio_latency).add(peer_.arrived() - stamp->sent);
}

void Subscriber::measure(bool on) {
  measuring_ = on && checks_;
  if (measuring_) peer_.note_arrivals();
  for (auto& [ssrc, stream] : streams_) stream.measured_from = -1;
}

void Subscriber::tick(Time now) {
  peer_.tick(now);
  if (!peer_.up()) return;
  for (auto& [ssrc, stream] : streams_) {
    if (!stream.video || now < stream.nack.next_deadline()) continue;
    auto due = stream.nack.due(now, 20ms);
    if (due.empty()) continue;
    std::array<uint8_t, 1000> bytes;
    ByteWriter out(bytes);
    rtp::write_receiver_report(out, own_ssrc, {});
    rtp::write_nack(out, own_ssrc, ssrc, due);
    peer_.send_rtcp(out.written());
  }
  if (now >= next_report_) report(now);
}

void Subscriber::report(Time now) {
  next_report_ = now + 1s;
  std::array<uint8_t, 1000> bytes;
  ByteWriter out(bytes);
  std::vector<rtp::ReportBlock> blocks;
  for (auto& [ssrc, stream] : streams_) {
    if (blocks.size() == 30) break;
    rtp::ReportBlock block;
    block.ssrc = ssrc;
    block.highest_seq = static_cast<uint32_t>(stream.widener.highest() - 0x10000);
    blocks.push_back(block);
  }
  rtp::write_receiver_report(out, own_ssrc, blocks);
  rtp::write_cname(out, own_ssrc, "load");
  peer_.send_rtcp(out.written());
}

}  // namespace cardea::load
