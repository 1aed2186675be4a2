#include <cppunit/extensions/HelperMacros.h>
#include <openssl/err.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "secure/dtls.hpp"
#include "unit/secure/dtls_peer.hpp"

namespace cardea::secure {

namespace {

const Address there = *Address::parse("192.0.2.1", 4000);
using Datagrams = OpenSslPeer::Datagrams;
using Role = sdp::DtlsRole;
using State = Dtls::State;

DtlsContext& context() {
  static const auto made = DtlsContext::make(*Certificate::make());
  return **made;
}

// A call between our endpoint and OpenSSL over a link that may misbehave, in virtual time.
struct Call {
  explicit Call(Role ours_is, PeerSettings peer_settings = {}, uint64_t seed = 1, DtlsSettings settings = {})
      : random(seed), peer((peer_settings.client = ours_is == Role::server, peer_settings)),
        ours(context(), ours_is, peer.fingerprint(), settings) {
    peer.expect(context().fingerprint());
  }

  bool chance(double share) { return static_cast<double>(random.below(1000)) < share * 1000; }

  void post(bool to_us, std::vector<uint8_t> datagram) {
    if (filter && !filter(to_us, datagram)) return;
    if (to_us ? false : datagram.size() > largest_of_ours) largest_of_ours = datagram.size();
    int copies = chance(loss) ? 0 : chance(duplication) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      Duration delay = 10ms + (chance(reordering) ? Duration(std::chrono::milliseconds(random.below(60))) : 0ms);
      link.push_back({virtual_now() + delay, to_us, datagram});
    }
  }
  void post_ours() {
    for (size_t i = 0; i < out.size(); ++i) {
      CPPUNIT_ASSERT(out[i].to == there);
      post(false, {out[i].bytes.begin(), out[i].bytes.end()});
    }
    out.clear();
  }
  void post_theirs(const Datagrams& datagrams) {
    for (const auto& datagram : datagrams) post(true, datagram);
  }

  void begin() {
    ours.start(there, virtual_now(), out);
    post_ours();
    post_theirs(peer.start());
  }

  // Lets things happen until `until`, or for so long.
  bool run(const std::function<bool()>& until, Duration for_long = 40s) {
    Time end = virtual_now() + for_long;
    while (!until()) {
      Time next = ours.next_deadline();
      if (auto wait = peer.timeout()) next = std::min(next, virtual_now() + *wait);
      for (const auto& flying : link) next = std::min(next, flying.when);
      if (next > end) return set_virtual_now(end), until();
      set_virtual_now(std::max(next, virtual_now() + 1us));
      deliver();
      ours.tick(there, virtual_now(), out);
      post_ours();
      post_theirs(peer.tick());
    }
    return true;
  }
  void deliver() {
    for (size_t i = 0; i < link.size();) {
      if (link[i].when > virtual_now()) {
        ++i;
        continue;
      }
      auto flying = std::move(link[i]);
      link.erase(link.begin() + static_cast<ptrdiff_t>(i));
      if (flying.to_us) {
        ours.receive(flying.datagram, there, virtual_now(), out);
        for (Bytes record : ours.records()) received.emplace_back(text_of(record));
        post_ours();
      } else {
        post_theirs(peer.receive(flying.datagram));
      }
    }
  }

  bool connect() {
    begin();
    return run([&] { return ours.state() != State::handshaking && peer.connected(); }) && agreed();
  }
  bool agreed() const {
    if (ours.state() != State::connected || !ours.keys()) return false;
    auto theirs = peer.keys();
    return theirs.profile == ours.keys()->profile && theirs.local == ours.keys()->remote &&
           theirs.remote == ours.keys()->local;
  }
  void settle() {
    run([] { return false; }, 2s);
  }

  struct Flying {
    Time when;
    bool to_us;
    std::vector<uint8_t> datagram;
  };
  SeededRandom random;
  double loss = 0, duplication = 0, reordering = 0;
  std::function<bool(bool to_us, const std::vector<uint8_t>&)> filter;
  std::vector<Flying> link;
  Outbox out;
  OpenSslPeer peer;
  Dtls ours;
  std::vector<std::string> received;
  size_t largest_of_ours = 0;
};

constexpr Role both_roles[] = {Role::client, Role::server};

}  // namespace

class DtlsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DtlsTest);
  CPPUNIT_TEST(both_ends_agree_on_keys_in_either_role);
  CPPUNIT_TEST(two_of_ours_agree);
  CPPUNIT_TEST(as_server_we_choose_aead_aes_128_gcm);
  CPPUNIT_TEST(an_older_peer_gets_what_it_knows);
  CPPUNIT_TEST(a_peer_without_srtp_connects_without_keys);
  CPPUNIT_TEST(peers_with_rsa_certificates_connect);
  CPPUNIT_TEST(a_handshake_survives_loss_duplication_and_reordering);
  CPPUNIT_TEST(a_hello_in_pieces_is_put_together_in_any_order);
  CPPUNIT_TEST(a_hello_fragmented_anew_when_repeated_is_put_together);
  CPPUNIT_TEST(no_datagram_is_larger_than_the_mtu);
  CPPUNIT_TEST(another_certificate_is_refused);
  CPPUNIT_TEST(the_fingerprint_may_come_late);
  CPPUNIT_TEST(junk_at_any_moment_is_survived);
  CPPUNIT_TEST(silence_ends_in_a_timeout);
  CPPUNIT_TEST(a_lost_flight_is_repeated_soon);
  CPPUNIT_TEST(a_released_server_repeats_its_last_flight);
  CPPUNIT_TEST(a_released_server_does_not_answer_a_flood);
  CPPUNIT_TEST(the_peers_close_is_understood_released_or_not);
  CPPUNIT_TEST(our_close_is_understood_released_or_not);
  CPPUNIT_TEST(a_forged_alert_does_not_close_a_released_connection);
  CPPUNIT_TEST(data_channels_may_come_after_the_release);
  CPPUNIT_TEST(what_was_read_survives_the_release);
  CPPUNIT_TEST(data_goes_both_ways);
  CPPUNIT_TEST(a_renegotiation_is_refused);
  CPPUNIT_TEST(many_handshakes_leave_nothing_in_the_error_queue);
  CPPUNIT_TEST_SUITE_END();

public:
  void both_ends_agree_on_keys_in_either_role() {
    for (Role role : both_roles) {
      Call call(role);
      CPPUNIT_ASSERT(call.connect());
      CPPUNIT_ASSERT(call.ours.next_deadline() == never);
      CPPUNIT_ASSERT(call.ours.reason().empty());
    }
  }

  void two_of_ours_agree() {
    Dtls server(context(), Role::server, context().fingerprint()),
        client(context(), Role::client, context().fingerprint());
    Outbox to_server, to_client;
    client.start(there, virtual_now(), to_server);
    for (int i = 0; i < 10 && (!to_server.empty() || !to_client.empty()); ++i) {
      Outbox now_to_server = std::exchange(to_server, {}), now_to_client = std::exchange(to_client, {});
      for (size_t k = 0; k < now_to_server.size(); ++k)
        server.receive(now_to_server[k].bytes, there, virtual_now(), to_client);
      for (size_t k = 0; k < now_to_client.size(); ++k)
        client.receive(now_to_client[k].bytes, there, virtual_now(), to_server);
    }
    CPPUNIT_ASSERT(server.state() == State::connected && client.state() == State::connected);
    CPPUNIT_ASSERT(server.keys()->local == client.keys()->remote && server.keys()->remote == client.keys()->local);
    CPPUNIT_ASSERT(server.keys()->local != server.keys()->remote);
  }

  void as_server_we_choose_aead_aes_128_gcm() {
    Call call(Role::server);  // its peer offers 256 first
    CPPUNIT_ASSERT(call.connect());
    CPPUNIT_ASSERT(call.ours.keys()->profile == SrtpProfile::aead_aes_128_gcm);
  }

  void an_older_peer_gets_what_it_knows() {
    for (Role role : both_roles) {
      PeerSettings settings;
      settings.profiles = "SRTP_AES128_CM_SHA1_80";
      settings.groups = "P-256";
      settings.suites = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
      Call call(role, settings);
      CPPUNIT_ASSERT(call.connect());
      CPPUNIT_ASSERT(call.ours.keys()->profile == SrtpProfile::aes128_cm_sha1_80);
    }
  }

  void a_peer_without_srtp_connects_without_keys() {
    PeerSettings settings;
    settings.profiles.clear();
    Call call(Role::server, settings);
    call.begin();
    CPPUNIT_ASSERT(call.run([&] { return call.ours.state() == State::connected; }));
    CPPUNIT_ASSERT(!call.ours.keys());
  }

  void peers_with_rsa_certificates_connect() {
    for (Role role : both_roles) {
      PeerSettings settings;
      settings.rsa = true;
      Call call(role, settings);
      CPPUNIT_ASSERT(call.connect());
    }
  }

  void a_handshake_survives_loss_duplication_and_reordering() {
    for (Role role : both_roles)
      for (uint64_t seed = 1; seed <= 12; ++seed) {
        PeerSettings settings;
        settings.mtu = seed % 3 == 0 ? 300 : 1200;
        settings.padding = seed % 2 == 0 ? 1000 : 0;
        Call call(role, settings, seed);
        call.loss = 0.25, call.duplication = 0.2, call.reordering = 0.4;
        CPPUNIT_ASSERT_MESSAGE("seed " + std::to_string(seed), call.connect());
      }
  }

  void a_hello_in_pieces_is_put_together_in_any_order() {
    for (bool backwards : {false, true}) {
      PeerSettings settings;
      settings.mtu = 300;
      settings.padding = 1000;
      Call call(Role::server, settings);
      auto pieces = call.peer.start();
      CPPUNIT_ASSERT(pieces.size() > 1);
      if (backwards) std::reverse(pieces.begin(), pieces.end());
      call.post_theirs(pieces);
      CPPUNIT_ASSERT(call.run([&] { return call.peer.connected(); }, 5s));
      CPPUNIT_ASSERT(call.agreed());
    }
  }

  // As Firefox does: the second transmission is cut at other places, and what was lost of the first is in it.
  void a_hello_fragmented_anew_when_repeated_is_put_together() {
    PeerSettings settings;
    settings.mtu = 300;
    settings.padding = 1000;
    Call call(Role::server, settings);
    auto first = call.peer.start();
    CPPUNIT_ASSERT(first.size() > 3);
    // One handshake message from the pieces: record header 13, handshake header 12.
    std::vector<uint8_t> whole;
    for (const auto& piece : first) whole.insert(whole.end(), piece.begin() + 25, piece.end());
    auto fragment = [&](size_t at, size_t size, uint8_t sequence) {
      std::vector<uint8_t> datagram(first[0].begin(), first[0].begin() + 25);
      datagram[10] = sequence;
      store_u16(&datagram[11], static_cast<uint16_t>(size + 12));
      for (int i = 0; i < 3; ++i) {
        datagram[19 + static_cast<size_t>(i)] = static_cast<uint8_t>(at >> (8 * (2 - i)));
        datagram[22 + static_cast<size_t>(i)] = static_cast<uint8_t>(size >> (8 * (2 - i)));
      }
      for (size_t i = at; i < at + size; ++i) datagram.push_back(whole[i]);
      return datagram;
    };
    size_t cut = whole.size() / 3;
    call.post(true, fragment(0, whole.size() / 2, 40));  // the first's other half is lost
    call.post(true, fragment(cut, whole.size() - cut, 41));
    CPPUNIT_ASSERT(call.run([&] { return call.peer.connected(); }, 5s));
    CPPUNIT_ASSERT(call.agreed());
  }

  void no_datagram_is_larger_than_the_mtu() {
    for (uint16_t mtu : {uint16_t{1200}, uint16_t{400}})
      for (Role role : both_roles) {
        DtlsSettings settings;
        settings.mtu = mtu;
        Call call(role, {}, 1, settings);
        CPPUNIT_ASSERT(call.connect());
        CPPUNIT_ASSERT(call.largest_of_ours <= mtu);
        CPPUNIT_ASSERT(call.largest_of_ours > mtu / 3);
      }
  }

  void another_certificate_is_refused() {
    for (Role role : both_roles) {
      Call call(role);
      auto other = call.peer.fingerprint();
      other.digest[7] ^= 1;
      call.ours.expect(other);
      call.begin();
      CPPUNIT_ASSERT(call.run([&] { return call.ours.state() == State::failed; }));
      CPPUNIT_ASSERT_EQUAL(std::string("DTLS error"), std::string(call.ours.reason()));
      CPPUNIT_ASSERT(!call.ours.keys());
      CPPUNIT_ASSERT(call.run([&] { return call.peer.failed(); }));  // and it is told
    }
  }

  void the_fingerprint_may_come_late() {
    for (bool right : {true, false}) {
      Call call(Role::server);
      call.ours.expect({});
      call.begin();
      CPPUNIT_ASSERT(call.run([&] { return call.peer.connected(); }));
      CPPUNIT_ASSERT(call.ours.state() == State::handshaking && !call.ours.keys());
      auto fingerprint = call.peer.fingerprint();
      if (!right) fingerprint.digest[0] ^= 1;
      call.ours.expect(fingerprint);
      CPPUNIT_ASSERT(call.ours.state() == (right ? State::connected : State::failed));
      CPPUNIT_ASSERT(!right || call.agreed());
    }
  }

  void junk_at_any_moment_is_survived() {
    for (Role role : both_roles)
      for (uint64_t seed = 1; seed <= 4; ++seed) {
        Call call(role, {}, seed);
        bool inside = false;
        call.filter = [&](bool, const std::vector<uint8_t>&) {
          if (std::exchange(inside, true)) return true;
          for (int i = 0; i < 5; ++i) {
            std::vector<uint8_t> junk(call.random.below(1500));
            call.random.fill(junk);
            if (!junk.empty()) junk[0] = static_cast<uint8_t>(20 + call.random.below(44));
            // Half of it looks like a record that is cut short.
            if (junk.size() > 13 && i % 2 == 0) store_u16(&junk[1], 0xfefd);
            call.ours.receive(junk, there, virtual_now(), call.out);
          }
          call.post_ours();
          inside = false;
          return true;
        };
        CPPUNIT_ASSERT_MESSAGE("seed " + std::to_string(seed), call.connect());
      }
  }

  void silence_ends_in_a_timeout() {
    for (Role role : both_roles) {
      Call call(role);
      call.filter = [](bool to_us, const auto&) { return to_us; };  // nothing we send arrives
      call.begin();
      Time begun = virtual_now();
      CPPUNIT_ASSERT(call.run([&] { return call.ours.state() == State::failed; }));
      CPPUNIT_ASSERT_EQUAL(std::string("DTLS timeout"), std::string(call.ours.reason()));
      CPPUNIT_ASSERT(virtual_now() - begun >= 25s && virtual_now() - begun <= 31s);
      CPPUNIT_ASSERT(call.ours.next_deadline() == never);
    }
  }

  void a_lost_flight_is_repeated_soon() {
    Call call(Role::client);
    int lost = 0;
    call.filter = [&](bool to_us, const auto&) { return to_us || ++lost > 1; };  // the hello
    Time begun = virtual_now();
    CPPUNIT_ASSERT(call.connect());
    CPPUNIT_ASSERT(virtual_now() - begun < 250ms);
  }

  void a_released_server_repeats_its_last_flight() {
    Call call(Role::server);
    // Our last flight is lost twice.
    int lost = 0;
    call.filter = [&](bool to_us, const auto&) { return to_us || call.ours.state() != State::connected || ++lost > 2; };
    call.begin();
    CPPUNIT_ASSERT(call.run([&] { return call.ours.state() == State::connected; }));
    auto keys = call.ours.keys();
    call.ours.release();
    CPPUNIT_ASSERT(call.ours.released());
    CPPUNIT_ASSERT(!call.peer.connected());
    CPPUNIT_ASSERT(call.run([&] { return call.peer.connected(); }));
    CPPUNIT_ASSERT(lost > 2 && call.agreed() && keys->local == call.ours.keys()->local);
  }

  void a_released_server_does_not_answer_a_flood() {
    Call call(Role::server);
    std::vector<uint8_t> last;
    call.filter = [&](bool to_us, const auto& datagram) {
      if (to_us) last = datagram;
      return true;
    };
    CPPUNIT_ASSERT(call.connect());
    call.ours.release();
    Outbox out;
    for (int i = 0; i < 100; ++i) call.ours.receive(last, there, virtual_now() + i * 1ms, out);
    CPPUNIT_ASSERT(out.size() >= 1 && out.size() <= 3);
    for (int i = 0; i < 1000; ++i) call.ours.receive(last, there, virtual_now() + i * 1s, out);
    CPPUNIT_ASSERT(out.size() <= 20);
  }

  void the_peers_close_is_understood_released_or_not() {
    for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"})
      for (Role role : both_roles)
        for (bool release : {false, true}) {
          PeerSettings settings;
          settings.suites = suite;
          Call call(role, settings);
          CPPUNIT_ASSERT(call.connect());
          call.settle();
          if (release) call.ours.release();
          std::string which =
              std::string(suite) + (role == Role::client ? ", client" : ", server") + (release ? ", released" : "");
          call.post_theirs(call.peer.shutdown());
          CPPUNIT_ASSERT_MESSAGE(which, call.run([&] { return call.ours.state() == State::closed; }, 1s));
          CPPUNIT_ASSERT_EQUAL(std::string("DTLS alert"), std::string(call.ours.reason()));
        }
  }

  void our_close_is_understood_released_or_not() {
    for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"})
      for (Role role : both_roles)
        for (bool release : {false, true}) {
          PeerSettings settings;
          settings.suites = suite;
          Call call(role, settings);
          CPPUNIT_ASSERT(call.connect());
          call.settle();
          if (release) call.ours.release();
          std::string which =
              std::string(suite) + (role == Role::client ? ", client" : ", server") + (release ? ", released" : "");
          call.ours.close(there, call.out);
          CPPUNIT_ASSERT(call.ours.state() == State::closed);
          call.post_ours();
          CPPUNIT_ASSERT_MESSAGE(which, call.run([&] { return call.peer.closed(); }, 1s));
        }
  }

  void data_channels_may_come_after_the_release() {
    for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"})
      for (Role role : both_roles) {
        PeerSettings settings;
        settings.suites = suite;
        Call call(role, settings);
        CPPUNIT_ASSERT(call.connect());
        call.settle();
        call.ours.release();
        const std::string large(call.ours.max_record(), 'x');
        for (const std::string& text : {std::string("one"), large}) {
          CPPUNIT_ASSERT(call.ours.send(bytes_of(text), there, virtual_now(), call.out));
          call.post_ours();
        }
        CPPUNIT_ASSERT(call.run([&] { return call.peer.received.size() == 2; }, 1s));
        CPPUNIT_ASSERT(call.peer.received[0] == "one" && call.peer.received[1] == large);
        CPPUNIT_ASSERT(!call.ours.send(bytes_of(large + "x"), there, virtual_now(), call.out));
        auto datagram = call.peer.write("back").at(0);
        call.ours.receive(datagram, there, virtual_now(), call.out);
        CPPUNIT_ASSERT_EQUAL(size_t{1}, call.ours.records().size());
        CPPUNIT_ASSERT_EQUAL(std::string("back"), std::string(text_of(call.ours.records()[0])));
        for (size_t i = 0; i < datagram.size(); ++i) {
          auto forged = datagram;
          forged[i] ^= 1;
          call.ours.receive(forged, there, virtual_now(), call.out);
          CPPUNIT_ASSERT(call.ours.records().empty() && call.ours.state() == State::connected);
        }
        call.ours.receive(Bytes(datagram).first(20), there, virtual_now(), call.out);
        CPPUNIT_ASSERT(call.ours.records().empty());
      }
  }

  void what_was_read_survives_the_release() {
    for (Role role : both_roles) {
      Call call(role);
      CPPUNIT_ASSERT(call.connect());
      call.settle();
      for (const char* text : {"one", "two"}) {
        call.ours.receive(call.peer.write(text).at(0), there, virtual_now(), call.out);
        call.ours.release();
        CPPUNIT_ASSERT_EQUAL(std::string(text), std::string(text_of(call.ours.records().at(0))));
      }
    }
  }

  void a_forged_alert_does_not_close_a_released_connection() {
    Call call(Role::server);
    CPPUNIT_ASSERT(call.connect());
    call.ours.release();
    auto alert = call.peer.shutdown().at(0);
    for (size_t i = 0; i < alert.size(); ++i) {
      auto forged = alert;
      forged[i] ^= 1;
      call.ours.receive(forged, there, virtual_now(), call.out);
      CPPUNIT_ASSERT(call.ours.state() == State::connected);
    }
    const uint8_t plain[] = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 0};
    call.ours.receive(plain, there, virtual_now(), call.out);
    CPPUNIT_ASSERT(call.ours.state() == State::connected);
    call.ours.receive(alert, there, virtual_now(), call.out);
    CPPUNIT_ASSERT(call.ours.state() == State::closed);
  }

  void data_goes_both_ways() {
    for (Role role : both_roles) {
      Call call(role);
      CPPUNIT_ASSERT(!call.ours.send(bytes_of("early"), there, virtual_now(), call.out));
      CPPUNIT_ASSERT(call.connect());
      std::string large(call.ours.max_record(), 'x');
      CPPUNIT_ASSERT(large.size() > 1100);
      CPPUNIT_ASSERT(call.ours.send(bytes_of("hello"), there, virtual_now(), call.out));
      CPPUNIT_ASSERT(call.ours.send(bytes_of(large), there, virtual_now(), call.out));
      CPPUNIT_ASSERT(!call.ours.send(bytes_of(large + "x"), there, virtual_now(), call.out));
      CPPUNIT_ASSERT(!call.ours.send({}, there, virtual_now(), call.out));
      call.post_ours();
      call.post_theirs(call.peer.write("welcome"));
      CPPUNIT_ASSERT(call.run([&] { return call.peer.received.size() == 2 && call.received.size() == 1; }, 1s));
      CPPUNIT_ASSERT(call.peer.received[0] == "hello" && call.peer.received[1] == large);
      CPPUNIT_ASSERT_EQUAL(std::string("welcome"), call.received[0]);
      CPPUNIT_ASSERT(call.largest_of_ours <= 1200);
    }
  }

  void a_renegotiation_is_refused() {
    for (Role role : both_roles) {
      Call call(role);
      CPPUNIT_ASSERT(call.connect());
      call.settle();
      auto keys = call.ours.keys();
      call.filter = [](bool to_us, const auto&) { return to_us; };  // told of it, the peer would end the connection
      call.post_theirs(call.peer.renegotiate());
      call.settle();
      // A client that wants to renegotiate is done with; a server's wish is just not heard.
      CPPUNIT_ASSERT_EQUAL(role == Role::client, call.ours.state() == State::connected);
      CPPUNIT_ASSERT(keys->local == call.ours.keys()->local);
    }
  }

  void many_handshakes_leave_nothing_in_the_error_queue() {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Call call(Role::server, {}, seed);
      call.loss = 0.2;
      CPPUNIT_ASSERT(call.connect());
      std::vector<uint8_t> junk(200, 0x16);
      call.ours.receive(junk, there, virtual_now(), call.out);
      CPPUNIT_ASSERT_EQUAL(0ul, ERR_peek_error());
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DtlsTest);

}  // namespace cardea::secure
