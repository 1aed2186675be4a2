// Senders and receivers that come and go on two workers, with mirrors between them and a ring that loses copies.
#include <deque>

#include "fuzz/steps.hpp"
#include "worker/packet_ring.hpp"

using namespace cardea;
using namespace cardea::fuzz;

namespace {

// Copies on their way to the other worker.
struct Copy {
  ReceiverId from;
  std::optional<uint32_t> common_offset;
  rtp::Packet packet;
};

struct Worker {
  explicit Worker(uint16_t index) : house({}, "evp", "", index), judge(house) {}
  test::House house;
  Judge judge;
  std::vector<Lines> lines;
  std::deque<Copy> ring;  // what comes from the other one
};

struct Workers {
  Worker one{0}, other{1};
  uint8_t lose = 0;  // of 256

  Workers() {
    for (Worker* from : {&one, &other}) {
      Worker& to = from == &one ? other : one;
      from->house.mirrored = [this, &to](uint16_t, const rtp::Packet& packet, ReceiverId id,
                                         std::optional<uint32_t> common_offset) {
        if (to.ring.size() >= 16 || (lose != 0 && packet.seq % lose == 0)) return;
        Copy& copy = to.ring.emplace_back();
        copy.from = id;
        copy.common_offset = common_offset;
        worker::copy_packet(packet, copy.packet);
      };
    }
  }
  void take(Worker& at) {
    for (; !at.ring.empty(); at.ring.pop_front()) {
      rtp::PacketRef packet = at.house.packets.get();
      worker::copy_packet(at.ring.front().packet, *packet);
      packet->arrival = at.house.now;
      at.house.router->deliver_mirrored(std::move(packet), at.ring.front().from, at.ring.front().common_offset,
                                        at.house.now, at.house.output);
    }
  }
  void ask(Worker& from, Worker& to) {
    for (const peer::UpstreamRequest& request : from.house.router->upstream())
      to.house.router->request_keyframe(request.from, request.substream, to.house.now);
    from.house.router->upstream().clear();
  }
  void turn(Duration span) {
    for (Worker* each : {&one, &other}) {
      take(*each);
      each->house.run(span, 50ms);
      each->house.router->expire(each->house.now);
    }
    ask(one, other);
    ask(other, one);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  constexpr size_t max_members = 3;  // of a worker, ever: each is a handshake
  Workers workers;
  Steps steps(data, size);
  while (!steps.over()) {
    const uint8_t step = steps.byte();
    Worker& here = (step & 128) != 0 ? workers.other : workers.one;
    const auto any_of = [&](Worker& worker) {
      return worker.house.members.empty() ? PeerId{9, 9, 9}
                                          : worker.house.members[steps.below(worker.house.members.size())].id;
    };
    const auto mline = static_cast<uint16_t>((step >> 5) & 3);
    if (here.house.members.empty() || (step & 15) == 0) {
      if (here.house.members.size() == max_members) continue;
      here.house.join(here.lines.emplace_back().next(steps));
      continue;
    }
    const size_t index = steps.below(here.house.members.size());
    test::Member& member = here.house.members[index];
    if (here.house.peer(member) == nullptr) continue;
    switch (step & 15) {
    case 1: here.house.close(member); break;
    case 2: here.house.update(member, here.lines[index].next(steps)); break;
    case 3:
    case 4: {
      const PeerId from = any_of(steps.flag() ? workers.one : workers.other);
      const ReceiverId receiver{from, static_cast<uint16_t>(steps.below(Lines::most))};
      here.house.router->forward(receiver, {member.id, mline}, here.house.now);
      Worker& there = from.worker == 0 ? workers.one : workers.other;
      if (&there != &here) there.house.router->mirror(receiver, member.id.worker, steps.byte() % 8 != 0);
      break;
    }
    case 5: here.house.router->stop_forward({member.id, mline}); break;
    case 6: here.house.router->mirror({member.id, mline}, 1 - member.id.worker, steps.flag()); break;
    case 7: workers.lose = steps.byte() % 8; break;
    case 8: feedback(steps, here.house, member); break;
    case 9: workers.turn(Duration(10ms) * (1 + steps.below(50))); break;
    case 10: workers.take(here); break;
    case 11: here.house.turn(); break;
    default: member.client->send_rtp(packet_of(steps, here.lines[index].now())); break;
    }
  }
  workers.turn(500ms);
  for (Worker* each : {&workers.one, &workers.other}) {
    for (test::Member& member : each->house.members)
      if (each->house.peer(member) != nullptr) each->house.close(member);
    each->house.turn();
  }
  // Rows of mirrored receivers may stay for copies only where control never took the mirror away.
  return 0;
}
