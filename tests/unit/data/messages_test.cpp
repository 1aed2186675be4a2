// Messages of data channels: whole, in order, bounded, under loss.
#include <cppunit/extensions/HelperMacros.h>

#include <set>

#include "unit/data/pair.hpp"

namespace cardea::data::test {
namespace {

class MessagesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MessagesTest);
  CPPUNIT_TEST(text_binary_and_empty_messages_keep_their_kind);
  CPPUNIT_TEST(all_sizes_arrive_whole_both_ways);
  CPPUNIT_TEST(ordered_messages_arrive_in_order_under_loss);
  CPPUNIT_TEST(unordered_messages_all_arrive_under_loss);
  CPPUNIT_TEST(a_message_without_retransmission_may_be_lost);
  CPPUNIT_TEST(a_message_past_its_lifetime_is_not_sent_again);
  CPPUNIT_TEST(what_is_too_large_is_dropped_by_name);
  CPPUNIT_TEST(what_waits_is_bounded_and_its_leaving_is_told);
  CPPUNIT_TEST(a_reader_that_is_behind_stops_the_sender);
  CPPUNIT_TEST(messages_that_may_wait_share_packets);
  CPPUNIT_TEST(messages_in_pieces_of_the_old_kind_are_joined);
  CPPUNIT_TEST(unfinished_messages_are_bounded);
  CPPUNIT_TEST(messages_that_make_no_sense_are_dropped_by_name);
  CPPUNIT_TEST(a_message_is_sent_again_so_often_and_no_more);
  CPPUNIT_TEST_SUITE_END();

public:
  void text_binary_and_empty_messages_keep_their_kind() {
    Pair pair;
    chat(pair);
    pair.send(pair.a(), "chat", "text");
    pair.send(pair.a(), "chat", std::string("\0\xff", 2), true);
    pair.send(pair.a(), "chat", "");
    pair.send(pair.a(), "chat", "", true);
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 4; }));
    const auto& got = pair.b().messages;
    CPPUNIT_ASSERT(got[0].payload.text() == "text" && !got[0].binary);
    CPPUNIT_ASSERT(got[1].payload.text() == std::string("\0\xff", 2) && got[1].binary);
    CPPUNIT_ASSERT(got[2].payload.text().empty() && !got[2].binary);
    CPPUNIT_ASSERT(got[3].payload.text().empty() && got[3].binary);
  }
  void all_sizes_arrive_whole_both_ways() {
    for (int loss : {0, 5}) {
      Pair pair(loss);
      chat(pair);
      const std::vector<size_t> sizes{0, 1, 1200, 65536, 262144};
      for (size_t size : sizes) {
        pair.send(pair.a(), "chat", numbered(1, size), true);
        pair.send(pair.b(), "chat", numbered(2, size), true);
      }
      CPPUNIT_ASSERT(pair.until(
          [&] { return pair.a().messages.size() == sizes.size() && pair.b().messages.size() == sizes.size(); }, 600s));
      for (size_t i = 0; i < sizes.size(); ++i) {
        CPPUNIT_ASSERT(pair.b().messages[i].payload.text() == numbered(1, sizes[i]));
        CPPUNIT_ASSERT(pair.a().messages[i].payload.text() == numbered(2, sizes[i]));
      }
    }
  }
  void ordered_messages_arrive_in_order_under_loss() {
    for (int loss : {1, 5, 20}) {
      Pair pair(loss, static_cast<uint64_t>(loss));
      chat(pair);
      for (int i = 0; i < 200; ++i) pair.send(pair.a(), "chat", numbered(i, static_cast<size_t>(i * 13)), true);
      CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 200; }, 3600s));
      for (int i = 0; i < 200; ++i)
        CPPUNIT_ASSERT(pair.b().messages[static_cast<size_t>(i)].payload.text() ==
                       numbered(i, static_cast<size_t>(i * 13)));
    }
  }
  void unordered_messages_all_arrive_under_loss() {
    Pair pair(10);
    CPPUNIT_ASSERT(pair.connect());
    pair.open(pair.a(), {.label = "chat", .ordered = false});
    CPPUNIT_ASSERT(pair.until([&] { return !pair.a().opened.empty(); }));
    for (int i = 0; i < 300; ++i) pair.send(pair.a(), "chat", std::to_string(i) + std::string(900, ' '));
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 300; }, 3600s));
    std::set<int> numbers;
    bool in_order = true;
    int last = -1;
    for (const DataMessage& message : pair.b().messages) {
      const int number = std::stoi(message.payload);
      in_order = in_order && number > last;
      numbers.insert(last = number);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{300}, numbers.size());
    CPPUNIT_ASSERT(!in_order);
  }
  void a_message_without_retransmission_may_be_lost() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    pair.open(pair.a(), {.label = "chat", .ordered = false, .max_retransmits = 0});
    CPPUNIT_ASSERT(pair.until([&] { return !pair.a().opened.empty(); }));
    CPPUNIT_ASSERT(pair.b().opened[0].max_retransmits == 0u && !pair.b().opened[0].ordered);
    int data_packets = 0;
    pair.loses = [&](Bytes packet) { return packet.size() > 500 && ++data_packets % 3 == 0; };
    for (int i = 0; i < 60; ++i) {
      pair.send(pair.a(), "chat", numbered(i, 800), true);
      pair.run(20ms);
    }
    pair.run(60s);
    CPPUNIT_ASSERT_EQUAL(size_t{40}, pair.b().messages.size());
    pair.loses = [](Bytes) { return false; };
    pair.send(pair.a(), "chat", "still there");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 41; }));
  }
  void a_message_past_its_lifetime_is_not_sent_again() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    pair.open(pair.a(), {.label = "chat", .max_lifetime_ms = 30});
    CPPUNIT_ASSERT(pair.until([&] { return !pair.a().opened.empty(); }));
    CPPUNIT_ASSERT(pair.b().opened[0].max_lifetime_ms == 30u);
    pair.loses = [](Bytes packet) { return packet.size() > 500; };
    pair.send(pair.a(), "chat", numbered(1, 800), true);
    pair.run(50ms);
    pair.loses = [](Bytes) { return false; };
    pair.run(20s);
    CPPUNIT_ASSERT(pair.b().messages.empty());
    pair.send(pair.a(), "chat", "in time");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 1; }));
  }
  void what_is_too_large_is_dropped_by_name() {
    Pair pair;
    pair.begin(0, 1000);
    chat(pair);
    pair.send(pair.a(), "chat", std::string(1001, 'x'));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pair.drops()[DataDrop::too_large]);
    // Past our own door, as a peer that does not care would.
    const std::string huge = numbered(1, 300000);
    CPPUNIT_ASSERT(pair.stack().send({3}, 0, Ppid::binary, bytes_of(huge), {}) == SctpStack::Sent::done);
    pair.run(10s);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, pair.drops()[DataDrop::too_large]);
    CPPUNIT_ASSERT(pair.b().messages.empty());
    pair.send(pair.a(), "chat", "small");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 1; }));
  }
  void what_waits_is_bounded_and_its_leaving_is_told() {
    Pair pair;
    chat(pair);
    pair.loses = [](Bytes) { return true; };
    const DataMessage one{.label = "chat", .binary = true, .payload = numbered(1, 100000)};
    for (int i = 0; i < 100; ++i) {
      pair.a().association->send(one, pair.now(), pair.out());
      pair.run(10ms);
    }
    CPPUNIT_ASSERT(pair.a().association->waiting() <= 2 * send_limit);
    CPPUNIT_ASSERT(pair.drops()[DataDrop::backlog_full] > 50);
    const auto told = [&] { return pair.a().left + pair.a().association->left_untold(); };
    CPPUNIT_ASSERT_EQUAL(100 * weight(one), told() + pair.a().association->waiting());
    pair.loses = [](Bytes) { return false; };
    CPPUNIT_ASSERT(pair.until([&] { return told() == 100 * weight(one); }, 300s));
    CPPUNIT_ASSERT(pair.a().association->left_untold() < left_step);
    CPPUNIT_ASSERT(
        pair.until([&] { return pair.b().messages.size() + pair.drops()[DataDrop::backlog_full] == 100; }, 300s));
  }
  void a_reader_that_is_behind_stops_the_sender() {
    Pair pair;
    chat(pair);
    pair.b().takes = false;
    for (int i = 0; i < 30; ++i) pair.send(pair.a(), "chat", numbered(i, 65536), true);
    pair.run(20s);
    const size_t got = pair.b().messages.size();
    CPPUNIT_ASSERT(got >= 4 && got <= 6);  // a quarter of a megabyte and what was read over it
    CPPUNIT_ASSERT(pair.a().association->waiting() > 0);
    pair.b().takes = true;
    pair.b().association->taken(pair.b().untaken, pair.now(), pair.out());
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 30; }, 120s));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.a().association->waiting());
  }
  void messages_that_may_wait_share_packets() {
    Pair pair;
    chat(pair);
    int packets = 0;
    pair.loses = [&](Bytes packet) {
      packets += packet[12] == 0;  // DATA
      return false;
    };
    const auto hold = [&](int number, size_t size) {
      pair.a().association->send({.label = "chat", .binary = true, .payload = numbered(number, size)}, pair.now(),
                                 pair.out(), true);
    };
    for (int i = 0; i < 20; ++i) hold(i, 50);
    CPPUNIT_ASSERT(pair.out().packets.empty() && pair.a().association->waiting() > 0);
    pair.step();
    CPPUNIT_ASSERT_EQUAL(size_t{20}, pair.b().messages.size());
    CPPUNIT_ASSERT_EQUAL(2, packets);
    for (int i = 0; i < 20; ++i)
      CPPUNIT_ASSERT(pair.b().messages[static_cast<size_t>(i)].payload.text() == numbered(i, 50));
    // What is much does not wait, and takes along what did.
    hold(1, 50);
    hold(2, 20000);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.a().association->waiting());
    hold(3, 50);
    pair.a().association->end(pair.out());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pair.drops()[DataDrop::closed]);
  }
  void messages_in_pieces_of_the_old_kind_are_joined() {
    Pair pair;
    chat(pair);
    Raw raw(pair);
    raw.send(0, 54, "one ");
    raw.send(0, 54, "two ");
    raw.send(0, 51, "three");
    raw.send(0, 52, "a");
    raw.send(0, 53, "b");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, pair.b().messages.size());
    CPPUNIT_ASSERT_EQUAL(std::string("one two three"), pair.b().messages[0].payload.text());
    CPPUNIT_ASSERT(pair.b().messages[1].payload.text() == "ab" && pair.b().messages[1].binary);
    const std::string large(100000, 'x');
    for (int i = 0; i < 4; ++i) raw.send(0, 54, large);
    pair.run(2s);
    CPPUNIT_ASSERT(pair.drops()[DataDrop::too_large] > 0);
  }
  void unfinished_messages_are_bounded() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    Raw raw(pair);
    const std::string large(200000, 'x');
    for (uint16_t stream = 0; stream < 10; ++stream) raw.send(stream, 54, large);
    pair.run(2s);
    CPPUNIT_ASSERT_EQUAL(uint64_t{9}, pair.drops()[DataDrop::too_large]);  // 256 KiB are kept
    raw.send(0, 51, "end");
    CPPUNIT_ASSERT_EQUAL(size_t{200003}, pair.b().messages.at(0).payload.size());
    raw.send(9, 54, large);  // there is room again
    CPPUNIT_ASSERT_EQUAL(uint64_t{9}, pair.drops()[DataDrop::too_large]);
  }
  void messages_that_make_no_sense_are_dropped_by_name() {
    Pair pair;
    chat(pair);
    Raw raw(pair);
    raw.send(0, 46, "of WebRTC's other protocols");
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pair.drops()[DataDrop::bad_message]);
    raw.send(10, 50, "\x01 no DCEP");
    raw.send(12, 50, "\x02");                                             // acknowledges what was never opened
    raw.send(0, 50, std::string_view("\x03\0\0\0\0\0\0\0\0\0\0\0", 12));  // open already
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, pair.drops()[DataDrop::bad_dcep]);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.b().association->channels());
    pair.send(pair.a(), "chat", "all is well");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 1; }));
  }
  void a_message_is_sent_again_so_often_and_no_more() {
    for (uint32_t allowed : {0u, 1u, 3u})
      for (uint32_t lost : {0u, 1u, 3u, 4u}) {
        Pair pair;
        CPPUNIT_ASSERT(pair.connect());
        pair.open(pair.a(), {.label = "chat", .max_retransmits = allowed});
        CPPUNIT_ASSERT(pair.until([&] { return !pair.a().opened.empty(); }));
        uint32_t times = 0;
        pair.loses = [&](Bytes packet) { return packet.size() > 500 && times++ < lost; };
        pair.send(pair.a(), "chat", numbered(1, 800), true);
        pair.run(60s);
        pair.send(pair.a(), "chat", "next");
        pair.run(10s);
        CPPUNIT_ASSERT_EQUAL(size_t{lost <= allowed ? 2u : 1u}, pair.b().messages.size());
        CPPUNIT_ASSERT_EQUAL(std::string("next"), pair.b().messages.back().payload.text());
      }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(MessagesTest);

}  // namespace
}  // namespace cardea::data::test
