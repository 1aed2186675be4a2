// What is left of a DTLS connection, at both ends, over a link that the input directs: each step sends something, or
// does something to a datagram on its way, or delivers bytes of anybody's. What is read was sent.
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "secure/dtls.hpp"
#include "secure/dtls_epilogue.hpp"

using namespace cardea;
using secure::DtlsEpilogue;

namespace {

// One handshake for all inputs: an end is made of it again and again.
class Handshake {
public:
  Handshake() {
    for (int i = 0; i < 2; ++i) {
      ssl_[i] = SSL_new(context().native());
      BIO* bio = secure::DtlsIo::make_bio(io_[i]);
      SSL_set_bio(ssl_[i], bio, bio);
      SSL_set_app_data(ssl_[i], &io_[i]);
      SSL_set_mtu(ssl_[i], 1200);
      io_[i].first_retransmit = 1h;
    }
    SSL_set_connect_state(ssl_[0]);
    SSL_set_accept_state(ssl_[1]);
    for (int turn = 0; turn < 20; ++turn) {
      const int of = turn % 2;
      size_t at = 0;
      secure::DtlsIo from = io_[1 - of];
      io_[1 - of].clear();
      if (!from.sizes.empty()) flight_[1 - of] = from.outgoing, sizes_[1 - of] = from.sizes;
      if (from.sizes.empty()) SSL_do_handshake(ssl_[of]);
      for (size_t size : from.sizes) {
        io_[of].incoming = Bytes(from.outgoing).subspan(at, size);
        SSL_do_handshake(ssl_[of]);
        at += size;
      }
    }
    for (SSL* ssl : ssl_)
      if (SSL_is_init_finished(ssl) != 1) std::abort();
  }

  DtlsEpilogue end(int of) const {
    const auto role = of == 0 ? sdp::DtlsRole::client : sdp::DtlsRole::server;
    return {ssl_[of], role, flight_[of], sizes_[of]};
  }

private:
  static secure::DtlsContext& context() {
    static const auto made = secure::DtlsContext::make(*secure::Certificate::make());
    return **made;
  }

  SSL* ssl_[2];
  secure::DtlsIo io_[2];
  std::vector<uint8_t> flight_[2];
  std::vector<size_t> sizes_[2];
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Handshake handshake;
  DtlsEpilogue ends[2] = {handshake.end(0), handshake.end(1)};
  std::set<std::string> said[2];
  struct Flying {
    int to;
    std::vector<uint8_t> bytes;
  };
  std::deque<Flying> link;
  const Address address = *Address::parse("192.0.2.1", 4000);
  Time now{1000s};
  Outbox out;
  const auto post = [&](int to) {
    for (size_t i = 0; i < out.size() && link.size() < 64; ++i)
      link.push_back({to, {out[i].bytes.begin(), out[i].bytes.end()}});
    out.clear();
  };
  const auto deliver = [&](const Flying& flying) {
    std::vector<uint8_t> plain;
    std::vector<size_t> where;
    std::vector<uint8_t> exact = flying.bytes;
    (void)ends[flying.to].receive(exact, address, now, {plain, where}, out);
    post(1 - flying.to);
    size_t at = 0;
    for (size_t behind : where) {
      const std::string text(plain.begin() + static_cast<ptrdiff_t>(at),
                             plain.begin() + static_cast<ptrdiff_t>(behind));
      if (!said[1 - flying.to].contains(text)) std::abort();
      at = behind;
    }
  };
  ByteReader script(Bytes(data, size));
  int number = 0;
  while (script.left() > 1) {
    const uint8_t act = script.u8(), argument = script.u8();
    const int of = argument & 1;
    switch (act % 7) {
    case 0: {
      const std::string text = std::to_string(number++) + std::string(argument, 'x');
      said[of].insert(text);
      if (!ends[of].send(bytes_of(text), address, out)) std::abort();
      post(1 - of);
      break;
    }
    case 1: ends[of].close(address, out), post(1 - of); break;
    case 2: {
      const Bytes bytes = script.take(std::min<size_t>(argument, script.left()));
      deliver({of, {bytes.begin(), bytes.end()}});
      break;
    }
    case 3: now += Duration(1ms) * argument; break;
    default: {
      if (link.empty()) break;
      Flying flying = std::move(link.front());
      link.pop_front();
      if (act % 7 == 4 && !flying.bytes.empty()) flying.bytes[script.u16() % flying.bytes.size()] ^= argument;
      if (act % 7 == 5) flying.bytes.resize(flying.bytes.size() - std::min<size_t>(argument, flying.bytes.size()));
      deliver(flying);
      break;
    }
    }
  }
  return 0;
}
