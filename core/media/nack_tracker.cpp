#include "media/nack_tracker.hpp"

#include <algorithm>

namespace cardea::media {

bool NackTracker::arrived(rtp::SeqNo seq, Time now) {
  const auto slot = [](rtp::SeqNo n) { return static_cast<size_t>(n) % ring; };
  if (highest_ < 0) {
    highest_ = seq;
    seen_.set(slot(seq));
    return true;
  }
  if (seq > highest_) {
    if (seq != highest_ + 1) note_gap(highest_ + 1, seq, now);
    highest_ = seq;
    seen_.set(slot(seq));
    if (!missing_.empty()) {
      drop_older(highest_ - window);
      gap_is_loss(now);
    }
    return true;
  }
  if (too_old(seq) || seen_[slot(seq)]) return false;
  seen_.set(slot(seq));
  found(seq);
  return true;
}

// The numbers from `from` up to, without, `to` did not come yet.
void NackTracker::note_gap(rtp::SeqNo from, rtp::SeqNo to, Time now) {
  const auto count = static_cast<size_t>(to - from);
  if (count >= ring) {
    seen_.reset();
  } else {
    for (rtp::SeqNo seq = from; seq < to; ++seq) seen_.reset(static_cast<size_t>(seq) % ring);
  }
  if (missing_.size() + count > max_missing) {
    given_up_ += missing_.size() + count;
    missing_.clear();
    next_deadline_ = never;
    hopeless_ = true;
    return;
  }
  for (rtp::SeqNo seq = from; seq < to; ++seq) missing_.push_back({seq, now + reorder_wait, 0});
  next_deadline_ = std::min(next_deadline_, now + reorder_wait);
}

void NackTracker::found(rtp::SeqNo seq) {
  const auto at = std::lower_bound(missing_.begin(), missing_.end(), seq,
                                   [](const Missing& missing, rtp::SeqNo wanted) { return missing.seq < wanted; });
  if (at != missing_.end() && at->seq == seq) missing_.erase(at);
  if (missing_.empty()) next_deadline_ = never;
}

void NackTracker::drop_older(rtp::SeqNo than) {
  const auto keep = std::find_if(missing_.begin(), missing_.end(), [&](const Missing& m) { return m.seq > than; });
  given_up_ += static_cast<uint64_t>(keep - missing_.begin());
  missing_.erase(missing_.begin(), keep);
}

// A number that later ones have overtaken is asked for without waiting.
void NackTracker::gap_is_loss(Time now) {
  for (auto missing = missing_.rbegin(); missing != missing_.rend(); ++missing) {
    if (missing->seq > highest_ - reorder) continue;
    if (missing->tries > 0 || missing->ask_at <= now) break;
    missing->ask_at = now;
    next_deadline_ = std::min(next_deadline_, now);
  }
}

std::span<const rtp::SeqNo> NackTracker::due(Time now, Duration rtt) {
  due_.clear();
  if (now < next_deadline_) return due_;
  const Duration gap = std::max(rtt + answer_wait, min_gap);
  next_deadline_ = never;
  std::erase_if(missing_, [&](Missing& missing) {
    if (missing.ask_at <= now) {
      if (missing.tries == max_tries) return ++given_up_, true;
      ++missing.tries;
      missing.ask_at = now + gap;
      due_.push_back(missing.seq);
    }
    next_deadline_ = std::min(next_deadline_, missing.ask_at);
    return false;
  });
  asked_ += due_.size();
  return due_;
}

}  // namespace cardea::media
