#include <cppunit/extensions/HelperMacros.h>

#include "ice/lite_agent.hpp"
#include "unit/ice/stun_client.hpp"

namespace cardea::ice {

namespace {

const Address wifi = *Address::parse("192.0.2.1", 5000);
const Address mobile = *Address::parse("198.51.100.7", 6000);
const Address relay = *Address::parse("203.0.113.9", 7000);
const Time begin{1000s};

}  // namespace

class LiteAgentTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LiteAgentTest);
  CPPUNIT_TEST(a_check_is_answered_and_its_path_taken);
  CPPUNIT_TEST(the_nominated_path_is_followed);
  CPPUNIT_TEST(a_path_found_by_another_socket_is_another_path);
  CPPUNIT_TEST(of_paths_nominated_at_once_the_better_is_taken);
  CPPUNIT_TEST(a_moving_peer_is_followed_without_a_restart);
  CPPUNIT_TEST(a_dead_path_is_left_without_a_nomination);
  CPPUNIT_TEST(silence_ends_consent_and_a_check_renews_it);
  CPPUNIT_TEST(before_the_first_check_nothing_times_out);
  CPPUNIT_TEST(a_wrong_password_is_not_answered_and_changes_nothing);
  CPPUNIT_TEST(a_peer_that_claims_our_role_is_told);
  CPPUNIT_TEST(after_a_restart_the_old_credentials_serve_until_the_new_are_used);
  CPPUNIT_TEST(a_restart_keeps_the_path_until_a_new_one_is_nominated);
  CPPUNIT_TEST(addresses_are_bounded_and_the_path_stays);
  CPPUNIT_TEST_SUITE_END();

public:
  using State = LiteAgent::State;

  LiteAgent::Checked check(const Address& from, Time now, Check what = {}) {
    out.clear();
    return agent.receive(client.request(what), from, now, out);
  }
  static Check nominating(uint32_t priority = 1000) {
    Check what;
    what.use_candidate = true;
    what.priority = priority;
    return what;
  }
  bool accepted() { return out.size() == 1 && client.read(out[0].bytes).outcome == STUN_USAGE_ICE_RETURN_SUCCESS; }

  void a_check_is_answered_and_its_path_taken() {
    CPPUNIT_ASSERT(agent.state() == State::checking && !agent.selected() && !agent.knows(wifi));
    auto checked = check(wifi, begin);
    CPPUNIT_ASSERT(!checked.drop && checked.added == wifi && checked.path_changed);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT(out[0].to == wifi);
    CPPUNIT_ASSERT(client.read(out[0].bytes).mapped == wifi);
    CPPUNIT_ASSERT(agent.state() == State::connected && agent.selected() == wifi && agent.knows(wifi));
    auto again = check(wifi, begin + 1s);
    CPPUNIT_ASSERT(!again.drop && !again.added && !again.path_changed);
  }

  void the_nominated_path_is_followed() {
    check(wifi, begin);
    check(mobile, begin);
    CPPUNIT_ASSERT(agent.selected() == wifi);
    CPPUNIT_ASSERT(check(mobile, begin + 100ms, nominating(1)).path_changed);
    CPPUNIT_ASSERT(agent.selected() == mobile);
    CPPUNIT_ASSERT(!check(wifi, begin + 200ms).path_changed);
    CPPUNIT_ASSERT(agent.selected() == mobile);
  }

  void a_path_found_by_another_socket_is_another_path() {
    Address other = wifi;
    other.socket = 1;
    check(wifi, begin);
    CPPUNIT_ASSERT(check(other, begin, nominating()).added == other);
    CPPUNIT_ASSERT(agent.selected() == other);
  }

  void of_paths_nominated_at_once_the_better_is_taken() {
    check(wifi, begin, nominating(2000));
    check(relay, begin + 10ms, nominating(10));
    CPPUNIT_ASSERT(agent.selected() == wifi);
    check(mobile, begin + 20ms, nominating(3000));
    CPPUNIT_ASSERT(agent.selected() == mobile);
  }

  void a_moving_peer_is_followed_without_a_restart() {
    for (int i = 0; i < 4; ++i) check(wifi, begin + i * 2500ms, nominating(2000));
    Time moved = begin + 9s;
    check(mobile, moved, nominating(2000));  // a new port, the same candidate
    CPPUNIT_ASSERT(agent.selected() == mobile);
    check(relay, moved + 500ms, nominating(10));  // a worse one: only if the better is not nominated any more
    CPPUNIT_ASSERT(agent.selected() == mobile);
    check(relay, moved + 1s, nominating(10));
    CPPUNIT_ASSERT(agent.selected() == relay);
  }

  void a_dead_path_is_left_without_a_nomination() {
    check(wifi, begin, nominating());
    check(mobile, begin + 3s);
    CPPUNIT_ASSERT(agent.selected() == wifi);
    check(mobile, begin + 7s);
    CPPUNIT_ASSERT(agent.selected() == mobile);
  }

  void silence_ends_consent_and_a_check_renews_it() {
    check(wifi, begin);
    check(wifi, begin + 2s);
    CPPUNIT_ASSERT(agent.next_deadline() == begin + 17s);
    agent.tick(begin + 16s);
    CPPUNIT_ASSERT(agent.state() == State::connected);
    agent.tick(begin + 17s);
    CPPUNIT_ASSERT(agent.state() == State::failed && agent.next_deadline() == never);
    check(mobile, begin + 18s);
    CPPUNIT_ASSERT(agent.state() == State::connected && agent.selected() == mobile);
    CPPUNIT_ASSERT(agent.next_deadline() == begin + 33s);
  }

  void before_the_first_check_nothing_times_out() {
    CPPUNIT_ASSERT(agent.next_deadline() == never);
    agent.tick(begin + 1h);
    CPPUNIT_ASSERT(agent.state() == State::checking);
  }

  void a_wrong_password_is_not_answered_and_changes_nothing() {
    check(wifi, begin);
    Check forged = nominating();
    forged.pwd = "guessed";
    CPPUNIT_ASSERT(check(mobile, begin + 1s, forged).drop == Drop::bad_integrity);
    Check stranger = nominating();
    stranger.username = "somebody:theirs";
    CPPUNIT_ASSERT(check(mobile, begin + 1s, stranger).drop == Drop::unknown_source);
    CPPUNIT_ASSERT(out.empty() && agent.selected() == wifi && !agent.knows(mobile));
    CPPUNIT_ASSERT(agent.last_check() == begin);
    CPPUNIT_ASSERT(agent.receive(bytes_of("no stun at all, but long enough"), wifi, begin, out).drop ==
                   Drop::malformed);
  }

  void a_peer_that_claims_our_role_is_told() {
    Check what;
    what.controlling = false;
    CPPUNIT_ASSERT(check(wifi, begin, what).drop.has_value());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT_EQUAL(487, client.read(out[0].bytes).error);
    CPPUNIT_ASSERT(agent.state() == State::checking);
    CPPUNIT_ASSERT(!check(wifi, begin).drop);
  }

  void after_a_restart_the_old_credentials_serve_until_the_new_are_used() {
    check(wifi, begin);
    agent.restart({"fresh", "a new password, as long as it takes"});
    CPPUNIT_ASSERT_EQUAL(size_t{2}, agent.locals().size());
    CPPUNIT_ASSERT(!check(wifi, begin + 1s).drop && accepted());
    Check fresh;
    fresh.username = "fresh:theirs2";
    fresh.pwd = "a new password, as long as it takes";
    CPPUNIT_ASSERT(!check(wifi, begin + 2s, fresh).drop && accepted());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, agent.locals().size());
    CPPUNIT_ASSERT(check(wifi, begin + 3s).drop == Drop::unknown_source);

    agent.restart({"fresh", "a new password, as long as it takes"});  // no change
    CPPUNIT_ASSERT_EQUAL(size_t{1}, agent.locals().size());
    agent.restart({"never", "used"});
    agent.restart({"newest", "password"});
    CPPUNIT_ASSERT(!check(wifi, begin + 4s, fresh).drop);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, agent.locals().size());
  }

  void a_restart_keeps_the_path_until_a_new_one_is_nominated() {
    check(wifi, begin, nominating(5000));
    agent.restart({"fresh", "password"});
    Check fresh;
    fresh.username = "fresh:theirs2";
    fresh.pwd = "password";
    check(mobile, begin + 100ms, fresh);
    CPPUNIT_ASSERT(agent.selected() == wifi);
    fresh.use_candidate = true;
    check(mobile, begin + 200ms, fresh);
    CPPUNIT_ASSERT(agent.selected() == mobile);
  }

  void addresses_are_bounded_and_the_path_stays() {
    check(wifi, begin, nominating());
    Address other = mobile;
    for (uint16_t i = 1; i < LiteAgent::max_addresses; ++i) {
      other.port = i;
      CPPUNIT_ASSERT(!check(other, begin + i * 1ms).removed);
    }
    other.port = 100;
    auto checked = check(other, begin + 1s);
    CPPUNIT_ASSERT(checked.added == other);
    other.port = 1;  // the longest silent but for the path itself
    CPPUNIT_ASSERT(checked.removed == other && !agent.knows(other));
    CPPUNIT_ASSERT(agent.selected() == wifi && agent.knows(wifi));
  }

private:
  StunCodec codec;
  LiteAgent agent{codec, {"ours", "a password of ours, 22+"}};
  StunClient client;
  Outbox out;
};
CPPUNIT_TEST_SUITE_REGISTRATION(LiteAgentTest);

}  // namespace cardea::ice
