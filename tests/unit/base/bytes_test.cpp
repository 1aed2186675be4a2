#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/bytes.hpp"

namespace cardea {
namespace {

class BytesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BytesTest);
  CPPUNIT_TEST(what_is_written_reads_back);
  CPPUNIT_TEST(a_read_past_the_end_gives_zero_and_is_told);
  CPPUNIT_TEST(a_failed_reader_stays_failed);
  CPPUNIT_TEST(a_write_that_does_not_fit_writes_nothing);
  CPPUNIT_TEST(a_length_can_be_patched_in);
  CPPUNIT_TEST(loads_and_stores_are_big_endian);
  CPPUNIT_TEST(texts_and_bytes_are_the_same);
  CPPUNIT_TEST_SUITE_END();

  std::array<uint8_t, 32> storage{};

  void what_is_written_reads_back() {
    ByteWriter out(storage);
    out.u8(1);
    out.u16(0x0203);
    out.u24(0x040506);
    out.u32(0x0708090a);
    out.u64(0x0b0c0d0e0f101112);
    out.put(bytes_of("xy"));
    out.zeros(2);
    CPPUNIT_ASSERT(out.ok());
    CPPUNIT_ASSERT_EQUAL(size_t{22}, out.size());
    for (size_t i = 0; i < 18; ++i) CPPUNIT_ASSERT_EQUAL(i + 1, size_t{storage[i]});
    ByteReader in(out.written());
    CPPUNIT_ASSERT_EQUAL(1, int(in.u8()));
    CPPUNIT_ASSERT_EQUAL(0x0203, int(in.u16()));
    CPPUNIT_ASSERT_EQUAL(0x040506u, in.u24());
    CPPUNIT_ASSERT_EQUAL(0x0708090au, in.u32());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0x0b0c0d0e0f101112}, in.u64());
    CPPUNIT_ASSERT(text_of(in.take(2)) == "xy");
    in.skip(1);
    CPPUNIT_ASSERT_EQUAL(size_t{21}, in.position());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, in.left());
    CPPUNIT_ASSERT(in.ok());
  }

  void a_read_past_the_end_gives_zero_and_is_told() {
    for (size_t size = 0; size < 8; ++size) {
      storage.fill(0xff);
      ByteReader in(Bytes(storage).first(size));
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, in.u64());
      CPPUNIT_ASSERT(!in.ok());
    }
    ByteReader in(Bytes(storage).first(4));
    CPPUNIT_ASSERT(in.take(5).empty());
    CPPUNIT_ASSERT(!in.ok());
    ByteReader exact(Bytes(storage).first(4));
    CPPUNIT_ASSERT_EQUAL(0xffffffffu, exact.u32());
    CPPUNIT_ASSERT(exact.ok());
    ByteReader huge(storage);
    CPPUNIT_ASSERT(huge.take(~size_t{0}).empty());
  }

  void a_failed_reader_stays_failed() {
    storage.fill(0xff);
    ByteReader in(Bytes(storage).first(3));
    in.u32();
    CPPUNIT_ASSERT_EQUAL(0, int(in.u8()));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, in.left());
    CPPUNIT_ASSERT(!in.ok());
  }

  void a_write_that_does_not_fit_writes_nothing() {
    ByteWriter out(MutableBytes(storage).first(3));
    out.u32(0xffffffff);
    CPPUNIT_ASSERT(!out.ok());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, out.size());
    CPPUNIT_ASSERT_EQUAL(0, int(storage[0]));
    ByteWriter text(MutableBytes(storage).first(3));
    text.put(bytes_of("four"));
    CPPUNIT_ASSERT(!text.ok());
    ByteWriter zeros(MutableBytes(storage).first(3));
    zeros.zeros(4);
    CPPUNIT_ASSERT(!zeros.ok());
    CPPUNIT_ASSERT_EQUAL(size_t{3}, zeros.room());
  }

  void a_length_can_be_patched_in() {
    ByteWriter out(storage);
    out.u32(0);
    out.patch_u16(2, 0x1234);
    CPPUNIT_ASSERT(out.ok());
    CPPUNIT_ASSERT(std::ranges::equal(out.written(), std::array<uint8_t, 4>{0, 0, 0x12, 0x34}));
    out.patch_u16(3, 1);  // half of it was not written
    CPPUNIT_ASSERT(!out.ok());
  }

  void loads_and_stores_are_big_endian() {
    store_u32(storage.data(), 0x01020304);
    CPPUNIT_ASSERT_EQUAL(1, int(storage[0]));
    CPPUNIT_ASSERT_EQUAL(4, int(storage[3]));
    CPPUNIT_ASSERT_EQUAL(0x01020304u, load_u32(storage.data()));
    CPPUNIT_ASSERT_EQUAL(0x0203, int(load_u16(storage.data() + 1)));
    store_u32(storage.data(), 0xfffefdfc);
    CPPUNIT_ASSERT_EQUAL(0xfffefdfcu, load_u32(storage.data()));
  }

  void texts_and_bytes_are_the_same() {
    std::string text("a\0b", 3);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, bytes_of(text).size());
    CPPUNIT_ASSERT(text_of(bytes_of(text)) == text);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BytesTest);

}  // namespace
}  // namespace cardea
