// What the outside of a request costs: text to value, envelope opened, reply built, value to text.
#include "bench/bench.hpp"
#include "control/envelope.hpp"

namespace cardea {
namespace {

constexpr size_t operations = 20'000;

const std::string request =
    R"({"janus":"message","session_id":2886128413873821,"handle_id":4422219391873921,"transaction":"kWq8f2LxTz01",)"
    R"("body":{"request":"configure","audio":true,"video":true,"bitrate":128000}})";

// A join's answer with an offer of some kilobytes.
std::string with_sdp() {
  std::string sdp;
  for (int i = 0; i < 60; ++i) sdp += "a=rtcp-fb:96 goog-remb nack pli and some more of what offers are made of\\r\\n";
  return request.substr(0, request.size() - 1) + R"(,"jsep":{"type":"offer","sdp":")" + sdp + "\"}}";
}

void measure(const std::string& name, const std::string& text) {
  bench::report(name + ": parse " + std::to_string(text.size()) + " bytes", bench::measure(operations, [&] {
                  for (size_t i = 0; i < operations; ++i)
                    if (!Json::parse(text)) std::abort();
                }));
  const Json parsed = std::move(*Json::parse(text));
  bench::report(name + ": open the envelope", bench::measure(operations, [&] {
                  for (size_t i = 0; i < operations; ++i)
                    if (!control::open_envelope(parsed)) std::abort();
                }));
  bench::report(name + ": write", bench::measure(operations, [&] {
                  for (size_t i = 0; i < operations; ++i)
                    if (parsed.text().empty()) std::abort();
                }));
}

}  // namespace
}  // namespace cardea

int main() {
  using namespace cardea;
  measure("small request", request);
  measure("with SDP", with_sdp());
  bench::report("an ack, built and written", bench::measure(operations, [&] {
                  for (size_t i = 0; i < operations; ++i)
                    if (control::envelope("ack", SessionId{2886128413873821U}, "kWq8f2LxTz01").text().empty())
                      std::abort();
                }));
}
