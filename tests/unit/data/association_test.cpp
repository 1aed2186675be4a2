#include <cppunit/extensions/HelperMacros.h>

#include <set>

#include "data/association.hpp"
#include "data/crc32c.hpp"
#include "unit/data/pair.hpp"

using namespace cardea;
using namespace cardea::data;
using cardea::data::test::End;
using cardea::data::test::Pair;

namespace {

std::string numbered(int number, size_t size) {
  SeededRandom random(static_cast<uint64_t>(number) + 1);
  std::string out(size, '\0');
  random.fill({reinterpret_cast<uint8_t*>(out.data()), out.size()});
  return out;
}

class AssociationTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AssociationTest);
  CPPUNIT_TEST(both_sides_begin_and_one_association_comes_of_it);
  CPPUNIT_TEST(a_channel_opens_with_its_first_message);
  CPPUNIT_TEST(text_binary_and_empty_messages_keep_their_kind);
  CPPUNIT_TEST(all_sizes_arrive_whole_both_ways);
  CPPUNIT_TEST(ordered_messages_arrive_in_order_under_loss);
  CPPUNIT_TEST(unordered_messages_all_arrive_under_loss);
  CPPUNIT_TEST(a_message_without_retransmission_may_be_lost);
  CPPUNIT_TEST(a_message_past_its_lifetime_is_not_sent_again);
  CPPUNIT_TEST(the_reply_goes_the_way_the_channel_was_opened);
  CPPUNIT_TEST(a_closed_channel_is_told_after_its_last_message);
  CPPUNIT_TEST(streams_are_used_again_after_a_close);
  CPPUNIT_TEST(many_channels_close_at_once);
  CPPUNIT_TEST(what_is_too_large_is_dropped_by_name);
  CPPUNIT_TEST(there_are_no_more_channels_than_streams);
  CPPUNIT_TEST(a_peer_that_begins_anew_gets_a_new_association);
  CPPUNIT_TEST(a_lost_association_is_tried_again);
  CPPUNIT_TEST(what_waits_is_bounded_and_its_leaving_is_told);
  CPPUNIT_TEST(a_reader_that_is_behind_stops_the_sender);
  CPPUNIT_TEST(messages_that_may_wait_share_packets);
  CPPUNIT_TEST(messages_in_pieces_of_the_old_kind_are_joined);
  CPPUNIT_TEST(unfinished_messages_are_bounded);
  CPPUNIT_TEST(messages_that_make_no_sense_are_dropped_by_name);
  CPPUNIT_TEST(what_comes_while_a_channel_closes_is_dropped_by_name);
  CPPUNIT_TEST(a_negotiated_channel_works_without_an_open);
  CPPUNIT_TEST(negotiated_channels_are_told_apart_by_stream);
  CPPUNIT_TEST(an_open_that_comes_late_names_its_channel);
  CPPUNIT_TEST(a_message_is_sent_again_so_often_and_no_more);
  CPPUNIT_TEST(the_last_of_65535_streams_works);
  CPPUNIT_TEST(a_peer_may_add_streams);
  CPPUNIT_TEST(what_changes_is_told_by_channel);
  CPPUNIT_TEST(junk_never_harms);
  CPPUNIT_TEST(a_flood_of_hellos_leaves_the_association_working);
  CPPUNIT_TEST(associations_come_and_go_by_the_hundred);
  CPPUNIT_TEST_SUITE_END();

  static void chat(Pair& pair, const char* label = "chat") {
    CPPUNIT_ASSERT(pair.connect());
    const size_t before = pair.b().opened.size();
    pair.open(pair.a(), {.label = label});
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().opened.size() > before && !pair.a().opened.empty(); }));
  }
  // As a peer's DCEP and user messages look on the wire, from a socket without channel bookkeeping.
  struct Raw {
    explicit Raw(Pair& pair_of) : pair(pair_of) {}
    void send(uint16_t stream, uint32_t ppid, std::string_view bytes) {
      // The first socket of the stack is a's.
      pair.stack().send({1}, stream, static_cast<Ppid>(ppid), bytes_of(bytes), {});
      pair.run(50ms);
    }
    Pair& pair;
  };

public:
  void both_sides_begin_and_one_association_comes_of_it() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    pair.run(5s);
    CPPUNIT_ASSERT(pair.a().ups == 1 && pair.b().ups == 1 && pair.a().downs + pair.b().downs == 0);
    Pair* second = nullptr;
    CPPUNIT_ASSERT_THROW(second = new Pair, std::logic_error);
    CPPUNIT_ASSERT(second == nullptr);
  }
  void a_channel_opens_with_its_first_message() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    pair.send(pair.a(), "", "hello");
    pair.send(pair.b(), "81", "from the room");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() + pair.b().messages.size() == 2; }));
    CPPUNIT_ASSERT_EQUAL(std::string(default_label), pair.b().messages[0].label);
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), pair.b().messages[0].payload.text());
    CPPUNIT_ASSERT_EQUAL(std::string("81"), pair.a().messages[0].label);
    pair.run(100ms);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, pair.a().opened.size());  // its own is acknowledged, the other's came
    // An answer goes to the channel of that label, whoever opened it.
    pair.send(pair.b(), "", "back");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 2; }));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, pair.a().association->channels());
  }
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
  void the_reply_goes_the_way_the_channel_was_opened() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    pair.open(pair.a(), {.label = "chat", .protocol = "json", .ordered = false, .max_retransmits = 0});
    CPPUNIT_ASSERT(pair.until([&] { return !pair.a().opened.empty(); }));
    CPPUNIT_ASSERT_EQUAL(std::string("json"), pair.b().opened[0].protocol);
    pair.loses = [](Bytes packet) { return packet.size() > 500; };
    pair.send(pair.b(), "chat", numbered(1, 800), true);
    pair.run(200ms);
    pair.loses = [](Bytes) { return false; };
    pair.run(20s);
    CPPUNIT_ASSERT(pair.a().messages.empty());
    pair.send(pair.b(), "chat", "x");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 1; }));
    CPPUNIT_ASSERT_EQUAL(std::string("json"), pair.a().messages[0].protocol);
  }
  void a_closed_channel_is_told_after_its_last_message() {
    Pair pair(5);
    chat(pair);
    for (int i = 0; i < 20; ++i) pair.send(pair.a(), "chat", numbered(i, 30000), true);
    pair.close(pair.a(), "chat");
    pair.send(pair.a(), "chat", "on a new one");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 21; }, 600s));
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().closed.size() == 1; }));
    CPPUNIT_ASSERT(pair.a().closed.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, pair.b().opened.size());
    CPPUNIT_ASSERT(
        pair.until([&] { return pair.a().association->channels() == 1 && pair.b().association->channels() == 1; }));
  }
  void streams_are_used_again_after_a_close() {
    Pair pair;
    for (int i = 0; i < 30; ++i) {
      chat(pair);
      pair.send(pair.b(), "chat", "x");
      pair.send(pair.a(), "chat", "y");
      CPPUNIT_ASSERT(pair.until([&] { return !pair.a().messages.empty() && !pair.b().messages.empty(); }));
      pair.close(i % 2 == 0 ? pair.a() : pair.b(), "chat");
      CPPUNIT_ASSERT(
          pair.until([&] { return !pair.a().association->channels() && !pair.b().association->channels(); }));
      for (End* end : {&pair.a(), &pair.b()}) {
        end->opened.clear();
        end->messages.clear();
      }
    }
    CPPUNIT_ASSERT(pair.a().closed.size() == 15 && pair.b().closed.size() == 15);
  }
  void many_channels_close_at_once() {
    Pair pair(2);
    CPPUNIT_ASSERT(pair.connect());
    for (int i = 0; i < 150; ++i) pair.send(pair.a(), "channel " + std::to_string(i), "hello");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 150; }));
    for (int i = 0; i < 150; ++i) pair.close(i % 2 == 0 ? pair.a() : pair.b(), "channel " + std::to_string(i));
    CPPUNIT_ASSERT(
        pair.until([&] { return !pair.a().association->channels() && !pair.b().association->channels(); }, 120s));
    CPPUNIT_ASSERT_EQUAL(size_t{150}, pair.a().closed.size() + pair.b().closed.size());
    pair.send(pair.a(), "again", "hello");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 151; }));
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
  void there_are_no_more_channels_than_streams() {
    SctpSettings few;
    few.streams = 8;
    Pair pair(0, 1, few);
    CPPUNIT_ASSERT(pair.connect());
    for (int i = 0; i < 6; ++i) pair.open(pair.a(), {.label = std::to_string(i)});
    pair.run(1s);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, pair.b().opened.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, pair.drops()[DataDrop::too_many_channels]);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, pair.a().closed.size());
    pair.send(pair.a(), "seven", "x");
    pair.run(100ms);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.a().association->waiting());
  }
  void a_peer_that_begins_anew_gets_a_new_association() {
    Pair pair;
    chat(pair);
    pair.send(pair.b(), "chat", "x");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 1; }));
    // One side forgets everything, without a word: as a browser that renegotiated its DTLS.
    pair.loses = [](Bytes) { return true; };
    pair.begin(0);
    pair.a().up = false;
    pair.run(50ms);
    pair.loses = [](Bytes) { return false; };
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().up && pair.b().ups == 2; }));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.b().closed.size());
    pair.send(pair.a(), "chat", "anew");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 1; }));
    pair.send(pair.b(), "chat", "back");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 2; }));
  }
  void a_lost_association_is_tried_again() {
    Pair pair;
    chat(pair);
    // The other side aborts, with whichever of the two verification tags is the right one.
    std::set<uint32_t> tags;
    pair.loses = [&](Bytes packet) {
      tags.insert(load_u32(&packet[4]));
      return false;
    };
    pair.send(pair.a(), "chat", "x");
    pair.run(1s);
    for (uint32_t tag : tags) {
      std::vector<uint8_t> abort{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 4};
      store_u32(&abort[4], tag);
      write_checksum(abort);
      pair.b().association->receive(abort, pair.now(), pair.out());
    }
    CPPUNIT_ASSERT(!pair.b().association->up());
    pair.send(pair.b(), "chat", "into the void");
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pair.drops()[DataDrop::not_up]);
    // It is begun anew, and the side that knew nothing learns it.
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().ups == 2 && pair.a().ups == 2; }));
    CPPUNIT_ASSERT(pair.b().closed.size() == 1 && pair.a().closed.size() == 1 && pair.b().downs == 1);
    pair.send(pair.b(), "chat", "again");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 1; }));
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
  void unfinished_messages_are_bounded() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    Raw raw(pair);
    const std::string large(200000, 'x');
    for (uint16_t stream = 0; stream < 10; ++stream) raw.send(stream, 54, large);
    pair.run(2s);
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, pair.drops()[DataDrop::too_large]);  // a megabyte is kept
    raw.send(0, 51, "end");
    CPPUNIT_ASSERT_EQUAL(size_t{200003}, pair.b().messages.at(0).payload.size());
    raw.send(9, 54, large);  // there is room again
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, pair.drops()[DataDrop::too_large]);
  }
  void what_comes_while_a_channel_closes_is_dropped_by_name() {
    Pair pair;
    chat(pair);
    // The last packet of a's with a message, and from then on nothing of b's reaches a.
    std::vector<uint8_t> data;
    pair.loses = [&](Bytes packet) {
      if (packet[12] == 0) data.assign(packet.begin(), packet.end());
      return false;
    };
    pair.send(pair.a(), "chat", "x");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 1; }));
    pair.run(1s);
    const uint32_t to_b = load_u32(&data[4]);
    pair.loses = [&](Bytes packet) { return load_u32(&packet[4]) != to_b; };
    pair.close(pair.a(), "chat");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().closed.size() == 1; }));
    // The next message, the first on the stream since it was reset (RFC 9260 section 3.3.1).
    store_u32(&data[16], load_u32(&data[16]) + 1);
    store_u16(&data[22], 0);
    write_checksum(data);
    pair.b().association->receive(data, pair.now(), pair.out());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pair.drops()[DataDrop::no_channel]);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.b().messages.size());
  }
  void a_negotiated_channel_works_without_an_open() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    Raw raw(pair);
    raw.send(7, 51, "agreed");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pair.b().messages.size());
    CPPUNIT_ASSERT(pair.b().messages[0].label.empty() && pair.b().messages[0].stream == uint16_t{7});
    CPPUNIT_ASSERT(pair.b().opened.size() == 1 && pair.b().opened[0].label.empty());
    // Without a default channel it is the one that an answer goes to.
    pair.send(pair.b(), "", "back");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 1; }));
    CPPUNIT_ASSERT(pair.a().messages[0].stream == uint16_t{7});
    // It ends as any other does, and may begin anew.
    CPPUNIT_ASSERT(pair.stack().reset({1}, std::vector<uint16_t>{7}));
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().closed.size() == 1 && pair.b().association->channels() == 0; }));
    pair.run(1s);
    raw.send(7, 53, "again");
    CPPUNIT_ASSERT(pair.b().messages.size() == 2 && pair.b().opened.size() == 2);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, pair.drops()[DataDrop::no_channel]);
  }
  void negotiated_channels_are_told_apart_by_stream() {
    Pair pair;
    chat(pair, "JanusDataChannel");
    Raw raw(pair);
    for (uint16_t stream : {uint16_t{20}, uint16_t{5}, uint16_t{21}}) raw.send(stream, 51, std::to_string(stream));
    CPPUNIT_ASSERT_EQUAL(size_t{3}, pair.b().messages.size());
    for (DataMessage message : pair.b().messages) pair.b().association->send(message, pair.now(), pair.out());
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 3; }));
    for (const DataMessage& message : pair.a().messages)
      CPPUNIT_ASSERT_EQUAL(message.payload.text(), std::to_string(message.stream.value()));
    CPPUNIT_ASSERT_EQUAL(size_t{4}, pair.b().association->channels());
    // On a stream that is not there nothing is opened.
    pair.b().association->send({.payload = "x", .stream = uint16_t{99}}, pair.now(), pair.out());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pair.drops()[DataDrop::closed]);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pair.b().association->waiting());
  }
  void an_open_that_comes_late_names_its_channel() {
    Pair pair;
    CPPUNIT_ASSERT(pair.connect());
    Raw raw(pair);
    raw.send(4, 51, "early");
    raw.send(4, 50, std::string_view("\x03\0\0\0\0\0\0\0\0\4\0\0late", 16));
    raw.send(4, 51, "after");
    CPPUNIT_ASSERT_EQUAL(std::string("late"), pair.b().messages.at(1).label);
    CPPUNIT_ASSERT(pair.b().opened.size() == 2 && pair.b().closed.empty());
    pair.send(pair.b(), "late", "x");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 1; }));
    CPPUNIT_ASSERT(pair.a().messages[0].stream == uint16_t{4});
    pair.send(pair.b(), "", "the label that was none is free");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 2; }));
    CPPUNIT_ASSERT_EQUAL(std::string(default_label), pair.a().messages[1].label);
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
  void the_last_of_65535_streams_works() {
    SctpSettings all;
    all.streams = 65535;
    Pair pair(0, 1, all);
    CPPUNIT_ASSERT(pair.connect());
    CPPUNIT_ASSERT(pair.b().association->news()->streams == 65535);
    Raw raw(pair);
    raw.send(65534, 50, std::string_view("\x03\0\0\0\0\0\0\0\0\4\0\0last", 16));
    raw.send(65534, 51, "x");
    CPPUNIT_ASSERT_EQUAL(std::string("last"), pair.b().messages.at(0).label);
    pair.send(pair.b(), "last", "back");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() == 1; }));
  }
  void a_peer_may_add_streams() {
    Pair pair;
    // To b the other side seems to have 256 streams of its own to begin with (RFC 9260 section 3.3.2).
    std::vector<uint8_t> hello;
    uint32_t to_b = 0;
    pair.loses = [&](Bytes packet) {
      if (packet[12] == 1) hello.assign(packet.begin(), packet.end());
      if (packet[12] == 10) to_b = load_u32(&packet[4]);  // the cookie
      return packet[12] == 1;
    };
    pair.b().association.reset();
    pair.run(3s);
    CPPUNIT_ASSERT(hello.size() > 32);
    store_u16(&hello[24], 256);
    write_checksum(hello);
    pair.begin(1);
    pair.b().association->receive(hello, pair.now(), pair.out());
    CPPUNIT_ASSERT(pair.connect());
    CPPUNIT_ASSERT(pair.b().association->news()->streams == 256);
    // RFC 6525 section 4.5: 100 more, in the first request of all, whose number is the first TSN.
    std::vector<uint8_t> add{0x13, 0x88, 0x13, 0x88, 0, 0,  0, 0, 0, 0, 0, 0,   130, 0,
                             0,    16,   0,    17,   0, 12, 0, 0, 0, 0, 0, 100, 0,   0};
    store_u32(&add[4], to_b);
    std::copy(&hello[28], &hello[32], &add[20]);
    write_checksum(add);
    pair.b().association->receive(add, pair.now(), pair.out());
    pair.run(100ms);
    const auto news = pair.b().association->news();
    CPPUNIT_ASSERT(news && news->streams == 356);
  }
  void what_changes_is_told_by_channel() {
    Pair pair;
    chat(pair);
    pair.send(pair.a(), "chat", "12345");
    pair.send(pair.a(), "other", "1234567", true);
    pair.send(pair.b(), "chat", "1");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().messages.size() + pair.b().messages.size() == 3; }));
    pair.run(100ms);
    pair.a().association->send({.payload = "x", .stream = uint16_t{99}}, pair.now(), pair.out());
    const auto a = pair.a().association->news();
    CPPUNIT_ASSERT(a && a->up && a->peer == pair.a().peer && a->waiting == 0);
    CPPUNIT_ASSERT(a->messages_out == 2 && a->bytes_out == 12 && a->messages_in == 1 && a->bytes_in == 1);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a->drops[DataDrop::closed]);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, a->channels.size());
    CPPUNIT_ASSERT(a->channels[1].channel.label == "other" && a->channels[1].stream == 2);
    CPPUNIT_ASSERT(a->channels[1].messages_out == 1 && a->channels[1].bytes_out == 7 && !a->channels[1].negotiated);
    CPPUNIT_ASSERT(!pair.a().association->news());  // nothing since
    pair.close(pair.a(), "other");
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().association->channels() == 1; }));
    const auto after = pair.a().association->news();
    CPPUNIT_ASSERT(after && after->channels.size() == 1 && after->messages_out == 2);
  }
  void junk_never_harms() {
    Pair pair;
    chat(pair);
    SeededRandom random(7);
    std::vector<uint8_t> last;
    uint64_t mangled = 0;
    pair.loses = [&](Bytes packet) {
      last.assign(packet.begin(), packet.end());
      return false;
    };
    for (int i = 0; i < 3000; ++i) {
      std::vector<uint8_t> junk(random.below(200));
      random.fill(junk);
      if (i % 3 != 0 && !last.empty()) {
        // A true packet with a few bytes changed, its checksum often right.
        junk = last;
        for (uint64_t k = random.below(4) + 1; k > 0; --k)
          junk[random.below(junk.size())] = static_cast<uint8_t>(random.below(256));
        if (i % 2 == 0) junk.resize(random.below(junk.size() + 1));
        if (junk.size() > 16 && i % 5 != 0) {
          write_checksum(junk);
        }
        ++mangled;
      }
      pair.b().association->receive(junk, pair.now(), pair.out());
      if (i % 50 == 0) {
        pair.send(pair.a(), "chat", "x");
        pair.run(20ms);
      }
    }
    CPPUNIT_ASSERT(pair.drops()[DataDrop::bad_packet] > 1000 && mangled > 1000);
    // An ABORT may have been among it: then there is a new association.
    CPPUNIT_ASSERT(pair.until([&] { return pair.a().up && pair.b().up; }));
    pair.run(5s);
    const size_t before = pair.b().messages.size();
    pair.send(pair.a(), "chat", "after all");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() > before; }, 120s));
  }
  void a_flood_of_hellos_leaves_the_association_working() {
    Pair pair;
    std::vector<uint8_t> hello;
    pair.loses = [&](Bytes packet) {
      if (hello.empty() && packet.size() > 12 && packet[12] == 1) hello.assign(packet.begin(), packet.end());
      return false;
    };
    chat(pair);
    CPPUNIT_ASSERT(!hello.empty());
    for (int i = 0; i < 5000; ++i) {
      if (i % 2 == 0) store_u32(&hello[16], static_cast<uint32_t>(i + 1));  // another initiate tag
      write_checksum(hello);
      pair.b().association->receive(hello, pair.now(), pair.out());
      (void)pair.out().packets.take();
    }
    pair.run(1s);
    pair.send(pair.a(), "chat", "x");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 1; }));
  }
  void associations_come_and_go_by_the_hundred() {
    Pair pair;
    for (int i = 0; i < 200; ++i) {
      pair.a().up = pair.b().up = false;
      pair.begin(0);
      pair.begin(1);
      CPPUNIT_ASSERT(pair.connect());
      pair.send(pair.a(), "", "x");
      CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == static_cast<size_t>(i + 1); }));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{2}, pair.stack().sockets());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(AssociationTest);

}  // namespace
