// Reads descriptions of strangers, writes them, and negotiates with them both ways.
#include <cstdlib>

#include "sdp/description.hpp"
#include "sdp/negotiation.hpp"

using namespace cardea;
using namespace cardea::sdp;

namespace {

const Extensions extensions{Extension::mid, Extension::rid, Extension::repaired_rid, Extension::transport_cc};

LocalParameters local() {
  LocalParameters local;
  local.credentials = {"ourU", "ourPasswordOf22Letters"};
  local.fingerprint.digest.assign(32, 1);
  local.candidates = {*Address::parse("203.0.113.5", 40010)};
  return local;
}

void answer(std::string_view sdp, Random& random) {
  Negotiation negotiation(local(), random);
  auto offer = negotiation.receive_offer(sdp);
  if (!offer) return;
  AnswerPlan plan{"fuzz", {}};
  for (const auto& section : offer->sections) {
    AnswerSection answer;
    answer.mid = section.mid;
    answer.direction = Direction::sendrecv;
    if (!section.codecs.empty()) answer.codec = section.codecs.back();
    answer.red = true;
    answer.extensions = extensions;
    plan.sections.push_back(answer);
  }
  auto text = negotiation.answer(plan);
  if (!text || !parse(*text)) std::abort();  // what we write we can read
  if (negotiation.receive_offer(sdp) && !negotiation.answer(plan)) std::abort();
}

void be_answered(std::string_view sdp, Random& random) {
  OfferPlan plan;
  for (CodecType codec : {CodecType::opus, CodecType::h264, CodecType::vp8}) {
    OfferSection section;
    section.kind = kind_of(codec);
    section.codec = Codec{codec, {}};
    section.direction = Direction::sendrecv;
    section.extensions = extensions;
    plan.sections.push_back(section);
  }
  for (size_t lines = 3; lines > 0; --lines, plan.sections.pop_back()) {
    Negotiation one(local(), random);
    if (one.offer(plan) && one.receive_answer(sdp) && !one.offer(plan)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(size == 0 ? "" : reinterpret_cast<const char*>(data), size);
  (void)parse_candidate(text);
  SeededRandom random(1);
  if (auto description = parse(text)) {
    std::string once = write(*description);
    auto again = parse(once);
    if (!again || write(*again) != once) std::abort();
  }
  answer(text, random);
  be_answered(text, random);
  return 0;
}
