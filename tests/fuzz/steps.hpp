// What the targets of sequences share: bytes read as steps, plans made of them, and a judge of what goes out.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "unit/peer/house.hpp"

namespace cardea::fuzz {

class Steps {
public:
  Steps(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool over() const { return at_ >= size_; }
  uint8_t byte() { return over() ? uint8_t{0} : data_[at_++]; }
  size_t below(size_t bound) { return byte() % bound; }
  bool flag() { return (byte() & 1) != 0; }
  std::vector<uint8_t> bytes(size_t most) {
    std::vector<uint8_t> out;
    for (size_t count = below(most + 1); count > 0 && !over(); --count) out.push_back(byte());
    return out;
  }

private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

// Two packets under one SRTP index must be the same to the last byte.
class Judge {
public:
  explicit Judge(test::House& house) {
    house.sealing = [this](uint32_t ssrc, uint64_t index, Bytes plain) {
      auto [known, fresh] = sent_.try_emplace({ssrc, index}, plain.begin(), plain.end());
      if (!fresh && !std::equal(plain.begin(), plain.end(), known->second.begin(), known->second.end())) std::abort();
    };
  }

private:
  std::map<std::pair<uint32_t, uint64_t>, std::vector<uint8_t>> sent_;
};

// The lines of one peer, as Negotiation makes them: a line that was rejected or has become another gets new SSRCs.
class Lines {
public:
  static constexpr size_t most = 4;

  std::vector<sdp::MlinePlan> next(Steps& steps) {
    const size_t count = std::max(lines_.size(), 1 + steps.below(most));
    lines_.resize(count);
    rejected_.resize(count, true);
    for (size_t i = 0; i < count; ++i) change(i, steps);
    return lines_;
  }
  const std::vector<sdp::MlinePlan>& now() const { return lines_; }

private:
  void change(size_t i, Steps& steps) {
    const uint8_t what = steps.byte();
    if (what % 4 == 0 && !rejected_[i]) return;  // as it is
    const sdp::MlinePlan before = lines_[i];
    sdp::MlinePlan line;
    const auto kind = static_cast<MediaKind>((what >> 2) % 3);
    line.mid = std::string(1, static_cast<char>('a' + i)) + std::to_string((what >> 4) % 3);
    const bool same = before.mid == line.mid && before.kind == kind;
    if (!same || rejected_[i]) ssrc_ += 2;
    const uint8_t how = steps.byte();
    if (how % 8 == 7) {
      line.kind = kind;
    } else if (kind != MediaKind::data) {
      const auto direction = static_cast<Direction>(how % 4);
      line = kind == MediaKind::audio ? test::audio_line(line.mid, direction, ssrc_)
                                      : test::video_line(line.mid, direction, ssrc_);
      sdp::PayloadPlan& payload = line.payloads[0];
      payload.nack = (how & 8) != 0;
      if ((how & 16) != 0) {
        payload.rtx.reset();
        line.rtx_ssrc = 0;
      }
      if ((how & 32) != 0 && kind == MediaKind::audio) payload.red = uint8_t{63};
      if ((how & 64) != 0 && kind == MediaKind::video) line.rids = {"l", "m", "h"};
      if ((how & 128) != 0) line.ssrcs = {{0x100 + static_cast<uint32_t>(i), 0x200 + static_cast<uint32_t>(i)}};
      line.extensions[Extension::mid] = (what & 128) != 0 ? 4 : 0;
    } else {
      line.kind = kind;
    }
    rejected_[i] = line.payloads.empty();
    lines_[i] = line;
  }

  std::vector<sdp::MlinePlan> lines_;
  std::vector<bool> rejected_;
  uint32_t ssrc_ = 0x10000;
};

// One packet of a client, as wild as it gets and decrypts.
inline test::Client::Rtp packet_of(Steps& steps, const std::vector<sdp::MlinePlan>& lines) {
  test::Client::Rtp rtp;
  const size_t line = steps.below(Lines::most);
  const uint8_t what = steps.byte();
  const bool video = (what & 1) != 0;
  rtp.ssrc = static_cast<uint32_t>(0x100 + line + ((what >> 1) & 3) * 0x100);
  rtp.payload_type = (what & 8) != 0 ? test::rtx_type : video ? test::vp8_type : test::opus_type;
  if ((what & 16) != 0 && !video) rtp.payload_type = 63;
  rtp.seq = 1000 + steps.byte();
  rtp.timestamp = static_cast<uint32_t>(rtp.seq * 960);
  rtp.marker = (what & 32) != 0;
  if (video)
    rtp.payload =
        test::vp8_payload(20 + steps.below(200), (what & 64) != 0, steps.byte(), steps.byte(), steps.byte() & 3);
  else
    rtp.payload = steps.bytes(20);
  if ((what & 128) != 0 && line < lines.size()) {
    rtp.extensions.mid = lines[line].mid;
    if (!lines[line].rids.empty()) rtp.extensions.rid = lines[line].rids[steps.below(3)];
  }
  rtp.extensions.audio_level = steps.byte() & 127;
  rtp.extensions.transport_seq = static_cast<uint16_t>(steps.byte() * 3);
  return rtp;
}

// What a client says of a stream of ours.
inline void feedback(Steps& steps, test::House& house, test::Member& member) {
  const peer::PeerConnection* peer = house.peer(member);
  if (peer == nullptr || peer->senders().empty()) return;
  const auto& sender = peer->senders()[steps.below(peer->senders().size())];
  if (!sender) return;
  const uint8_t what = steps.byte();
  const auto newest = static_cast<uint16_t>(sender->stats().packets());
  member.client->send_rtcp([&](ByteWriter& out) {
    std::array<uint16_t, 3> lost{};
    const auto& got = member.client->packets;
    for (uint16_t& seq : lost)
      seq = got.empty() ? newest : got[got.size() - 1 - std::min<size_t>(steps.byte() % 32, got.size() - 1)].seq;
    if (what % 4 < 2)
      rtp::write_nack(out, 1, sender->ssrc(), std::span<const uint16_t>(lost));
    else if (what % 4 == 2)
      rtp::write_pli(out, 1, sender->ssrc());
    else
      rtp::write_fir(out, 1, sender->ssrc(), what);
  });
}

}  // namespace cardea::fuzz
