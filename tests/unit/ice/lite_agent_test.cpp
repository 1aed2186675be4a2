#include <cppunit/extensions/HelperMacros.h>

#include "ice/lite_agent.hpp"
#include "unit/ice/stun_client.hpp"

namespace cardea::ice {

namespace {

const Address wifi = *Address::parse("192.0.2.1", 5000);
const Address mobile = *Address::parse("198.51.100.7", 6000);
const Address relay = *Address::parse("203.0.113.9", 7000);
const Time begin{1000s};
constexpr std::string_view their_pwd = "a password of theirs, 22+";

}  // namespace

class LiteAgentTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LiteAgentTest);
  CPPUNIT_TEST(a_check_is_answered_and_its_path_taken);
  CPPUNIT_TEST(a_proven_path_is_left_only_for_where_the_peer_answers);
  CPPUNIT_TEST(only_the_right_answer_from_the_right_address_proves);
  CPPUNIT_TEST(a_question_is_a_check_in_the_controlled_role);
  CPPUNIT_TEST(an_address_gets_three_times_what_came_from_there);
  CPPUNIT_TEST(a_path_that_is_not_proven_is_asked_when_dtls_does_not_prove_it);
  CPPUNIT_TEST(an_old_proof_is_no_proof);
  CPPUNIT_TEST(who_is_proven_to_be_there_holds_the_address);
  CPPUNIT_TEST(checks_from_elsewhere_are_no_consent_to_the_path);
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
  // The peer answers all that we asked, from where it was asked.
  bool answer(Time now) {
    out.clear();
    agent.tick(now, out);
    bool proved = false;
    for (size_t i = 0; i < out.size(); ++i) proved = !reply(out[i].to, out[i].bytes, now).drop || proved;
    return proved;
  }
  LiteAgent::Checked reply(const Address& from, Bytes question, Time now, bool right = true) {
    StunCodec theirs;
    CPPUNIT_ASSERT(!theirs.verify(question, their_pwd).drop);
    Bytes said = theirs.success(*Address::parse("192.0.2.200", 9));
    std::vector<uint8_t> copy(said.begin(), said.end());
    if (!right) copy[copy.size() - 12] ^= 1;  // in MESSAGE-INTEGRITY
    return agent.receive(copy, from, now, none);
  }
  bool accepted() { return out.size() == 1 && client.read(out[0].bytes).outcome == STUN_USAGE_ICE_RETURN_SUCCESS; }

  void a_check_is_answered_and_its_path_taken() {
    CPPUNIT_ASSERT(agent.state() == State::checking && !agent.selected() && !agent.knows(wifi));
    auto checked = check(wifi, begin);
    CPPUNIT_ASSERT(!checked.drop && checked.heard == wifi && checked.path_changed);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT(out[0].to == wifi);
    CPPUNIT_ASSERT(client.read(out[0].bytes).mapped == wifi);
    CPPUNIT_ASSERT(agent.state() == State::connected && agent.selected() == wifi && agent.knows(wifi));
    auto again = check(wifi, begin + 1s);
    CPPUNIT_ASSERT(!again.drop && again.heard == wifi && !again.path_changed);
  }

  void a_proven_path_is_left_only_for_where_the_peer_answers() {
    check(wifi, begin, nominating());
    agent.prove(begin);
    // Anybody can write this source address: it is asked, and gets nothing else.
    auto spoofed = check(mobile, begin + 2s, nominating(5000));
    CPPUNIT_ASSERT(!spoofed.drop && !spoofed.path_changed && agent.selected() == wifi);
    CPPUNIT_ASSERT(agent.next_deadline() == begin + 2s);
    for (Time now = begin + 2s; now < begin + 10s; now += 10ms) agent.tick(now, out);
    CPPUNIT_ASSERT(agent.selected() == wifi);
    // The peer is there: it answers.
    check(mobile, begin + 10s, nominating(5000));
    out.clear();
    agent.tick(begin + 10s, out);
    CPPUNIT_ASSERT(out.size() == 1 && out[0].to == mobile);
    CPPUNIT_ASSERT(reply(mobile, out[0].bytes, begin + 10s).path_changed);
    CPPUNIT_ASSERT(agent.selected() == mobile && agent.proven());
  }

  void only_the_right_answer_from_the_right_address_proves() {
    check(wifi, begin);
    out.clear();
    agent.tick(begin + 1s, out);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    const std::vector<uint8_t> question(out[0].bytes.begin(), out[0].bytes.end());
    CPPUNIT_ASSERT(StunCodec::asker(question) == std::nullopt);
    CPPUNIT_ASSERT(reply(mobile, question, begin + 1s).drop == Drop::unknown_source);
    CPPUNIT_ASSERT(reply(wifi, question, begin + 1s, false).drop == Drop::bad_integrity);
    StunCodec theirs;
    const Bytes strange = theirs.request({"theirs", their_pwd, "ours", {1, 2, 3}, 0});  // nobody asked this
    CPPUNIT_ASSERT(reply(wifi, std::vector<uint8_t>(strange.begin(), strange.end()), begin + 1s).drop ==
                   Drop::unknown_source);
    CPPUNIT_ASSERT(!agent.proven());
    auto right = reply(wifi, question, begin + 1s);
    CPPUNIT_ASSERT(!right.drop && right.heard == wifi && agent.proven());
    CPPUNIT_ASSERT(reply(wifi, question, begin + 1s).drop == Drop::unknown_source);  // once
  }

  void a_question_is_a_check_in_the_controlled_role() {
    check(wifi, begin);
    out.clear();
    agent.tick(begin + 1s, out);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT(StunCodec::is_stun(out[0].bytes) && StunCodec::local_ufrag(out[0].bytes) == "theirs");
    StunCodec theirs;
    auto verified = theirs.verify(out[0].bytes, their_pwd);
    CPPUNIT_ASSERT(!verified.drop && !verified.unknown_attribute);
    CPPUNIT_ASSERT(verified.request.controlled && !verified.request.use_candidate && verified.request.priority != 0);
    const Bytes said = theirs.success(wifi);
    CPPUNIT_ASSERT(StunCodec::asker(said) == 7u);
  }

  void an_address_gets_three_times_what_came_from_there() {
    size_t in = 0, sent = 0;
    for (int i = 0; i < 3; ++i) {
      out.clear();
      const auto request = client.request(nominating());
      in += request.size();
      CPPUNIT_ASSERT(!agent.receive(request, wifi, begin + i * 1s, out).drop);
      for (Time now = begin + i * 1s; now < begin + i * 1s + 900ms; now += 10ms) agent.tick(now, out);
      while (agent.allows(100)) sent += 100;
      for (size_t k = 0; k < out.size(); ++k) sent += out[k].bytes.size();
      CPPUNIT_ASSERT(sent <= 3 * in);
    }
    CPPUNIT_ASSERT(sent + 100 > 3 * in);
    agent.came(wifi, 1000);
    size_t more = 0;
    while (agent.allows(100)) more += 100;
    CPPUNIT_ASSERT(more >= 2900 && more <= 3100);
    agent.came(mobile, 10000);  // not from there
    CPPUNIT_ASSERT(!agent.allows(100));
    agent.prove(begin + 4s);
    for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT(agent.allows(1200));
  }

  void a_path_that_is_not_proven_is_asked_when_dtls_does_not_prove_it() {
    check(wifi, begin, nominating());
    CPPUNIT_ASSERT(agent.next_deadline() > begin);  // DTLS goes first
    agent.prove(begin + 5ms);
    out.clear();
    agent.tick(begin + 5s, out);
    CPPUNIT_ASSERT(out.empty() && agent.proven());
    check(wifi, begin + 6s);
    out.clear();
    agent.tick(begin + 6s, out);
    CPPUNIT_ASSERT(out.empty());
  }

  void an_old_proof_is_no_proof() {
    check(wifi, begin, nominating());
    agent.prove(begin);
    check(mobile, begin + 1s, nominating(2000));
    CPPUNIT_ASSERT(answer(begin + 1s) && agent.selected() == mobile);
    check(wifi, begin + 3s, nominating(3000));
    CPPUNIT_ASSERT(agent.selected() == wifi);  // it has been there three seconds ago
    check(wifi, begin + 4s, nominating(3000));
    CPPUNIT_ASSERT(check(mobile, begin + 40s, nominating(4000)).path_changed == false);
    CPPUNIT_ASSERT(agent.selected() == wifi);
    CPPUNIT_ASSERT(answer(begin + 40s) && agent.selected() == mobile);
  }

  void who_is_proven_to_be_there_holds_the_address() {
    check(wifi, begin);
    CPPUNIT_ASSERT(!agent.holds(wifi, begin));
    agent.prove(begin);
    CPPUNIT_ASSERT(agent.holds(wifi, begin + 14s) && !agent.holds(mobile, begin));
    CPPUNIT_ASSERT(!agent.holds(wifi, begin + 15s));
    check(wifi, begin + 16s);
    CPPUNIT_ASSERT(agent.holds(wifi, begin + 16s));
  }

  void checks_from_elsewhere_are_no_consent_to_the_path() {
    check(wifi, begin, nominating());
    agent.prove(begin);
    for (int i = 1; i < 16; ++i) {
      check(mobile, begin + i * 1s, nominating());
      agent.tick(begin + i * 1s, out);
    }
    CPPUNIT_ASSERT(agent.state() == State::failed);
    check(mobile, begin + 16s, nominating());
    CPPUNIT_ASSERT(agent.state() == State::failed);
    CPPUNIT_ASSERT(answer(begin + 16s) && agent.state() == State::connected && agent.selected() == mobile);
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
    CPPUNIT_ASSERT(check(other, begin, nominating()).heard == other);
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
    agent.prove(begin + 2s);
    agent.tick(begin + 16s, out);
    CPPUNIT_ASSERT(agent.state() == State::connected);
    agent.tick(begin + 17s, out);
    CPPUNIT_ASSERT(agent.state() == State::failed && agent.next_deadline() == never);
    check(mobile, begin + 18s);
    CPPUNIT_ASSERT(answer(begin + 18s));
    CPPUNIT_ASSERT(agent.state() == State::connected && agent.selected() == mobile);
    CPPUNIT_ASSERT(agent.next_deadline() == begin + 33s);
  }

  void before_the_first_check_nothing_times_out() {
    CPPUNIT_ASSERT(agent.next_deadline() == never);
    agent.tick(begin + 1h, out);
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
    CPPUNIT_ASSERT(checked.heard == other);
    other.port = 1;  // the longest silent but for the path itself
    CPPUNIT_ASSERT(checked.removed == other && !agent.knows(other));
    CPPUNIT_ASSERT(agent.selected() == wifi && agent.knows(wifi));
  }

private:
  StunCodec codec;
  SeededRandom random{5};
  LiteAgent agent{{codec, random, 7}, {"ours", "a password of ours, 22+"}, {"theirs", "a password of theirs, 22+"}};
  StunClient client;
  Outbox out, none;
};
CPPUNIT_TEST_SUITE_REGISTRATION(LiteAgentTest);

}  // namespace cardea::ice
