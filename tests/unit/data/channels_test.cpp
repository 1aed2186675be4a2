// Data channels: how they open, close and are told apart.
#include <cppunit/extensions/HelperMacros.h>

#include "data/crc32c.hpp"
#include "unit/data/pair.hpp"

namespace cardea::data::test {
namespace {

class ChannelsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ChannelsTest);
  CPPUNIT_TEST(a_channel_opens_with_its_first_message);
  CPPUNIT_TEST(the_reply_goes_the_way_the_channel_was_opened);
  CPPUNIT_TEST(a_closed_channel_is_told_after_its_last_message);
  CPPUNIT_TEST(streams_are_used_again_after_a_close);
  CPPUNIT_TEST(many_channels_close_at_once);
  CPPUNIT_TEST(there_are_no_more_channels_than_streams);
  CPPUNIT_TEST(what_comes_while_a_channel_closes_is_dropped_by_name);
  CPPUNIT_TEST(a_negotiated_channel_works_without_an_open);
  CPPUNIT_TEST(negotiated_channels_are_told_apart_by_stream);
  CPPUNIT_TEST(an_open_that_comes_late_names_its_channel);
  CPPUNIT_TEST(the_last_of_65535_streams_works);
  CPPUNIT_TEST(what_changes_is_told_by_channel);
  CPPUNIT_TEST_SUITE_END();

public:
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
    for (int i = 0; i < 120; ++i) pair.send(pair.a(), "channel " + std::to_string(i), "hello");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 120; }));
    for (int i = 0; i < 120; ++i) pair.close(i % 2 == 0 ? pair.a() : pair.b(), "channel " + std::to_string(i));
    CPPUNIT_ASSERT(
        pair.until([&] { return !pair.a().association->channels() && !pair.b().association->channels(); }, 120s));
    CPPUNIT_ASSERT_EQUAL(size_t{120}, pair.a().closed.size() + pair.b().closed.size());
    pair.send(pair.a(), "again", "hello");
    CPPUNIT_ASSERT(pair.until([&] { return pair.b().messages.size() == 121; }));
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
};
CPPUNIT_TEST_SUITE_REGISTRATION(ChannelsTest);

}  // namespace
}  // namespace cardea::data::test
