// An association that is up, under whatever its peer may send. The input is a row of items: a kind, a size (two bytes),
// and so many bytes, that are
//   'p'  a packet as it is
//   'c'  chunks: the header is made right
//   'd'  stream (2), payload protocol (4), flags (1), payload: a DATA chunk that is the next one
//   't'  time passes
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "data/association.hpp"
#include "data/crc32c.hpp"

namespace {

using namespace cardea;
using namespace cardea::data;

constexpr size_t most_untaken = 64;  // MiB; far above what may be told of any input

struct House {
  Output output{SctpSettings().max_packet};
  SctpStack stack{SctpSettings(), [this](uint64_t owner, Bytes packet) {
                    output.packets.add({0, 1, static_cast<uint32_t>(owner)}, packet);
                  }};
  Time now{1000s};
};

class Call {
public:
  explicit Call(House& house) : house_(house) {
    for (uint32_t i : {0u, 1u})
      ends_[i] = std::make_unique<Association>(PeerId{0, 1, i}, i, AssociationPlan{.dtls_client = i == 0}, house.stack);
    for (int i = 0; i < 10 && !(ends_[0]->up() && ends_[1]->up()); ++i) exchange();
    if (!ends_[1]->up()) std::abort();
  }
  ~Call() {
    for (auto& end : ends_) end->end(house_.output);
    house_.output.events.clear();
    (void)house_.output.packets.take();
  }

  void take(uint8_t kind, Bytes bytes) {
    if (kind == 't') return pass(Duration(10ms) * (bytes.size() + 1));
    std::vector<uint8_t> packet;
    if (kind == 'c' || kind == 'd') packet = {0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0};
    if (kind == 'd' && bytes.size() >= 7) {
      const size_t size = 16 + bytes.size() - 7;
      packet.resize(28);
      packet[13] = bytes[6];
      store_u16(&packet[14], static_cast<uint16_t>(size));
      store_u32(&packet[16], tsn_++);
      store_u16(&packet[20], load_u16(&bytes[0]));
      uint16_t& number = numbers_[load_u16(&bytes[0]) % 8];
      store_u16(&packet[22], number);
      number = static_cast<uint16_t>(number + (bytes[6] & 1));  // the next message's, after this one's last piece
      store_u32(&packet[24], load_u32(&bytes[2]));
      bytes = bytes.subspan(7);
    }
    packet.insert(packet.end(), bytes.begin(), bytes.end());
    if (kind == 'd') packet.resize((packet.size() + 3) & ~size_t{3});
    if (kind != 'p' && packet.size() >= 12) store_u32(&packet[4], tag_);
    write_checksum(packet);
    ends_[1]->receive(packet, house_.now, house_.output);
    settle();
  }

private:
  // Both directions, and what is to be known of them.
  void exchange() {
    stir();
    house_.output.packets.take().for_each([&](PeerId from, Bytes packet) {
      if (from.slot == 0 && packet.size() >= 32 && packet[12] == 1) tsn_ = load_u32(&packet[28]);
      if (from.slot == 0 && packet[12] == 10) tag_ = load_u32(&packet[4]);
      ends_[from.slot ^ 1u]->receive(packet, house_.now, house_.output);
    });
    stir();
  }
  void stir() {
    std::vector<uint64_t> stirred;
    for (house_.stack.take_stirred(stirred); !stirred.empty(); house_.stack.take_stirred(stirred))
      for (uint64_t number : stirred) ends_[number]->stirred(house_.now, house_.output);
    for (const DataEvent& event : std::exchange(house_.output.events, {})) {
      if (weight(event) > most_untaken << 20) std::abort();
      if (const auto* told = std::get_if<MessageReceived>(&event))
        if (told->message.payload.size() > house_.stack.settings().max_message_size) std::abort();
      ends_[peer_of(event).slot]->taken(weight(event), house_.now, house_.output);
    }
  }
  // What the association answers gets lost: the other side knows nothing of what we made up.
  void settle() {
    stir();
    (void)house_.output.packets.take();
  }
  void pass(Duration time) {
    house_.now += time;
    house_.stack.tick(house_.now);
    for (auto& end : ends_)
      if (end->next_deadline() <= house_.now) end->tick(house_.now, house_.output);
    settle();
  }

  House& house_;
  std::unique_ptr<Association> ends_[2];
  uint32_t tag_ = 0, tsn_ = 0;
  uint16_t numbers_[8] = {};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static House house;
  {
    Call call(house);
    for (size_t at = 0; size - at >= 3;) {
      const size_t wanted = load_u16(data + at + 1), part = std::min(wanted, size - at - 3);
      call.take(data[at], {data + at + 3, part});
      at += 3 + part;
    }
  }
  // The library's timers free what is closed.
  for (int i = 0; i < 3; ++i) house.stack.tick(house.now += 1s);
  return 0;
}
