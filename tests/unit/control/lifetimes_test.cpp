#include <cppunit/extensions/HelperMacros.h>

#include <random>
#include <vector>

#include "unit/control/world.hpp"

namespace cardea::control {
namespace {

class LifetimesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LifetimesTest);
  CPPUNIT_TEST(ten_thousand_random_operations_leave_nothing_behind);
  CPPUNIT_TEST_SUITE_END();

  struct Client {
    uint64_t connection, session, handle;
  };

  void ten_thousand_random_operations_leave_nothing_behind() {
    Settings settings;
    settings.general.reclaim_session_timeout = 3;
    World world(std::move(settings), 3);
    std::mt19937 dice(11);
    std::vector<Client> clients;
    auto any = [&](size_t bound) { return static_cast<size_t>(dice() % bound); };
    const char* const deeds[] = {"accept",  "accept",     "accept", "offer", "event", "push",    "detach",
                                 "hang up", "detach all", "timer",  "throw", "sync",  "nothing", "place"};

    for (int i = 0; i < 10'000; ++i) {
      world.transport->sent.clear();
      world.plugin->log.clear();
      if (clients.empty() || any(8) == 0) {
        Client client{1 + any(5), 0, 0};
        client.session = world.create({client.connection});
        client.handle = world.attach(client.session);
        clients.push_back(client);
        continue;
      }
      Client& client = clients[any(clients.size())];
      auto verb = [&](const char* name) { world.verb(name, "session_id", client.session, "handle_id", client.handle); };
      switch (any(20)) {
      case 0: world.verb("destroy", "session_id", client.session); break;
      case 1: verb("detach"); break;
      case 2: verb("hangup"); break;
      case 3: client.handle = world.attach(client.session); break;
      case 4: world.transport->host.gone({client.connection}); break;
      case 5: world.verb("claim", "session_id", client.session); break;
      case 6: world.pass(std::chrono::milliseconds(any(1500))); break;
      case 7: world.does(client.session, client.handle, "event", answer()); break;
      case 8: {
        PeerId peer = world.peer_of_last_create(any(3));
        if (any(2) == 0)
          world.event(peer::PeerUp{peer});
        else
          world.event(peer::PeerDown{peer, "DTLS alert"});
        break;
      }
      case 9: {
        auto other = world.plugin->attachments.begin();
        if (other == world.plugin->attachments.end()) break;
        world.message(client.session, client.handle,
                      Json::object("do", "forward", "mid", "a", "to", other->first.value));
        break;
      }
      default: {
        const char* deed = deeds[any(std::size(deeds))];
        Json jsep = any(3) != 0 ? offer(any(4) == 0 ? "other" : "abcd", any(3) == 0) : Json();
        world.message(client.session, client.handle, Json::object("do", deed, "ms", any(3000), "room", any(4)),
                      std::move(jsep));
      }
      }
      if (any(50) == 0) clients.erase(clients.begin() + static_cast<ptrdiff_t>(any(clients.size())));
    }
    world.pass(4000s);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->session_count());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->handle_count());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->timer_count());
    CPPUNIT_ASSERT(world.plugin->attachments.empty());
    CPPUNIT_ASSERT_EQUAL(uint32_t{0}, world.gateway->peers()->count());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->peers()->routes().size());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, world.gateway->peers()->routes().mirrors());
    world.transport->sent.clear();
    CPPUNIT_ASSERT(world.create() != 0);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LifetimesTest);

}  // namespace
}  // namespace cardea::control
