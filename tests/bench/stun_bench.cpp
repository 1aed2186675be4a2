// What a connectivity check costs: found, verified, answered.
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include <chrono>

#include "bench/bench.hpp"
#include "ice/lite_agent.hpp"

using namespace cardea;

namespace {

// The median of single runs, each from cold caches: a worker with peers that only check now and then meets them so.
template <class Once>
double measure_cold(Once once) {
  bench::OtherUse other;
  std::vector<double> times;
  for (int i = 0; i < 501; ++i) {
    other.pass();
    auto begin = std::chrono::steady_clock::now();
    once();
    times.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + 250, times.end());
  return times[250];
}

}  // namespace

int main() {
  constexpr size_t rounds = 20000;
  constexpr char username[] = "ufragofours:theirs", pwd[] = "0123456789abcdef01234567";
  StunAgent client;
  stun_agent_init(
      &client, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
      static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT));
  uint8_t buffer[1280];
  StunMessage message;
  size_t size = stun_usage_ice_conncheck_create(&client, &message, buffer, sizeof buffer,
                                                reinterpret_cast<const uint8_t*>(username), sizeof username - 1,
                                                reinterpret_cast<const uint8_t*>(pwd), sizeof pwd - 1, true, true, 1000,
                                                42, nullptr, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
  Bytes request(buffer, size);

  ice::StunCodec codec;
  SystemRandom random;
  ice::LiteAgent agent({codec, random}, {"ufragofours", pwd}, {"theirs", pwd});
  Address from = *Address::parse("192.0.2.1", 5000);
  Outbox out;
  size_t found = 0;
  auto repeat = [&](auto once) {
    return bench::measure(rounds, [&] {
      for (size_t i = 0; i < rounds; ++i) once();
    });
  };
  bench::report("ufrag of a check", repeat([&] { found += ice::StunCodec::local_ufrag(request)->size(); }));
  bench::report("check verified", repeat([&] { found += codec.verify(request, pwd).request.priority; }));
  auto answer = [&] {
    out.clear();
    if (agent.receive(request, from, Time(1s), out).drop) found = 0;
  };
  bench::report("check answered by the agent", repeat(answer));
  bench::report("check answered by the agent, caches cold", measure_cold(answer));
  return found == 0 ? 1 : 0;
}
