#include "unit/peer/test_client.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <variant>

#include "rtp/parse.hpp"

namespace cardea::test {
namespace {

uint32_t crc32(Bytes bytes) {
  uint32_t crc = 0xffffffff;
  for (uint8_t byte : bytes) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
  }
  return ~crc;
}

sdp::MlinePlan line(std::string mid, MediaKind kind, Direction direction, uint32_t ssrc) {
  sdp::MlinePlan mline;
  mline.mid = std::move(mid);
  mline.kind = kind;
  mline.direction = direction;
  mline.ssrc = ssrc;
  mline.extensions[Extension::mid] = 4;
  mline.extensions[Extension::transport_cc] = 3;
  return mline;
}

}  // namespace

sdp::MlinePlan audio_line(std::string mid, Direction direction, uint32_t ssrc) {
  sdp::MlinePlan mline = line(std::move(mid), MediaKind::audio, direction, ssrc);
  mline.extensions[Extension::audio_level] = 1;
  sdp::PayloadPlan payload;
  payload.type = opus_type;
  payload.codec.type = CodecType::opus;
  payload.clock_hz = 48000;
  payload.transport_cc = true;
  mline.payloads.push_back(payload);
  return mline;
}

sdp::MlinePlan video_line(std::string mid, Direction direction, uint32_t ssrc) {
  sdp::MlinePlan mline = line(std::move(mid), MediaKind::video, direction, ssrc);
  mline.extensions[Extension::rid] = 10;
  mline.extensions[Extension::repaired_rid] = 11;
  sdp::PayloadPlan payload;
  payload.type = vp8_type;
  payload.rtx = rtx_type;
  payload.codec.type = CodecType::vp8;
  payload.clock_hz = 90000;
  payload.nack = payload.pli = payload.fir = payload.remb = payload.transport_cc = true;
  mline.payloads.push_back(payload);
  mline.rtx_ssrc = ssrc == 0 ? 0 : ssrc + 1;
  return mline;
}

sdp::PeerPlan plan_of(const std::string& name, std::vector<sdp::MlinePlan> mlines,
                      const sdp::Fingerprint& fingerprint) {
  sdp::PeerPlan plan;
  plan.local = {name + "-ufrag", name + "-password-of-22-letters"};
  plan.remote = {name + "-theirs", name + "-their-password-22-letters"};
  plan.dtls_role = sdp::DtlsRole::server;
  plan.remote_fingerprint = fingerprint;
  plan.mlines = std::move(mlines);
  return plan;
}

// RFC 8489 sections 5, 14.5 and 14.7; RFC 8445 section 7.1.
std::vector<uint8_t> stun_check(const sdp::IceCredentials& theirs, bool nominate, uint32_t priority) {
  std::array<uint8_t, 512> buffer;
  ByteWriter out(buffer);
  out.u16(0x0001);
  out.u16(0);
  out.u32(0x2112a442);
  for (uint8_t i = 0; i < 12; ++i) out.u8(static_cast<uint8_t>(i * 7 + priority));
  const std::string username = theirs.ufrag + ":remote";
  out.u16(0x0006);
  out.u16(static_cast<uint16_t>(username.size()));
  out.put(bytes_of(username));
  out.zeros((4 - username.size() % 4) % 4);
  out.u16(0x0024);
  out.u16(4);
  out.u32(priority);
  out.u16(0x802a);
  out.u16(8);
  out.u64(0x1234567);
  if (nominate) {
    out.u16(0x0025);
    out.u16(0);
  }
  out.patch_u16(2, static_cast<uint16_t>(out.size() - 20 + 24));
  uint8_t mac[20];
  unsigned mac_size = sizeof mac;
  HMAC(EVP_sha1(), theirs.pwd.data(), static_cast<int>(theirs.pwd.size()), buffer.data(), out.size(), mac, &mac_size);
  out.u16(0x0008);
  out.u16(20);
  out.put(Bytes(mac, 20));
  out.patch_u16(2, static_cast<uint16_t>(out.size() - 20 + 8));
  const uint32_t crc = crc32(out.written()) ^ 0x5354554e;
  out.u16(0x8028);
  out.u16(4);
  out.u32(crc);
  return {out.written().begin(), out.written().end()};
}

// RFC 7741 section 4.2: X, S and PID 0; I, L and T; a 15-bit picture id; TL0PICIDX; TID and KEYIDX 0.
std::vector<uint8_t> vp8_payload(size_t size, bool keyframe, uint16_t picture_id, uint8_t tl0, uint8_t tid) {
  std::vector<uint8_t> payload{0x90,
                               0xe0,
                               static_cast<uint8_t>(0x80 | (picture_id >> 8)),
                               static_cast<uint8_t>(picture_id),
                               tl0,
                               static_cast<uint8_t>(tid << 6)};
  const size_t head = payload.size();
  payload.resize(std::max(size, head + 10));
  for (size_t i = head; i < payload.size(); ++i) payload[i] = static_cast<uint8_t>(i * 13 + picture_id);
  payload[head] = keyframe ? 0x10 : 0x11;  // P bit: 0 for a keyframe
  return payload;
}

Client::Client(secure::DtlsContext& dtls, secure::CipherEngine& engine, Address address)
    : engine_(engine), address_(address), dtls_(dtls, sdp::DtlsRole::client, dtls.fingerprint()) {
  extensions[Extension::mid] = 4;
  extensions[Extension::transport_cc] = 3;
  extensions[Extension::audio_level] = 1;
  extensions[Extension::rid] = 10;
  extensions[Extension::repaired_rid] = 11;
}

void Client::flush(Outbox& out) {
  for (size_t i = 0; i < out.size(); ++i) outbox_.emplace_back(out[i].bytes.begin(), out[i].bytes.end());
  out.clear();
}

void Client::start_dtls(Time now) {
  Outbox out;
  dtls_.start({}, now, out);
  flush(out);
}

void Client::ready() {
  if (srtp_ || !dtls_.keys()) return;
  auto session = secure::SrtpSession::make(*dtls_.keys());
  if (!session) return;
  srtp_ = std::move(*session);
  key_ = engine_.make_key(*dtls_.keys());
}

void Client::receive_stun(Bytes datagram) {
  if (ice::StunCodec::asker(datagram)) {
    ++stun_replies;
    return;
  }
  ++asked;
  auto verified = stun_.verify(datagram, own.pwd);
  if (verified.drop || !verified.request.controlled) return;
  const Bytes reply = stun_.success(address_);
  outbox_.emplace_back(reply.begin(), reply.end());
}

void Client::receive(Bytes datagram, Time now) {
  bytes += datagram.size();
  std::vector<uint8_t> copy(datagram.begin(), datagram.end());
  switch (rtp::wire_of(datagram)) {
  case rtp::Wire::stun: return receive_stun(datagram);
  case rtp::Wire::dtls: {
    Outbox out;
    dtls_.receive(datagram, {}, now, out);
    flush(out);
    return ready();
  }
  case rtp::Wire::rtcp: return receive_rtcp(copy);
  case rtp::Wire::junk: ++bad; return;
  case rtp::Wire::rtp: break;
  }
  rtp::PacketRef packet = pool_.get();
  std::copy(copy.begin(), copy.end(), packet->bytes.begin());
  size_t size = copy.size();
  if (!srtp_ || srtp_->unprotect(MutableBytes(packet->bytes).first(size), size)) {
    ++bad;
    return;
  }
  packet->size = static_cast<uint16_t>(size);
  if (rtp::parse(*packet)) {
    ++bad;
    return;
  }
  rtp::parse_extensions(*packet, extensions);
  packets.push_back({packet->ssrc,
                     packet->payload_type,
                     static_cast<uint16_t>(packet->seq),
                     packet->timestamp,
                     packet->marker,
                     {packet->payload().begin(), packet->payload().end()},
                     std::string(packet->extensions.mid)});
}

namespace {
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;
}  // namespace

void Client::receive_rtcp(MutableBytes datagram) {
  size_t size = datagram.size();
  if (!srtp_ || srtp_->unprotect_rtcp(datagram, size)) {
    ++bad;
    return;
  }
  auto note = [&](const auto& all) {
    for (const rtp::ReportBlock& block : all) blocks.push_back(block);
  };
  auto malformed = rtp::read_rtcp(
      datagram.first(size), Overloaded{[&](const rtp::SenderReport& report) {
                                         ++sender_reports;
                                         sender_info = report.info;
                                         note(report.blocks);
                                       },
                                       [&](const rtp::ReceiverReport& report) {
                                         ++receiver_reports;
                                         note(report.blocks);
                                       },
                                       [&](const rtp::Cname& name) { cname = name.cname; }, [&](const rtp::Bye&) {},
                                       [&](const rtp::Nack& nack) {
                                         ++nacks;
                                         nack.for_each([&](uint16_t seq) { nacked.push_back(seq); });
                                       },
                                       [&](const rtp::Pli& pli) {
                                         ++plis;
                                         pli_ssrc = pli.media_ssrc;
                                       },
                                       [&](const rtp::Fir&) { ++firs; },
                                       [&](const rtp::Remb& remb) {
                                         ++rembs;
                                         remb_bps = remb.bitrate_bps;
                                       },
                                       [&](const rtp::TransportFeedback&) { ++transport_feedbacks; }});
  if (malformed) ++bad;
}

void Client::tick(Time now) {
  Outbox out;
  dtls_.tick({}, now, out);
  flush(out);
}

std::vector<uint8_t> Client::protect(const Rtp& rtp) {
  std::array<uint8_t, rtp::usual_header_size> header;
  rtp::HeaderFields fields;
  fields.payload_type = rtp.payload_type;
  fields.marker = rtp.marker;
  fields.seq = static_cast<uint16_t>(rtp.seq);
  fields.timestamp = rtp.timestamp;
  fields.ssrc = rtp.ssrc;
  fields.transport_seq = rtp.extensions.transport_seq;
  const size_t header_size = rtp::write_header(header, fields, rtp.extensions, extensions);
  std::vector<uint8_t> out(header_size + rtp.payload.size() + secure::max_tag_size);
  const secure::SealJob job{key_.get(),
                            static_cast<uint64_t>(rtp.seq),
                            rtp.ssrc,
                            header.data(),
                            static_cast<uint16_t>(header_size),
                            rtp.payload.data(),
                            static_cast<uint16_t>(rtp.payload.size()),
                            out.data()};
  engine_.seal(std::span(&job, 1));
  out.resize(job.sealed_size());
  return out;
}

void Client::send_rtp(const Rtp& rtp) { outbox_.push_back(protect(rtp)); }

void Client::send_rtcp(const std::function<void(ByteWriter&)>& write) {
  std::vector<uint8_t> buffer(1400);
  ByteWriter writer(MutableBytes(buffer).first(buffer.size() - secure::rtcp_trailer_size));
  write(writer);
  buffer.resize(srtp_->protect_rtcp(buffer, writer.size()));
  outbox_.push_back(std::move(buffer));
}

void Client::close() {
  Outbox out;
  dtls_.close({}, out);
  flush(out);
}

}  // namespace cardea::test
