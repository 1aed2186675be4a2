#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <string>

#include "hex.hpp"
#include "rtp/ntp.hpp"
#include "rtp/rtcp.hpp"

namespace cardea::rtp {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

// The messages of a packet by name, "sr rr cname", and "malformed" at the end if it was.
std::string names(Bytes packet) {
  std::string out;
  auto drop = read_rtcp(packet, Overloaded{[&](const SenderReport&) { out += "sr "; },
                                           [&](const ReceiverReport&) { out += "rr "; },
                                           [&](const Cname&) { out += "cname "; }, [&](const Bye&) { out += "bye "; },
                                           [&](const Nack&) { out += "nack "; }, [&](const Pli&) { out += "pli "; },
                                           [&](const Fir&) { out += "fir "; }, [&](const Remb&) { out += "remb "; },
                                           [&](const TransportFeedback&) { out += "twcc "; }});
  if (drop) out += name(*drop);
  return out;
}

// The only message of a packet.
template <class Message>
Message only(Bytes packet) {
  RtcpReader reader(packet);
  auto message = reader.next();
  CPPUNIT_ASSERT(message);
  CPPUNIT_ASSERT(std::holds_alternative<Message>(*message));
  CPPUNIT_ASSERT(!reader.next());
  CPPUNIT_ASSERT(!reader.malformed());
  return std::get<Message>(*message);
}

class RtcpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RtcpTest);
  CPPUNIT_TEST(a_sender_report_is_read_as_rfc_3550_draws_it);
  CPPUNIT_TEST(a_compound_packet_gives_its_messages_in_order);
  CPPUNIT_TEST(a_reduced_size_packet_needs_no_report);
  CPPUNIT_TEST(what_the_house_does_not_use_is_passed_over);
  CPPUNIT_TEST(padding_is_left_out);
  CPPUNIT_TEST(what_stands_before_the_fault_is_told);
  CPPUNIT_TEST(broken_messages_are_malformed);
  CPPUNIT_TEST(no_truncation_reads_past_the_end);
  CPPUNIT_TEST(reports_read_back);
  CPPUNIT_TEST(more_than_31_blocks_go_on_in_another_report);
  CPPUNIT_TEST(source_descriptions_read_back);
  CPPUNIT_TEST(several_chunks_of_a_description_are_read);
  CPPUNIT_TEST(goodbyes_read_back);
  CPPUNIT_TEST(nacks_are_packed_as_rfc_4585_says);
  CPPUNIT_TEST(a_nack_without_room_for_all_tells_how_many_it_took);
  CPPUNIT_TEST(nacks_cross_the_wrap);
  CPPUNIT_TEST(keyframe_requests_read_back);
  CPPUNIT_TEST(remb_reads_back);
  CPPUNIT_TEST(a_remb_beyond_64_bits_is_malformed);
  CPPUNIT_TEST(a_message_without_room_is_not_begun);
  CPPUNIT_TEST(ntp_times_go_there_and_back);
  CPPUNIT_TEST(a_round_trip_is_told_by_a_report_block);
  CPPUNIT_TEST_SUITE_END();

  std::array<uint8_t, 2000> storage;
  ByteWriter out{storage};

  static ReportBlock block(uint32_t ssrc) { return {ssrc, 25, -3, 0x1ffff, 400, 0x11223344, 65536}; }

  void a_sender_report_is_read_as_rfc_3550_draws_it() {
    auto packet = hex("81 c8 00 0c 01 02 03 04"
                      "e0 00 00 01 80 00 00 00 00 00 00 10 00 00 00 11 00 00 00 12"
                      "0a 0b 0c 0d 40 ff ff ff 00 01 00 02 00 00 00 07 00 00 00 08 00 00 00 09");
    auto report = only<SenderReport>(packet);
    CPPUNIT_ASSERT_EQUAL(0x01020304u, report.ssrc);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0xe000000180000000}, report.info.ntp);
    CPPUNIT_ASSERT_EQUAL(0x10u, report.info.rtp_timestamp);
    CPPUNIT_ASSERT_EQUAL(0x11u, report.info.packets);
    CPPUNIT_ASSERT_EQUAL(0x12u, report.info.octets);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, report.blocks.size());
    CPPUNIT_ASSERT((report.blocks[0] == ReportBlock{0x0a0b0c0d, 64, -1, 0x10002, 7, 8, 9}));
  }

  void a_compound_packet_gives_its_messages_in_order() {
    write_receiver_report(out, 1, {});
    write_cname(out, 1, "janus");
    write_pli(out, 1, 2);
    write_fir(out, 1, 2, 3);
    write_remb(out, 1, 1000000, {});
    std::array<uint16_t, 2> lost{4, 5};
    write_nack(out, 1, 2, lost);
    std::array<TransportArrival, 1> arrivals{{{7, Time(1s)}}};
    write_transport_feedback(out, 1, 2, 0, 7, arrivals);
    std::array<uint32_t, 1> gone{1};
    write_bye(out, gone);
    CPPUNIT_ASSERT(out.ok());
    CPPUNIT_ASSERT_EQUAL(std::string("rr cname pli fir remb nack twcc bye "), names(out.written()));
  }

  void a_reduced_size_packet_needs_no_report() {
    CPPUNIT_ASSERT_EQUAL(std::string("pli "), names(hex("81 ce 00 02 00 00 00 01 00 00 00 02")));
    CPPUNIT_ASSERT_EQUAL(std::string(), names({}));
  }

  void what_the_house_does_not_use_is_passed_over() {
    CPPUNIT_ASSERT_EQUAL(std::string("pli "), names(hex("80 cf 00 01 00 00 00 01"                          // XR
                                                        "80 cc 00 02 00 00 00 01 41 42 43 44"              // APP
                                                        "82 ce 00 03 00 00 00 01 00 00 00 02 00 00 00 03"  // SLI
                                                        "8f ce 00 03 00 00 00 01 00 00 00 00 41 42 43 44"
                                                        "84 cd 00 02 00 00 00 01 00 00 00 02"
                                                        "81 ce 00 02 00 00 00 01 00 00 00 02")));
  }

  void padding_is_left_out() {
    auto nack = only<Nack>(hex("a1 cd 00 04 00 00 00 01 00 00 00 02 00 05 00 00 00 00 00 04"));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, nack.entries.size());
  }

  void what_stands_before_the_fault_is_told() {
    CPPUNIT_ASSERT_EQUAL(std::string("pli malformed"),
                         names(hex("81 ce 00 02 00 00 00 01 00 00 00 02 81 ce 00 02 00")));
    CPPUNIT_ASSERT_EQUAL(std::string("pli malformed"), names(hex("81 ce 00 02 00 00 00 01 00 00 00 02 81 ce 00")));
  }

  void broken_messages_are_malformed() {
    for (std::string_view text : {
             "41 ce 00 02 00 00 00 01 00 00 00 02",                          // version
             "81 c8 00 06 00 00 00 01 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",  // SR cut
             "81 c9 00 01 00 00 00 01",                                      // RR without its block
             "80 c9 00 00",                                                  // RR without SSRC
             "81 ca 00 01 00 00 00 01",                                      // SDES without an end
             "81 ca 00 02 00 00 00 01 01 05 61 62",                          // item too long
             "82 cb 00 01 00 00 00 01",                                      // BYE of two with one
             "81 cd 00 01 00 00 00 01",                                      // feedback without media SSRC
             "81 cd 00 02 00 00 00 01 00 00 00 02",                          // NACK of nothing
             "84 ce 00 02 00 00 00 01 00 00 00 02",                          // FIR of nothing
             "84 ce 00 03 00 00 00 01 00 00 00 02 00 00 00 03",              // half a FIR
             "8f ce 00 03 00 00 00 01 00 00 00 00 52 45 4d 42",              // REMB without a number
             "8f ce 00 04 00 00 00 01 00 00 00 00 52 45 4d 42 02 00 00 01",  // REMB of two with none
             "a1 ce 00 02 00 00 00 01 00 00 00 0d",                          // more padding than message
             "a1 ce 00 02 00 00 00 01 00 00 00 00",                          // padding of nothing
         })
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(text), std::string("malformed"), names(hex(text)));
  }

  void no_truncation_reads_past_the_end() {
    a_compound_packet_gives_its_messages_in_order();
    std::vector<uint8_t> whole(out.written().begin(), out.written().end());
    for_each_truncation(whole, [](const auto& cut) {
      std::string got = names(cut);
      bool whole_messages = got.find("malformed") == std::string::npos;
      CPPUNIT_ASSERT(!whole_messages || cut.size() % 4 == 0);
    });
  }

  void reports_read_back() {
    std::array blocks{block(7), block(8)};
    write_sender_report(out, 5, {uint64_t{1} << 63, 2, 3, 4}, blocks);
    auto sender = only<SenderReport>(out.written());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1} << 63, sender.info.ntp);
    CPPUNIT_ASSERT_EQUAL(4u, sender.info.octets);
    CPPUNIT_ASSERT(sender.blocks[0] == blocks[0] && sender.blocks[1] == blocks[1]);
    ByteWriter again(storage);
    blocks[0].lost = 0x7fffffff;  // held at 24 bits
    write_receiver_report(again, 5, blocks);
    auto receiver = only<ReceiverReport>(again.written());
    CPPUNIT_ASSERT_EQUAL(5u, receiver.ssrc);
    CPPUNIT_ASSERT_EQUAL(0x7fffff, receiver.blocks[0].lost);
    CPPUNIT_ASSERT(receiver.blocks[1] == blocks[1]);
  }

  void more_than_31_blocks_go_on_in_another_report() {
    std::vector<ReportBlock> blocks;
    for (uint32_t i = 0; i < 70; ++i) blocks.push_back(block(i));
    write_sender_report(out, 5, {}, blocks);
    CPPUNIT_ASSERT(out.ok());
    std::vector<uint32_t> seen;
    auto note = [&](const auto& report) {
      for (const auto& each : report.blocks) seen.push_back(each.ssrc);
    };
    int reports = 0;
    read_rtcp(out.written(), Overloaded{[&](const SenderReport& r) { note(r), ++reports; },
                                        [&](const ReceiverReport& r) { note(r), ++reports; }, [](const auto&) {}});
    CPPUNIT_ASSERT_EQUAL(3, reports);
    CPPUNIT_ASSERT_EQUAL(size_t{70}, seen.size());
    for (uint32_t i = 0; i < 70; ++i) CPPUNIT_ASSERT_EQUAL(i, seen[i]);
  }

  void source_descriptions_read_back() {
    for (size_t length = 1; length < 300; ++length) {
      ByteWriter writer(storage);
      std::string cname(length, 'c');
      write_cname(writer, 9, cname);
      CPPUNIT_ASSERT_EQUAL(size_t{0}, writer.size() % 4);
      auto read = only<Cname>(writer.written());
      CPPUNIT_ASSERT_EQUAL(9u, read.ssrc);
      CPPUNIT_ASSERT_EQUAL(cname.substr(0, 255), std::string(read.cname));
    }
  }

  void several_chunks_of_a_description_are_read() {
    auto packet = hex("83 ca 00 07"
                      "00 00 00 01 02 01 78 01 02 61 62 00"  // a NAME, then the CNAME
                      "00 00 00 02 00 00 00 00"              // no item
                      "00 00 00 03 01 01 63 00");
    std::string seen;
    auto drop =
        read_rtcp(packet, Overloaded{[&](const Cname& c) { seen += std::to_string(c.ssrc) + std::string(c.cname); },
                                     [](const auto&) {}});
    CPPUNIT_ASSERT(!drop);
    CPPUNIT_ASSERT_EQUAL(std::string("1ab3c"), seen);
  }

  void goodbyes_read_back() {
    std::array<uint32_t, 2> ssrcs{3, 4};
    write_bye(out, ssrcs);
    auto bye = only<Bye>(out.written());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, bye.ssrcs.size());
    CPPUNIT_ASSERT_EQUAL(4u, bye.ssrcs[1]);
    CPPUNIT_ASSERT_EQUAL(std::string("bye "), names(hex("81 cb 00 03 00 00 00 01 03 62 79 65 00 00 00 00")));
  }

  static std::vector<uint16_t> asked(const Nack& nack) {
    std::vector<uint16_t> all;
    nack.for_each([&](uint16_t seq) { all.push_back(seq); });
    return all;
  }

  void nacks_are_packed_as_rfc_4585_says() {
    std::vector<uint16_t> lost{10, 11, 26, 27, 100};
    CPPUNIT_ASSERT_EQUAL(lost.size(), write_nack(out, 1, 2, lost));
    CPPUNIT_ASSERT(std::ranges::equal(out.written(), hex("81 cd 00 05 00 00 00 01 00 00 00 02"
                                                         "00 0a 80 01 00 1b 00 00 00 64 00 00")));
    CPPUNIT_ASSERT(asked(only<Nack>(out.written())) == lost);
  }

  void a_nack_without_room_for_all_tells_how_many_it_took() {
    std::vector<SeqNo> lost;
    for (SeqNo i = 0; i < 100; ++i) lost.push_back(70000 + 20 * i);
    for (size_t room = 0; room < 100; ++room) {
      ByteWriter small(MutableBytes(storage).first(room));
      size_t told = write_nack(small, 1, 2, lost);
      CPPUNIT_ASSERT(small.ok());
      CPPUNIT_ASSERT_EQUAL(room < 16 ? 0 : (room - 12) / 4, told);
      if (told == 0) continue;
      auto all = asked(only<Nack>(small.written()));
      CPPUNIT_ASSERT_EQUAL(told, all.size());
      CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(lost[told - 1]), all.back());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, write_nack(out, 1, 2, std::span<const SeqNo>()));
  }

  void nacks_cross_the_wrap() {
    std::vector<SeqNo> lost{65534, 65535, 65536, 65550};
    write_nack(out, 1, 2, lost);
    auto nack = only<Nack>(out.written());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, nack.entries.size());
    CPPUNIT_ASSERT((asked(nack) == std::vector<uint16_t>{65534, 65535, 0, 14}));
  }

  void keyframe_requests_read_back() {
    write_pli(out, 1, 2);
    CPPUNIT_ASSERT_EQUAL(2u, only<Pli>(out.written()).media_ssrc);
    ByteWriter fir(storage);
    write_fir(fir, 1, 2, 250);
    CPPUNIT_ASSERT(
        std::ranges::equal(fir.written(), hex("84 ce 00 04 00 00 00 01 00 00 00 00 00 00 00 02 fa 00 00 00")));
    CPPUNIT_ASSERT_EQUAL(250, int(only<Fir>(fir.written()).entries[0].seq));
    CPPUNIT_ASSERT_EQUAL(2u, only<Fir>(fir.written()).entries[0].media_ssrc);
  }

  void remb_reads_back() {
    std::array<uint32_t, 2> ssrcs{3, 4};
    for (uint64_t bps : {uint64_t{0}, uint64_t{1}, uint64_t{0x3ffff}, uint64_t{0x40000}, uint64_t{2000000}}) {
      ByteWriter writer(storage);
      write_remb(writer, 1, bps, ssrcs);
      auto remb = only<Remb>(writer.written());
      CPPUNIT_ASSERT(remb.bitrate_bps <= bps && bps - remb.bitrate_bps <= bps >> 17);
      CPPUNIT_ASSERT_EQUAL(4u, remb.ssrcs[1]);
    }
    write_remb(out, 1, ~uint64_t{0}, {});
    CPPUNIT_ASSERT_EQUAL(uint64_t{0x3ffff} << 46, only<Remb>(out.written()).bitrate_bps);
  }

  void a_remb_beyond_64_bits_is_malformed() {
    CPPUNIT_ASSERT_EQUAL(std::string("malformed"),
                         names(hex("8f ce 00 04 00 00 00 01 00 00 00 00 52 45 4d 42 00 ff ff ff")));
  }

  void a_message_without_room_is_not_begun() {
    for (size_t room = 0; room < 12; ++room) {
      ByteWriter small(MutableBytes(storage).first(room));
      write_pli(small, 1, 2);
      CPPUNIT_ASSERT(!small.ok());
      CPPUNIT_ASSERT_EQUAL(size_t{0}, small.size());
    }
  }

  void ntp_times_go_there_and_back() {
    CPPUNIT_ASSERT_EQUAL(uint64_t{2208988800} << 32, to_ntp64(Time(0s)));
    CPPUNIT_ASSERT_EQUAL((uint64_t{2208988801} << 32) | 0x80000000u, to_ntp64(Time(1500ms)));
    for (Duration since : {Duration(1), Duration(999999999), Duration(1732000000123456789), Duration(2200000000s)})
      CPPUNIT_ASSERT(from_ntp64(to_ntp64(Time(since))) - Time(since) <= 1ns &&
                     Time(since) - from_ntp64(to_ntp64(Time(since))) <= 1ns);
    CPPUNIT_ASSERT_EQUAL(0x2345abcdu, compact_ntp(uint64_t{0x00012345abcd0000}));
    CPPUNIT_ASSERT_EQUAL(65536u, to_compact_ntp(1s));
    CPPUNIT_ASSERT_EQUAL(0u, to_compact_ntp(-1s));
    CPPUNIT_ASSERT_EQUAL(65535u << 16, to_compact_ntp(Duration::max()));
    CPPUNIT_ASSERT(from_compact_ntp(0x8000) == 500ms);
  }

  void a_round_trip_is_told_by_a_report_block() {
    Time sent(1700000000s), back = sent + 350ms;
    auto lsr = compact_ntp(sent), dlsr = to_compact_ntp(250ms);
    auto trip = round_trip(back, lsr, dlsr);
    CPPUNIT_ASSERT(trip && *trip > 99ms && *trip < 101ms);
    CPPUNIT_ASSERT(!round_trip(back, 0, dlsr));
    CPPUNIT_ASSERT(!round_trip(back, lsr, to_compact_ntp(10s)));
    CPPUNIT_ASSERT(round_trip(sent + 250ms, lsr, dlsr + 1) == Duration::zero());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(RtcpTest);

}  // namespace
}  // namespace cardea::rtp
