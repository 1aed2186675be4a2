#include <cppunit/extensions/HelperMacros.h>

#include "unit/control/world.hpp"

namespace cardea::control {
namespace {

// A handle's data channels between its plugin and the data thread.
class HandleDataTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HandleDataTest);
  CPPUNIT_TEST(nothing_is_sent_before_the_association_is_there);
  CPPUNIT_TEST(a_full_backlog_refuses_until_half_of_it_has_left);
  CPPUNIT_TEST(a_message_to_many_is_one_text);
  CPPUNIT_TEST(channels_asked_for_early_are_opened_later);
  CPPUNIT_TEST(what_the_peer_does_reaches_the_plugin_and_is_acknowledged);
  CPPUNIT_TEST(what_was_sent_before_the_end_comes_before_it);
  CPPUNIT_TEST(a_new_peer_connection_starts_from_nothing);
  CPPUNIT_TEST(what_the_data_thread_counted_is_kept_while_the_peer_lives);
  CPPUNIT_TEST_SUITE_END();

  struct Call {
    Call() {
      session = world.create();
      handle = world.attach(session);
      peer = connect();
      client = &world.plugin->attachments.at(HandleId{handle})->client;
      world.plugin->log.clear();
    }
    PeerId connect() {
      world.does(session, handle, "accept", offer("abcd", true));
      PeerId created = world.peer_of_last_create();
      world.event(peer::PeerEvent(peer::PeerUp{created}));
      return created;
    }
    std::string noted() {
      std::string out;
      for (const std::string& one : std::exchange(world.plugin->log, {})) out += (out.empty() ? "" : "; ") + one;
      return out;
    }
    // What the data thread was asked at the end of this turn.
    template <class Command>
    std::vector<const Command*> sent() {
      world.turn();
      return world.data_door.of<Command>();
    }
    World world;
    uint64_t session = 0, handle = 0;
    PeerId peer;
    Handle* client = nullptr;
  };
  static void same(const std::string& expected, const std::string& got) { CPPUNIT_ASSERT_EQUAL(expected, got); }

  void nothing_is_sent_before_the_association_is_there() {
    Call call;
    CPPUNIT_ASSERT(!call.client->send_data({.payload = "x"}));
    CPPUNIT_ASSERT(call.sent<worker::SendMessage>().empty() && call.sent<worker::OpenChannel>().empty());
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    same("data ready", call.noted());
    CPPUNIT_ASSERT(call.client->send_data({.payload = "x"}));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, call.sent<worker::SendMessage>().size());
    call.world.event(data::DataEvent(data::DataDown{call.peer}));
    CPPUNIT_ASSERT(!call.client->send_data({.payload = "x"}));
  }
  void a_full_backlog_refuses_until_half_of_it_has_left() {
    Call call;
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    call.noted();
    const DataMessage message{.payload = std::string(100'000, 'x')};
    int sent = 0;
    while (call.client->send_data(message) && sent < 1000) ++sent;
    CPPUNIT_ASSERT_EQUAL(11, sent);
    call.world.event(data::DataEvent(data::MessagesLeft{call.peer, 5 * data::weight(message)}));
    same("", call.noted());
    call.world.event(data::DataEvent(data::MessagesLeft{call.peer, data::weight(message)}));
    same("data ready", call.noted());
    CPPUNIT_ASSERT(call.client->send_data(message));
    call.world.event(data::DataEvent(data::MessagesLeft{call.peer, 100 * data::weight(message)}));
    same("", call.noted());  // nothing was refused meanwhile
  }
  void a_message_to_many_is_one_text() {
    Call call;
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    const DataMessage message{.label = "room", .payload = "to all"};
    for (int i = 0; i < 3; ++i) call.client->send_data(message);
    for (const auto* one : call.sent<worker::SendMessage>())
      CPPUNIT_ASSERT(&one->message.payload.text() == &message.payload.text());
  }
  void channels_asked_for_early_are_opened_later() {
    Call call;
    call.client->open_data({.label = "a", .ordered = false});
    call.client->open_data({.label = "b"});
    call.client->close_data("b");
    CPPUNIT_ASSERT(call.sent<worker::SendMessage>().empty() && call.sent<worker::OpenChannel>().empty());
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    auto opened = call.sent<worker::OpenChannel>();
    CPPUNIT_ASSERT(opened.size() == 1 && opened[0]->channel.label == "a" && !opened[0]->channel.ordered);
    call.client->close_data("a");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, call.sent<worker::CloseChannel>().size());
  }
  void what_the_peer_does_reaches_the_plugin_and_is_acknowledged() {
    Call call;
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    call.noted();
    const data::DataEvent events[] = {data::ChannelOpened{call.peer, {.label = "chat"}},
                                      data::MessageReceived{call.peer, {.label = "chat", .payload = "hi"}},
                                      data::ChannelClosed{call.peer, "chat"}};
    size_t weight = 0, taken = 0;
    for (const data::DataEvent& event : events) {
      call.world.event(event);
      weight += data::weight(event);
    }
    same("data open chat; data chat hi; data closed chat", call.noted());
    for (const auto* one : call.sent<worker::EventsTaken>()) taken += one->weight;
    CPPUNIT_ASSERT_EQUAL(weight, taken);
  }
  void what_was_sent_before_the_end_comes_before_it() {
    Call call;
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    call.client->send_data({.payload = "farewell"});
    call.client->hang_up();
    size_t before_close = 0;
    call.world.worker().on_post = [&](const worker::Command& command) {
      if (std::holds_alternative<worker::ClosePeer>(command))
        before_close = call.world.data_door.of<worker::SendMessage>().size();
    };
    call.world.verb("keepalive", "session_id", call.session);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, before_close);
  }
  void a_new_peer_connection_starts_from_nothing() {
    Call call;
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    while (call.client->send_data({.payload = std::string(100'000, 'x')})) {
    }
    call.world.verb("hangup", "session_id", call.session, "handle_id", call.handle);
    CPPUNIT_ASSERT(!call.client->send_data({.payload = "x"}));
    const PeerId next = call.connect();
    call.noted();
    call.world.event(data::DataEvent(data::MessageReceived{call.peer, {.payload = "late"}}));
    call.world.event(data::DataEvent(data::DataUp{call.peer}));
    same("", call.noted());
    CPPUNIT_ASSERT(!call.client->send_data({.payload = "x"}));
    call.world.event(data::DataEvent(data::DataUp{next}));
    CPPUNIT_ASSERT(call.client->send_data({.payload = "x"}));
  }
  void what_the_data_thread_counted_is_kept_while_the_peer_lives() {
    Call call;
    const Peers& peers = *call.world.gateway->peers();
    CPPUNIT_ASSERT(peers.data_stats(call.peer) == nullptr);
    data::PeerDataStats told;
    told.peer = call.peer;
    told.channels.push_back({{3, 0, 99, 0}, 5, {.label = "chat"}, true});
    const auto tell = [&] {
      call.world.gateway->worker_events().post(worker::PeersDataStats{told});
      call.world.turn();
    };
    tell();
    CPPUNIT_ASSERT(peers.data_stats(call.peer) != nullptr);
    CPPUNIT_ASSERT_EQUAL(uint64_t{99}, peers.data_stats(call.peer)->channels.at(0).bytes_in);
    call.world.verb("hangup", "session_id", call.session, "handle_id", call.handle);
    CPPUNIT_ASSERT(peers.data_stats(call.peer) == nullptr);
    tell();  // late
    CPPUNIT_ASSERT(peers.data_stats(call.peer) == nullptr);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(HandleDataTest);

}  // namespace
}  // namespace cardea::control
