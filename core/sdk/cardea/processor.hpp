// A plugin's own media: a machine that takes packets in and gives packets out, such as a mixer. It runs on a processor
// thread and never on a media worker, so a machine that is slow delays nobody's forwarded media.
//
// MediaProcessor  written by the plugin: receives packets, ticks, says when it wants to tick next. One thread calls it.
// MediaOut        what it may ask for during a call.
// Processor       the plugin's hold on it, for control turns: its inputs and outputs are ends of routes like any m-line
//                 of a peer, so Services::forward(receiver, processor.input(3)) and forward(processor.output(7),
//                 sender) are all there is to connect it. Destroying it ends the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "cardea/ids.hpp"
#include "cardea/media.hpp"
#include "cardea/time.hpp"

namespace cardea {

// A received RTP packet, decrypted. It is read-only, and everything in it holds until the call returns.
struct PacketView {
  CodecType codec = CodecType::opus;
  bool red = false;       // the payload is RFC 2198 RED around the codec
  uint8_t substream = 0;  // simulcast layer, 0 the lowest
  uint8_t payload_type = 0;
  bool marker = false;
  bool restarted = false;  // the stream begins anew: its numbers and timestamps have nothing to do with those before
  int64_t seq = 0;         // widened: it never wraps. The low 16 bits are the number on the wire
  uint32_t timestamp = 0;  // in units of clock_hz
  uint32_t clock_hz = 48000;
  uint32_t ssrc = 0;
  Time arrival{};                        // at the gateway's socket, or when another processor gave it out
  std::optional<uint8_t> audio_level{};  // RFC 6464: 0 loud .. 127 silence
  bool keyframe = false;                 // video: a frame that can be decoded alone begins here
  std::span<const uint8_t> payload{};    // without padding
  std::span<const uint8_t> rtp{};        // the whole packet: header, extensions, payload
};

// A packet that a processor makes. SSRC and sequence numbers are the core's.
struct MediaPacket {
  uint16_t output = 0;  // which of the processor's outputs
  CodecType codec = CodecType::opus;
  bool red = false;  // the payload is RED; senders whose peer takes none get its newest block
  bool marker = false;
  uint32_t timestamp = 0;  // in units of the codec's RTP clock
  std::optional<uint8_t> audio_level{};
  std::span<const uint8_t> payload{};  // copied; at most max_media_payload bytes
};
inline constexpr size_t max_media_payload = 1400;

class MediaOut {
public:
  // To everybody the output is forwarded to. Costs nothing where it goes to nobody.
  virtual void send(const MediaPacket& packet) = 0;
  // Asks the source of an input for a keyframe. Requests that come close together are merged.
  virtual void request_keyframe(uint16_t input) = 0;
  // Runs in a control turn, unless the Processor is destroyed before. Allocates and wakes the control thread: for what
  // happens now and then, not for each packet. Dropped and counted if control does not keep up.
  virtual void post(std::function<void()> call) = 0;

protected:
  ~MediaOut() = default;
};

class MediaProcessor {
public:
  virtual ~MediaProcessor() = default;
  // A packet that came by a route to one of the inputs. Packets come in batches, up to 5 ms after their arrival.
  virtual void on_packet(uint16_t input, const PacketView& packet, Time now, MediaOut& out) = 0;
  // next_deadline() has come.
  virtual void on_tick(Time now, MediaOut& out) = 0;
  // When on_tick() is wanted; `never` (time.hpp): not at all. Asked after each call.
  virtual Time next_deadline() const = 0;
  // Somebody who gets this output needs a keyframe.
  virtual void on_keyframe_request(uint16_t /*output*/, Time /*now*/, MediaOut& /*out*/) {}
};

// A machine that throws is ended, and its error is logged; its inputs then lead nowhere.
class Processor {
public:
  virtual ~Processor() = default;
  // Inputs and outputs need no declaration; numbers are the plugin's choice.
  virtual SenderId input(uint16_t index) const = 0;
  virtual ReceiverId output(uint16_t index) const = 0;
  // The call is made on the processor's thread, before any packet that is routed later. The machine is the one that was
  // given to start_processor().
  virtual void post(std::function<void(MediaProcessor& machine, Time now, MediaOut& out)> call) = 0;
};

}  // namespace cardea
