// A network interface's frames of one worker, written by it into memory that the kernel reads (PACKET_TX_RING,
// packet(7)): many frames leave with one system call, and copied is only what their virtio header calls a header. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cardea/result.hpp"

namespace cardea::worker {

class FrameRing {
public:
  static constexpr size_t frame_size = 16384;           // a slot; a run of some twelve full packets
  static constexpr size_t max_frame = frame_size - 32;  // bytes of a frame with its virtio header

  // interface: its index; slots: a multiple of 4; send_buffer: bytes that may be under way in the interface's queue.
  static Result<FrameRing> open(int interface, size_t slots, uint32_t send_buffer);

  FrameRing(FrameRing&& other) noexcept;
  FrameRing& operator=(FrameRing&&) = delete;
  ~FrameRing();

  // Room for max_frame bytes; nullptr: all slots are under way.
  uint8_t* next();
  // What next() gave holds a frame of `size` bytes. It may be written to until flush().
  void commit(size_t size);
  // Hands over what was committed. Frames that the interface's queue has no room for wait for the next flush().
  // False: the interface is gone or down.
  bool flush();
  bool waiting() const { return waiting_; }

private:
  FrameRing(int fd, size_t count) : fd_(fd), count_(count) {}

  // owned
  int fd_;
  uint8_t* slots_ = nullptr;
  size_t count_;
  // state
  size_t at_ = 0;
  bool waiting_ = false;  // committed, not yet handed over
};

}  // namespace cardea::worker
