#include "media/rewriter.hpp"

#include <algorithm>
#include <cstdlib>

namespace cardea::media {

namespace {

constexpr int64_t max_tie_error_s = 2;
constexpr int frames_of_a_picture = 16;  // more than it can have: frame numbers may leave some out, but not go back

}  // namespace

void Rewriter::stop(bool same_source) {
  close_current();
  if (same_source) {
    if (expected_ >= 0) left_behind_[std::min<size_t>(current_.substream, max_substreams - 1)] = expected_;
  } else {
    closed_.clear();
    oldest_ = 0;
    left_behind_ = {};
    common_offset_ = {};
  }
  same_source_ = same_source_ && same_source;
  expected_ = -1;
}

void Rewriter::start(const rtp::Packet& packet, Rewritten& out) {
  if (expected_ >= 0) stop(true);
  if (ever_) {
    current_.timestamp_offset = join_timestamps(packet);
    join_pictures(packet.video);
  }
  current_.in_first = packet.seq;
  current_.out_first = next_++;
  current_.substream = packet.substream;
  current_.has_last_left_out = false;
  expected_ = packet.seq + 1;
  ever_ = same_source_ = true;
  newest_timestamp_ = packet.timestamp;
  newest_arrival_ = packet.arrival;
  note_picture(packet.video);
  apply(current_, packet, out);
}

// The offset with which the packet's timestamp follows the newest one sent: by the source's own clock where it is
// known, else by the time that passed between the two.
uint32_t Rewriter::join_timestamps(const rtp::Packet& packet) {
  const uint32_t newest_sent = newest_timestamp_ + current_.timestamp_offset;
  const uint8_t from = current_.substream, to = packet.substream;
  const bool tied = from < max_substreams && to < max_substreams && common_offset_[from] && common_offset_[to];
  const uint32_t by_time = newest_sent + ticks(packet.arrival - newest_arrival_, packet.clock_hz) - packet.timestamp;
  uint32_t offset = by_time;
  if (same_source_ && from == to) {
    offset = exact_offset_;
  } else if (same_source_ && tied) {
    offset = exact_offset_ + *common_offset_[to] - *common_offset_[from];
    // Sender reports that are this far from what arrives are not to be believed.
    const auto apart = static_cast<int32_t>(offset - by_time);
    if (std::abs(int64_t{apart}) > int64_t{packet.clock_hz} * max_tie_error_s) offset = by_time;
  }
  exact_offset_ = offset;
  // Two layers may show the same moment; to a decoder a timestamp is a frame.
  if (!later(packet.timestamp + offset, newest_sent)) offset = newest_sent + 1 - packet.timestamp;
  return offset;
}

void Rewriter::join_pictures(const rtp::VideoInfo& video) {
  const auto join = [](int newest, uint32_t offset, int now) {
    return newest < 0 || now < 0 ? 0u : static_cast<uint32_t>(newest) + offset + 1 - static_cast<uint32_t>(now);
  };
  current_.picture_id_offset =
      static_cast<uint16_t>(join(newest_picture_id_, current_.picture_id_offset, video.picture_id));
  current_.tl0_offset = static_cast<uint8_t>(join(newest_tl0_, current_.tl0_offset, video.tl0_pic_idx));
  current_.key_idx_offset = static_cast<uint8_t>(join(newest_key_idx_, current_.key_idx_offset, video.key_idx));
  if (video.frame_number >= 0 && newest_frame_ >= 0)
    current_.frame_offset =
        static_cast<uint16_t>(newest_frame_ + current_.frame_offset + frames_of_a_picture - video.frame_number);
}

bool Rewriter::forward_out_of_turn(const rtp::Packet& packet, Rewritten& out) {
  if (packet.seq < expected_) return find(packet, out);
  const rtp::SeqNo gap = packet.seq - expected_;
  // Right after a picture that is left out, with the next picture's first packet: what is missing was that one's end.
  const rtp::VideoInfo& video = packet.video;
  const bool left_out_before = next_ == current_.out_first && current_.has_last_left_out;
  if (left_out_before && video.frame_start && video.picture_id >= 0 && newest_picture_id_ >= 0 &&
      ((newest_picture_id_ + 1 - video.picture_id) & picture_id_mask(video)) == 0) {
    current_.in_first = packet.seq;
  } else {
    next_ += gap;
  }
  expected_ = packet.seq + 1;
  ++next_;
  note(packet);
  apply(current_, packet, out);
  return true;
}

void Rewriter::leave_out(const rtp::Packet& packet) {
  // What is missing between two packets of one picture that is left out belongs to it too; other gaps stay holes.
  bool left_out_before = next_ == current_.out_first && current_.has_last_left_out;
  if (!left_out_before || packet.timestamp != current_.last_left_out) {
    next_ += packet.seq - expected_;
    left_out_before = left_out_before && packet.seq == expected_;
  }
  close_current();
  current_.out_first = next_;
  current_.in_first = expected_ = packet.seq + 1;
  current_.has_first_left_out = current_.has_last_left_out = true;
  if (!left_out_before) current_.first_left_out = packet.timestamp;
  current_.last_left_out = packet.timestamp;
  // The first packet of a picture that is left out: those after it move up.
  if (packet.video.picture_id >= 0 && packet.video.picture_id != newest_picture_id_) {
    newest_picture_id_ = packet.video.picture_id;
    --current_.picture_id_offset;
  }
}

// Keeps the current run for late packets and NACKs, if anything is in it.
void Rewriter::close_current() {
  if (next_ == current_.out_first || expected_ < 0) return;
  if (closed_.size() < max_closed) {
    closed_.push_back(current_);
  } else {
    closed_[oldest_] = current_;
    oldest_ = (oldest_ + 1) % max_closed;
  }
  current_.out_first = next_;
  current_.has_first_left_out = current_.has_last_left_out = false;
}

const Rewriter::Segment& Rewriter::closed(size_t newest) const {
  return closed_[(oldest_ + closed_.size() - 1 - newest) % closed_.size()];
}

// A late packet, in whichever run it belongs to.
bool Rewriter::find(const rtp::Packet& packet, Rewritten& out) const {
  const Segment* newer = &current_;
  const Segment* in = nullptr;
  if (expected_ >= 0 && current_.substream == packet.substream && packet.seq >= current_.in_first) in = &current_;
  rtp::SeqNo out_end = next_;
  for (size_t i = 0; in == nullptr && i < closed_.size(); ++i) {
    if (i > 0) newer = &closed(i - 1);
    out_end = newer->out_first;
    if (closed(i).substream == packet.substream && packet.seq >= closed(i).in_first) in = &closed(i);
  }
  // Runs of one substream are in the order of its numbers: behind the end of this one it was left out.
  if (in == nullptr || packet.seq - in->in_first >= out_end - in->out_first) return false;
  // In a hole, but of a picture of which other packets were left out, before the run or after it.
  if (in->has_last_left_out && packet.timestamp == in->last_left_out) return false;
  if (in != newer && newer->has_first_left_out && packet.timestamp == newer->first_left_out) return false;
  apply(*in, packet, out);
  return true;
}

const Rewriter::Segment* Rewriter::segment_of(rtp::SeqNo out) const {
  if (out >= next_) return nullptr;
  if (out >= current_.out_first) return expected_ < 0 ? nullptr : &current_;
  for (size_t i = 0; i < closed_.size(); ++i)
    if (out >= closed(i).out_first) return &closed(i);
  return nullptr;
}

std::optional<Origin> Rewriter::origin(rtp::SeqNo out) const {
  const Segment* segment = segment_of(out);
  if (segment == nullptr) return std::nullopt;
  return Origin{segment->substream, segment->in_first + (out - segment->out_first)};
}

std::optional<Rewritten> Rewriter::again(rtp::SeqNo out, const rtp::Packet& packet) const {
  if (origin(out) != Origin{packet.substream, packet.seq}) return std::nullopt;
  Rewritten again;
  apply(*segment_of(out), packet, again);
  return again;
}

void Rewriter::align(uint8_t substream, uint32_t common_offset) {
  if (substream < max_substreams) common_offset_[substream] = common_offset;
}

}  // namespace cardea::media
