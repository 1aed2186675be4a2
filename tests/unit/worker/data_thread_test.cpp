#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "worker/data_thread.hpp"

using namespace cardea;
using namespace cardea::worker;

namespace {

// A worker whose peers are the other ends of each other: 0 and 1, 2 and 3...
struct Loop final : Worker {
  void start(const std::vector<Worker*>&) override {}
  void stop() override {}
  uint16_t port() const override { return 0; }
  void post(Command command) override {
    auto* sent = std::get_if<SendRecords>(&command);
    if (sent == nullptr) return;
    for (data::Records::Entry& entry : sent->records.entries) entry.peer.slot ^= 1u;
    door->post(std::move(sent->records));
  }
  DataDoor* door = nullptr;
};

struct Site {
  Site() : thread({}, events) {
    loop.door = &thread;
    thread.start({&loop});
  }
  ~Site() { thread.stop(); }

  static PeerId peer(uint32_t slot) { return {0, 1, slot}; }
  void start(uint32_t slot) { thread.post(StartData{peer(slot), {.dtls_client = slot % 2 == 0}}); }
  bool until(const std::function<bool()>& done) {
    for (int i = 0; i < 2000; ++i) {
      std::vector<WorkerEvent> got;
      events.take(got);
      for (WorkerEvent& event : got) {
        if (auto* now = std::get_if<data::DataStats>(&event)) stats = *now;
        if (auto* now = std::get_if<PeersDataStats>(&event))
          for (data::PeerDataStats& one : *now) by_peer[one.peer.slot] = one;
        auto* told = std::get_if<data::DataEvent>(&event);
        if (told == nullptr) continue;
        const PeerId about = data::peer_of(*told);
        if (std::holds_alternative<data::DataUp>(*told)) ++ups[about.slot];
        if (const auto* left = std::get_if<data::MessagesLeft>(told)) left_weight += left->weight;
        if (const auto* received = std::get_if<data::MessageReceived>(told))
          messages[about.slot].push_back(received->message.payload);
        thread.post(EventsTaken{about, data::weight(*told)});
      }
      if (done()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  Mailbox<WorkerEvent> events;
  Loop loop;
  DataThread thread;
  std::map<uint32_t, int> ups;
  std::map<uint32_t, std::vector<std::string>> messages;
  size_t left_weight = 0;
  data::DataStats stats;
  std::map<uint32_t, data::PeerDataStats> by_peer;
};

class DataThreadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DataThreadTest);
  CPPUNIT_TEST(messages_go_from_peer_to_peer);
  CPPUNIT_TEST(a_restarted_peer_gets_a_new_association);
  CPPUNIT_TEST(what_is_meant_for_nobody_is_counted_and_credited);
  CPPUNIT_TEST(it_stops_with_associations_in_full_flow);
  CPPUNIT_TEST_SUITE_END();

public:
  void messages_go_from_peer_to_peer() {
    Site site;
    for (uint32_t slot = 0; slot < 20; ++slot) site.start(slot);
    CPPUNIT_ASSERT(site.until([&] { return site.ups.size() == 20; }));
    const DataMessage message{.label = "all", .payload = std::string(5000, 'x')};
    for (uint32_t slot = 0; slot < 20; ++slot)
      for (int i = 0; i < 10; ++i) site.thread.post(SendMessage{Site::peer(slot), message});
    CPPUNIT_ASSERT(site.until([&] {
      size_t all = 0;
      for (const auto& [slot, got] : site.messages) all += got.size();
      return all == 200;
    }));
    CPPUNIT_ASSERT(site.until([&] { return site.stats.messages_in == 200 && site.stats.associations == 20; }));
    CPPUNIT_ASSERT(site.until([&] { return site.by_peer[7].messages_in == 10 && site.by_peer[7].bytes_out == 50000; }));
    // The last count of one that ends comes too.
    site.thread.post(SendMessage{Site::peer(7), message});
    CPPUNIT_ASSERT(site.until([&] { return site.messages[6].size() == 11; }));
    site.thread.post(StopData{Site::peer(7)});
    CPPUNIT_ASSERT(site.until([&] { return !site.by_peer[7].up && site.by_peer[7].messages_out == 11; }));
    CPPUNIT_ASSERT_EQUAL(11 * data::weight(message), site.left_weight);
  }
  void a_restarted_peer_gets_a_new_association() {
    Site site;
    site.start(0);
    site.start(1);
    CPPUNIT_ASSERT(site.until([&] { return site.ups[0] == 1 && site.ups[1] == 1; }));
    site.start(0);
    CPPUNIT_ASSERT(site.until([&] { return site.ups[0] == 2 && site.ups[1] == 2; }));
    site.thread.post(SendMessage{Site::peer(0), {.payload = "anew"}});
    CPPUNIT_ASSERT(site.until([&] { return site.messages[1].size() == 1; }));
  }
  void what_is_meant_for_nobody_is_counted_and_credited() {
    Site site;
    site.thread.post(SendMessage{Site::peer(7), {.payload = "x"}});
    data::Records records;
    records.add(Site::peer(7), std::vector<uint8_t>(20));
    site.thread.post(records);
    site.thread.post(OpenChannel{Site::peer(7), {}});
    site.thread.post(CloseChannel{Site::peer(7), "x"});
    CPPUNIT_ASSERT(site.until([&] { return site.left_weight == 257; }));
    site.start(0);
    CPPUNIT_ASSERT(site.until([&] { return site.stats.drops[data::DataDrop::stale_peer] == 4; }));
  }
  void it_stops_with_associations_in_full_flow() {
    for (int i = 0; i < 5; ++i) {
      Site site;
      site.start(0);
      site.start(1);
      CPPUNIT_ASSERT(site.until([&] { return site.ups.size() == 2; }));
      for (int k = 0; k < 20; ++k)
        site.thread.post(SendMessage{Site::peer(0), {.binary = true, .payload = std::string(60000, 'x')}});
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(DataThreadTest);

}  // namespace
