// A text room full of members on one thread: all join, some write, all may move, and what arrives is checked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "options.hpp"
#include "process.hpp"
#include "signalling.hpp"
#include "text_member.hpp"
#include "text_options.hpp"

namespace cardea::load {

struct TextOutcome {
  double seconds = 0;  // of measuring
  double cpu_seconds = 0, own_cpu_seconds = 0;
  uint64_t said = 0, expected = 0, missing = 0;
  uint64_t shown = 0, expected_states = 0;
  uint64_t refused = 0;  // by our own side: the channel was full
  uint64_t stalled_closed = 0;
  uint64_t resident_before = 0, resident_with_all = 0, resident_most = 0;
  Percentiles join, stalled_for;
  TextReceived received;
};

class TextScenario {
public:
  TextScenario(const Options& options, const TextOptions& text);
  ~TextScenario();
  // Throws std::runtime_error with a sentence when it cannot go on.
  TextOutcome run();

private:
  void open_sessions();
  void create_room();
  void join_all();
  void stall();
  void turn(Duration at_most);
  void run_for(Duration time);
  void move_data();
  bool tell_events();
  void say_and_show();
  void check_members();
  void watch(int fd, TextMember* member);
  bool all_heard() const;

  // given
  const Options& options_;
  const TextOptions& text_;
  // owned
  Shared shared_;
  std::unique_ptr<DataSide> data_;  // none: by API
  int epoll_;
  std::vector<std::unique_ptr<Signalling>> sockets_;
  std::vector<std::unique_ptr<TextMember>> members_;
  // state
  TextOutcome outcome_;
  Time now_{}, next_timers_{}, began_{}, stalled_at_{};
  bool talking_ = false;
  std::vector<Time> next_said_, next_shown_;
  std::vector<bool> counted_;
  std::vector<uint64_t> stirred_;
};

}  // namespace cardea::load
