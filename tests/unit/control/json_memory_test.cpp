// Memory of JSON values.
#include <cppunit/extensions/HelperMacros.h>
#include <jansson.h>
#include <malloc.h>

#include <cstring>
#include <thread>
#include <vector>

#include "control/json_memory.hpp"

namespace cardea::control {
namespace {

class JsonMemoryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JsonMemoryTest);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CPPUNIT_TEST(a_thread_makes_values_of_what_it_gave_up);
  CPPUNIT_TEST(no_piece_is_too_small);
  CPPUNIT_TEST(what_is_kept_is_bounded_and_ends_with_the_thread);
#endif
  CPPUNIT_TEST_SUITE_END();

  json_malloc_t before_make_ = nullptr, make_ = nullptr;
  json_free_t before_give_up_ = nullptr, give_up_ = nullptr;

public:
  void setUp() override {
    json_get_alloc_funcs(&before_make_, &before_give_up_);
    keep_json_memory();
    json_get_alloc_funcs(&make_, &give_up_);
  }
  void tearDown() override { json_set_alloc_funcs(before_make_, before_give_up_); }

  void a_thread_makes_values_of_what_it_gave_up() {
    void* others = nullptr;
    std::thread([&] { others = make_(40); }).join();
    give_up_(others);
    void* next = make_(33);  // of the same size, as pieces go
    CPPUNIT_ASSERT(next == others);
    void* other = make_(33);
    CPPUNIT_ASSERT(other != next);
    give_up_(next);
    give_up_(other);
    give_up_(nullptr);
  }

  void no_piece_is_too_small() {
    for (int round = 0; round < 2; ++round) {
      std::vector<void*> pieces;
      for (size_t bytes = 1; bytes <= 1000; ++bytes) {
        void* piece = make_(bytes);
        CPPUNIT_ASSERT(malloc_usable_size(piece) >= bytes);
        memset(piece, 0x55, bytes);
        pieces.push_back(piece);
      }
      for (void* piece : pieces) give_up_(piece);
    }
  }

  void what_is_kept_is_bounded_and_ends_with_the_thread() {
    constexpr size_t count = 20000, bytes = 200, bound = 256 * 1024, slack = 64 * 1024;
    std::vector<void*> pieces(count);
    for (void*& piece : pieces) piece = make_(bytes);
    const size_t used = mallinfo2().uordblks;
    size_t freed = 0;
    std::thread([&] {
      for (void* piece : pieces) give_up_(piece);
      freed = used - mallinfo2().uordblks;
    }).join();
    CPPUNIT_ASSERT(freed + bound > count * bytes);
    CPPUNIT_ASSERT(used - mallinfo2().uordblks + slack > count * bytes);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(JsonMemoryTest);

}  // namespace
}  // namespace cardea::control
