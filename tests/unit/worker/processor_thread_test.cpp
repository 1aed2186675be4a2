#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "worker/processor_thread.hpp"

namespace cardea::worker {
namespace {

// Stands for a media worker: the test writes into the thread's ring as it would, and reads what the thread gives it.
struct MediaSide final : Worker {
  void start(const std::vector<Worker*>&) override {}
  void stop() override {}
  void post(Command command) override { (void)commands.post(std::move(command)); }
  uint16_t port() const override { return 0; }
  PacketRing* ring_from(uint16_t) override { return &ring; }
  void packets_came() override { ++told; }

  Mailbox<Command> commands;
  PacketRing ring;
  std::atomic<int> told{0};
};

bool until(const std::function<bool()>& done) {
  for (const Time give_up = Clock::now() + 5s; Clock::now() < give_up; std::this_thread::sleep_for(1ms))
    if (done()) return true;
  return done();
}

struct Seen {
  uint16_t input = 0;
  int64_t seq = 0;
  std::string payload;
  bool restarted = false;
};

// Notes what comes, sends it on to the output of the same number, and does what the test posts.
struct Copier final : MediaProcessor {
  struct Told {
    std::mutex mutex;
    std::vector<Seen> seen;
    std::vector<uint16_t> keyframes;
    std::atomic<int> ticks{0};
    std::atomic<bool> ended{false};
  };
  explicit Copier(std::shared_ptr<Told> to) : told(std::move(to)) {}
  ~Copier() override { told->ended = true; }

  void on_packet(uint16_t input, const PacketView& packet, Time, MediaOut& out) override {
    std::string payload(packet.payload.begin(), packet.payload.end());
    if (payload == "throw") throw std::runtime_error("as asked");
    {
      std::lock_guard lock(told->mutex);
      told->seen.push_back({input, packet.seq, payload, packet.restarted});
    }
    out.send({.output = input,
              .marker = packet.marker,
              .timestamp = packet.timestamp,
              .audio_level = 17,
              .payload = packet.payload});
  }
  void on_tick(Time now, MediaOut&) override {
    ++told->ticks;
    deadline = now + 5ms;
  }
  Time next_deadline() const override { return deadline; }
  void on_keyframe_request(uint16_t output, Time, MediaOut&) override {
    std::lock_guard lock(told->mutex);
    told->keyframes.push_back(output);
  }

  std::shared_ptr<Told> told;
  Time deadline = never;
};

constexpr ReceiverId voice{{0, 1, 7}, 3};
constexpr PeerId processor{1, 1, 0};

struct House {
  House() {
    std::vector<Worker*> all{&media, &thread};
    thread.start(all);
    thread.post(StartProcessor{processor, std::make_unique<Copier>(told)});
  }
  void say(const std::string& payload, int64_t seq, ReceiverId from = voice) {
    rtp::Packet packet;
    packet.seq = seq;
    packet.stream = 1;
    packet.timestamp = static_cast<uint32_t>(960 * seq);
    packet.payload_at = 12;
    packet.size = static_cast<uint16_t>(12 + payload.size());
    std::copy(payload.begin(), payload.end(), packet.bytes.begin() + 12);
    CPPUNIT_ASSERT(thread.ring_from(0)->push(packet, from, std::nullopt));
  }
  size_t seen() {
    std::lock_guard lock(told->mutex);
    return told->seen.size();
  }

  std::shared_ptr<Copier::Told> told = std::make_shared<Copier::Told>();
  Mailbox<WorkerEvent> events;
  MediaSide media;
  ProcessorThread thread{1, events};
};

class ProcessorThreadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProcessorThreadTest);
  CPPUNIT_TEST(packets_of_a_route_reach_the_input);
  CPPUNIT_TEST(outputs_go_to_the_workers_that_listen);
  CPPUNIT_TEST(a_route_between_processors_of_one_thread_works);
  CPPUNIT_TEST(a_route_that_is_stopped_brings_no_more);
  CPPUNIT_TEST(deadlines_are_kept);
  CPPUNIT_TEST(calls_go_in_and_out);
  CPPUNIT_TEST(calls_out_are_bounded);
  CPPUNIT_TEST(keyframes_are_asked_for_both_ways);
  CPPUNIT_TEST(a_machine_that_throws_ends_alone);
  CPPUNIT_TEST(closing_destroys_the_machine);
  CPPUNIT_TEST_SUITE_END();

public:
  void packets_of_a_route_reach_the_input() {
    House house;
    house.thread.post(Forward{voice, {processor, 2}});
    house.say("a", 0);
    house.say("b", 1);
    house.say("x", 1, {{0, 1, 8}, 0});  // no route
    CPPUNIT_ASSERT(until([&] { return house.seen() == 2; }));
    CPPUNIT_ASSERT_EQUAL(uint16_t{2}, house.told->seen[0].input);
    CPPUNIT_ASSERT(house.told->seen[0].restarted && !house.told->seen[1].restarted);
    CPPUNIT_ASSERT_EQUAL(std::string("b"), house.told->seen[1].payload);
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, house.told->seen[1].seq);
  }

  void outputs_go_to_the_workers_that_listen() {
    House house;
    house.thread.post(Forward{voice, {processor, 2}});
    house.say("to nobody", 0);
    CPPUNIT_ASSERT(until([&] { return house.seen() == 1; }));
    house.thread.post(Mirror{{processor, 2}, 0, true});
    house.say("one", 1);
    house.say("two", 2);
    CPPUNIT_ASSERT(until([&] { return house.seen() == 3 && house.media.told > 0; }));
    const MirroredPacket* first = house.media.ring.front();
    CPPUNIT_ASSERT(first != nullptr);
    CPPUNIT_ASSERT(first->from == (ReceiverId{processor, 2}));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), std::string(text_of(first->packet.payload())));
    CPPUNIT_ASSERT_EQUAL(uint8_t{17}, *first->packet.extensions.audio_level);
    const rtp::SeqNo seq = first->packet.seq;
    house.media.ring.pop();
    CPPUNIT_ASSERT(until([&] { return !house.media.ring.empty(); }));
    CPPUNIT_ASSERT_EQUAL(seq + 1, house.media.ring.front()->packet.seq);
    CPPUNIT_ASSERT_EQUAL(uint32_t{1920}, house.media.ring.front()->packet.timestamp);
    house.media.ring.pop();
    house.thread.post(Mirror{{processor, 2}, 0, false});
    house.say("three", 3);
    CPPUNIT_ASSERT(until([&] { return house.seen() == 4; }));
    CPPUNIT_ASSERT(house.media.ring.empty());
  }

  void a_route_between_processors_of_one_thread_works() {
    House house;
    auto told = std::make_shared<Copier::Told>();
    const PeerId second{1, 1, 1};
    house.thread.post(StartProcessor{second, std::make_unique<Copier>(told)});
    house.thread.post(Forward{voice, {processor, 0}});
    house.thread.post(Forward{{processor, 0}, {second, 5}});
    house.say("through", 0);
    CPPUNIT_ASSERT(until([&] {
      std::lock_guard lock(told->mutex);
      return told->seen.size() == 1;
    }));
    CPPUNIT_ASSERT_EQUAL(uint16_t{5}, told->seen[0].input);
    CPPUNIT_ASSERT_EQUAL(std::string("through"), told->seen[0].payload);
  }

  void a_route_that_is_stopped_brings_no_more() {
    House house;
    const ReceiverId other{{0, 1, 9}, 0};
    house.thread.post(Forward{voice, {processor, 0}});
    house.thread.post(Forward{other, {processor, 1}});
    house.thread.post(StopForward{{processor, 0}});
    house.say("lost", 0);
    house.say("heard", 0, other);
    CPPUNIT_ASSERT(until([&] { return house.seen() == 1; }));
    CPPUNIT_ASSERT_EQUAL(std::string("heard"), house.told->seen[0].payload);
  }

  void deadlines_are_kept() {
    House house;
    house.thread.post(CallProcessor{processor, [](MediaProcessor& machine, Time now, MediaOut&) {
                                      static_cast<Copier&>(machine).deadline = now + 1ms;
                                    }});
    CPPUNIT_ASSERT(until([&] { return house.told->ticks >= 3; }));
  }

  void calls_go_in_and_out() {
    House house;
    std::atomic<int> ran{0};
    house.thread.post(
        CallProcessor{processor, [&ran](MediaProcessor&, Time, MediaOut& out) { out.post([&ran] { ++ran; }); }});
    std::vector<WorkerEvent> all;
    CPPUNIT_ASSERT(until([&] {
      std::vector<WorkerEvent> got;
      house.events.take(got);
      for (WorkerEvent& event : got)
        if (auto* call = std::get_if<ProcessorCall>(&event)) {
          CPPUNIT_ASSERT(call->processor == processor);
          call->call();
        }
      return ran == 1;
    }));
  }

  void calls_out_are_bounded() {
    House house;
    std::atomic<bool> posted{false};
    house.thread.post(CallProcessor{processor, [&posted](MediaProcessor&, Time, MediaOut& out) {
                                      for (int i = 0; i < 20'000; ++i) out.post([] {});
                                      posted = true;
                                    }});
    CPPUNIT_ASSERT(until([&] { return posted.load(); }));
    size_t calls = 0;
    uint64_t dropped = 0;
    CPPUNIT_ASSERT(until([&] {
      std::vector<WorkerEvent> got;
      house.events.take(got);
      for (const WorkerEvent& event : got) {
        calls += std::holds_alternative<ProcessorCall>(event);
        if (auto* stats = std::get_if<WorkerStats>(&event)) dropped = stats->drops[Drop::queue_full];
      }
      return dropped > 0;
    }));
    CPPUNIT_ASSERT_EQUAL(size_t{16'384}, calls);
    CPPUNIT_ASSERT_EQUAL(uint64_t{20'000 - 16'384}, dropped);
  }

  void keyframes_are_asked_for_both_ways() {
    House house;
    house.thread.post(Forward{voice, {processor, 4}});
    house.thread.post(RequestKeyframe{{processor, 6}, -1});
    house.thread.post(CallProcessor{processor, [](MediaProcessor&, Time, MediaOut& out) {
                                      out.request_keyframe(4);
                                      out.request_keyframe(4);  // merged
                                      out.request_keyframe(5);  // no such route
                                    }});
    std::vector<Command> asked;
    CPPUNIT_ASSERT(until([&] {
      std::vector<Command> got;
      house.media.commands.take(got);
      for (Command& one : got) asked.push_back(std::move(one));
      std::lock_guard lock(house.told->mutex);
      return !asked.empty() && !house.told->keyframes.empty();
    }));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, asked.size());
    CPPUNIT_ASSERT(std::get<RequestKeyframe>(asked[0]).from == voice);
    CPPUNIT_ASSERT_EQUAL(uint16_t{6}, house.told->keyframes[0]);
  }

  void a_machine_that_throws_ends_alone() {
    House house;
    auto told = std::make_shared<Copier::Told>();
    const PeerId second{1, 1, 1};
    house.thread.post(StartProcessor{second, std::make_unique<Copier>(told)});
    house.thread.post(Forward{voice, {processor, 0}});
    house.thread.post(Forward{voice, {second, 0}});
    house.say("throw", 0);
    CPPUNIT_ASSERT(until([&] { return house.told->ended && told->ended; }));
    // The thread goes on.
    auto third = std::make_shared<Copier::Told>();
    house.thread.post(StartProcessor{second, std::make_unique<Copier>(third)});
    house.thread.post(Forward{voice, {second, 0}});
    house.say("fine", 1);
    CPPUNIT_ASSERT(until([&] {
      std::lock_guard lock(third->mutex);
      return third->seen.size() == 1;
    }));
  }

  void closing_destroys_the_machine() {
    House house;
    house.thread.post(Forward{voice, {processor, 0}});
    house.thread.post(ClosePeer{processor});
    CPPUNIT_ASSERT(until([&] { return house.told->ended.load(); }));
    house.say("nobody", 0);
    house.thread.post(CallProcessor{processor, [](MediaProcessor&, Time, MediaOut&) { CPPUNIT_ASSERT(false); }});
    house.thread.stop();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProcessorThreadTest);

}  // namespace
}  // namespace cardea::worker
