// Two associations in one stack, joined by a link that may lose packets. Time is virtual for the library too, which
// compares its timers with the system's clock: see clock.cpp.
#pragma once

#include <cppunit/TestAssert.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "data/association.hpp"

namespace cardea::data::test {

// What the library takes for the time of day.
extern Time wall;

struct End {
  PeerId peer;
  std::unique_ptr<Association> association;
  bool up = false;
  int ups = 0, downs = 0;
  std::vector<DataChannel> opened;
  std::vector<std::string> closed;
  std::vector<DataMessage> messages;
  size_t left = 0;    // weight that MessagesLeft told
  bool takes = true;  // what is told is taken at once
  size_t untaken = 0;
};

class Pair {
public:
  explicit Pair(int loss_percent = 0, uint64_t seed = 1, SctpSettings settings = {})
      : loss_(loss_percent), random_(seed), stack_(settings, [this](uint64_t owner, Bytes packet) {
          if (ends_[owner].association) out_.packets.add(ends_[owner].peer, packet);
        }) {
    for (uint32_t i : {0u, 1u}) {
      ends_[i].peer = {0, 1, i};
      begin(i);
    }
  }
  ~Pair() {
    for (End& end : ends_) end.association.reset();
  }

  void begin(uint32_t i, uint32_t peer_max = 262144) {
    ends_[i].association.reset();
    ends_[i].association = std::make_unique<Association>(
        ends_[i].peer, i, AssociationPlan{.dtls_client = i == 0, .max_message_size = peer_max}, stack_);
  }

  End& a() { return ends_[0]; }
  End& b() { return ends_[1]; }
  Output& out() { return out_; }
  Time now() const { return now_; }
  SctpStack& stack() { return stack_; }
  const DataDrops& drops() const { return out_.stats.drops; }

  void send(End& from, std::string label, std::string payload, bool binary = false) {
    from.association->send({.label = std::move(label), .binary = binary, .payload = std::move(payload)}, now_, out_);
  }
  void open(End& from, const DataChannel& channel) { from.association->open(channel, now_, out_); }
  void close(End& from, std::string_view label) { from.association->close(label, now_, out_); }

  // Ten milliseconds.
  void step() {
    wall = now_ += 10ms;
    stack_.tick(now_);
    for (End& end : ends_)
      if (end.association && end.association->next_deadline() <= now_) end.association->tick(now_, out_);
    // There is an end to what goes to and fro at once.
    for (int i = 0; i < 200 && exchange(); ++i) {
    }
  }
  // Until it is true, for at most so much virtual time.
  bool until(const std::function<bool()>& done, Duration patience = 60s) {
    for (const Time end = now_ + patience; now_ < end && !done();) step();
    return done();
  }
  void run(Duration time) {
    until([] { return false; }, time);
  }
  bool connect() {
    return until([this] { return a().up && b().up; });
  }
  std::function<bool(Bytes)> loses;  // instead of chance

private:
  bool exchange() {
    std::vector<uint64_t> stirred;
    stack_.take_stirred(stirred);
    for (uint64_t owner : stirred)
      if (ends_[owner].association) ends_[owner].association->stirred(now_, out_);
    tell();
    const Records packets = out_.packets.take();
    packets.for_each([&](PeerId from, Bytes packet) {
      End& to = ends_[from.slot ^ 1u];
      if (loses ? loses(packet) : random_.below(100) < static_cast<uint64_t>(loss_)) return;
      if (to.association) to.association->receive(packet, now_, out_);
    });
    tell();
    return !packets.empty();
  }
  void tell() {
    while (!out_.events.empty()) {
      std::vector<DataEvent> events = std::exchange(out_.events, {});
      for (DataEvent& event : events) {
        End& end = ends_[peer_of(event).slot];
        std::visit([&](auto& one) { on(one, end); }, event);
        took(end, weight(event));
      }
    }
  }
  void took(End& end, size_t weighs) {
    if (end.takes && end.association)
      end.association->taken(weighs, now_, out_);
    else
      end.untaken += weighs;
  }
  void on(DataUp&, End& end) { end.up = ++end.ups > 0; }
  void on(DataDown&, End& end) { end.up = ++end.downs < 0; }
  void on(ChannelOpened& event, End& end) { end.opened.push_back(event.channel); }
  void on(ChannelClosed& event, End& end) { end.closed.push_back(event.label); }
  void on(MessageReceived& event, End& end) { end.messages.push_back(event.message); }
  void on(MessagesLeft& event, End& end) { end.left += event.weight; }

  const int loss_;
  SeededRandom random_;
  std::array<End, 2> ends_;
  Output out_{SctpSettings().max_packet};
  SctpStack stack_;
  Time now_{1000s};
};

// A pair with one more channel that is open on both sides.
inline void chat(Pair& pair, const char* label = "chat") {
  CPPUNIT_ASSERT(pair.connect());
  const size_t before = pair.b().opened.size();
  pair.open(pair.a(), {.label = label});
  CPPUNIT_ASSERT(pair.until([&] { return pair.b().opened.size() > before && !pair.a().opened.empty(); }));
}

// As a peer's DCEP and user messages look on the wire, from a socket without channel bookkeeping.
struct Raw {
  explicit Raw(Pair& pair_of) : pair(pair_of) {}
  void send(uint16_t stream, uint32_t ppid, std::string_view bytes) {
    // The first socket of the stack is a's.
    pair.stack().send({1}, stream, static_cast<Ppid>(ppid), bytes_of(bytes), {});
    pair.run(50ms);
  }
  Pair& pair;
};

// The bytes of a message: others for every number.
inline std::string numbered(int number, size_t size) {
  SeededRandom random(static_cast<uint64_t>(number) + 1);
  std::string out(size, '\0');
  random.fill({reinterpret_cast<uint8_t*>(out.data()), out.size()});
  return out;
}

}  // namespace cardea::data::test
