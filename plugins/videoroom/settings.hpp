// What a room is told to be, by "create", by the configuration file or by a saved room: one struct, one table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cardea/media.hpp"
#include "cardea/rooms.hpp"
#include "cardea/schema.hpp"
#include "errors.hpp"

namespace cardea::videoroom {

struct DummyStream {
  std::string codec;
  std::string fmtp;
};

struct RoomSettings : RoomBasics {  // `allowed` is asked of those who publish
  bool require_pvtid = false;
  bool signed_tokens = false;
  uint32_t publishers = 3;
  uint32_t bitrate = 0;
  bool bitrate_cap = false;
  uint32_t fir_freq = 0;
  std::string audiocodec = "opus", videocodec = "vp8";
  std::string vp9_profile, h264_profile;
  bool opus_fec = true, opus_dtx = false;
  bool audiolevel_ext = true, audiolevel_event = false;
  uint32_t audio_active_packets = 100;
  uint8_t audio_level_average = 25;
  bool videoorient_ext = true, playoutdelay_ext = true, transport_wide_cc_ext = true;
  bool record = false;
  std::string rec_dir;
  bool lock_record = false;
  bool notify_joining = false;
  bool require_e2ee = false;
  bool dummy_publisher = false;
  std::vector<DummyStream> dummy_streams;
  bool dummy_e2ee = false;
};

inline constexpr auto dummy_stream_fields =
    std::tuple{required("codec", &DummyStream::codec), optional("fmtp", &DummyStream::fmtp)};

inline constexpr auto room_fields = std::tuple_cat(
    room_basics_fields,
    std::tuple{
        setting("require_pvtid", &RoomSettings::require_pvtid, "who subscribes must name a participant's private_id"),
        setting("signed_tokens", &RoomSettings::signed_tokens, "joining needs a signed token that names the room"),
        setting("publishers", &RoomSettings::publishers, "how many may publish at a time"),
        setting("bitrate", &RoomSettings::bitrate, "the most a publisher may send; 0: no limit, less than 64000: 64000",
                "bit/s"),
        setting("bitrate_cap", &RoomSettings::bitrate_cap, "publishers cannot raise their limit above the room's"),
        setting("fir_freq", &RoomSettings::fir_freq, "a keyframe is asked for this often; 0: only when needed", "s"),
        setting("audiocodec", &RoomSettings::audiocodec, "audio codecs, the preferred one first, up to five"),
        setting("videocodec", &RoomSettings::videocodec, "video codecs, the preferred one first, up to five"),
        setting("vp9_profile", &RoomSettings::vp9_profile, "preferred VP9 profile, \"2\""),
        setting("h264_profile", &RoomSettings::h264_profile, "preferred H.264 profile-level-id, \"42e01f\""),
        setting("opus_fec", &RoomSettings::opus_fec, "in-band forward error correction of Opus"),
        setting("opus_dtx", &RoomSettings::opus_dtx, "discontinuous transmission of Opus"),
        setting("audiolevel_ext", &RoomSettings::audiolevel_ext, "negotiate RFC 6464 audio levels"),
        setting("audiolevel_event", &RoomSettings::audiolevel_event, "tell the room who is talking"),
        setting("audio_active_packets", &RoomSettings::audio_active_packets, "audio levels are averaged over this many",
                "packets", range(1, 100000)),
        setting("audio_level_average", &RoomSettings::audio_level_average,
                "talking below this level: 0 loud, 127 silent", "-dBov", range(0, 127)),
        setting("videoorient_ext", &RoomSettings::videoorient_ext, "negotiate video orientation"),
        setting("playoutdelay_ext", &RoomSettings::playoutdelay_ext, "negotiate playout delay"),
        setting("transport_wide_cc_ext", &RoomSettings::transport_wide_cc_ext, "negotiate transport-wide feedback"),
        setting("record", &RoomSettings::record, "record all publishers (not available)"),
        setting("rec_dir", &RoomSettings::rec_dir, "folder of recordings"),
        setting("lock_record", &RoomSettings::lock_record, "recording needs the room's secret"),
        setting("notify_joining", &RoomSettings::notify_joining,
                "tell the room who joins before anything is published"),
        setting("require_e2ee", &RoomSettings::require_e2ee, "publishers must encrypt end to end"),
        setting("dummy_publisher", &RoomSettings::dummy_publisher,
                "a publisher that sends nothing: keeps m-lines ready"),
        optional_array("dummy_streams", &RoomSettings::dummy_streams, dummy_stream_fields),
        setting("dummy_e2ee", &RoomSettings::dummy_e2ee, "the dummy counts as encrypted end to end"),
    });

// Section "general" of the plugin's configuration.
struct General : RoomGeneral {
  uint32_t talking_interval = 250;
};
inline constexpr auto general_fields = std::tuple_cat(
    room_general_fields, std::tuple{setting("talking_interval", &General::talking_interval,
                                            "who talks and who stopped is told at most this often for each publisher",
                                            "ms", range(10, 60000))});

inline constexpr uint32_t min_bitrate_bps = 64000;  // below, audio and video no longer fit
constexpr uint32_t usable_bitrate(uint32_t bitrate_bps) {
  return bitrate_bps > 0 && bitrate_bps < min_bitrate_bps ? min_bitrate_bps : bitrate_bps;
}

// "vp8, h264": at most five codecs of one kind, the preferred one first. The text is the error.
inline constexpr size_t max_codecs = 5;
tl::expected<std::vector<CodecType>, std::string> codec_list(std::string_view names, MediaKind kind);

// What the table cannot tell about settings: the name of the first wrong one, and why.
std::optional<SettingError> wrong_setting(const RoomSettings& settings);

class Room;
struct RoomKind {
  using Room = videoroom::Room;
  using Settings = RoomSettings;
  using General = videoroom::General;
  static constexpr const auto& settings_fields = room_fields;
  static constexpr const auto& general_fields = videoroom::general_fields;
  static constexpr RoomWords words{.key = "videoroom",
                                   .unknown_request = code::unknown_request,
                                   .missing = code::missing_element,
                                   .invalid = code::invalid_element,
                                   .no_such_room = code::no_such_room,
                                   .room_exists = code::room_exists,
                                   .unauthorized = code::unauthorized,
                                   .too_many = code::too_many_rooms,
                                   .too_fast = code::too_fast,
                                   .failed = code::unknown_error};
};

}  // namespace cardea::videoroom
