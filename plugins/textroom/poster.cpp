#include "poster.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <vector>

#ifdef CARDEA_CURL
#include <curl/curl.h>
#include <sys/socket.h>
#endif

#include "cardea/log.hpp"
#include "cardea/text.hpp"

namespace cardea::textroom {
namespace {

constexpr size_t max_waiting = 1000;                     // requests the thread has not seen yet
constexpr uint64_t max_queued_bytes = 16 * 1024 * 1024;  // of all requests

}  // namespace

Poster::Poster() : waiting_(max_waiting) {}

Json Poster::describe() const {
  return Json::object("delivered", delivered_.load(), "failed", failed_.load(), "dropped", dropped_.load(), "refused",
                      refused_.load());
}

#ifndef CARDEA_CURL

Poster::~Poster() = default;
void Poster::post(const std::string&, const Payload&) { ++dropped_; }
bool Poster::available() const { return false; }

#else

namespace {

constexpr size_t max_queue = 256;  // requests for one URL: a slow backend harms itself alone
constexpr long max_connections = 64;
constexpr long connect_timeout_ms = 5000, timeout_ms = 10000;
constexpr int idle_ms = 10000;
constexpr auto between_complaints = std::chrono::seconds(10);

constexpr size_t max_answer = 64 * 1024;  // bytes; nobody reads it

// Counts down what may still come; anything else than the size ends the request.
size_t ignore_answer(char*, size_t size, size_t count, void* left) {
  size_t& bytes = *static_cast<size_t*>(left);
  if (size * count > bytes) return 0;
  bytes -= size * count;
  return size * count;
}

// Sees each address before it is connected to, whatever a name was resolved to.
curl_socket_t open_socket(void* rules, curlsocktype, curl_sockaddr* to) {
  const auto address = Network::of(to->addr);
  if (!address || !static_cast<const PostRules*>(rules)->may_connect(*address)) return CURL_SOCKET_BAD;
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}
// Sees where a connection leads that was opened for another request.
int before_request(void* rules, char* remote_ip, char*, int, int) {
  const auto address = Network::parse(remote_ip);
  const bool good = address && static_cast<const PostRules*>(rules)->may_connect(*address);
  return good ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

}  // namespace

// The requests the thread knows of: for each URL the one on its way, and those after it.
struct Poster::Transfers {
  struct Queue {
    std::deque<Payload> posts{};  // the first is on its way
    CURL* easy = nullptr;
    size_t answer_left = 0;
  };

  explicit Transfers(const PostRules& post_rules) : rules(post_rules), multi(curl_multi_init()) {
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max_connections);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");  // no 100-continue: one round trip less
  }
  ~Transfers() {
    for (auto& [url, queue] : queues) {
      curl_multi_remove_handle(multi, queue.easy);
      curl_easy_cleanup(queue.easy);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
  }
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // Whether there was room for it.
  bool add(const Post& post) {
    auto& [url, queue] = *queues.try_emplace(post.url).first;
    if (queue.posts.size() >= max_queue) return false;
    queue.posts.push_back(post.json);
    if (queue.posts.size() == 1) begin(url, queue);
    return true;
  }

  void begin(const std::string& url, Queue& queue) {
    if (queue.easy == nullptr) queue.easy = curl_easy_init();
    CURL* easy = queue.easy;
    const std::string& body = queue.posts.front().text();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &url);  // the key of the queue, which does not move
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    queue.answer_left = max_answer;
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &queue.answer_left);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (!rules.is_own(url)) {
      auto* obeyed = const_cast<PostRules*>(&rules);  // libcurl hands it back to those who only read
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, obeyed);
      curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
      curl_easy_setopt(easy, CURLOPT_PREREQDATA, obeyed);
      curl_easy_setopt(easy, CURLOPT_PROXY, "");  // it would connect in our place
    }
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "cardea-textroom");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_multi_add_handle(multi, easy);
  }

  // done(size_t bytes, bool delivered, const std::string& why) for each request that is over; the next ones begin.
  template <class Done>
  void finish(const Done& done) {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode result = message->data.result;
      long status = 0;
      std::string* url = nullptr;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      curl_easy_getinfo(easy, CURLINFO_PRIVATE, &url);
      curl_multi_remove_handle(multi, easy);
      auto queue = queues.find(*url);
      const bool good = result == CURLE_OK && status >= 200 && status < 300;
      done(queue->second.posts.front().size(), good,
           result == CURLE_OK ? text("status ", status) : std::string(curl_easy_strerror(result)));
      queue->second.posts.pop_front();
      if (!queue->second.posts.empty()) {
        begin(queue->first, queue->second);
      } else {
        curl_easy_cleanup(easy);
        queues.erase(queue);
      }
    }
  }

  const PostRules& rules;
  CURLM* multi;
  curl_slist* headers = nullptr;
  std::map<std::string, Queue> queues{};
};

Poster::~Poster() {
  stopping_ = true;
  (void)waiting_.post({});  // wakes the thread; a full box has woken it already
  if (thread_.joinable()) thread_.join();
}

bool Poster::available() const { return true; }

void Poster::post(const std::string& url, const Payload& json) {
  if (!rules_.may_post(url)) {
    ++refused_;
    return;
  }
  if (!thread_.joinable()) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    thread_ = std::thread([this] { run(); });
  }
  if (queued_bytes_ + json.size() > max_queued_bytes) {
    ++dropped_;
    return;
  }
  queued_bytes_ += json.size();  // before the thread can take it away again
  if (waiting_.post({url, json})) return;
  queued_bytes_ -= json.size();
  ++dropped_;
}

void Poster::run() {
  Transfers transfers(rules_);
  std::vector<Post> posts;
  std::chrono::steady_clock::time_point next_complaint{};
  while (!stopping_) {
    waiting_.take(posts);
    for (const Post& post : posts) {
      if (post.url.empty() || transfers.add(post)) continue;
      queued_bytes_ -= post.json.size();
      ++dropped_;
    }
    int running = 0;
    curl_multi_perform(transfers.multi, &running);
    transfers.finish([&](size_t bytes, bool good, const std::string& why) {
      queued_bytes_ -= bytes;
      ++(good ? delivered_ : failed_);
      const auto now = std::chrono::steady_clock::now();
      if (good || now < next_complaint) return;
      next_complaint = now + between_complaints;
      log::warn("textroom", "an HTTP backend did not take a message: ", why);
    });
    curl_waitfd box{waiting_.fd(), CURL_WAIT_POLLIN, 0};
    curl_multi_poll(transfers.multi, &box, 1, idle_ms, nullptr);
  }
}

#endif

}  // namespace cardea::textroom
