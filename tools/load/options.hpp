// What cardea-load is asked to do: rooms of publishers and subscribers, or signalling alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cardea/time.hpp"

namespace cardea::load {

struct Options {
  std::string url = "ws://127.0.0.1:8188/";
  std::string plugin = "janus.plugin.videoroom";
  uint32_t rooms = 1;
  uint32_t publishers = 1;    // per room
  uint32_t subscribers = 10;  // per room; each receives every publisher of its room
  uint32_t first = 0;         // of them join before the others, and count while the others join
  uint32_t first_room = 900000;
  Duration warm_up = 2s;  // after all have media
  Duration measure = 10s;
  Duration join_timeout = 60s;
  uint32_t join_rate = 200;        // joins begun per second; 0: as fast as they can
  uint32_t churn = 0;              // subscribers that leave and come again, per second, while measuring
  uint32_t video_bps = 1'500'000;  // 0: no video
  uint32_t fps = 30;
  bool audio = true;
  std::string srtp = "gcm128";    // gcm128, gcm256, cm80: what we allow
  uint32_t sample = 5;            // subscribers per room that decrypt and check everything
  uint32_t one_of = 64;           // the others take one packet of so many, dropped in the kernel; 1: all, 0: none
  double drop = 0;                // share of packets that the sample pretends to lose, to be asked for by NACK
  std::vector<std::string> bind;  // addresses of ours; the first for publishers and the sample, the others for the rest
  int pid = 0;                    // of the server, for its CPU and memory
  std::string json;               // file for the result, "-" for standard output
  std::string after_join;         // a command for the shell, run once when all have media
  bool gro = true;                // UDP_GRO on our sockets
  uint32_t signalling = 0;        // instead of media: so many requests in flight
};

}  // namespace cardea::load
