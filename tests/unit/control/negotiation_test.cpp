#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "unit/control/world.hpp"

namespace cardea::control {
namespace {

// A handle's peer connection, from the first offer to the hangup, as the client, the plugin and the worker see it.
class HandleNegotiationTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HandleNegotiationTest);
  CPPUNIT_TEST(an_offer_is_answered_in_the_event_and_the_worker_knows_the_peer_before);
  CPPUNIT_TEST(our_offer_is_complete_with_the_clients_answer);
  CPPUNIT_TEST(descriptions_that_do_not_fit_are_refused_and_change_nothing);
  CPPUNIT_TEST(an_offer_that_the_plugin_does_not_answer_can_be_repeated);
  CPPUNIT_TEST(a_second_offer_updates_the_peer);
  CPPUNIT_TEST(an_ice_restart_gets_new_credentials);
  CPPUNIT_TEST(our_own_ice_restart_has_new_credentials);
  CPPUNIT_TEST(data_channels_are_negotiated_both_ways);
  CPPUNIT_TEST(a_hung_up_handle_negotiates_anew);
  CPPUNIT_TEST(the_plugin_may_hang_up);
  CPPUNIT_TEST(a_peer_that_goes_down_is_hung_up_with_its_reason);
  CPPUNIT_TEST(the_plugin_hears_of_the_media_before_the_client);
  CPPUNIT_TEST(core_events_say_which_media);
  CPPUNIT_TEST(late_words_of_a_peer_that_is_gone_are_not_heard);
  CPPUNIT_TEST(detaching_closes_the_peer_without_hangup_event);
  CPPUNIT_TEST(trickles_are_acked_and_judged_once_there_is_a_description);
  CPPUNIT_TEST(routes_reach_the_worker_after_the_peers);
  CPPUNIT_TEST(end_to_end_encryption_is_repeated);
  CPPUNIT_TEST_SUITE_END();

  static void same(const std::string& expected, const std::string& got) { CPPUNIT_ASSERT_EQUAL(expected, got); }

  struct Call {
    // What the plugin noted last, besides that the exchange is complete.
    std::string noted() const {
      const std::vector<std::string>& log = world.plugin->log;
      const auto last =
          std::find_if(log.rbegin(), log.rend(), [](const auto& line) { return !line.starts_with("negotiated"); });
      return last == log.rend() ? "" : *last;
    }
    explicit Call(Settings settings = {}) : world(std::move(settings)) {
      session = world.create();
      handle = world.attach(session);
      world.heard();
    }
    Json does(const char* what, Json jsep = {}) { return world.does(session, handle, what, std::move(jsep)); }
    PeerId up() {
      does("accept", offer());
      PeerId peer = world.peer_of_last_create();
      world.event(peer::PeerUp{peer});
      world.heard();
      return peer;
    }
    std::string sdp() {  // of the last event
      for (auto one = world.transport->sent.rbegin(); one != world.transport->sent.rend(); ++one)
        if (one->message["jsep"]) return std::string(one->message["jsep"]["sdp"].string());
      return {};
    }
    static std::string attribute(const std::string& sdp, const std::string& name) {
      size_t at = sdp.find(name);
      return at == std::string::npos ? "" : sdp.substr(at, sdp.find('\r', at) - at);
    }
    World world;
    uint64_t session = 0, handle = 0;
  };

  void an_offer_is_answered_in_the_event_and_the_worker_knows_the_peer_before() {
    Call call;
    call.does("accept", offer("remote"));
    auto created = call.world.worker().of<worker::CreatePeer>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, created.size());
    same("remote", created[0]->plan->remote.ufrag);
    std::string sdp = call.sdp();
    same("a=ice-ufrag:" + created[0]->plan->local.ufrag, Call::attribute(sdp, "a=ice-ufrag:"));
    CPPUNIT_ASSERT(sdp.find("192.0.2.1 10000 typ host") != std::string::npos);
    CPPUNIT_ASSERT(sdp.find("a=ice-lite") != std::string::npos);
    same("reply:ack event:event+answer", call.world.heard());
  }

  void our_offer_is_complete_with_the_clients_answer() {
    Call call;
    call.does("offer");
    same("reply:ack event:event+offer", call.world.heard());
    CPPUNIT_ASSERT(call.world.worker().commands.empty());
    CPPUNIT_ASSERT_EQUAL(0, World::code(call.does("event", answer("theirs"))));
    auto created = call.world.worker().of<worker::CreatePeer>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, created.size());
    same("theirs", created[0]->plan->remote.ufrag);
    same("answer", call.noted());
    // An answer that nobody asked for, once there was one.
    CPPUNIT_ASSERT_EQUAL(469, World::code(call.does("event", answer())));
  }

  void descriptions_that_do_not_fit_are_refused_and_change_nothing() {
    Call call;
    CPPUNIT_ASSERT_EQUAL(469, World::code(call.does("event", answer())));
    CPPUNIT_ASSERT_EQUAL(465, World::code(call.does("accept", Json::object("type", "offer", "sdp", "v=0\r\n"))));
    std::string without = sdp_of("abcd", "actpass");
    without.erase(without.find("a=fingerprint"), without.find("m=audio") - without.find("a=fingerprint"));
    CPPUNIT_ASSERT_EQUAL(465, World::code(call.does("accept", Json::object("type", "offer", "sdp", without))));
    CPPUNIT_ASSERT_EQUAL(uint32_t{0}, call.world.gateway->peers()->count());
    CPPUNIT_ASSERT(call.world.plugin->log.empty());
    call.world.heard();
    call.world.verb("hangup", "session_id", call.session, "handle_id", call.handle);
    same("reply:success", call.world.heard());
    call.does("accept", offer());
    same("reply:ack event:event+answer", call.world.heard());
  }

  void an_offer_that_the_plugin_does_not_answer_can_be_repeated() {
    Call call;
    call.does("event", offer());
    same("reply:ack event:event", call.world.heard());
    CPPUNIT_ASSERT(call.world.worker().commands.empty());
    call.does("accept", offer("again"));
    same("again", call.world.worker().of<worker::CreatePeer>().at(0)->plan->remote.ufrag);
    same("offer", call.noted());
  }

  void a_second_offer_updates_the_peer() {
    Call call;
    PeerId peer = call.up();
    call.does("accept", offer());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, call.world.worker().of<worker::CreatePeer>().size());
    auto updates = call.world.worker().of<worker::UpdatePeer>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, updates.size());
    CPPUNIT_ASSERT(updates[0]->peer == peer);
    same("offer update", call.noted());
    CPPUNIT_ASSERT_EQUAL(469, World::code(call.does("event", answer())));
  }

  void an_ice_restart_gets_new_credentials() {
    Call call;
    call.up();
    call.does("event", offer("new1"));  // refused by the plugin: nothing changes
    call.does("accept", offer("new2"));
    same("offer update restart", call.noted());
    const auto& first = *call.world.worker().of<worker::CreatePeer>().at(0)->plan;
    const auto& second = *call.world.worker().of<worker::UpdatePeer>().at(0)->plan;
    same("new2", second.remote.ufrag);
    CPPUNIT_ASSERT(first.local.ufrag != second.local.ufrag);
    same("a=ice-ufrag:" + second.local.ufrag, Call::attribute(call.sdp(), "a=ice-ufrag:"));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, call.world.worker().of<worker::UpdatePeer>().size());
    call.does("accept", offer("new2"));
    same(second.local.ufrag, call.world.worker().of<worker::UpdatePeer>().at(1)->plan->local.ufrag);
  }

  void our_own_ice_restart_has_new_credentials() {
    Call call;
    call.does("offer");
    call.does("event", answer("one"));
    std::string before = Call::attribute(call.sdp(), "a=ice-ufrag:");
    call.world.message(call.session, call.handle, Json::object("do", "offer", "restart", true));
    std::string after = Call::attribute(call.sdp(), "a=ice-ufrag:");
    CPPUNIT_ASSERT(before != after);
    call.does("event", answer("two"));
    same(after, "a=ice-ufrag:" + call.world.worker().of<worker::UpdatePeer>().at(0)->plan->local.ufrag);
  }

  void data_channels_are_negotiated_both_ways() {
    Call call;
    call.does("accept", offer("abcd", true));
    CPPUNIT_ASSERT(call.sdp().find("m=application 9 ") != std::string::npos);
    CPPUNIT_ASSERT(call.world.worker().of<worker::CreatePeer>().at(0)->plan->data);
    Call other;
    other.world.message(other.session, other.handle, Json::object("do", "offer", "data", true));
    CPPUNIT_ASSERT(other.sdp().find("m=audio") != std::string::npos);
    CPPUNIT_ASSERT(other.sdp().find("m=application 9 UDP/DTLS/SCTP webrtc-datachannel") != std::string::npos);
  }

  void a_hung_up_handle_negotiates_anew() {
    Call call;
    PeerId first = call.up();
    call.world.verb("hangup", "session_id", call.session, "handle_id", call.handle);
    Json hangup = call.world.transport->sent.back().message.copy();
    same("reply:success event:down hangup", call.world.heard());
    same("Janus API", std::string(hangup["reason"].string()));
    same("down: Janus API", call.noted());
    CPPUNIT_ASSERT(call.world.worker().of<worker::ClosePeer>().at(0)->peer == first);
    call.world.verb("hangup", "session_id", call.session, "handle_id", call.handle);
    same("reply:success", call.world.heard());
    call.does("accept", offer());
    PeerId second = call.world.peer_of_last_create();
    CPPUNIT_ASSERT(second && second != first);
    same("offer", call.noted());
    call.world.heard();
    call.world.event(peer::PeerUp{second});
    same("event:up webrtcup", call.world.heard());
  }

  void the_plugin_may_hang_up() {
    Call call;
    call.up();
    call.does("hang up");
    Json hangup = call.world.transport->sent.back().message.copy();
    same("reply:ack event:event event:down hangup", call.world.heard());
    same("Close PC", std::string(hangup["reason"].string()));
  }

  void a_peer_that_goes_down_is_hung_up_with_its_reason() {
    Call call;
    PeerId peer = call.up();
    call.world.event(peer::IceFailed{peer});
    same("ice-failed", call.world.heard());
    call.world.event(peer::PeerDown{peer, "ICE failed"});
    same("ICE failed", std::string(call.world.transport->sent.back().message["reason"].string()));
    same("event:down hangup", call.world.heard());
    CPPUNIT_ASSERT(call.world.worker().of<worker::ClosePeer>().empty());  // the worker knows
    CPPUNIT_ASSERT_EQUAL(uint32_t{0}, call.world.gateway->peers()->count());
  }

  void the_plugin_hears_of_the_media_before_the_client() {
    Call call;
    call.does("accept", offer());
    call.world.heard();
    call.world.event(peer::PeerUp{call.world.peer_of_last_create()});
    same("event:up webrtcup", call.world.heard());
    CPPUNIT_ASSERT(call.world.plugin->attachments.begin()->second->client.media_up());
  }

  void core_events_say_which_media() {
    Settings settings;
    settings.media.no_media_timer = 3;
    Call call(std::move(settings));
    PeerId peer = call.up();
    auto last = [&] { return call.world.transport->sent.back().message.text(); };
    std::string ids = text("\"session_id\":", call.session, ",\"sender\":", call.handle);
    call.world.event(peer::MediaState{{peer, 0}, -1, true, 0});
    same("{\"janus\":\"media\"," + ids + ",\"mid\":\"a\",\"type\":\"audio\",\"receiving\":true}", last());
    call.world.event(peer::MediaState{{peer, 0}, 2, false, 3});
    same("{\"janus\":\"media\"," + ids +
             ",\"mid\":\"a\",\"type\":\"audio\",\"receiving\":false,\"substream\":2,\"seconds\":3}",
         last());
    call.world.event(peer::SlowLinkSeen{peer, 0, true, 9});
    same("{\"janus\":\"slowlink\"," + ids + ",\"mid\":\"a\",\"media\":\"audio\",\"uplink\":true,\"lost\":9}", last());
    same("slow a 9", call.noted());
    call.world.event(peer::LayersChanged{{peer, 0}, {.substream = 1}});
    same("layers 0 1", call.noted());
    call.world.event(peer::Talking{{peer, 0}, true, 20});
    same("talking 0 true", call.noted());
    call.world.heard();
    call.world.event(peer::MediaState{{peer, 9}, -1, true, 0});  // no such line
    same("", call.world.heard());
    worker::WorkerStats stats;
    stats.worker = 5;  // no such worker
    call.world.gateway->worker_events().post(stats);
    stats.worker = 0;
    stats.peers = 3;
    call.world.gateway->worker_events().post(stats);
    call.world.turn();
    CPPUNIT_ASSERT_EQUAL(uint32_t{3}, call.world.gateway->peers()->stats().at(0).peers);
  }

  void late_words_of_a_peer_that_is_gone_are_not_heard() {
    Call call;
    PeerId peer = call.up();
    call.world.verb("hangup", "session_id", call.session, "handle_id", call.handle);
    call.does("accept", offer());
    call.world.heard();
    size_t known = call.world.plugin->log.size();
    call.world.event(peer::PeerUp{peer});
    call.world.event(peer::PeerDown{peer, "DTLS alert"});
    call.world.event(peer::MediaState{{peer, 0}, -1, true, 0});
    same("", call.world.heard());
    CPPUNIT_ASSERT_EQUAL(known, call.world.plugin->log.size());
    CPPUNIT_ASSERT_EQUAL(uint32_t{1}, call.world.gateway->peers()->count());
  }

  void detaching_closes_the_peer_without_hangup_event() {
    Call call;
    call.up();
    call.world.verb("detach", "session_id", call.session, "handle_id", call.handle);
    same("reply:success detached", call.world.heard());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, call.world.worker().of<worker::ClosePeer>().size());
    size_t log = call.world.plugin->log.size();
    same("down: Detach", call.world.plugin->log.at(log - 2));
    same("gone", call.world.plugin->log.at(log - 1));
  }

  void trickles_are_acked_and_judged_once_there_is_a_description() {
    Call call;
    auto trickle = [&](const char* member, Json value) {
      return World::code(
          call.world.verb("trickle", "session_id", call.session, "handle_id", call.handle, member, std::move(value)));
    };
    CPPUNIT_ASSERT_EQUAL(0, trickle("candidate", Json::object()));
    CPPUNIT_ASSERT_EQUAL(0, trickle("candidates", Json("x")));
    call.up();
    CPPUNIT_ASSERT_EQUAL(456, trickle("candidate", Json::object()));
    CPPUNIT_ASSERT_EQUAL(467, trickle("candidates", Json("x")));
    CPPUNIT_ASSERT_EQUAL(456, trickle("candidate", Json::object("sdpMid", "0")));
    CPPUNIT_ASSERT_EQUAL(467, trickle("candidate", Json::object("sdpMid", 0, "candidate", "")));
    CPPUNIT_ASSERT_EQUAL(467, trickle("candidate", Json::object("sdpMLineIndex", -1, "candidate", "")));
    CPPUNIT_ASSERT_EQUAL(467, trickle("candidate", Json::object("sdpMLineIndex", 0, "candidate", 1)));
    CPPUNIT_ASSERT_EQUAL(0, trickle("candidate", Json::object("sdpMLineIndex", 5, "candidate", "")));
    CPPUNIT_ASSERT_EQUAL(0, trickle("candidate", Json::object("sdpMid", "a", "candidate", "candidate:nonsense")));
    CPPUNIT_ASSERT_EQUAL(0, trickle("candidate", Json::object("completed", 1)));
    CPPUNIT_ASSERT_EQUAL(0, trickle("candidate", Json::null()));
    CPPUNIT_ASSERT_EQUAL(0, trickle("candidates", Json::array(Json::object(), 7)));
  }

  void routes_reach_the_worker_after_the_peers() {
    Call call;
    PeerId publisher = call.up();
    uint64_t other = call.world.attach(call.session);
    call.world.does(call.session, other, "accept", offer());
    PeerId subscriber = call.world.peer_of_last_create();
    call.world.worker().commands.clear();
    call.world.message(call.session, call.handle, Json::object("do", "forward", "mid", "a", "to", other));
    auto forwards = call.world.worker().of<worker::Forward>();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, forwards.size());
    CPPUNIT_ASSERT((forwards[0]->from == ReceiverId{publisher, 0}));
    CPPUNIT_ASSERT((forwards[0]->to == SenderId{subscriber, 0}));
    call.world.verb("hangup", "session_id", call.session, "handle_id", call.handle);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, call.world.gateway->peers()->routes().size());
    // Stale ids are of no use.
    size_t before = call.world.worker().commands.size();
    call.world.plugin->services.forward({publisher, 0}, {subscriber, 0});
    call.world.plugin->services.mute({publisher, 0}, true);
    call.world.pass(0ms);
    CPPUNIT_ASSERT_EQUAL(before, call.world.worker().commands.size());
  }

  void end_to_end_encryption_is_repeated() {
    Call call;
    Json jsep = offer();
    jsep.set("e2ee", true);
    call.does("accept", std::move(jsep));
    CPPUNIT_ASSERT(call.world.transport->sent.back().message["jsep"]["e2ee"].boolean());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HandleNegotiationTest);

}  // namespace
}  // namespace cardea::control
