#include "sdp/offering.hpp"

#include <algorithm>

#include "cardea/text.hpp"
#include "sdp/codecs.hpp"

namespace cardea::sdp {
namespace {

// In the order of Extension.
constexpr std::array<uint8_t, extension_count> preferred_ids{4, 5, 6, 1, 13, 12, 3, 2, 7, 8, 9};

constexpr uint8_t red_type = 63;

bool reserved(int type) {
  for (size_t i = 0; i < codec_names.size(); ++i)
    if (codec_line(static_cast<CodecType>(i)).preferred == type) return true;
  return false;
}

std::string meaning(const Codec& codec) { return text(name(codec.type), " ", codec.fmtp); }
std::string rtx_meaning(uint8_t type) { return text("rtx ", int{type}); }
std::string red_meaning(uint8_t type) { return text("red ", int{type}); }

}  // namespace

void Numbers::know(const std::vector<MlinePlan>& mlines) {
  for (const auto& mline : mlines) {
    for (const auto& payload : mline.payloads) {
      types_.emplace(payload.type, meaning(payload.codec));
      if (payload.rtx) types_.emplace(*payload.rtx, rtx_meaning(payload.type));
      if (payload.red) types_.emplace(*payload.red, red_meaning(payload.type));
    }
    for (size_t i = 0; i < extension_count; ++i)
      if (mline.extensions.ids[i] != 0) ids_.emplace(mline.extensions.ids[i], static_cast<Extension>(i));
  }
}

PayloadPlan Numbers::payload(const Codec& codec, bool red, bool transport_cc) {
  PayloadPlan plan;
  const CodecLine& line = codec_line(codec.type);
  plan.codec = {codec.type, offered_fmtp(codec)};
  plan.clock_hz = line.clock_hz;
  plan.type = take(meaning(plan.codec), line.preferred, true);
  plan.transport_cc = transport_cc;
  if (kind_of(codec.type) == MediaKind::video) {
    plan.nack = plan.pli = plan.fir = plan.remb = true;
    plan.rtx = take(rtx_meaning(plan.type), static_cast<uint8_t>(plan.type + 1), false);
  }
  if (red && codec.type == CodecType::opus) plan.red = take(red_meaning(plan.type), red_type, false);
  return plan;
}

uint8_t Numbers::take(const std::string& wanted, uint8_t preferred, bool is_codec) {
  for (const auto& [type, known] : types_)
    if (known == wanted) return type;
  auto free = [&](int type) { return !types_.contains(static_cast<uint8_t>(type)); };
  std::optional<int> found;
  if (preferred <= 127 && free(preferred) && (preferred < 96 || !reserved(preferred) || is_codec)) found = preferred;
  // The dynamic ranges of RFC 3551: 96 to 127, from the preferred one on, and 63 down to 35. What codecs like to have
  // is left to them while there is something else.
  for (int type = std::max<int>(preferred, 96); !found && type <= 127; ++type)
    if (free(type) && !reserved(type)) found = type;
  for (int type = 63; !found && type >= 35; --type)
    if (free(type)) found = type;
  for (int type = 96; !found && type <= 127; ++type)
    if (free(type)) found = type;
  // More variants than numbers: two share one, as they would without this care.
  uint8_t type = static_cast<uint8_t>(found.value_or(preferred & 127));
  types_.emplace(type, wanted);
  return type;
}

uint8_t Numbers::extension(Extension extension) {
  for (const auto& [id, known] : ids_)
    if (known == extension) return id;
  uint8_t id = preferred_ids[static_cast<size_t>(extension)];
  for (uint8_t next = 1; ids_.contains(id) && next <= 14; ++next) id = next;
  ids_.emplace(id, extension);
  return id;
}

}  // namespace cardea::sdp
