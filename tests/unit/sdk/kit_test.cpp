// What room plugins are made of: rates, layers, offers, pages, sizes of what is read.
#include <cppunit/extensions/HelperMacros.h>

#include "cardea/layers.hpp"
#include "cardea/offer_turn.hpp"
#include "cardea/rate.hpp"
#include "cardea/rooms.hpp"

using namespace cardea;

class KitTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KitTest);
  CPPUNIT_TEST(a_rate_fills_with_time);
  CPPUNIT_TEST(one_offer_is_out_at_a_time);
  CPPUNIT_TEST(what_is_relayed_already_is_told_at_once);
  CPPUNIT_TEST(delays_that_contradict_each_other_are_none);
  CPPUNIT_TEST(a_page_ends_where_it_is_full);
  CPPUNIT_TEST_SUITE_END();

  void a_rate_fills_with_time() {
    Time now{};
    Rate rate(10, 20);
    CPPUNIT_ASSERT(rate.take(now, 20) && !rate.take(now) && !rate.full(now));
    now += 1s;
    CPPUNIT_ASSERT(rate.take(now, 10) && !rate.take(now));
    CPPUNIT_ASSERT(rate.full(now + 2s));
    CPPUNIT_ASSERT(Rate(0, 1).take(now, 1000));
  }
  void one_offer_is_out_at_a_time() {
    OfferTurn turn;
    CPPUNIT_ASSERT(!turn.take());
    turn.sent();
    turn.want(true);
    turn.want(false);
    CPPUNIT_ASSERT(turn.pending() && turn.wanted() && !turn.take());
    turn.answered();
    CPPUNIT_ASSERT_EQUAL(true, turn.take().value());
    CPPUNIT_ASSERT(!turn.wanted() && !turn.restart_wanted() && !turn.take());
  }
  void what_is_relayed_already_is_told_at_once() {
    std::string told;
    auto tell = [&](const char* member, int layer) { told += text(member, layer, ' '); };
    LayerWishes wanted{.substream = 1, .temporal = 0, .spatial_layer = 1, .temporal_layer = {}, .fallback = 1000};
    Layers target;
    choose_layers(wanted, {.simulcast = true}, {.substream = 1, .temporal = 2}, target, tell);
    CPPUNIT_ASSERT_EQUAL(std::string("substream1 "), told);
    CPPUNIT_ASSERT(target.substream == 1 && target.temporal == 0 && target.spatial == 2 && target.fallback == 1ms);
    told.clear();
    tell_changes({.svc = true}, {.temporal = 1, .spatial = 0}, {.substream = 2, .temporal = 1, .spatial = 2}, tell);
    CPPUNIT_ASSERT_EQUAL(std::string("spatial_layer2 "), told);
  }
  void delays_that_contradict_each_other_are_none() {
    CPPUNIT_ASSERT(!(DelayWishes{.min_delay = -1, .max_delay = {}}.delay()));
    CPPUNIT_ASSERT(!(DelayWishes{.min_delay = 5, .max_delay = 4}.delay()));
    CPPUNIT_ASSERT_EQUAL(uint16_t{5}, (DelayWishes{.min_delay = 5, .max_delay = {}}.delay()->max_10ms));
  }
  void a_page_ends_where_it_is_full() {
    Page page;
    uint64_t id = 0;
    while (page.add(PublicId(++id), Json(std::string(1000, 'x')))) CPPUNIT_ASSERT(id < 1000);
    CPPUNIT_ASSERT(!page.add(PublicId(id + 1), Json("small")));
    Json answer = Json::object();
    page.move_to("list", answer);
    CPPUNIT_ASSERT_EQUAL(size_t{id - 1}, answer["list"].size());
    CPPUNIT_ASSERT_EQUAL(int64_t(id - 1), answer["next"].integer());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(KitTest);
