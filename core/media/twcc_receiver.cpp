#include "media/twcc_receiver.hpp"

#include <algorithm>

namespace cardea::media {

namespace {
constexpr rtp::SeqNo max_told_lost = 1000;  // before the first arrival of a message: a jump is not a thousand losses
}

void TwccReceiver::arrived(uint16_t transport_seq, Time at) {
  const rtp::SeqNo seq = widener_.widen(transport_seq);
  if (base_ < 0) base_ = seq;
  if (seq < base_) return;  // told as lost already
  if (waiting_.size() >= 2 * max_waiting) return;
  if (waiting_.empty() || seq > waiting_.back().seq) {
    waiting_.push_back({seq, at});
  } else {
    const auto before =
        std::lower_bound(waiting_.begin(), waiting_.end(), seq,
                         [](const rtp::TransportArrival& arrival, rtp::SeqNo number) { return arrival.seq < number; });
    if (before->seq == seq) return;
    waiting_.insert(before, {seq, at});
  }
  if (next_deadline_ == never) next_deadline_ = at + interval_;
  if (waiting_.size() >= max_waiting) next_deadline_ = std::min(next_deadline_, at);
}

bool TwccReceiver::write(ByteWriter& out, uint32_t sender_ssrc, uint32_t media_ssrc, Time now) {
  if (waiting_.empty()) return false;
  if (waiting_.front().seq - base_ > max_told_lost) base_ = waiting_.front().seq;
  const size_t told = rtp::write_transport_feedback(out, sender_ssrc, media_ssrc, feedback_count_, base_, waiting_);
  if (told == 0) return false;
  ++feedback_count_;
  base_ = waiting_[told - 1].seq + 1;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(told));
  next_deadline_ = waiting_.empty() ? never : now;
  return true;
}

}  // namespace cardea::media
