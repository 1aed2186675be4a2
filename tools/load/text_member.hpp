// One member of a text room: its peer connection with a data channel, or a handle of the API alone. It joins, says and
// shows what it is asked to, and checks whatever the others say.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cardea/json.hpp"
#include "client_peer.hpp"
#include "data/association.hpp"
#include "meter.hpp"
#include "options.hpp"
#include "signalling.hpp"
#include "text_options.hpp"

namespace cardea::load {

// What all members received while measuring.
struct TextReceived {
  uint64_t messages = 0;
  uint64_t out_of_order = 0;  // a number that is not the next one of its speaker
  uint64_t corrupt = 0;       // checksum wrong
  uint64_t states = 0, batches = 0, state_bytes = 0;
  uint64_t errors = 0;  // answers that are errors
  std::string first_error{};
  Percentiles latency, state_latency;
};

// The gateway's end of many data channels: usrsctp's stack is the process's. Packets and events wait in `output`.
struct DataSide {
  DataSide();

  data::Output output{data::SctpSettings().max_packet};
  data::SctpStack stack;
};

class TextMember {
public:
  // `number` is below 2^16. `data`: null for a member by API.
  TextMember(uint32_t number, const Options& options, const TextOptions& text, Shared& shared, DataSide* data,
             Signalling& signalling, TextReceived& totals);

  void attach();
  bool joined() const { return joined_; }
  bool over() const { return over_; }  // the server closed the peer connection
  Time over_at() const { return over_at_; }
  const std::string& failure() const { return failure_; }
  Time began() const { return began_; }
  int fd() const { return peer_ ? peer_->fd() : -1; }

  void receive(Time now);
  void tick(Time now);
  // For the owner of `data`: what the association wants sent, what it tells, that it was stirred.
  void send_record(Bytes record, Time now);
  void on_event(data::DataEvent& event, Time now);
  void stirred(Time now);

  void say(Time now);
  void show(Time now);
  void measure(bool on) { measuring_ = on; }
  void stall() { stalled_ = true; }
  bool stalled() const { return stalled_; }

  uint64_t said() const { return said_; }
  uint64_t shown() const { return shown_; }
  uint64_t refused() const { return refused_; }  // what our own side of the channel could not take
  // The number of the last message of a speaker that came, and how many came in all.
  uint64_t heard(uint32_t speaker) const { return speaker < heard_.size() ? heard_[speaker] : 0; }

private:
  void set_up();
  void answer(JsonView reply);
  void join();
  void request(Json body);
  void on_text(JsonView event, Time now);
  void on_message(std::string_view text, Time now);
  void on_states(JsonView event, size_t bytes, Time now);
  void fail(JsonView reply);

  // given
  const uint32_t number_;
  const Options& options_;
  const TextOptions& text_;
  DataSide* const data_;
  Signalling& signalling_;
  TextReceived& totals_;
  // owned
  std::unique_ptr<ClientPeer> peer_;
  std::unique_ptr<data::Association> association_;
  // state
  std::string fingerprint_;
  uint64_t handle_ = 0;
  Time began_{}, over_at_{}, now_{};
  bool joined_ = false, asked_ = false, over_ = false, measuring_ = false, stalled_ = false, default_open_ = false;
  uint64_t said_ = 0, shown_ = 0, refused_ = 0;
  std::vector<uint64_t> heard_;
  std::string failure_;
};

}  // namespace cardea::load
