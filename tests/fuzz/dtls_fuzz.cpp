// A DTLS handshake between two of ours over a link that the input directs: each byte decides what happens to the next
// datagram in flight, with its arguments behind it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <utility>
#include <vector>

#include "secure/dtls.hpp"

using namespace cardea;
using secure::Dtls;

namespace {

enum Fate : uint8_t { deliver, drop, repeat, change, shorten, swap, inject, call_a_function };

struct Flying {
  bool to_server;
  std::vector<uint8_t> bytes;
};

class Play {
public:
  explicit Play(Bytes script) : script_(script) {}

  void run() {
    client_.start(address_, now_, out_);
    post(true);
    for (int turn = 0; turn < 200 && script_.left() > 0; ++turn) step();
    // From here on nothing is disturbed: whatever happened, it must come to rest.
    for (int turn = 0; turn < 200 && !link_.empty(); ++turn) receive(take());
    if (client_.keys() && server_.keys() && client_.state() == Dtls::State::connected &&
        server_.state() == Dtls::State::connected && client_.keys()->local != server_.keys()->remote)
      std::abort();
  }

private:
  static secure::DtlsContext& context() {
    static const auto made = secure::DtlsContext::make(*secure::Certificate::make());
    return **made;
  }

  void step() {
    auto fate = static_cast<Fate>(script_.u8() & 7);
    if (fate == inject) return inject_bytes();
    if (fate == call_a_function) return call();
    if (link_.empty()) return tick();
    Flying flying = take();
    switch (fate) {
    case drop: return;
    case repeat: receive(flying); break;
    case swap: link_.push_back(std::move(flying)); return;
    case shorten: flying.bytes.resize(flying.bytes.size() - std::min<size_t>(script_.u8(), flying.bytes.size())); break;
    case change: {
      size_t at = script_.u16();
      if (!flying.bytes.empty()) flying.bytes[at % flying.bytes.size()] ^= script_.u8();
      break;
    }
    default: break;
    }
    receive(flying);
  }

  void inject_bytes() {
    bool to_server = (script_.u8() & 1) != 0;
    Bytes bytes = script_.take(std::min<size_t>(script_.u8(), script_.left()));
    receive({to_server, {bytes.begin(), bytes.end()}});
  }

  void call() {
    uint8_t what = script_.u8();
    bool server = (what & 1) != 0;
    Dtls& which = server ? server_ : client_;
    switch ((what >> 1) & 3) {
    case 0: which.release(); break;
    case 1: which.close(address_, out_); break;
    case 2: (void)which.send(bytes_of("data"), address_, now_, out_); break;
    default: which.expect(context().fingerprint()); break;
    }
    post(!server);
  }

  void tick() {
    now_ = std::max(now_ + 1s, std::min(client_.next_deadline(), server_.next_deadline()));
    if (now_ == never) now_ = Time(1000s);
    client_.tick(address_, now_, out_);
    post(true);
    server_.tick(address_, now_, out_);
    post(false);
  }

  void receive(const Flying& flying) {
    std::vector<uint8_t> exact = flying.bytes;
    (flying.to_server ? server_ : client_).receive(exact, address_, now_, out_);
    post(!flying.to_server);
  }

  Flying take() {
    Flying flying = std::move(link_.front());
    link_.pop_front();
    return flying;
  }

  void post(bool to_server) {
    for (size_t i = 0; i < out_.size(); ++i) {
      if (out_[i].bytes.size() > 1200) std::abort();
      if (link_.size() < 64) link_.push_back({to_server, {out_[i].bytes.begin(), out_[i].bytes.end()}});
    }
    out_.clear();
  }

  ByteReader script_;
  Address address_ = *Address::parse("192.0.2.1", 4000);
  Time now_{1000s};
  Outbox out_;
  Dtls client_{context(), sdp::DtlsRole::client, context().fingerprint()};
  Dtls server_{context(), sdp::DtlsRole::server, context().fingerprint()};
  std::deque<Flying> link_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Play(Bytes(data, size)).run();
  return 0;
}
