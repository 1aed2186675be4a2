#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "base/random.hpp"
#include "data/crc32c.hpp"
#include "data/packets.hpp"

using namespace cardea;
using namespace cardea::data;

namespace {

class PacketsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PacketsTest);
  CPPUNIT_TEST(the_checksum_is_castagnolis);
  CPPUNIT_TEST(the_checksum_stands_in_the_header);
  CPPUNIT_TEST(messages_of_one_peer_share_a_packet);
  CPPUNIT_TEST(a_packet_is_never_too_large);
  CPPUNIT_TEST(what_must_stand_alone_is_left_alone);
  CPPUNIT_TEST(peers_and_tags_are_kept_apart);
  CPPUNIT_TEST_SUITE_END();

  static constexpr PeerId one{0, 1, 1}, two{0, 1, 2};
  static constexpr uint8_t data = 0, init = 1, sack = 3, cookie_echo = 10, reconfig = 130, forward_tsn = 192;

  struct Chunk {
    uint8_t type;
    size_t size = 20;
  };
  static std::vector<uint8_t> packet(std::initializer_list<Chunk> chunks, uint8_t tag = 7) {
    std::vector<uint8_t> out(12);
    out[7] = tag;
    for (const Chunk& chunk : chunks) {
      std::vector<uint8_t> bytes((chunk.size + 3) & ~size_t{3}, chunk.type);
      bytes[2] = static_cast<uint8_t>(chunk.size >> 8);
      bytes[3] = static_cast<uint8_t>(chunk.size);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
  }
  // "1:0,0 2:3" - the packets' peers and chunk types.
  static std::string described(Outgoing& from) {
    std::string out;
    from.take().for_each([&](PeerId peer, Bytes bytes) {
      CPPUNIT_ASSERT(checksum_is_right(bytes));
      out += (out.empty() ? "" : " ") + std::to_string(peer.slot) + ":";
      for (size_t at = 12; at < bytes.size(); at += (load_u16(&bytes[at + 2]) + size_t{3}) & ~size_t{3})
        out += (at > 12 ? "," : "") + std::to_string(bytes[at]);
    });
    return out;
  }

public:
  void the_checksum_is_castagnolis() {
    CPPUNIT_ASSERT_EQUAL(0xe3069283u, crc32c(bytes_of("123456789")));  // the check value of CRC-32C
    // RFC 3720 appendix B.4
    CPPUNIT_ASSERT_EQUAL(0x8a9136aau, crc32c(std::vector<uint8_t>(32)));
    CPPUNIT_ASSERT_EQUAL(0x62a8ab43u, crc32c(std::vector<uint8_t>(32, 0xff)));
    // Bit by bit, for sizes that end anywhere.
    SeededRandom random(1);
    for (size_t size = 0; size < 70; ++size) {
      std::vector<uint8_t> bytes(size);
      random.fill(bytes);
      uint32_t slow = ~0u;
      for (uint8_t byte : bytes) {
        slow ^= byte;
        for (int bit = 0; bit < 8; ++bit) slow = (slow >> 1) ^ ((slow & 1) != 0 ? 0x82f63b78u : 0);
      }
      CPPUNIT_ASSERT_EQUAL(~slow, crc32c(bytes));
    }
  }
  void the_checksum_stands_in_the_header() {
    auto bytes = packet({{data}});
    bytes[9] = 99;  // what was there does not matter
    write_checksum(bytes);
    CPPUNIT_ASSERT(checksum_is_right(bytes));
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] ^= 4;
      CPPUNIT_ASSERT(!checksum_is_right(bytes));
      bytes[i] ^= 4;
    }
    CPPUNIT_ASSERT(!checksum_is_right(Bytes(bytes).first(11)));
    std::vector<uint8_t> tiny(5);
    write_checksum(tiny);  // nothing
  }
  void messages_of_one_peer_share_a_packet() {
    Outgoing out(1000);
    out.add(one, packet({{data, 21}}));
    out.add(one, packet({{data}, {data}}));
    out.add(one, packet({{data}}));
    CPPUNIT_ASSERT_EQUAL(std::string("1:0,0,0,0"), described(out));
    CPPUNIT_ASSERT(out.empty());
    out.add(one, packet({{data}}));  // none to be added to
    CPPUNIT_ASSERT_EQUAL(std::string("1:0"), described(out));
    out.add(one, packet({{sack, 16}, {forward_tsn, 8}, {data}}));
    out.add(one, packet({{data}}));
    CPPUNIT_ASSERT_EQUAL(std::string("1:3,192,0,0"), described(out));
  }
  void a_packet_is_never_too_large() {
    Outgoing out(100);
    for (int i = 0; i < 7; ++i) out.add(one, packet({{data, 29}}));  // 32 with its padding
    size_t largest = 0, count = 0;
    out.take().for_each([&](PeerId, Bytes bytes) { largest = std::max(largest, bytes.size()), ++count; });
    CPPUNIT_ASSERT(largest == 76 && count == 4);
  }
  void what_must_stand_alone_is_left_alone() {
    for (uint8_t type : {init, cookie_echo, reconfig, sack}) {
      Outgoing out(1000);
      out.add(one, packet({{data}}));
      out.add(one, packet({{type}}));
      out.add(one, packet({{data}}));
      const std::string other = std::to_string(type);
      CPPUNIT_ASSERT_EQUAL("1:0 1:" + other + " 1:0", described(out));
      out.add(one, packet({{data}}));
      out.add(one, packet({{type}, {data}}));  // control chunks come before DATA
      CPPUNIT_ASSERT_EQUAL("1:0 1:" + other + ",0", described(out));
    }
    Outgoing out(1000);
    auto odd = packet({{data, 22}});
    for (int i = 0; i < 2; ++i) odd.pop_back();  // without its padding nothing can follow
    out.add(one, odd);
    out.add(one, packet({{data}}));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, out.take().entries.size());
  }
  void peers_and_tags_are_kept_apart() {
    Outgoing out(1000);
    out.add(one, packet({{data}}));
    out.add(two, packet({{data}}));
    out.add(one, packet({{data}}));
    out.add(one, packet({{data}}, 8));
    CPPUNIT_ASSERT_EQUAL(std::string("1:0 2:0 1:0 1:0"), described(out));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PacketsTest);

}  // namespace
