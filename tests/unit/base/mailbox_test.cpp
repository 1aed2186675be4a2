#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>

#include <memory>
#include <thread>
#include <vector>

#include "cardea/mailbox.hpp"

namespace cardea {
namespace {

class MailboxTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MailboxTest);
  CPPUNIT_TEST(values_come_out_in_order);
  CPPUNIT_TEST(the_descriptor_is_readable_while_something_waits);
  CPPUNIT_TEST(a_burst_wakes_once_it_is_over);
  CPPUNIT_TEST(an_alarm_wakes_with_nothing_to_take);
  CPPUNIT_TEST(no_wake_up_is_lost);
  CPPUNIT_TEST(a_full_box_refuses);
  CPPUNIT_TEST(what_may_be_lost_is_refused_first);
  CPPUNIT_TEST(many_at_once_keep_their_order_and_the_bound);
  CPPUNIT_TEST(values_need_not_be_copied);
  CPPUNIT_TEST(what_is_posted_by_many_threads_arrives_once_and_in_each_ones_order);
  CPPUNIT_TEST_SUITE_END();

  template <class T>
  static bool readable(const Mailbox<T>& box, int wait_ms = 0) {
    pollfd entry{box.fd(), POLLIN, 0};
    return poll(&entry, 1, wait_ms) == 1;
  }

  void values_come_out_in_order() {
    Mailbox<int> box;
    std::vector<int> got{9};
    for (int i = 0; i < 5; ++i) CPPUNIT_ASSERT(box.post(i));
    box.take(got);
    CPPUNIT_ASSERT((got == std::vector<int>{0, 1, 2, 3, 4}));
    box.take(got);
    CPPUNIT_ASSERT(got.empty());
  }

  void the_descriptor_is_readable_while_something_waits() {
    Mailbox<int> box;
    std::vector<int> got;
    CPPUNIT_ASSERT(!readable(box));
    box.post(1);
    box.post(2);
    CPPUNIT_ASSERT(readable(box));
    box.take(got);
    CPPUNIT_ASSERT(!readable(box));
    box.take(got);  // of nothing, must not block
    box.post(3);
    CPPUNIT_ASSERT(readable(box));
  }

  void a_burst_wakes_once_it_is_over() {
    using Wake = Mailbox<int>::Wake;
    Mailbox<int> box;
    std::vector<int> got;
    box.wake();
    CPPUNIT_ASSERT(!readable(box));
    box.post(1, Wake::later);
    box.post(2, Wake::later);
    CPPUNIT_ASSERT(!readable(box));
    box.wake();
    CPPUNIT_ASSERT(readable(box));
    box.take(got);
    CPPUNIT_ASSERT((got == std::vector<int>{1, 2}));
    CPPUNIT_ASSERT(!readable(box));
    box.post(3, Wake::later);
    box.post(4);  // wakes for both
    CPPUNIT_ASSERT(readable(box));
    box.take(got);
    CPPUNIT_ASSERT((got == std::vector<int>{3, 4}));
    box.post(5, Wake::later);
    box.take(got);  // taken on the way: nothing to wake for
    box.wake();
    CPPUNIT_ASSERT((got == std::vector<int>{5}));
    CPPUNIT_ASSERT(!readable(box));
  }

  void what_may_be_lost_is_refused_first() {
    Mailbox<int> box;
    std::vector<int> got;
    CPPUNIT_ASSERT(box.post_below(2, 1) && readable(box));
    CPPUNIT_ASSERT(box.post_below(2, 2) && !box.post_below(2, 3));
    CPPUNIT_ASSERT(box.post(4));
    box.take(got);
    CPPUNIT_ASSERT((got == std::vector<int>{1, 2, 4}));
    CPPUNIT_ASSERT(box.post_below(2, 5));
  }

  void an_alarm_wakes_with_nothing_to_take() {
    Mailbox<int> box;
    std::vector<int> got;
    box.alarm();
    box.alarm();
    CPPUNIT_ASSERT(readable(box));
    box.take(got);
    CPPUNIT_ASSERT(got.empty() && !readable(box));
    box.post(1);
    CPPUNIT_ASSERT(readable(box));
  }

  // The owner sleeps until the descriptor is readable, and takes while the other thread posts.
  void no_wake_up_is_lost() {
    constexpr size_t count = 20000;
    Mailbox<size_t> box;
    std::thread poster([&] {
      for (size_t i = 0; i < count; ++i) box.post(i);
    });
    size_t taken = 0;
    std::vector<size_t> got;
    while (taken < count && readable(box, 5000)) {
      box.take(got);
      taken += got.size();
    }
    poster.join();
    CPPUNIT_ASSERT_EQUAL(count, taken);
    box.take(got);
    box.take(got);
    CPPUNIT_ASSERT(!readable(box));
  }

  void a_full_box_refuses() {
    Mailbox<int> box(2);
    std::vector<int> got;
    CPPUNIT_ASSERT(box.post(1) && box.post(2) && !box.post(3));
    box.take(got);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, got.size());
    CPPUNIT_ASSERT(box.post(4));
    box.take(got);
    CPPUNIT_ASSERT((got == std::vector<int>{4}));
  }

  void many_at_once_keep_their_order_and_the_bound() {
    Mailbox<int> box(3);
    std::vector<int> none, two{1, 2}, more{3, 4, 5}, got;
    CPPUNIT_ASSERT_EQUAL(size_t{0}, box.post_all(none));
    CPPUNIT_ASSERT(!readable(box));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, box.post_all(two));
    CPPUNIT_ASSERT(readable(box) && two.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, box.post_all(more));
    CPPUNIT_ASSERT(more.empty());
    box.take(got);
    CPPUNIT_ASSERT((got == std::vector<int>{1, 2, 3}));
    more = {6};
    CPPUNIT_ASSERT_EQUAL(size_t{0}, box.post_all(more));
    CPPUNIT_ASSERT(readable(box));
  }

  void values_need_not_be_copied() {
    Mailbox<std::unique_ptr<int>> box;
    std::vector<std::unique_ptr<int>> got;
    box.post(std::make_unique<int>(7));
    box.take(got);
    CPPUNIT_ASSERT_EQUAL(7, *got.at(0));
    box.post(std::make_unique<int>(8));  // never taken: goes with the box
  }

  // The owner sleeps on the descriptor as the event loops do: a lost wake-up would hang the test.
  void what_is_posted_by_many_threads_arrives_once_and_in_each_ones_order() {
    struct Letter {
      size_t from;
      int number;
    };
    constexpr int letters = 20000;
    constexpr size_t posters = 2;
    Mailbox<Letter> box;
    std::vector<std::jthread> threads;
    for (size_t from = 0; from < posters; ++from)
      threads.emplace_back([&box, from] {
        for (int i = 0; i < letters; ++i) box.post({from, i});
      });
    std::vector<int> next(posters);
    std::vector<Letter> got;
    bool in_order = true;
    for (size_t seen = 0; seen < posters * letters; seen += got.size()) {
      CPPUNIT_ASSERT(readable(box, 10000));
      box.take(got);
      for (const Letter& letter : got) in_order = in_order && letter.number == next[letter.from]++;
    }
    CPPUNIT_ASSERT(in_order);
    CPPUNIT_ASSERT(!readable(box));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(MailboxTest);

}  // namespace
}  // namespace cardea
