#include <cppunit/extensions/HelperMacros.h>

#include <utility>
#include <vector>

#include "base/pool.hpp"

namespace cardea {
namespace {

class PoolTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PoolTest);
  CPPUNIT_TEST(the_last_reference_gives_the_object_back);
  CPPUNIT_TEST(objects_are_used_again);
  CPPUNIT_TEST(a_moved_reference_is_empty);
  CPPUNIT_TEST(assignment_lets_go_of_the_old_object);
  CPPUNIT_TEST(a_reference_may_be_assigned_to_itself);
  CPPUNIT_TEST(it_grows_to_what_is_used_at_once);
  CPPUNIT_TEST_SUITE_END();

  Pool<int> pool;

  void the_last_reference_gives_the_object_back() {
    auto first = pool.get();
    *first = 5;
    {
      auto second = first;
      first.reset();
      CPPUNIT_ASSERT(!first);
      CPPUNIT_ASSERT(first.get() == nullptr);
      CPPUNIT_ASSERT_EQUAL(5, *second);
      CPPUNIT_ASSERT_EQUAL(size_t{1}, pool.in_use());
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pool.in_use());
    first.reset();  // twice does nothing
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pool.in_use());
  }

  void objects_are_used_again() {
    int* place = pool.get().get();
    auto again = pool.get();
    CPPUNIT_ASSERT(place == again.get());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pool.size());
  }

  void a_moved_reference_is_empty() {
    auto from = pool.get();
    auto to = std::move(from);
    CPPUNIT_ASSERT(!from && to);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pool.in_use());
  }

  void assignment_lets_go_of_the_old_object() {
    auto one = pool.get(), two = pool.get();
    one = two;
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pool.in_use());
    CPPUNIT_ASSERT(one.get() == two.get());
    one = PoolRef<int>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pool.in_use());
    two = std::move(one);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pool.in_use());
  }

  void a_reference_may_be_assigned_to_itself() {
    auto one = pool.get();
    auto& same = one;
    one = same;
    CPPUNIT_ASSERT(one);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, pool.in_use());
  }

  void it_grows_to_what_is_used_at_once() {
    for (int round = 0; round < 3; ++round) {
      std::vector<PoolRef<int>> all;
      for (int i = 0; i < 100; ++i) {
        all.push_back(pool.get());
        *all.back() = i;
      }
      for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT_EQUAL(i, *all[static_cast<size_t>(i)]);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{100}, pool.size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, pool.in_use());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PoolTest);

}  // namespace
}  // namespace cardea
