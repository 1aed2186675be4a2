#include "publisher.hpp"

#include <cstdio>
#include <cstring>

#include "base/clock.hpp"
#include "cardea/text.hpp"
#include "rtp/ntp.hpp"
#include "rtp/rtcp.hpp"

namespace cardea::load {
namespace {

constexpr uint8_t opus = 111, vp8 = 96, rtx = 97;
constexpr size_t header_size = 12;
constexpr Duration audio_gap = 20ms;

}  // namespace

std::string fingerprint_text(const sdp::Fingerprint& fingerprint) {
  std::string out;
  char byte[4];
  for (uint8_t value : fingerprint.digest) {
    std::snprintf(byte, sizeof byte, "%s%02X", out.empty() ? "" : ":", value);
    out += byte;
  }
  return out;
}

Publisher::Publisher(Shared& shared, const Options& options, const std::string& local)
    : options_(options), peer_(shared, local, true) {
  audio_.ssrc = shared.random.u32() | 1;
  video_.ssrc = audio_.ssrc + 2;
  rtx_ssrc_ = audio_.ssrc + 4;
  audio_phase_ = Duration(shared.random.below(Duration(audio_gap).count()));
  video_phase_ = Duration(shared.random.below((Duration(1s) / options.fps).count()));
  audio_.payload_type = opus;
  video_.payload_type = vp8;
  fingerprint_ = fingerprint_text(shared.dtls->fingerprint());
}

std::string Publisher::offer() const {
  const auto& ice = peer_.credentials();
  std::string mids = options_.audio ? " a" : "";
  if (options_.video_bps > 0) mids += " v";
  std::string out = text("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE", mids,
                         "\r\na=msid-semantic: WMS load\r\n");
  const std::string common = text("c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:", ice.ufrag,
                                  "\r\na=ice-pwd:", ice.pwd, "\r\na=fingerprint:sha-256 ", fingerprint_,
                                  "\r\na=setup:actpass\r\na=sendonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n");
  if (options_.audio)
    out += text("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", common,
                "a=mid:a\r\na=rtpmap:111 opus/48000/2\r\na=ssrc:", audio_.ssrc, " cname:load\r\na=msid:load audio\r\n");
  if (options_.video_bps > 0)
    out += text(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n", common,
        "a=mid:v\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
        "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:FID ",
        video_.ssrc, " ", rtx_ssrc_, "\r\na=ssrc:", video_.ssrc, " cname:load\r\na=ssrc:", rtx_ssrc_,
        " cname:load\r\na=msid:load video\r\n");
  return out;
}

void Publisher::start(Time now) {
  if (started_) return;
  started_ = true;
  began_ = next_report_ = now;
  if (options_.audio) next_audio_ = now + audio_phase_;
  if (options_.video_bps > 0) next_frame_ = now + video_phase_;
}

void Publisher::tick(Time now) {
  peer_.tick(now);
  if (!started_) return;
  for (; now >= next_audio_; next_audio_ += audio_gap) send_audio();
  for (; now >= next_frame_; next_frame_ += Duration(1s) / options_.fps) send_frame(now);
  if (now >= next_report_) report(now);
}

void Publisher::receive(Time now) {
  peer_.receive(
      now, [](MutableBytes) {}, [this](MutableBytes packet) { on_rtcp(packet); });
}

void Publisher::send_audio() {
  std::array<uint8_t, opus_payload> payload;
  write_opus(payload, {Clock::now(), ++numbers_});
  send(audio_, static_cast<uint32_t>(audio_.packets * 960), false, payload);
}

void Publisher::send_frame(Time now) {
  // As browsers do: a frame in packets of nearly the same size, a keyframe some times larger.
  const size_t frame = size_t{options_.video_bps} / 8 / options_.fps * (keyframe_wanted_ ? 4 : 1);
  const size_t packets = (frame + 1099) / 1100;
  std::array<uint8_t, 1200> payload;
  const auto timestamp = static_cast<uint32_t>(to_us(now - began_) * 9 / 100);
  ++picture_id_;
  ++tl0_;
  for (size_t i = 0; i < packets; ++i) {
    MutableBytes bytes = MutableBytes(payload).first(frame / packets + (i < frame % packets ? 1 : 0));
    write_vp8(bytes, {i == 0, keyframe_wanted_, picture_id_, tl0_}, {Clock::now(), ++numbers_});
    send(video_, timestamp, i + 1 == packets, bytes);
  }
  keyframe_wanted_ = false;
}

void Publisher::send(Stream& stream, uint32_t timestamp, bool marker, Bytes payload) {
  const uint64_t index = stream.next++;
  std::vector<uint8_t>& packet = stream.history[index % kept];
  packet.resize(header_size + payload.size());
  packet[0] = 0x80;
  packet[1] = static_cast<uint8_t>((marker ? 0x80 : 0) | stream.payload_type);
  store_u16(packet.data() + 2, static_cast<uint16_t>(index));
  store_u32(packet.data() + 4, timestamp);
  store_u32(packet.data() + 8, stream.ssrc);
  std::memcpy(packet.data() + header_size, payload.data(), payload.size());
  // The wire begins with rollover counter 0.
  peer_.send_rtp(packet, header_size, index - 0x10000);
  ++stream.packets;
  stream.octets += payload.size();
  ++packets_sent_;
  bytes_sent_ += packet.size();
}

void Publisher::resend(uint16_t seq) {
  const std::vector<uint8_t>& packet = video_.history[seq % kept];
  if (packet.size() < header_size || load_u16(packet.data() + 2) != seq) return;
  std::vector<uint8_t> again(packet.begin(), packet.begin() + header_size);  // RFC 4588 section 4
  again.push_back(packet[2]);
  again.push_back(packet[3]);
  again.insert(again.end(), packet.begin() + header_size, packet.end());
  again[1] = static_cast<uint8_t>((packet[1] & 0x80) | rtx);
  store_u16(again.data() + 2, static_cast<uint16_t>(rtx_next_));
  store_u32(again.data() + 8, rtx_ssrc_);
  peer_.send_rtp(again, header_size, rtx_next_++ - 0x10000);
}

void Publisher::report(Time now) {
  next_report_ = now + 1s;
  const auto elapsed = to_us(now - began_);
  for (const Stream* stream : {&audio_, &video_}) {
    if (stream->packets == 0) continue;
    std::array<uint8_t, 256> bytes;
    ByteWriter out(bytes);
    const auto timestamp = static_cast<uint32_t>(stream == &audio_ ? elapsed * 48 / 1000 : elapsed * 9 / 100);
    rtp::write_sender_report(
        out, stream->ssrc,
        {rtp::to_ntp64(now), timestamp, static_cast<uint32_t>(stream->packets), static_cast<uint32_t>(stream->octets)},
        {});
    rtp::write_cname(out, stream->ssrc, "load");
    peer_.send_rtcp(out.written());
  }
}

void Publisher::on_rtcp(Bytes packet) {
  rtp::RtcpReader reader(packet);
  while (auto message = reader.next()) {
    if (std::holds_alternative<rtp::Pli>(*message) || std::holds_alternative<rtp::Fir>(*message)) {
      keyframe_wanted_ = true;
      ++keyframes_asked_;
    } else if (const auto* nack = std::get_if<rtp::Nack>(&*message)) {
      if (nack->media_ssrc == video_.ssrc) nack->for_each([this](uint16_t seq) { resend(seq); });
    }
  }
}

}  // namespace cardea::load
