// A peer's ICE over time: checks from several addresses, some of which belong to nobody who answers, answers right and
// wrong, restarts, DTLS bytes and time, as the input says. Where nobody has answered goes at most three times what
// came, and a path that is proven is left only for another one.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include "ice/lite_agent.hpp"

using namespace cardea;

namespace {

constexpr size_t addresses = 20;  // more than an agent keeps

struct Place {
  uint64_t in = 0, out = 0;
  bool proven = false;
  std::vector<uint8_t> question;  // the last that came there
};

class Play {
public:
  explicit Play(Bytes script) : script_(script) {}

  void run() {
    while (script_.left() > 1) {
      step();
      look();
    }
  }

private:
  enum Act : uint8_t { check, nominate, answer, wrong_answer, other_place, wait, dtls, restart, prove, noise };

  static Address address(size_t place) { return *Address::parse("192.0.2.1", static_cast<uint16_t>(1 + place)); }

  void step() {
    const auto act = static_cast<Act>(script_.u8() % 10);
    const size_t at = script_.u8() % addresses;
    switch (act) {
    case check:
    case nominate: return ask(at, act == nominate);
    case answer:
    case wrong_answer: return reply(at, at, act == wrong_answer);
    case other_place: return reply(at, (at + 1) % addresses, false);
    case wait:
      now_ += Duration(1ms) * (1 << (at % 15));
      agent_.tick(now_, out_);
      return;
    case dtls:
      if (agent_.knows(address(at))) places_[at].in += 500, agent_.came(address(at), 500);
      if (agent_.selected() && agent_.allows(700)) sent(*agent_.selected(), 700);
      return;
    case restart: agent_.restart({"ours" + std::to_string(++restarts_), "a password of ours, 22+"}); return;
    case prove:
      if (at % 8 != 0 || !agent_.selected()) return;
      agent_.prove(now_);
      places_[agent_.selected()->port - 1u].proven = true;
      return;
    case noise: {
      const Bytes bytes = script_.take(std::min<size_t>(at * 8, script_.left()));
      std::vector<uint8_t> exact(bytes.begin(), bytes.end());
      (void)agent_.receive(exact, address(at), now_, out_);
      return;
    }
    }
  }

  // What a peer sends is what the codec makes, but that it claims the other role: those are refused, so it is said by
  // hand here.
  void ask(size_t at, bool nominates) {
    std::vector<uint8_t> request = make_check(agent_.locals().front(), nominates);
    places_[at].in += request.size();
    forget_removed(agent_.receive(request, address(at), now_, out_));
  }

  std::vector<uint8_t> make_check(const sdp::IceCredentials& ours, bool nominates) {
    static std::map<std::pair<std::string, bool>, std::vector<uint8_t>> made;
    auto& check = made[{ours.ufrag, nominates}];
    if (!check.empty()) return check;
    std::vector<uint8_t> bytes(300);
    ByteWriter out(bytes);
    out.u16(1), out.u16(0), out.u32(0x2112a442), out.zeros(12);
    const std::string name = ours.ufrag + ":theirs";
    out.u16(6), out.u16(static_cast<uint16_t>(name.size())), out.put(bytes_of(name)),
        out.zeros((4 - name.size() % 4) % 4);
    out.u16(0x24), out.u16(4), out.u32(1000);
    if (nominates) out.u16(0x25), out.u16(0);
    out.patch_u16(2, static_cast<uint16_t>(out.size() - 20 + 24));
    HmacSha1 key(bytes_of(ours.pwd));
    uint8_t digest[HmacSha1::size];
    key.update(out.written());
    key.finish(digest);
    out.u16(8), out.u16(20), out.put(Bytes(digest));
    out.patch_u16(2, static_cast<uint16_t>(out.size() - 20 + 8));
    uint32_t crc = ~0u;
    for (uint8_t byte : out.written()) {
      crc ^= byte;
      for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    out.u16(0x8028), out.u16(4), out.u32(~crc ^ 0x5354554e);
    return check = {out.written().begin(), out.written().end()};
  }

  void reply(size_t asked, size_t from, bool wrong) {
    if (places_[asked].question.empty() || theirs_.verify(places_[asked].question, pwd).drop) return;
    const Bytes said = theirs_.success(address(from));
    std::vector<uint8_t> answer(said.begin(), said.end());
    if (wrong) answer[answer.size() - 10] ^= 1;
    const auto checked = agent_.receive(answer, address(from), now_, out_);
    if (checked.drop) return;
    if (wrong || asked != from) std::abort();
    places_[from].proven = true;
  }

  void forget_removed(const ice::LiteAgent::Checked& checked) {
    // Counted anew when it is known again: what it got before was allowed then.
    if (checked.removed) places_[checked.removed->port - 1u] = {};
  }

  void sent(const Address& to, size_t size) { places_[to.port - 1u].out += size; }

  void look() {
    for (size_t i = 0; i < out_.size(); ++i) {
      sent(out_[i].to, out_[i].bytes.size());
      if (!ice::StunCodec::is_stun(out_[i].bytes)) std::abort();
      if (ice::StunCodec::local_ufrag(out_[i].bytes) == "theirs")
        places_[out_[i].to.port - 1u].question.assign(out_[i].bytes.begin(), out_[i].bytes.end());
    }
    out_.clear();
    for (const Place& place : places_)
      if (!place.proven && place.out > ice::LiteAgent::amplification * place.in) std::abort();
    if (was_proven_ && !agent_.proven()) std::abort();
    was_proven_ = agent_.proven();
    if (was_proven_ && !places_[agent_.selected()->port - 1u].proven) std::abort();
    if (agent_.next_deadline() < Time(1000s)) std::abort();
  }

  static constexpr char pwd[] = "a password of theirs, 22+";
  ByteReader script_;
  ice::StunCodec codec_, theirs_;
  SeededRandom random_{1};
  ice::LiteAgent agent_{{codec_, random_, 3}, {"ours", "a password of ours, 22+"}, {"theirs", pwd}};
  Outbox out_;
  Time now_{1000s};
  std::array<Place, addresses> places_{};
  int restarts_ = 0;
  bool was_proven_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Play(Bytes(data, size)).run();
  return 0;
}
