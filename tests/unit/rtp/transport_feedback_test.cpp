#include <cppunit/extensions/HelperMacros.h>

#include <array>

#include "base/random.hpp"
#include "hex.hpp"
#include "rtp/rtcp.hpp"
#include "rtp/transport_feedback.hpp"

namespace cardea::rtp {
namespace {

TransportFeedback read(Bytes packet) {
  RtcpReader reader(packet);
  auto message = reader.next();
  CPPUNIT_ASSERT(message && std::holds_alternative<TransportFeedback>(*message));
  CPPUNIT_ASSERT(!reader.next() && !reader.malformed());
  return std::get<TransportFeedback>(*message);
}

std::vector<TransportStatus> statuses(const TransportFeedback& feedback) {
  std::vector<TransportStatus> all;
  feedback.for_each([&](const TransportStatus& status) { all.push_back(status); });
  return all;
}

std::optional<TransportFeedback> parse_body(std::string_view text) {
  static std::vector<uint8_t> bytes;
  bytes = hex(text);
  return TransportFeedback::parse(bytes);
}

class TransportFeedbackTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TransportFeedbackTest);
  CPPUNIT_TEST(a_run_length_chunk_is_read);
  CPPUNIT_TEST(a_one_bit_vector_is_read);
  CPPUNIT_TEST(a_two_bit_vector_is_read);
  CPPUNIT_TEST(negative_deltas_and_reference_times_are_read);
  CPPUNIT_TEST(too_few_chunks_or_deltas_are_malformed);
  CPPUNIT_TEST(a_train_is_one_run);
  CPPUNIT_TEST(losses_make_a_vector);
  CPPUNIT_TEST(a_long_gap_is_a_few_bytes);
  CPPUNIT_TEST(a_message_ends_where_a_delta_is_too_large);
  CPPUNIT_TEST(a_message_ends_where_room_does);
  CPPUNIT_TEST(padding_is_told_and_left_out);
  CPPUNIT_TEST(what_is_written_reads_back);
  CPPUNIT_TEST_SUITE_END();

  std::array<uint8_t, 1200> storage;
  ByteWriter out{storage};

  void a_run_length_chunk_is_read() {
    auto feedback = parse_body("00 00 00 01 00 00 00 02  ff fe 00 03 00 00 10 07  20 03  04 08 0c").value();
    CPPUNIT_ASSERT_EQUAL(2u, feedback.media_ssrc);
    CPPUNIT_ASSERT_EQUAL(7, int(feedback.feedback_count));
    auto all = statuses(feedback);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, all.size());
    CPPUNIT_ASSERT_EQUAL(0xfffe, int(all[0].seq));
    CPPUNIT_ASSERT_EQUAL(0, int(all[2].seq));
    CPPUNIT_ASSERT(all[0].received && all[0].delta == 1ms && all[0].at == 16 * 64ms + 1ms);
    CPPUNIT_ASSERT(all[2].received && all[2].delta == 3ms && all[2].at == 16 * 64ms + 6ms);
  }

  void a_one_bit_vector_is_read() {
    // 1 0 1 1, and ten symbols that are not counted
    auto all = statuses(parse_body("00 00 00 01 00 00 00 02  00 01 00 04 00 00 00 00  ac 00  01 02 03").value());
    CPPUNIT_ASSERT_EQUAL(size_t{4}, all.size());
    CPPUNIT_ASSERT(!all[0].received || all[0].delta == 250us);
    CPPUNIT_ASSERT(all[0].received && !all[1].received && all[2].received && all[3].received);
    CPPUNIT_ASSERT(all[3].delta == 750us);
    CPPUNIT_ASSERT(all[3].at == 1500us);
  }

  void a_two_bit_vector_is_read() {
    // small, none, large, none, small, none, none; then a run of two lost
    auto all =
        statuses(parse_body("00 00 00 01 00 00 00 02  00 01 00 09 00 00 00 00  d2 10 00 02  01 7f ff 02").value());
    CPPUNIT_ASSERT_EQUAL(size_t{9}, all.size());
    CPPUNIT_ASSERT(all[0].received && all[2].received && all[4].received);
    CPPUNIT_ASSERT(!all[1].received && !all[3].received && !all[8].received);
    CPPUNIT_ASSERT(all[2].delta == 0x7fff * 250us);
    CPPUNIT_ASSERT(all[4].at == (1 + 0x7fff + 2) * 250us);
  }

  void negative_deltas_and_reference_times_are_read() {
    auto all = statuses(parse_body("00 00 00 01 00 00 00 02  00 01 00 01 ff ff ff 00  40 01  ff fc").value());
    CPPUNIT_ASSERT(all[0].delta == -1ms && all[0].at == -65ms);
  }

  void too_few_chunks_or_deltas_are_malformed() {
    auto whole = hex("00 00 00 01 00 00 00 02  00 01 00 09 00 00 00 00  d2 10 00 02  01 7f ff 02");
    for_each_truncation(whole, [](const auto& cut) { CPPUNIT_ASSERT(!TransportFeedback::parse(cut)); });
    CPPUNIT_ASSERT(!parse_body("00 00 00 01 00 00 00 02  00 01 00 00 00 00 00 00  20 01 04"));        // of nothing
    CPPUNIT_ASSERT(!parse_body("00 00 00 01 00 00 00 02  00 01 00 01 00 00 00 00  20 00 20 01 04"));  // empty run
    CPPUNIT_ASSERT(!parse_body("00 00 00 01 00 00 00 02  00 01 ff ff 00 00 00 00  3f ff 04"));
  }

  void a_train_is_one_run() {
    std::vector<TransportArrival> arrivals;
    for (SeqNo i = 0; i < 40; ++i) arrivals.push_back({i, Time(64ms + i * 1ms)});
    CPPUNIT_ASSERT_EQUAL(size_t{40}, write_transport_feedback(out, 1, 2, 9, 0, arrivals));
    CPPUNIT_ASSERT_EQUAL(size_t{20 + 2 + 40 + 2}, out.size());
    CPPUNIT_ASSERT_EQUAL(0x2028, int(load_u16(storage.data() + 20)));
    CPPUNIT_ASSERT_EQUAL(1, read(out.written()).reference_time);
  }

  void losses_make_a_vector() {
    std::vector<TransportArrival> arrivals;
    for (SeqNo i : {0, 1, 3, 5, 6, 9, 13}) arrivals.push_back({i, Time(1s)});
    write_transport_feedback(out, 1, 2, 9, 0, arrivals);
    CPPUNIT_ASSERT_EQUAL(0x8000 | 0b11010110010001, int(load_u16(storage.data() + 20)));
  }

  void a_long_gap_is_a_few_bytes() {
    std::array<TransportArrival, 2> arrivals{{{5, Time(1s)}, {30000, Time(2s)}}};
    CPPUNIT_ASSERT_EQUAL(size_t{2}, write_transport_feedback(out, 1, 2, 9, 1, arrivals));
    CPPUNIT_ASSERT(out.size() <= 40);
    auto all = statuses(read(out.written()));
    CPPUNIT_ASSERT_EQUAL(size_t{30000}, all.size());
    CPPUNIT_ASSERT(all[4].received && all.back().received && !all[5].received && !all[29998].received);
    arrivals[1].seq = 70000;
    ByteWriter again(storage);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, write_transport_feedback(again, 1, 2, 9, 1, arrivals));
  }

  void a_message_ends_where_a_delta_is_too_large() {
    std::array<TransportArrival, 3> arrivals{{{1, Time(1s)}, {2, Time(9s)}, {3, Time(18s)}}};
    CPPUNIT_ASSERT_EQUAL(size_t{2}, write_transport_feedback(out, 1, 2, 9, 1, arrivals));
    std::array<TransportArrival, 2> back{{{1, Time(10s)}, {2, Time(1s)}}};
    ByteWriter again(storage);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, write_transport_feedback(again, 1, 2, 9, 1, back));
  }

  void a_message_ends_where_room_does() {
    std::vector<TransportArrival> arrivals;
    for (SeqNo i = 0; i < 200; ++i) arrivals.push_back({2 * i, Time(i * 70ms)});
    for (size_t room = 0; room < 300; ++room) {
      ByteWriter small(MutableBytes(storage).first(room));
      size_t told = write_transport_feedback(small, 1, 2, 9, 0, arrivals);
      CPPUNIT_ASSERT(small.ok());
      CPPUNIT_ASSERT(told < arrivals.size());
      CPPUNIT_ASSERT_EQUAL(told == 0, small.size() == 0);
      if (told == 0) continue;
      CPPUNIT_ASSERT_EQUAL(2 * told - 1, statuses(read(small.written())).size());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, write_transport_feedback(out, 1, 2, 9, 0, {}));
  }

  void padding_is_told_and_left_out() {
    std::array<TransportArrival, 1> arrivals{{{1, Time(1s)}}};
    write_transport_feedback(out, 1, 2, 9, 1, arrivals);
    CPPUNIT_ASSERT_EQUAL(size_t{24}, out.size());
    CPPUNIT_ASSERT_EQUAL(0xaf, int(storage[0]));
    CPPUNIT_ASSERT_EQUAL(1, int(storage[23]));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, read(out.written()).deltas.size());
  }

  // Random losses, jitter and reorder against the list itself.
  void what_is_written_reads_back() {
    SeededRandom random(4);
    for (int round = 0; round < 300; ++round) {
      auto loss = random.below(100);
      auto jitter_us = static_cast<int64_t>(1 + random.below(round % 2 == 0 ? 300 : 200000));
      SeqNo base = static_cast<SeqNo>(65000 + random.below(1000)), seq = base;
      Time at(1700000000s + Duration(static_cast<int64_t>(random.below(1000000000))));
      std::vector<TransportArrival> arrivals;
      for (int i = 0; i < 150; ++i, ++seq) {
        at += std::chrono::microseconds(static_cast<int64_t>(random.below(static_cast<uint64_t>(jitter_us))) -
                                        jitter_us / 4);
        if (random.below(100) >= loss) arrivals.push_back({seq, at});
      }
      if (arrivals.empty()) continue;
      ByteWriter writer(storage);
      CPPUNIT_ASSERT_EQUAL(arrivals.size(), write_transport_feedback(writer, 1, 2, 9, base, arrivals));
      auto all = statuses(read(writer.written()));
      CPPUNIT_ASSERT_EQUAL(static_cast<size_t>(arrivals.back().seq - base + 1), all.size());
      size_t next = 0;
      Duration first = all[static_cast<size_t>(arrivals[0].seq - base)].at;
      for (size_t i = 0; i < all.size(); ++i) {
        CPPUNIT_ASSERT_EQUAL(static_cast<uint16_t>(base + static_cast<SeqNo>(i)), all[i].seq);
        bool arrived = arrivals[next].seq == base + static_cast<SeqNo>(i);
        CPPUNIT_ASSERT_EQUAL(arrived, all[i].received);
        if (!arrived) continue;
        Duration error = (all[i].at - first) - (arrivals[next].at - arrivals[0].at);
        CPPUNIT_ASSERT(error < 250us && error > -250us);
        ++next;
      }
      CPPUNIT_ASSERT_EQUAL(arrivals.size(), next);
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TransportFeedbackTest);

}  // namespace
}  // namespace cardea::rtp
