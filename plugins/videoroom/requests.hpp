// The video room's requests: structs and the tables of their fields (protocol notes: videoroom.md sections 2 to 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cardea/layers.hpp"
#include "cardea/public_id.hpp"
#include "cardea/schema.hpp"
#include "settings.hpp"

namespace cardea::videoroom {

struct Nothing {};
inline constexpr auto no_fields = std::tuple{};

// Rooms

struct Edit : EditRoom {
  std::optional<std::string> new_rec_dir;
  std::optional<bool> new_require_pvtid, new_lock_record;
  std::optional<uint32_t> new_bitrate, new_fir_freq, new_publishers;

  void apply(RoomSettings& to) const {
    change(new_require_pvtid, to.require_pvtid);
    change(new_bitrate, to.bitrate);
    change(new_fir_freq, to.fir_freq);
    change(new_publishers, to.publishers);
    change(new_lock_record, to.lock_record);
    EditRoom::change<std::string>(new_rec_dir, to.rec_dir);
  }
};
inline constexpr auto edit_fields = std::tuple_cat(
    edit_room_fields,
    std::tuple{optional("new_require_pvtid", &Edit::new_require_pvtid), optional("new_bitrate", &Edit::new_bitrate),
               optional("new_fir_freq", &Edit::new_fir_freq), optional("new_publishers", &Edit::new_publishers),
               optional("new_lock_record", &Edit::new_lock_record), optional("new_rec_dir", &Edit::new_rec_dir)});

struct ListPeople {
  PublicId room;
  std::optional<PublicId> after;  // a page's "next"
};
inline constexpr auto list_people_fields =
    std::tuple{required("room", &ListPeople::room), optional("after", &ListPeople::after)};

struct Kick {
  PublicId room, id;
  std::optional<std::string> secret;
};
inline constexpr auto kick_fields =
    std::tuple{required("room", &Kick::room), required("id", &Kick::id), optional("secret", &Kick::secret)};

struct Moderate {
  PublicId room, id;
  std::string mid;
  bool mute = false;
  std::optional<std::string> secret;
};
inline constexpr auto moderate_fields =
    std::tuple{required("room", &Moderate::room), required("id", &Moderate::id), required("mid", &Moderate::mid),
               required("mute", &Moderate::mute), optional("secret", &Moderate::secret)};

struct EnableRecording {
  PublicId room;  // one that is missing is one that is not there
  std::optional<std::string> secret;
  bool record = false;
};
inline constexpr auto enable_recording_fields =
    std::tuple{optional("room", &EnableRecording::room), optional("secret", &EnableRecording::secret),
               required("record", &EnableRecording::record)};

// Joining

struct Join {
  PublicId room;
  std::optional<PublicId> id;
  std::string ptype;
  std::optional<std::string> display, pin, token;
  Json metadata;
  std::optional<uint32_t> audio_active_packets;
  std::optional<uint8_t> audio_level_average;
};
inline constexpr auto join_fields = std::tuple{
    required("room", &Join::room),
    required("ptype", &Join::ptype),
    optional("id", &Join::id),
    optional("display", &Join::display),
    optional("metadata", &Join::metadata),
    optional("pin", &Join::pin),
    optional("token", &Join::token),
    optional("audio_active_packets", &Join::audio_active_packets, range(1, 100000)),
    optional("audio_level_average", &Join::audio_level_average, range(0, 127)),
};

// Publishing

struct Description {
  std::string mid, description;
};
inline constexpr auto description_fields =
    std::tuple{required("mid", &Description::mid), required("description", &Description::description)};

// What a publisher says about one of its streams; without a mid: about all of its video.
struct StreamControl : DelayWishes {
  std::optional<std::string> mid;
  std::optional<bool> send;
  bool keyframe = false;
};
inline constexpr auto control_fields =
    std::tuple_cat(std::tuple{optional("mid", &StreamControl::mid), optional("send", &StreamControl::send),
                              optional("keyframe", &StreamControl::keyframe)},
                   delay_fields);

struct Publish : StreamControl {
  std::optional<std::string> audiocodec, videocodec;
  std::optional<uint32_t> bitrate;
  bool record = false;
  std::optional<std::string> display;
  Json metadata;
  std::optional<uint32_t> audio_active_packets;
  std::optional<uint8_t> audio_level_average;
  std::vector<Description> descriptions;
  std::vector<StreamControl> streams;
  std::optional<bool> audio, video, data;
};
inline constexpr auto publish_fields = std::tuple_cat(
    std::tuple{optional("audiocodec", &Publish::audiocodec), optional("videocodec", &Publish::videocodec),
               optional("bitrate", &Publish::bitrate), optional("record", &Publish::record),
               optional("display", &Publish::display), optional("metadata", &Publish::metadata),
               optional("audio_active_packets", &Publish::audio_active_packets, range(1, 100000)),
               optional("audio_level_average", &Publish::audio_level_average, range(0, 127)),
               optional_array("descriptions", &Publish::descriptions, description_fields),
               optional_array("streams", &Publish::streams, control_fields), optional("audio", &Publish::audio),
               optional("video", &Publish::video), optional("data", &Publish::data)},
    control_fields);

// Subscribing

// How a subscriber wants a stream relayed.
struct Wishes : LayerWishes, DelayWishes {
  std::optional<bool> send;
};
inline constexpr auto wish_fields =
    std::tuple_cat(std::tuple{optional("send", &Wishes::send)}, layer_fields, delay_fields);

struct StreamChoice : Wishes {
  PublicId feed;
  std::optional<std::string> mid;  // none: all of the feed's streams
  std::optional<std::string> crossrefid;
};
inline constexpr auto choice_fields =
    std::tuple_cat(std::tuple{required("feed", &StreamChoice::feed), optional("mid", &StreamChoice::mid),
                              optional("crossrefid", &StreamChoice::crossrefid)},
                   wish_fields);

// The members of Wishes belong to the older form, which names one publisher as a whole.
struct SubscriberJoin : Wishes {
  std::vector<StreamChoice> streams;
  std::optional<PublicId> feed;
  std::optional<bool> audio, video, data;  // relayed from the start?
  bool offer_audio = true, offer_video = true, offer_data = true;
  std::optional<uint32_t> private_id;
  bool use_msid = false;
  bool autoupdate = true;
};
inline constexpr auto subscriber_join_fields = std::tuple_cat(
    std::tuple{optional_array("streams", &SubscriberJoin::streams, choice_fields),
               optional("feed", &SubscriberJoin::feed), optional("audio", &SubscriberJoin::audio),
               optional("video", &SubscriberJoin::video), optional("data", &SubscriberJoin::data),
               optional("offer_audio", &SubscriberJoin::offer_audio),
               optional("offer_video", &SubscriberJoin::offer_video),
               optional("offer_data", &SubscriberJoin::offer_data), optional("private_id", &SubscriberJoin::private_id),
               optional("use_msid", &SubscriberJoin::use_msid), optional("autoupdate", &SubscriberJoin::autoupdate)},
    wish_fields);

struct StreamDrop {
  std::optional<PublicId> feed;
  std::optional<std::string> mid, sub_mid;
};
inline constexpr auto drop_fields = std::tuple{optional("feed", &StreamDrop::feed), optional("mid", &StreamDrop::mid),
                                               optional("sub_mid", &StreamDrop::sub_mid)};

struct Subscribe {
  std::vector<StreamChoice> streams;
};
inline constexpr auto subscribe_fields = std::tuple{required_array("streams", &Subscribe::streams, choice_fields)};

struct Unsubscribe {
  std::vector<StreamDrop> streams;
};
inline constexpr auto unsubscribe_fields = std::tuple{required_array("streams", &Unsubscribe::streams, drop_fields)};

struct Update {
  std::optional<std::vector<StreamChoice>> subscribe;
  std::optional<std::vector<StreamDrop>> unsubscribe;
};
inline constexpr auto update_fields = std::tuple{optional_array("subscribe", &Update::subscribe, choice_fields),
                                                 optional_array("unsubscribe", &Update::unsubscribe, drop_fields)};

struct StreamSwitch : Wishes {
  PublicId feed;
  std::string mid, sub_mid;
};
inline constexpr auto stream_switch_fields =
    std::tuple_cat(std::tuple{required("feed", &StreamSwitch::feed), required("mid", &StreamSwitch::mid),
                              required("sub_mid", &StreamSwitch::sub_mid)},
                   wish_fields);
struct Switch {
  std::vector<StreamSwitch> streams;
  std::optional<PublicId> feed;  // the older form: all m-lines, to streams of the same kind and codec
};
inline constexpr auto switch_fields =
    std::tuple{optional_array("streams", &Switch::streams, stream_switch_fields), optional("feed", &Switch::feed)};

// What a subscriber says about one of its m-lines; without a mid: about all of its video.
struct LineControl : Wishes {
  std::optional<std::string> mid;
};
inline constexpr auto line_control_fields = std::tuple_cat(std::tuple{optional("mid", &LineControl::mid)}, wish_fields);
struct ConfigureLines : LineControl {
  std::vector<LineControl> streams;
  std::optional<bool> audio, video, data;
  bool restart = false, update = false;
};
inline constexpr auto configure_lines_fields =
    std::tuple_cat(std::tuple{optional_array("streams", &ConfigureLines::streams, line_control_fields),
                              optional("audio", &ConfigureLines::audio), optional("video", &ConfigureLines::video),
                              optional("data", &ConfigureLines::data), optional("restart", &ConfigureLines::restart),
                              optional("update", &ConfigureLines::update)},
                   line_control_fields);

}  // namespace cardea::videoroom
