#include <cppunit/extensions/HelperMacros.h>

#include <random>
#include <set>
#include <vector>

#include "control/placement.hpp"
#include "control/routes.hpp"

namespace cardea::control {
namespace {

class PlacementTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PlacementTest);
  CPPUNIT_TEST(an_id_comes_again_only_when_its_generations_are_used_up);
  CPPUNIT_TEST(a_stale_id_is_not_alive_and_releases_nothing);
  CPPUNIT_TEST(peers_with_one_affinity_share_a_worker);
  CPPUNIT_TEST(a_loaded_worker_gets_no_more_peers);
  CPPUNIT_TEST(peers_without_affinity_spread);
  CPPUNIT_TEST_SUITE_END();

  void an_id_comes_again_only_when_its_generations_are_used_up() {
    Placement placement(0, 1);
    std::set<PeerId> seen;
    for (int i = 0; i < 60'000; ++i) {
      PeerId peer = placement.allocate(std::nullopt);
      CPPUNIT_ASSERT(peer);
      CPPUNIT_ASSERT(seen.insert(peer).second);
      placement.release(peer);
    }
  }

  void a_stale_id_is_not_alive_and_releases_nothing() {
    Placement placement(0, 2);
    PeerId peer = placement.allocate(5);
    CPPUNIT_ASSERT(placement.alive(peer));
    placement.release(peer);
    placement.release(peer);
    CPPUNIT_ASSERT(!placement.alive(peer));
    CPPUNIT_ASSERT_EQUAL(uint32_t{0}, placement.peers());
    CPPUNIT_ASSERT(!placement.alive(PeerId{}));
    CPPUNIT_ASSERT(!placement.alive(PeerId{9, 1, 0}));
    CPPUNIT_ASSERT(!placement.alive(PeerId{0, 1, 99}));
  }

  void peers_with_one_affinity_share_a_worker() {
    Placement placement(0, 4);
    std::set<uint16_t> rooms;
    for (uint64_t room = 1; room <= 4; ++room) {
      uint16_t worker = placement.allocate(room).worker;
      rooms.insert(worker);
      for (int i = 0; i < 9; ++i) CPPUNIT_ASSERT_EQUAL(worker, placement.allocate(room).worker);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{4}, rooms.size());
  }

  void a_loaded_worker_gets_no_more_peers() {
    Placement placement(0, 2);
    PeerId first = placement.allocate(1);
    placement.note_load(first.worker, 0.9);
    PeerId second = placement.allocate(1);
    CPPUNIT_ASSERT(first.worker != second.worker);
    placement.note_load(second.worker, 0.95);  // nowhere is room: fewest peers
    placement.allocate(1);
    placement.allocate(1);
    CPPUNIT_ASSERT_EQUAL(uint32_t{4}, placement.peers());
    CPPUNIT_ASSERT_EQUAL(placement.peers(0), placement.peers(1));
    placement.note_load(77, 1.0);  // no such worker
  }

  void peers_without_affinity_spread() {
    Placement placement(0, 3);
    for (int i = 0; i < 9; ++i) placement.allocate(std::nullopt);
    for (uint16_t i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL(uint32_t{3}, placement.peers(i));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PlacementTest);

class RoutesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RoutesTest);
  CPPUNIT_TEST(a_route_within_a_worker_needs_no_mirror);
  CPPUNIT_TEST(one_mirror_serves_all_senders_of_a_worker);
  CPPUNIT_TEST(a_sender_has_one_source);
  CPPUNIT_TEST(other_workers_hear_of_a_peer_that_is_gone);
  CPPUNIT_TEST(random_routes_leave_no_mirror_behind);
  CPPUNIT_TEST_SUITE_END();

  static ReceiverId from(uint16_t worker, uint32_t slot, uint16_t mline = 0) { return {{worker, 1, slot}, mline}; }
  static SenderId to(uint16_t worker, uint32_t slot, uint16_t mline = 0) { return {{worker, 1, slot}, mline}; }
  template <class T>
  static std::vector<T> of(const Commands& commands) {
    std::vector<T> all;
    for (const Addressed& one : commands)
      if (const T* command = std::get_if<T>(&one.command)) all.push_back(*command);
    return all;
  }

  void a_route_within_a_worker_needs_no_mirror() {
    Routes routes;
    Commands out;
    routes.forward(from(0, 1), to(0, 2), out);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, of<worker::Forward>(out).size());
    routes.forward(from(0, 1), to(0, 2), out);  // told again: the worker may not have had the m-line yet
    CPPUNIT_ASSERT_EQUAL(size_t{2}, of<worker::Forward>(out).size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, routes.size());
  }

  void one_mirror_serves_all_senders_of_a_worker() {
    Routes routes;
    Commands out;
    for (uint32_t slot = 0; slot < 3; ++slot) routes.forward(from(0, 1), to(1, slot), out);
    auto mirrors = of<worker::Mirror>(out);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, mirrors.size());
    CPPUNIT_ASSERT(mirrors[0].on && mirrors[0].to_worker == 1);
    CPPUNIT_ASSERT_EQUAL(uint16_t{0}, out[0].worker);  // to the worker of the receiver, before the route
    out.clear();
    routes.stop(to(1, 0), out);
    routes.stop(to(1, 1), out);
    CPPUNIT_ASSERT(of<worker::Mirror>(out).empty());
    routes.stop(to(1, 2), out);
    routes.stop(to(1, 2), out);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, of<worker::Mirror>(out).size());
    CPPUNIT_ASSERT(!of<worker::Mirror>(out)[0].on);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, of<worker::StopForward>(out).size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, routes.size() + routes.mirrors());
  }

  void a_sender_has_one_source() {
    Routes routes;
    Commands out;
    routes.forward(from(0, 1), to(1, 0), out);
    out.clear();
    routes.forward(from(0, 2), to(1, 0), out);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, routes.size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, routes.mirrors());
    CPPUNIT_ASSERT(of<worker::StopForward>(out).empty());
    auto mirrors = of<worker::Mirror>(out);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, mirrors.size());
    CPPUNIT_ASSERT(mirrors[0].on && !mirrors[1].on && mirrors[1].from == from(0, 1));
  }

  void other_workers_hear_of_a_peer_that_is_gone() {
    Routes routes;
    Commands out;
    routes.forward(from(0, 1), to(1, 0), out);     // it sends to another worker
    routes.forward(from(0, 1, 1), to(0, 5), out);  // and to its own
    routes.forward(from(1, 7), to(0, 1), out);     // it hears another worker
    out.clear();
    routes.forget({0, 1, 1}, out);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, of<worker::StopForward>(out).size());
    CPPUNIT_ASSERT(of<worker::StopForward>(out)[0].to == to(1, 0));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, of<worker::Mirror>(out).size());
    CPPUNIT_ASSERT(of<worker::Mirror>(out)[0].from == from(1, 7));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, routes.size() + routes.mirrors());
  }

  void random_routes_leave_no_mirror_behind() {
    std::mt19937 dice(3);
    Routes routes;
    Commands out;
    std::set<std::pair<ReceiverId, uint16_t>> on;
    auto follow = [&] {
      for (const auto& mirror : of<worker::Mirror>(out)) {
        if (mirror.on)
          CPPUNIT_ASSERT(on.insert({mirror.from, mirror.to_worker}).second);
        else
          CPPUNIT_ASSERT_EQUAL(size_t{1}, on.erase({mirror.from, mirror.to_worker}));
      }
      out.clear();
    };
    auto any = [&](uint32_t bound) { return static_cast<uint16_t>(dice() % bound); };
    for (int i = 0; i < 10'000; ++i) {
      SenderId sender = to(any(3), any(6), any(2));
      switch (any(8)) {
      case 0: {
        PeerId gone{any(3), 1, any(6)};
        routes.forget(gone, out);
        follow();
        std::erase_if(on, [&](const auto& mirror) { return mirror.first.peer == gone; });
        break;
      }
      case 1: routes.stop(sender, out); break;
      default: routes.forward(from(any(3), any(6), any(2)), sender, out); break;
      }
      follow();
      CPPUNIT_ASSERT_EQUAL(on.size(), routes.mirrors());
    }
    for (uint16_t worker = 0; worker < 3; ++worker)
      for (uint32_t slot = 0; slot < 6; ++slot) routes.forget({worker, 1, slot}, out);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, routes.size() + routes.mirrors());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RoutesTest);

}  // namespace
}  // namespace cardea::control
