// Two peer connections that are renegotiated in every way while packets, reports and rubbish come: recycled m-lines,
// restarts, changes of direction.
#include "fuzz/steps.hpp"

using namespace cardea;
using namespace cardea::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  test::House house;
  Judge judge(house);
  std::array<Lines, 2> lines;
  std::array<test::Member*, 2> members{&house.join({}), &house.join({})};
  int restarts = 0;
  for (Steps steps(data, size); !steps.over();) {
    const uint8_t step = steps.byte();
    const size_t who = (step >> 7) & 1;
    test::Member& member = *members[who];
    peer::PeerConnection* peer = house.peer(member);
    if (peer == nullptr) return 0;
    const auto mline = static_cast<uint16_t>((step >> 5) & 3);
    switch (step & 15) {
    case 0: house.update(member, lines[who].next(steps)); break;
    case 1: {
      sdp::PeerPlan plan = house.plan(member, lines[who].next(steps));
      plan.local = {"again" + std::to_string(who) + std::to_string(++restarts), "another-password-22-letters"};
      house.router->update(*peer, std::make_unique<sdp::PeerPlan>(plan), house.now, house.output);
      if (steps.flag()) house.deliver(member, test::stun_check(plan.local, steps.flag(), steps.byte()));
      break;
    }
    case 2:
      house.router->forward({members[steps.below(2)]->id, static_cast<uint16_t>(steps.below(Lines::most))},
                            {member.id, mline}, house.now);
      break;
    case 3: house.router->stop_forward({member.id, mline}); break;
    case 4: {
      peer::RtpSender* sender = peer->sender(mline);
      if (sender == nullptr) break;
      const uint8_t how = steps.byte();
      if (how % 4 == 0) house.router->pause(*sender, (how & 4) != 0, house.now);
      if (how % 4 == 1) house.router->set_layers(*sender, {uint8_t(how >> 6), uint8_t(how & 3), 2, 250ms}, house.now);
      if (how % 4 == 2)
        sender->set_playout_delay((how & 4) != 0 ? std::optional(PlayoutDelay{how, how}) : std::nullopt);
      break;
    }
    case 5:
      if (peer::RtpReceiver* receiver = peer->receiver(mline)) {
        const uint8_t how = steps.byte();
        receiver->mute((how & 1) != 0);
        if ((how & 2) != 0) receiver->detect_talking(TalkDetection{2, 40});
        peer->request_keyframe(mline, how % 4 - 1, house.now);
      }
      break;
    case 6: house.deliver(member, steps.bytes(200)); break;
    case 7: {
      const std::vector<uint8_t> any = steps.bytes(200);
      member.client->send_rtcp([&](ByteWriter& out) { out.put(any); });
      break;
    }
    case 8: feedback(steps, house, member); break;
    case 9: house.run(Duration(10ms) * (1 + steps.byte()), 100ms); break;
    case 10:
      for (std::vector<uint8_t>& waiting : member.client->outbox()) house.deliver(member, std::move(waiting));
      member.client->outbox().clear();
      break;
    case 11: house.turn(); break;
    default: member.client->send_rtp(packet_of(steps, lines[who].now())); break;
    }
  }
  house.run(2s, 200ms);
  return 0;
}
