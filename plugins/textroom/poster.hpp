// Tells HTTP backends what is said in rooms. Requests run on a thread of its own; who posts never waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "cardea/json.hpp"
#include "cardea/mailbox.hpp"
#include "cardea/media.hpp"
#include "post_rules.hpp"

namespace cardea::textroom {

// Where rooms leave what their backend shall know.
class Backend {
public:
  // Before the first post.
  virtual void obey(const PostRules& rules) = 0;
  virtual void post(const std::string& url, const Payload& json) = 0;
  virtual bool available() const = 0;  // was it built in?
  virtual Json describe() const = 0;   // counters

protected:
  ~Backend() = default;
};

// With libcurl: messages to one host go one after the other, so that they stay in order. What does not fit the bounded
// queue is dropped and counted; so is what the rules do not allow, by the URL or by the address that it leads to.
class Poster final : public Backend {
public:
  Poster();
  ~Poster();
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  void obey(const PostRules& rules) override { rules_ = rules; }
  void post(const std::string& url, const Payload& json) override;
  bool available() const override;
  Json describe() const override;

private:
  struct Post {
    std::string url;
    Payload json;
  };
  struct Transfers;

  void run();

  // given
  PostRules rules_;
  // owned
  Mailbox<Post> waiting_;
  std::thread thread_;  // from the first post on
  // state
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> queued_bytes_ = 0;
  std::atomic<uint64_t> delivered_ = 0, failed_ = 0, dropped_ = 0, refused_ = 0;
};

}  // namespace cardea::textroom
