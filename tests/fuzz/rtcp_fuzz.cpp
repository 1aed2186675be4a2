// Compound RTCP packets as a peer may send them; each message is looked at whole, and what the house can write is built
// from it again.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "rtp/ntp.hpp"
#include "rtp/rtcp.hpp"

using namespace cardea;

namespace {

void check(bool good) {
  if (!good) std::abort();
}

// Reads the one message that was written, again.
template <class Message, class Check>
void read_back(const ByteWriter& out, Check&& same) {
  check(out.ok());
  rtp::RtcpReader reader(out.written());
  auto message = reader.next();
  check(message && std::holds_alternative<Message>(*message));
  check(same(std::get<Message>(*message)));
  check(!reader.next() && !reader.malformed());
}

struct Rebuild {
  std::array<uint8_t, 70000> storage;

  void operator()(const rtp::SenderReport& report) {
    std::vector<rtp::ReportBlock> blocks(report.blocks.begin(), report.blocks.end());
    ByteWriter out(storage);
    rtp::write_sender_report(out, report.ssrc, report.info, blocks);
    (void)rtp::from_ntp64(report.info.ntp);
    read_back<rtp::SenderReport>(out, [&](const auto& again) {
      return again.info.ntp == report.info.ntp && again.blocks.size() == blocks.size() &&
             (blocks.empty() || again.blocks[0] == blocks[0]);
    });
  }
  void operator()(const rtp::ReceiverReport& report) {
    std::vector<rtp::ReportBlock> blocks(report.blocks.begin(), report.blocks.end());
    ByteWriter out(storage);
    rtp::write_receiver_report(out, report.ssrc, blocks);
    for (const auto& block : blocks) (void)rtp::round_trip(Time(1s), block.lsr, block.dlsr);
    read_back<rtp::ReceiverReport>(out, [&](const auto& again) { return again.blocks.size() == blocks.size(); });
  }
  void operator()(const rtp::Cname& cname) {
    ByteWriter out(storage);
    rtp::write_cname(out, cname.ssrc, cname.cname);
    read_back<rtp::Cname>(out, [&](const auto& again) { return again.cname == cname.cname; });
  }
  void operator()(const rtp::Bye& bye) {
    std::vector<uint32_t> ssrcs(bye.ssrcs.begin(), bye.ssrcs.end());
    ByteWriter out(storage);
    rtp::write_bye(out, ssrcs);
    read_back<rtp::Bye>(out, [&](const auto& again) { return again.ssrcs.size() == ssrcs.size(); });
  }
  void operator()(const rtp::Nack& nack) {
    std::vector<uint16_t> lost, told;
    nack.for_each([&](uint16_t seq) { lost.push_back(seq); });
    ByteWriter out(storage);
    size_t used = rtp::write_nack(out, nack.sender_ssrc, nack.media_ssrc, lost);
    check(used > 0 && used <= lost.size());
    read_back<rtp::Nack>(out, [&](const auto& again) { return again.media_ssrc == nack.media_ssrc; });
  }
  void operator()(const rtp::Pli& pli) {
    ByteWriter out(storage);
    rtp::write_pli(out, pli.sender_ssrc, pli.media_ssrc);
    read_back<rtp::Pli>(out, [&](const auto& again) { return again.media_ssrc == pli.media_ssrc; });
  }
  void operator()(const rtp::Fir& fir) {
    ByteWriter out(storage);
    rtp::write_fir(out, fir.sender_ssrc, fir.entries[0].media_ssrc, fir.entries[0].seq);
    read_back<rtp::Fir>(out, [&](const auto& again) { return again.entries[0].seq == fir.entries[0].seq; });
  }
  void operator()(const rtp::Remb& remb) {
    std::vector<uint32_t> ssrcs(remb.ssrcs.begin(), remb.ssrcs.end());
    ByteWriter out(storage);
    rtp::write_remb(out, remb.sender_ssrc, remb.bitrate_bps, ssrcs);
    read_back<rtp::Remb>(out, [&](const auto& again) { return again.bitrate_bps == remb.bitrate_bps; });
  }
  void operator()(const rtp::TransportFeedback& feedback) {
    std::vector<rtp::TransportArrival> arrivals;
    SeqNo seq = feedback.base_seq;
    size_t count = 0;
    feedback.for_each([&](const rtp::TransportStatus& status) {
      if (status.received) arrivals.push_back({seq, Time(status.at)});
      ++seq;
      ++count;
    });
    check(count == feedback.status_count);
    ByteWriter out(storage);
    size_t told = rtp::write_transport_feedback(out, 1, 2, feedback.feedback_count, feedback.base_seq, arrivals);
    check(told <= arrivals.size());
    if (told == 0) return;
    read_back<rtp::TransportFeedback>(out, [&](const rtp::TransportFeedback& again) {
      size_t at = 0;
      again.for_each([&](const rtp::TransportStatus& status) {
        if (status.received) check(status.seq == static_cast<uint16_t>(arrivals[at++].seq));
      });
      return at == told;
    });
  }
  using SeqNo = rtp::SeqNo;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Rebuild rebuild;
  rtp::read_rtcp(Bytes(data, size), rebuild);
  return 0;
}
