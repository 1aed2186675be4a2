// How associations begin, end, change and stand junk.
#include <cppunit/extensions/HelperMacros.h>
#include <malloc.h>

#include <set>

#include "data/crc32c.hpp"
#include "unit/data/pair.hpp"

namespace cardea::data::test {
namespace {

class AssociationTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AssociationTest);
  CPPUNIT_TEST(both_sides_begin_and_one_association_comes_of_it);
  CPPUNIT_TEST(a_peer_that_begins_anew_gets_a_new_association);
  CPPUNIT_TEST(a_lost_association_is_tried_again);
  CPPUNIT_TEST(a_peer_may_add_streams);
  CPPUNIT_TEST(whatever_a_peer_asks_for_an_association_stays_small);
  CPPUNIT_TEST(junk_never_harms);
  CPPUNIT_TEST(a_flood_of_hellos_leaves_the_association_working);
  CPPUNIT_TEST(associations_come_and_go_by_the_hundred);
  CPPUNIT_TEST_SUITE_END();

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
  void a_peer_may_add_streams() {
    Pair pair;
    // To b the other side seems to have 128 streams of its own to begin with (RFC 9260 section 3.3.2).
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
    store_u16(&hello[24], 128);
    write_checksum(hello);
    pair.begin(1);
    pair.b().association->receive(hello, pair.now(), pair.out());
    CPPUNIT_ASSERT(pair.connect());
    CPPUNIT_ASSERT(pair.b().association->news()->streams == 128);
    // RFC 6525 section 4.5: 100 more, in the first request of all, whose number is the first TSN.
    std::vector<uint8_t> add{0x13, 0x88, 0x13, 0x88, 0, 0,  0, 0, 0, 0, 0, 0,   130, 0,
                             0,    16,   0,    17,   0, 12, 0, 0, 0, 0, 0, 100, 0,   0};
    store_u32(&add[4], to_b);
    std::copy(&hello[28], &hello[32], &add[20]);
    write_checksum(add);
    pair.b().association->receive(add, pair.now(), pair.out());
    pair.run(100ms);
    const auto news = pair.b().association->news();
    CPPUNIT_ASSERT(news && news->streams == 228);
  }
  void whatever_a_peer_asks_for_an_association_stays_small() {
    Pair pair;
    std::vector<uint8_t> hello;
    uint32_t to_b = 0;
    pair.loses = [&](Bytes packet) {
      if (packet[12] == 1) hello.assign(packet.begin(), packet.end());
      if (packet[12] == 10) to_b = load_u32(&packet[4]);
      return packet[12] == 1;
    };
    pair.b().association.reset();
    pair.run(3s);
    CPPUNIT_ASSERT(hello.size() > 32);
    store_u16(&hello[24], 65535);  // streams of its own, and as many of ours
    store_u16(&hello[26], 65535);
    write_checksum(hello);
    const size_t before = mallinfo2().uordblks;
    pair.begin(1);
    pair.b().association->receive(hello, pair.now(), pair.out());
    CPPUNIT_ASSERT(pair.connect());
    uint32_t number = load_u32(&hello[28]);
    const auto ask = [&](std::vector<uint8_t> parameter) {
      std::vector<uint8_t> packet{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 130, 0, 0, 0};
      store_u32(&packet[4], to_b);
      store_u32(&parameter[4], number++);
      packet.insert(packet.end(), parameter.begin(), parameter.end());
      store_u16(&packet[14], static_cast<uint16_t>(packet.size() - 12));
      write_checksum(packet);
      pair.b().association->receive(packet, pair.now(), pair.out());
      pair.run(50ms);
    };
    ask({0, 18, 0, 12, 0, 0, 0, 0, 0xf0, 0, 0, 0});  // streams of ours (RFC 6525 section 4.6)
    --number;
    ask({0, 15, 0, 8, 0, 0, 0, 0});  // other TSNs (section 4.3)
    --number;
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, pair.drops()[DataDrop::bad_packet]);
    ask({0, 17, 0, 12, 0, 0, 0, 0, 0xf0, 0, 0, 0});  // more of its own than there may be (section 4.5)
    CPPUNIT_ASSERT_EQUAL(SctpSettings().streams, pair.b().association->news()->streams);
    // A channel on each stream, with the longest names.
    Raw raw(pair);
    for (uint16_t stream = 0; stream < SctpSettings().streams; ++stream) {
      std::string open("\x03\0\0\0\0\0\0\0\4\0\4\0", 12);
      open += std::string(1024, static_cast<char>('a' + stream % 26)) + std::string(1024, 'p');
      raw.send(stream, 50, open);
    }
    CPPUNIT_ASSERT(pair.drops()[DataDrop::too_many_channels] > 0);
    // Of both ends of the pair: what is asked of one is made at the other, too.
    pair.b().opened.clear(), pair.a().opened.clear();
    CPPUNIT_ASSERT_LESSEQUAL(size_t{2 * 128 * 1024}, mallinfo2().uordblks - before);
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
}  // namespace cardea::data::test
