#include "settings.hpp"

#include <algorithm>

namespace cardea::videoroom {

tl::expected<std::vector<CodecType>, std::string> codec_list(std::string_view names, MediaKind kind) {
  std::vector<CodecType> list;
  while (!names.empty()) {
    const size_t comma = names.find(',');
    std::string_view word = names.substr(0, comma);
    names = comma == std::string_view::npos ? std::string_view() : names.substr(comma + 1);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    auto codec = codec_of(word);
    if (!codec || kind_of(*codec) != kind) return tl::unexpected(text("no such ", name(kind), " codec: ", word));
    if (std::find(list.begin(), list.end(), *codec) == list.end()) list.push_back(*codec);
  }
  if (list.empty() || list.size() > max_codecs)
    return tl::unexpected(text("should name 1 to ", max_codecs, " ", name(kind), " codecs"));
  return list;
}

std::optional<SettingError> wrong_setting(const RoomSettings& settings) {
  if (auto list = codec_list(settings.audiocodec, MediaKind::audio); !list)
    return SettingError{"audiocodec", list.error()};
  if (auto list = codec_list(settings.videocodec, MediaKind::video); !list)
    return SettingError{"videocodec", list.error()};
  for (const DummyStream& stream : settings.dummy_streams)
    if (!codec_of(stream.codec)) return SettingError{"dummy_streams", text("no such codec: ", stream.codec)};
  if (settings.record) return SettingError{"record", "recording is not available"};
  return std::nullopt;
}

}  // namespace cardea::videoroom
