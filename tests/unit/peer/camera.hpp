// What the tests of peers publish: the lines of a camera and a microphone, and the camera's packets.
#pragma once

#include "unit/peer/house.hpp"

namespace cardea::test {

inline constexpr uint32_t camera = 0x1000, microphone = 0x2000;

inline sdp::MlinePlan video_in(std::string mid) {
  sdp::MlinePlan mline = video_line(std::move(mid), Direction::recvonly);
  mline.ssrcs.push_back({camera, camera + 1});
  return mline;
}
inline sdp::MlinePlan audio_in(std::string mid) {
  sdp::MlinePlan mline = audio_line(std::move(mid), Direction::recvonly);
  mline.ssrcs.push_back({microphone, std::nullopt});
  return mline;
}

// A publisher with a camera, packet by packet.
class Camera {
public:
  Camera(House& house, Member& member, uint32_t ssrc = camera) : house_(house), member_(member), ssrc_(ssrc) {}

  Client::Rtp packet(bool keyframe = false) {
    Client::Rtp rtp;
    rtp.ssrc = ssrc_;
    rtp.payload_type = vp8_type;
    rtp.seq = seq_++;
    rtp.timestamp = timestamp_ += 3000;
    rtp.marker = true;
    rtp.payload = vp8_payload(800, keyframe, static_cast<uint16_t>(picture_++ & 0x7fff));
    return rtp;
  }
  Client::Rtp send(bool keyframe = false) {
    Client::Rtp rtp = packet(keyframe);
    member_.client->send_rtp(rtp);
    return rtp;
  }
  // As many as one frame every 33 ms makes.
  void film(int packets, bool keyframe_first = true) {
    for (int i = 0; i < packets; ++i) {
      send(keyframe_first && i == 0);
      house_.run(33ms, 11ms);
    }
  }

private:
  House& house_;
  Member& member_;
  uint32_t ssrc_;
  rtp::SeqNo seq_ = 100;
  uint32_t timestamp_ = 5000;
  int picture_ = 50;
};

inline ReceiverId from(const Member& member, uint16_t mline = 0) { return {member.id, mline}; }
inline SenderId to(const Member& member, uint16_t mline = 0) { return {member.id, mline}; }

}  // namespace cardea::test
