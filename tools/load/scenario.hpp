// Rooms of publishers and subscribers on one thread: all join, media flows, and for a while everything is measured.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "meter.hpp"
#include "options.hpp"
#include "process.hpp"
#include "publisher.hpp"
#include "signalling.hpp"
#include "subscriber.hpp"

namespace cardea::load {

// Certificate and ciphers; throws std::runtime_error.
void prepare(Shared& shared, const Options& options);
// Why a server refused.
std::string refusal(JsonView reply);

struct Outcome {
  uint32_t publishers = 0, subscribers = 0;
  uint32_t joined = 0;         // subscribers that got media
  double seconds = 0;          // of measuring
  uint64_t forwarded = 0;      // packets the server should have sent to subscribers meanwhile
  double cpu_seconds = 0;      // of the server meanwhile
  double own_cpu_seconds = 0;  // of this program
  // Before anything, when all had joined, at the end of measuring (after all churn), and when all had left.
  uint64_t resident_before = 0, resident_with_all = 0, resident_measured = 0, resident_after = 0;
  uint32_t descriptors_before = 0, descriptors_with_all = 0, descriptors_measured = 0, descriptors_after = 0;
  uint64_t churned = 0;
  Percentiles join;       // from the attach request to the first packet
  Duration all_joined{};  // from the first attach (after the `first` ones) to the last subscriber's first packet
  Received received;
  Received early;                  // of the `first`, while the others joined
  double joining_cpu_seconds = 0;  // of the server meanwhile
  uint64_t requests = 0;           // signalling only
};

class Scenario {
public:
  explicit Scenario(const Options& options);
  ~Scenario();
  // Throws std::runtime_error with a sentence when it cannot go on.
  Outcome run();

private:
  struct Member;
  struct Room;

  void open_session();
  void create_rooms();
  void begin_publisher(Room& room);
  void begin_subscriber(Room& room);
  void attached_publisher(Member& member, uint64_t handle);
  void attached_subscriber(Member& member, uint64_t handle);
  void join_subscriber(Member& member);
  void leave(Member& member);
  void turn(Duration at_most);
  bool wait(Duration at_most, const char* what, bool (Scenario::*done)());
  bool all_up();
  bool all_joined();
  void begin_joins();
  void join_first();
  void run_command();
  void measure(bool on);
  void churn(Time now);
  void run_signalling(Outcome& outcome);
  uint64_t sent_times_subscribers() const;
  std::string local(bool bulk);
  void watch(int fd, Member* member);

  // given
  const Options& options_;
  // owned
  Shared shared_;
  int epoll_;
  Signalling signalling_;
  std::vector<std::unique_ptr<Room>> rooms_;
  std::list<std::unique_ptr<Member>> members_;
  // state
  Outcome outcome_;
  uint32_t to_join_ = 0, joining_next_ = 0, bulk_addresses_ = 0;
  Time now_{}, next_join_{}, next_timers_{}, next_churn_ = never;
  Time first_attach_{}, last_media_{};
  std::string failure_;
};

}  // namespace cardea::load
